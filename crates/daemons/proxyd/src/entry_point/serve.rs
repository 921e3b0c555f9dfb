//! One request: prepare, route, answer.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use middleware::{Request, Response, answer};
use router::{RequestView, normalize_host, routing_path};

use super::{connection::Facts, forwarded, prelude};
use crate::{
    observe::{Exchange, RequestFacts},
    runtime::{Route, Runtime},
};

/// Answers a request of a connection.
pub(super) async fn serve(facts: &Facts, mut request: Request) -> Response {
    let refused = prelude::prepare(&facts.point, &mut request).err();
    let Facts { shared, client, point, .. } = facts;
    let runtime = shared.runtime.load_full();
    let found = match refused {
        Some(response) => Err(response),
        None => find(facts, &runtime, &request),
    };
    let route = found.as_ref().ok();
    let metrics =
        shared.metrics.clone().filter(|_| route.map_or(point.is_measured, |route| route.is_measured));
    let access_log =
        shared.access_log().filter(|_| route.map_or(point.logs_access, |route| route.logs_access));
    if metrics.is_none() && access_log.is_none() {
        return match found {
            Ok(route) => {
                forwarded::apply(point, &shared.host_name, *client, request.headers_mut());
                request.extensions_mut().insert(*client);
                route.handler.handle(request).await
            }
            Err(response) => *response,
        };
    }
    let exchange = Exchange::begin(request_facts(facts, &request, access_log.is_some()), metrics, access_log);
    let response = match found {
        Ok(route) => {
            exchange.record.note(|record| {
                record.router = Some(route.router.clone());
                record.service = Some(route.service.clone());
            });
            forwarded::apply(point, &shared.host_name, *client, request.headers_mut());
            request.extensions_mut().insert(*client);
            request.extensions_mut().insert(exchange.record.clone());
            let request = exchange.count_request(request);
            route.handler.handle(request).await
        }
        Err(response) => *response,
    };
    exchange.answered(response)
}

fn find(facts: &Facts, runtime: &Runtime, request: &Request) -> Result<Arc<Route>, Box<Response>> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = normalize_host(host);
    let is_tls = facts.client.is_tls;
    if is_tls && !runtime.tls.same_options(facts.server_name.as_deref(), &host) {
        return Err(Box::new(answer(StatusCode::MISDIRECTED_REQUEST, "Misdirected Request")));
    }
    let view = RequestView {
        host: &host,
        path: &routing_path(request.uri().path()),
        query: request.uri().query().unwrap_or_default(),
        method: request.method(),
        headers: request.headers(),
        client: facts.client.address.ip(),
    };
    let route = runtime.find(&facts.name, is_tls, &view);
    route.cloned().ok_or_else(|| Box::new(answer(StatusCode::NOT_FOUND, "404 page not found\n")))
}

fn request_facts(facts: &Facts, request: &Request, for_log: bool) -> RequestFacts {
    let headers = request.headers();
    let contains = |name: header::HeaderName, text: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(text))
    };
    let is_websocket = headers
        .get(header::UPGRADE)
        .is_some_and(|protocol: &HeaderValue| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let protocol = if is_websocket {
        "websocket"
    } else if contains(header::ACCEPT, "text/event-stream") {
        "sse"
    } else if facts.client.is_tls {
        "https"
    } else {
        "http"
    };
    let text = |value: Option<&HeaderValue>| {
        value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    RequestFacts {
        entry_point: facts.name.clone(),
        client: facts.client,
        tls: facts.tls,
        method: request.method().clone(),
        target: if for_log { request.uri().to_string() } else { String::new() },
        host: if for_log { text(headers.get(header::HOST)) } else { String::new() },
        version: match request.version() {
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_2 => "HTTP/2.0",
            _ => "HTTP/1.1",
        },
        protocol,
        headers: if for_log { headers.clone() } else { HeaderMap::new() },
    }
}
