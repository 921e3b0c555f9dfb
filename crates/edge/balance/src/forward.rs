//! One request to one server.

pub(crate) mod hop_by_hop;

use std::time::Instant;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use middleware::{Client, NetworkError, Record, Request, Response, answer, set_path};
use service::report;
use tracing::{debug, warn};

use crate::{ForwardError, Tunnels, server::Server};
use hop_by_hop::{remove_hop_by_hop, requested_upgrade};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Sends the request to the server. The answer is the server's, or says why there is none.
pub(crate) async fn forward(
    server: &Server,
    mut request: Request,
    pass_host_header: bool,
    tunnels: &Tunnels,
) -> Response {
    let record = request.extensions().get::<Record>().cloned().unwrap_or_default();
    record.note(|facts| facts.server = Some(server.url.clone()));
    let started = Instant::now();
    let upgrade = requested_upgrade(request.headers());
    let client_side = upgrade.is_some().then(|| hyper::upgrade::on(&mut request));
    prepare(server, &mut request, pass_host_header, upgrade.as_ref());
    let outcome = server.pool.send(request, upgrade.is_some()).await;
    record.note(|facts| facts.origin_duration = started.elapsed());
    let mut response = match outcome {
        Ok(response) => response,
        Err(error) => return refusal(server, &error),
    };
    record.note(|facts| facts.origin_status = response.status().as_u16());
    let accepted = requested_upgrade(response.headers());
    remove_hop_by_hop(response.headers_mut());
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let (Some(client_side), Some(protocol)) = (client_side, accepted) else {
            warn!(server = %server.url, "the server switches protocols without being asked");
            return answer(StatusCode::BAD_GATEWAY, "Bad Gateway");
        };
        let server_side = hyper::upgrade::on(&mut response);
        tunnels.open(client_side, server_side);
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, protocol);
    }
    *response.version_mut() = Version::HTTP_11;
    response
}

fn refusal(server: &Server, error: &ForwardError) -> Response {
    let status = error.status();
    debug!(server = %server.url, status = status.as_u16(), error = report(error), "server not reached");
    let mut response = answer(status, status.canonical_reason().unwrap_or_default());
    response.extensions_mut().insert(NetworkError);
    response
}

/// Makes a request fit for the next hop.
fn prepare(server: &Server, request: &mut Request, pass_host_header: bool, upgrade: Option<&HeaderValue>) {
    if !server.path.is_empty() {
        let path = format!("{}{}", server.path, request.uri().path());
        set_path(request, &path);
    }
    let client = request.extensions().get::<Client>().copied();
    let headers = request.headers_mut();
    let takes_trailers = headers
        .get_all(header::TE)
        .iter()
        .any(|value| value.to_str().is_ok_and(|text| text.split(',').any(|item| item.trim() == "trailers")));
    remove_hop_by_hop(headers);
    if takes_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    if let Some(protocol) = upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, protocol.clone());
    }
    if !pass_host_header {
        headers.insert(header::HOST, server.authority.clone());
    }
    if let Some(client) = client {
        append_forwarded_for(headers, client);
    }
    join_cookies(headers);
    *request.version_mut() = Version::HTTP_11;
}

fn append_forwarded_for(headers: &mut HeaderMap, client: Client) {
    let address = client.address.ip().to_string();
    let mut chain = String::new();
    for value in headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()) {
        chain.push_str(value);
        chain.push_str(", ");
    }
    chain.push_str(&address);
    if let Ok(value) = HeaderValue::from_str(&chain) {
        headers.insert(FORWARDED_FOR, value);
    }
}

/// HTTP/2 clients may send a cookie header in pieces, HTTP/1.1 servers take one (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(header::COOKIE).iter().nth(1).is_none() {
        return;
    }
    let pieces: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&pieces.join(&b"; "[..])) {
        headers.insert(header::COOKIE, joined);
    }
}
