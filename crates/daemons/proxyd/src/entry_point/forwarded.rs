//! `X-Forwarded-*`: believed from trusted peers, replaced from everyone else.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use middleware::Client;

use crate::config::settings::EntryPoint;

const FORWARDED: [HeaderName; 12] = [
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-server"),
    HeaderName::from_static("x-forwarded-uri"),
    HeaderName::from_static("x-forwarded-method"),
    HeaderName::from_static("x-forwarded-prefix"),
    HeaderName::from_static("x-forwarded-tls-client-cert"),
    HeaderName::from_static("x-forwarded-tls-client-cert-info"),
    HeaderName::from_static("x-replaced-path"),
    HeaderName::from_static("x-real-ip"),
];

/// Sets what servers may rely on. `X-Forwarded-For` itself is appended to on the way to the server.
pub(super) fn apply(point: &EntryPoint, server: &HeaderValue, client: Client, headers: &mut HeaderMap) {
    if !point.trusts(client.address.ip()) {
        for name in &FORWARDED {
            headers.remove(name);
        }
    }
    let is_websocket = headers
        .get(header::UPGRADE)
        .is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let proto = match (client.is_tls, is_websocket) {
        (true, false) => "https",
        (false, false) => "http",
        (true, true) => "wss",
        (false, true) => "ws",
    };
    let host = headers.get(header::HOST).cloned();
    let port = host
        .as_ref()
        .and_then(|host| host.to_str().ok()?.rsplit_once(':'))
        .map(|(_, port)| port)
        .filter(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|port| HeaderValue::from_str(port).ok());
    let mut set = |name: &'static str, value: Option<HeaderValue>| {
        if let Some(value) = value
            && !headers.contains_key(name)
        {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("x-real-ip", HeaderValue::from_str(&client.address.ip().to_string()).ok());
    set("x-forwarded-proto", Some(HeaderValue::from_static(proto)));
    let default_port = HeaderValue::from_static(if client.is_tls { "443" } else { "80" });
    set("x-forwarded-port", Some(port.unwrap_or(default_port)));
    set("x-forwarded-host", host);
    headers.insert(HeaderName::from_static("x-forwarded-server"), server.clone());
}
