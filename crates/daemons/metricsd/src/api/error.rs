//! What goes wrong, as the API says it: status, `errorType`, text. The one place that maps errors to HTTP.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use promql::{EngineError, ErrorKind};
use serde_json::json;

use crate::queries::NoTurn;

/// A request's failure.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The request is at fault.
    BadData(String),
    /// The query is valid and cannot be computed.
    Execution(String),
    /// The query was stopped.
    Canceled(String),
    /// The query took too long.
    Timeout(String),
    /// The server is at fault.
    Internal(String),
    /// There is no such thing.
    NotFound(String),
    /// The daemon was started without it.
    Unavailable(String),
    /// The database is not open yet, or the daemon is on its way out.
    NotReady { stopping: bool },
}

impl ApiError {
    fn parts(&self) -> (StatusCode, &'static str, &str) {
        let client_closed = StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST);
        match self {
            Self::BadData(text) => (StatusCode::BAD_REQUEST, "bad_data", text),
            Self::Execution(text) => (StatusCode::UNPROCESSABLE_ENTITY, "execution", text),
            Self::Canceled(text) => (client_closed, "canceled", text),
            Self::Timeout(text) => (StatusCode::SERVICE_UNAVAILABLE, "timeout", text),
            Self::Internal(text) => (StatusCode::INTERNAL_SERVER_ERROR, "internal", text),
            Self::NotFound(text) => (StatusCode::NOT_FOUND, "not_found", text),
            Self::Unavailable(text) => (StatusCode::INTERNAL_SERVER_ERROR, "unavailable", text),
            Self::NotReady { .. } => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Service Unavailable"),
        }
    }

    /// The failure as text, from endpoints whose answers are not JSON.
    pub fn into_text(self) -> Response {
        if matches!(self, Self::NotReady { .. }) {
            return self.into_response();
        }
        let (status, _, text) = self.parts();
        plain(status, text)
    }
}

/// A text with a line end, as Go's servers send errors.
pub(super) fn plain(status: StatusCode, text: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n")).into_response()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::NotReady { stopping } = self {
            let stopping = if stopping { "true" } else { "false" };
            let headers = [("X-Prometheus-Stopping", stopping)];
            return (StatusCode::SERVICE_UNAVAILABLE, headers, "Service Unavailable").into_response();
        }
        let (status, kind, text) = self.parts();
        let body = json!({"status": "error", "errorType": kind, "error": text}).to_string();
        (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}

impl From<NoTurn> for ApiError {
    fn from(error: NoTurn) -> Self {
        match error {
            NoTurn::Timeout => Self::Timeout(error.to_string()),
            NoTurn::Canceled => Self::Canceled(error.to_string()),
        }
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        let kind = error.kind();
        // The parse error's own text is part of this level's already.
        let text = match &error {
            EngineError::Parse(_) => error.to_string(),
            other => service::report(other),
        };
        match kind {
            ErrorKind::BadData => Self::BadData(text),
            ErrorKind::Execution => Self::Execution(text),
            ErrorKind::Canceled => Self::Canceled(text),
            ErrorKind::Timeout => Self::Timeout(text),
            ErrorKind::Internal => Self::Internal(text),
        }
    }
}

impl From<storage::QueryError> for ApiError {
    fn from(error: storage::QueryError) -> Self {
        Self::Internal(service::report(&error))
    }
}

impl From<tokio::task::JoinError> for ApiError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Internal(format!("request panicked: {error}"))
    }
}
