//! What happens to a request before it is routed: one form for all protocols, a clean path, no ambiguity.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header, uri};
use middleware::{Request, Response, answer};

use crate::config::settings::{EntryPoint, UnderscoreHeaders};

/// Brings the request into origin form with a host, or answers what is wrong with it.
pub(super) fn prepare(point: &EntryPoint, request: &mut Request) -> Result<(), Box<Response>> {
    let refuse = |text: &str| Box::new(answer(StatusCode::BAD_REQUEST, text));
    if request.method() == Method::CONNECT {
        return Err(Box::new(answer(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")));
    }
    // HTTP/2, and HTTP/1.1 as spoken to proxies, have the host in the URI; it wins (RFC 9112 §3.2.2).
    if let Some(authority) = request.uri().authority() {
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        let host = HeaderValue::from_str(host).map_err(|_| refuse("Bad Request: invalid host"))?;
        request.headers_mut().insert(header::HOST, host);
    }
    match request.headers().get_all(header::HOST).iter().count() {
        1 => {}
        0 if request.version() < http::Version::HTTP_11 => {
            request.headers_mut().insert(header::HOST, HeaderValue::from_static(""));
        }
        _ => return Err(refuse("Bad Request: exactly one Host header is needed")),
    }
    check_underscores(point, request)?;
    let path = request.uri().path();
    let lower = path.to_ascii_lowercase();
    if let Some(encoding) = point.forbidden_encodings.iter().find(|encoding| lower.contains(**encoding)) {
        return Err(refuse(&format!("Bad Request: the path holds {encoding}")));
    }
    let path = if point.sanitizes_path { clean_path(path) } else { Cow::Borrowed(path) };
    let target = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path.into_owned(),
    };
    let mut parts = uri::Parts::default();
    parts.path_and_query = Some(target.parse().map_err(|_| refuse("Bad Request: invalid path"))?);
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| refuse("Bad Request: invalid path"))?;
    Ok(())
}

/// Servers that turn headers into variables take `X_Real_Ip` for `X-Real-Ip`.
fn check_underscores(point: &EntryPoint, request: &mut Request) -> Result<(), Box<Response>> {
    if point.underscore_headers == UnderscoreHeaders::Keep {
        return Ok(());
    }
    let names = request.headers().keys().filter(|name| name.as_str().contains('_'));
    let names: Vec<HeaderName> = names.cloned().collect();
    if point.underscore_headers == UnderscoreHeaders::Reject && !names.is_empty() {
        return Err(Box::new(answer(
            StatusCode::BAD_REQUEST,
            "Bad Request: header names with underscores are not accepted",
        )));
    }
    for name in names {
        request.headers_mut().remove(name);
    }
    Ok(())
}

/// Resolves `.`, `..` and doubled slashes, the dots also where they are percent-encoded. A slash at the end stays.
pub(super) fn clean_path(path: &str) -> Cow<'_, str> {
    let is_dots =
        |segment: &str| matches!(segment.replace("%2e", ".").replace("%2E", ".").as_str(), "." | "..");
    let needs_work = !path.starts_with('/')
        || path.contains("//")
        || path.split('/').any(|segment| segment.starts_with(['.', '%']) && is_dots(segment));
    if !needs_work {
        return Cow::Borrowed(path);
    }
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_with_slash = false;
    for segment in path.split('/') {
        let plain = segment.replace("%2e", ".").replace("%2E", ".");
        ends_with_slash = matches!(plain.as_str(), "" | "." | "..");
        match plain.as_str() {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    let mut clean = String::with_capacity(path.len());
    for segment in &segments {
        clean.push('/');
        clean.push_str(segment);
    }
    if ends_with_slash || clean.is_empty() {
        clean.push('/');
    }
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::clean_path;

    #[test]
    fn cleans_paths() {
        let check = |path: &str, want: &str| assert_eq!(clean_path(path), want, "{path}");
        check("/", "/");
        check("/a/b", "/a/b");
        check("/a/b/", "/a/b/");
        check("//a///b", "/a/b");
        check("/a/./b", "/a/b");
        check("/a/../b", "/b");
        check("/../../etc/passwd", "/etc/passwd");
        check("/a/%2e%2E/b", "/b");
        check("/a/%2e./b", "/b");
        check("/a/..", "/");
        check("/a/b/..", "/a/");
        check("/.hidden/..x", "/.hidden/..x");
        check("*", "/*");
        check("/a%2Fb", "/a%2Fb");
    }
}
