//! What goes wrong, as the API says it: a status and plain text. The one place that maps errors to HTTP.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use logql::engine::{EngineError, EngineErrorKind};
use tracing::error;

use crate::{
    ingest::Refusal,
    queries::{MustStop, NoTurn},
    tenants::TenantError,
};

const TIMED_OUT: &str = "request timed out, decrease the duration of the request or add more label matchers (prefer exact match over regex \
                         match) to reduce the amount of data processed";

/// A request's failure.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The request is at fault.
    BadRequest(String),
    /// The request does not say who asks.
    Unauthorized(String),
    /// There is no such thing.
    NotFound(String),
    /// There is no such thing here yet.
    NotSupported(String),
    /// Too much at a time.
    TooMany(String),
    /// The client is gone.
    Cancelled,
    /// It took too long.
    Timeout,
    /// It cannot be served now.
    Unavailable(String),
    /// The server is at fault.
    Internal(String),
    /// A push that is not taken, or not all of it.
    Refused(Refusal),
}

impl ApiError {
    fn parts(self) -> (StatusCode, String) {
        let status = |code: u16| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match self {
            Self::BadRequest(text) => (StatusCode::BAD_REQUEST, text),
            Self::Unauthorized(text) => (StatusCode::UNAUTHORIZED, text),
            Self::NotFound(text) => (StatusCode::NOT_FOUND, text),
            Self::NotSupported(text) => (StatusCode::NOT_IMPLEMENTED, format!("not supported yet: {text}")),
            Self::TooMany(text) => (StatusCode::TOO_MANY_REQUESTS, text),
            Self::Cancelled => (status(499), "the request was cancelled by the client".to_owned()),
            Self::Timeout => (StatusCode::GATEWAY_TIMEOUT, TIMED_OUT.to_owned()),
            Self::Unavailable(text) => (StatusCode::SERVICE_UNAVAILABLE, text),
            Self::Internal(text) => (StatusCode::INTERNAL_SERVER_ERROR, text),
            // Loki ends these with a newline.
            Self::Refused(refusal) => (status(refusal.status), format!("{}\n", refusal.text)),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, text) = self.parts();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            error!(error = text, "request failed");
        }
        let headers = [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        let mut response = (status, headers, text).into_response();
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        match error.kind {
            EngineErrorKind::Cancelled => Self::Cancelled,
            EngineErrorKind::Timeout => Self::Timeout,
            EngineErrorKind::Source => Self::Internal(service::report(&error)),
            EngineErrorKind::NotSupported
            | EngineErrorKind::Parse
            | EngineErrorKind::BadRequest
            | EngineErrorKind::Limit
            | EngineErrorKind::Pipeline => Self::BadRequest(error.to_string()),
        }
    }
}

impl From<logql::syntax::ParseError> for ApiError {
    fn from(error: logql::syntax::ParseError) -> Self {
        Self::BadRequest(error.to_string())
    }
}

impl From<streams::QueryError> for ApiError {
    fn from(error: streams::QueryError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<TenantError> for ApiError {
    fn from(error: TenantError) -> Self {
        match error {
            TenantError::TooMany => Self::TooMany(error.to_string()),
            TenantError::Closed => Self::Unavailable(error.to_string()),
            TenantError::Open { .. } | TenantError::List { .. } => Self::Internal(service::report(&error)),
        }
    }
}

impl From<NoTurn> for ApiError {
    fn from(error: NoTurn) -> Self {
        match error {
            NoTurn::TooMany => Self::TooMany("too many outstanding requests".to_owned()),
            NoTurn::Timeout => Self::Timeout,
        }
    }
}

impl From<MustStop> for ApiError {
    fn from(reason: MustStop) -> Self {
        match reason {
            MustStop::Cancelled => Self::Cancelled,
            MustStop::Timeout => Self::Timeout,
        }
    }
}

impl From<tokio::task::JoinError> for ApiError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Internal(format!("request panicked: {error}"))
    }
}
