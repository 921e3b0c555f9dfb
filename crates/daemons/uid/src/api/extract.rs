//! What handlers take from a request.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;

use super::{ApiError, AppState};
use crate::{auth::Identity, model::Role};

impl FromRequestParts<AppState> for Identity {
    type Rejection = ApiError;

    /// Anybody who may be here; 401 otherwise.
    async fn from_request_parts(parts: &mut Parts, shared: &AppState) -> Result<Self, ApiError> {
        Ok(shared.authenticator.identify(&parts.headers).await?)
    }
}

impl Identity {
    /// Refuses with 403 who does not have the role.
    pub(super) fn require(&self, role: Role) -> Result<(), ApiError> {
        if self.role >= role {
            return Ok(());
        }
        Err(denied(&format!("the role {} is needed, yours is {}", role.name(), self.role.name())))
    }

    /// Refuses with 403 who does not administer the server.
    pub(super) fn require_server_admin(&self) -> Result<(), ApiError> {
        if self.is_server_admin() { Ok(()) } else { Err(denied("the server's administrators may do this")) }
    }
}

fn denied(why: &str) -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        format!("You'll need additional permissions to perform this action: {why}"),
    )
    .with("title", "Access denied")
}

/// A JSON body of whatever content type, as Grafana takes it.
pub(super) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| ApiError::new(rejection.status(), rejection.body_text()))?;
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| ApiError::bad_request(format!("bad request data: {error}")))
    }
}

/// Runs what waits for the disk beside the async threads.
pub(super) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, ApiError>
where
    T: Send + 'static,
    E: Into<ApiError> + Send + 'static,
{
    service::spawn_blocking(work).await.map_err(|error| ApiError::internal(&error))?.map_err(Into::into)
}

/// The pairs of a query string.
pub(super) fn query_pairs(query: Option<&str>) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
}
