//! Refusals, as Grafana's clients read them: JSON with `message`. One place maps errors to statuses.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};
use service::report;
use tracing::error;

use crate::{
    auth::{AuthError, PasswordError},
    model::DashboardError,
    provisioning::ProvisioningError,
    query::RequestError,
    store::{CatalogError, DataSourceError, StoreError, UserError},
    upstream::UpstreamError,
};

/// A refusal: a status and what the client reads.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    body: Map<String, Value>,
}

impl ApiError {
    /// A refusal with this text.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let mut body = Map::new();
        body.insert("message".into(), Value::String(message.into()));
        Self { status, body }
    }

    /// 400.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Adds a key to the answer.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.body.insert(key.to_owned(), value.into());
        self
    }

    /// 500; the cause goes to the log, not to the client.
    pub(crate) fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        error!(error = report(cause), "request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error, see the server's log")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

impl From<AuthError> for ApiError {
    fn from(cause: AuthError) -> Self {
        let id = match &cause {
            AuthError::Password(PasswordError::Busy) => {
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, cause.to_string());
            }
            AuthError::Password(inner) => return Self::internal(inner),
            AuthError::Store(inner) => return Self::internal(inner),
            AuthError::Invalid => "password-auth.failed",
            AuthError::Blocked => "login-attempt.blocked",
            AuthError::Unauthorized | AuthError::Token | AuthError::BasicOff => "auth.unauthorized",
        };
        Self::new(StatusCode::UNAUTHORIZED, cause.to_string())
            .with("messageId", id)
            .with("statusCode", 401)
            .with("traceID", "")
    }
}

impl From<PasswordError> for ApiError {
    fn from(cause: PasswordError) -> Self {
        AuthError::from(cause).into()
    }
}

impl From<StoreError> for ApiError {
    fn from(cause: StoreError) -> Self {
        Self::internal(&cause)
    }
}

impl From<CatalogError> for ApiError {
    fn from(cause: CatalogError) -> Self {
        use CatalogError::{
            DashboardNotFound, DashboardTitleTaken, DashboardVersion, FolderNotFound, FolderTitleTaken,
            FolderVersion, NoFolderTitle, ProvisionedDelete, ProvisionedSave, Store, TooDeep, TooMany, Uid,
            UidTaken,
        };
        let (status, kind) = match &cause {
            Store(inner) => return Self::internal(inner),
            DashboardNotFound => (StatusCode::NOT_FOUND, Some("not-found")),
            FolderNotFound => (StatusCode::NOT_FOUND, Some("not-found")),
            DashboardVersion | FolderVersion => (StatusCode::PRECONDITION_FAILED, Some("version-mismatch")),
            DashboardTitleTaken => (StatusCode::PRECONDITION_FAILED, Some("name-exists")),
            FolderTitleTaken | UidTaken => (StatusCode::CONFLICT, None),
            ProvisionedSave | ProvisionedDelete | NoFolderTitle | TooDeep | Uid(_) => {
                (StatusCode::BAD_REQUEST, None)
            }
            TooMany { .. } => (StatusCode::FORBIDDEN, None),
        };
        let refusal = Self::new(status, cause.to_string());
        match kind {
            Some(kind) => refusal.with("status", kind),
            None => refusal,
        }
    }
}

impl From<DataSourceError> for ApiError {
    fn from(cause: DataSourceError) -> Self {
        use DataSourceError::{
            NameTaken, NoName, NotFound, ReadOnly, Store, TooMany, Uid, UidTaken, Version,
        };
        let status = match &cause {
            Store(inner) => return Self::internal(inner),
            NotFound => StatusCode::NOT_FOUND,
            NameTaken | UidTaken | Version => StatusCode::CONFLICT,
            ReadOnly | TooMany => StatusCode::FORBIDDEN,
            NoName | Uid(_) => StatusCode::BAD_REQUEST,
        };
        Self::new(status, cause.to_string())
    }
}

impl From<UserError> for ApiError {
    fn from(cause: UserError) -> Self {
        let status = match &cause {
            UserError::Store(inner) => return Self::internal(inner),
            UserError::NotFound => StatusCode::NOT_FOUND,
            UserError::Taken => StatusCode::CONFLICT,
        };
        Self::new(status, cause.to_string())
    }
}

impl From<DashboardError> for ApiError {
    fn from(cause: DashboardError) -> Self {
        Self::bad_request(cause.to_string()).with(
            "status",
            match cause {
                DashboardError::NoTitle => "empty-name",
                DashboardError::NotAnObject | DashboardError::Uid(_) => "bad-request",
            },
        )
    }
}

impl From<RequestError> for ApiError {
    fn from(cause: RequestError) -> Self {
        Self::bad_request(report(&cause))
    }
}

impl From<UpstreamError> for ApiError {
    fn from(cause: UpstreamError) -> Self {
        Self::new(cause.status(), report(&cause))
    }
}

impl From<ProvisioningError> for ApiError {
    fn from(cause: ProvisioningError) -> Self {
        // Who may reload may read what is wrong with the files; secrets are not part of it.
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, report(&cause))
    }
}
