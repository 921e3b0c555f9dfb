//! Requests that change something must not come from another site: a browser says where a page is from, and it must be ours.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use url::Url;

use super::{ApiError, AppState};

pub(super) async fn check(State(shared): State<AppState>, request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // Without a session there is nothing that another site could use, but a login of its own choosing.
    let matters =
        request.uri().path() == "/login" || shared.authenticator.session_token(request.headers()).is_some();
    if !is_safe && matters && !is_ours(request.headers(), &shared.settings.server.root_url) {
        return ApiError::new(
            StatusCode::FORBIDDEN,
            "origin not allowed: the page is not from this server; check server.root_url",
        )
        .into_response();
    }
    next.run(request).await
}

/// Host names are compared, not ports, as a proxy in front may have another.
fn is_ours(headers: &HeaderMap, root_url: &Url) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Some(origin) = origin.to_str().ok().and_then(|origin| Url::parse(origin).ok()) else { return false };
    let Some(origin) = origin.host_str() else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| Url::parse(&format!("http://{host}")).ok());
    host.is_some_and(|host| host.host_str() == Some(origin)) || root_url.host_str() == Some(origin)
}
