//! What answers a request.

use std::{future::Future, pin::Pin};

use http::{HeaderValue, StatusCode, header};

use crate::{Body, full};

/// A request on its way. Its URI is in origin form (path and query), its host in the `Host` header.
pub type Request = http::Request<Body>;

/// An answer on its way back.
pub type Response = http::Response<Body>;

/// A future that borrows its handler.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Answers requests: a service, or a middleware around one. Failures are answers too.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. Dropping the future abandons it: the client went away.
    fn handle(&self, request: Request) -> BoxFuture<'_, Response>;
}

/// A plain text answer.
pub fn answer(status: StatusCode, text: impl Into<String>) -> Response {
    let mut response = Response::new(full(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The standard text of a status as its body.
pub(crate) fn answer_status(status: StatusCode) -> Response {
    answer(status, status.canonical_reason().unwrap_or_default())
}
