//! The dashboard: one page that asks the API.

use std::sync::Arc;

use http::{HeaderValue, StatusCode, header};
use middleware::{Request, Response, answer, full};

use crate::shared::Shared;

const PAGE: &str = include_str!("dashboard.html");

/// The page below `/dashboard/`; elsewhere the way there.
pub(super) fn page(_: &Arc<Shared>, request: &Request) -> Response {
    match request.uri().path() {
        "/dashboard/" => {
            let mut response = Response::new(full(PAGE));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            headers.insert(
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(
                    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'",
                ),
            );
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            response
        }
        "/" | "/dashboard" => {
            let mut response = answer(StatusCode::FOUND, "");
            response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/dashboard/"));
            response
        }
        _ => answer(StatusCode::NOT_FOUND, "404 page not found\n"),
    }
}
