//! What of a request the rules look at.

use std::{borrow::Cow, net::IpAddr};

use http::{HeaderMap, Method};

/// A request, prepared once for all rules it is tried against.
#[derive(Debug, Clone, Copy)]
pub struct RequestView<'a> {
    /// Host as by [`normalize_host`].
    pub host: &'a str,
    /// Path as by [`routing_path`].
    pub path: &'a str,
    /// Query as it came, without `?`.
    pub query: &'a str,
    /// Method.
    pub method: &'a Method,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// Address of the connection's other end, never that of a header.
    pub client: IpAddr,
}

/// A host for comparison: lower case, without port and without the dot at the end.
pub fn normalize_host(host: &str) -> Cow<'_, str> {
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(host, |(address, _)| address),
        None => match host.rsplit_once(':') {
            Some((name, port)) if !name.contains(':') && port.bytes().all(|byte| byte.is_ascii_digit()) => {
                name
            }
            _ => host,
        },
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}

/// A path as the rules see it: percent-encoding resolved, but for reserved characters, so that `/a%2Fb` and `/a/b` stay two paths.
pub fn routing_path(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = (byte == b'%')
            .then(|| {
                let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
                Some((digit(at + 1)? << 4 | digit(at + 2)?) as u8)
            })
            .flatten();
        match code {
            Some(code) if !is_reserved(code) => {
                decoded.push(code);
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    // Bytes that make no text are left encoded: no rule could name them.
    String::from_utf8(decoded).map_or(Cow::Borrowed(path), Cow::Owned)
}

/// RFC 3986 §2.2, and `%` itself.
fn is_reserved(byte: u8) -> bool {
    b":/?#[]@!$&'()*+,;=%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_paths() {
        let host = |given: &str, want: &str| assert_eq!(normalize_host(given), want);
        host("Example.COM:8080", "example.com");
        host("example.com.", "example.com");
        host("[::1]:80", "::1");
        host("::1", "::1");
        host("a:b", "a:b");
        host("", "");
        let path = |given: &str, want: &str| assert_eq!(routing_path(given), want);
        path("/a%20b", "/a b");
        path("/a%2Fb%2f", "/a%2Fb%2f");
        path("/%C3%BC", "/ü");
        path("/%C3", "/%C3");
        path("/%4", "/%4");
        path("/%2561", "/%2561");
    }
}
