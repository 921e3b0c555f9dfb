//! Headers that belong to one connection and end there (RFC 9110 §7.6.1).

use http::{HeaderMap, HeaderName, HeaderValue, header};

const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Whether a `Connection` header cannot take this one off: it decides where a request goes, whose it is or how long it is.
fn is_kept(name: &str) -> bool {
    matches!(name, "host" | "content-length" | "authorization" | "cookie" | "x-real-ip")
        || name.starts_with("x-forwarded-")
}

/// Removes the headers above and those that `Connection` names, but for those a client must not be able to remove.
pub fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let mut named = Vec::new();
    for value in headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok()) {
        for name in value.split(',').map(|name| name.trim().to_ascii_lowercase()) {
            if !is_kept(&name)
                && let Ok(name) = HeaderName::from_bytes(name.as_bytes())
            {
                named.push(name);
            }
        }
    }
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// The protocol that `Connection: Upgrade` asks for.
pub(crate) fn requested_upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let asks = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').any(|token| token.trim().eq_ignore_ascii_case("upgrade")));
    if !asks {
        return None;
    }
    // Upgrading to HTTP/2 in the clear is between neighbours and would hide requests from the proxy.
    headers.get(header::UPGRADE).filter(|protocol| !protocol.as_bytes().eq_ignore_ascii_case(b"h2c")).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_what_ends_here() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Private, X-Forwarded-For, authorization"),
            ("keep-alive", "5"),
            ("te", "gzip"),
            ("transfer-encoding", "chunked"),
            ("x-private", "1"),
            ("x-forwarded-for", "1.2.3.4"),
            ("authorization", "x"),
            ("accept", "*/*"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        remove_hop_by_hop(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "authorization", "x-forwarded-for"]);
    }

    #[test]
    fn finds_upgrades() {
        let check = |connection: &'static str, upgrade: &'static str, want: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert("connection", HeaderValue::from_static(connection));
            headers.insert("upgrade", HeaderValue::from_static(upgrade));
            let found = requested_upgrade(&headers);
            assert_eq!(found.as_ref().map(|value| value.to_str().expect("text")), want);
        };
        check("keep-alive, Upgrade", "websocket", Some("websocket"));
        check("close", "websocket", None);
        check("upgrade, HTTP2-Settings", "h2c", None);
    }
}
