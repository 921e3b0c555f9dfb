//! The proxy's own services: API, dashboard, ping, metrics, health. Shapes are Traefik's; handlers parse, look up, encode.

mod dashboard;
mod elements;
mod entry_points;
mod frame;
mod overview;
mod page;
mod raw_data;

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use http::{HeaderValue, Method, StatusCode, header};
use middleware::{BoxFuture, Handler, Request, Response, answer, full};
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::shared::Shared;

/// What a service of the proxy's own answers.
type Answer = fn(&Arc<Shared>, &Request) -> Response;

/// All of them by name.
pub(crate) fn services(shared: &Arc<Shared>) -> BTreeMap<&'static str, Arc<dyn Handler>> {
    let service =
        |answer: Answer| -> Arc<dyn Handler> { Arc::new(Own { shared: Arc::downgrade(shared), answer }) };
    let mut services = BTreeMap::from([
        ("noop@internal", service(|_, _| answer(StatusCode::IM_A_TEAPOT, "I'm a teapot\n"))),
        ("frame@internal", Arc::new(frame::FrameRoutes { shared: Arc::downgrade(shared) }) as _),
    ]);
    if let Some(api) = &shared.settings.api {
        services.insert("api@internal", service(api_and_dashboard));
        if api.dashboard {
            services.insert("dashboard@internal", service(dashboard::page));
        }
    }
    if shared.settings.ping.is_some() {
        services.insert("ping@internal", service(frame::ping));
    }
    if shared.settings.prometheus.is_some() {
        services.insert("prometheus@internal", service(frame::metrics));
    }
    services
}

/// A service that answers at once. It holds the proxy weakly: the proxy holds it.
struct Own {
    shared: Weak<Shared>,
    answer: Answer,
}

impl Handler for Own {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            match self.shared.upgrade() {
                Some(shared) => (self.answer)(&shared, &request),
                None => answer(StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
            }
        })
    }
}

fn api_and_dashboard(shared: &Arc<Shared>, request: &Request) -> Response {
    let path = request.uri().path();
    let Some(rest) = path.strip_prefix("/api/").or_else(|| path.strip_prefix("/api")) else {
        return match &shared.settings.api {
            Some(api) if api.dashboard => dashboard::page(shared, request),
            _ => answer(StatusCode::NOT_FOUND, "404 page not found\n"),
        };
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return answer(StatusCode::METHOD_NOT_ALLOWED, "");
    }
    let segments: Vec<&str> = rest.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments.as_slice() {
        ["version"] => ok(&overview::version(shared)),
        ["overview"] => ok(&overview::overview(shared)),
        ["rawdata"] => ok(&raw_data::raw_data(shared)),
        ["entrypoints"] => page::list(request, entry_points::all(shared)),
        ["entrypoints", name] => one("entry point", name, entry_points::all(shared)),
        [protocol @ ("http" | "tcp" | "udp"), kind] => match elements::all(shared, protocol, kind) {
            Some(all) => page::list(request, all),
            None => not_found(),
        },
        [protocol @ ("http" | "tcp" | "udp"), kind, name] => match elements::all(shared, protocol, kind) {
            Some(all) => one(kind.trim_end_matches('s'), name, all),
            None => not_found(),
        },
        _ => not_found(),
    }
}

fn not_found() -> Response {
    answer(StatusCode::NOT_FOUND, "404 page not found\n")
}

/// The element of a name, which may be percent-encoded.
fn one(kind: &str, name: &str, all: Vec<Json>) -> Response {
    let name = router::routing_path(name).replace("%40", "@");
    match all.into_iter().find(|element| element["name"] == *name) {
        Some(element) => ok(&element),
        None => message(StatusCode::NOT_FOUND, &format!("{kind} not found: {name}")),
    }
}

fn ok(value: &impl Serialize) -> Response {
    encode(StatusCode::OK, value)
}

fn message(status: StatusCode, text: &str) -> Response {
    encode(status, &json!({ "message": text }))
}

fn encode(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => {
            let mut response = Response::new(full(bytes));
            *response.status_mut() = status;
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => answer(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}
