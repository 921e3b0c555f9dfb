//! Ping, metrics, and the routes every daemon has: `/-/healthy`, `/-/ready`, `/-/reload`.

use std::sync::{Arc, Weak};

use http::{HeaderValue, Method, StatusCode, header};
use middleware::{BoxFuture, Handler, Request, Response, answer, full};
use service::report;

use crate::shared::Shared;

/// `/ping`: 200, while the proxy is stopping the status that load balancers take for "no more".
pub(super) fn ping(shared: &Arc<Shared>, _: &Request) -> Response {
    let terminating = shared.settings.ping.as_ref().map_or(503, |ping| ping.terminating_status_code);
    let status = if shared.frame.readiness.is_stopping() {
        StatusCode::from_u16(terminating).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
    } else {
        StatusCode::OK
    };
    answer(status, status.canonical_reason().unwrap_or_default())
}

pub(super) fn metrics(shared: &Arc<Shared>, request: &Request) -> Response {
    let (content_type, text) = shared.frame.metrics.encode(request.headers());
    let mut response = Response::new(full(text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The only service of the proxy's own that takes time: a reload reads files.
pub(super) struct FrameRoutes {
    pub(super) shared: Weak<Shared>,
}

impl Handler for FrameRoutes {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            let Some(shared) = self.shared.upgrade() else {
                return answer(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
            };
            let readiness = &shared.frame.readiness;
            match request.uri().path() {
                "/-/healthy" => answer(StatusCode::OK, "Proxy is Healthy.\n"),
                "/-/ready" if readiness.is_ready() => answer(StatusCode::OK, "Proxy is Ready.\n"),
                "/-/ready" => {
                    let why = if readiness.is_stopping() {
                        "stopping".to_owned()
                    } else {
                        format!("waiting for {}", readiness.pending().join(", "))
                    };
                    answer(StatusCode::SERVICE_UNAVAILABLE, format!("Service Unavailable: {why}\n"))
                }
                "/-/reload" if !matches!(*request.method(), Method::POST | Method::PUT) => {
                    answer(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n")
                }
                "/-/reload" => match shared.frame.reload.trigger().await {
                    Ok(()) => answer(StatusCode::OK, ""),
                    Err(error) => answer(
                        StatusCode::INTERNAL_SERVER_ERROR,
                        format!("failed to reload config: {}\n", report(&*error)),
                    ),
                },
                _ => answer(StatusCode::NOT_FOUND, "404 page not found\n"),
            }
        })
    }
}
