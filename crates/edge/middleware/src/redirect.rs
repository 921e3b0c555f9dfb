//! `redirectScheme` and `redirectRegex`: send the client elsewhere.

use std::sync::Arc;

use go_regex::Regex;
use http::{HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::{BoxFuture, BuildError, Client, Handler, Request, Response, answer, handler::answer_status};

/// Options of `redirectScheme`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RedirectScheme {
    /// The new scheme; needed.
    pub scheme: String,
    /// The new port; empty for the scheme's own.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub port: String,
    /// 301/308 instead of 302/307.
    pub permanent: bool,
}

/// Options of `redirectRegex`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RedirectRegex {
    /// Matched against the whole URL.
    pub regex: String,
    /// The new URL, with `$1` or `${name}` for groups.
    pub replacement: String,
    /// 301/308 instead of 302/307.
    pub permanent: bool,
}

impl RedirectScheme {
    pub(crate) fn build(&self, next: Arc<dyn Handler>) -> Result<Arc<dyn Handler>, BuildError> {
        if self.scheme.is_empty() {
            return Err(BuildError::value("redirectScheme.scheme", "you must provide a target scheme"));
        }
        let is_default =
            matches!((self.scheme.as_str(), self.port.as_str()), (_, "") | ("http", "80") | ("https", "443"));
        let port = if is_default { String::new() } else { format!(":{}", self.port) };
        let how = How::Scheme { scheme: self.scheme.clone(), port };
        Ok(Arc::new(Redirect { how, permanent: self.permanent, next }))
    }
}

impl RedirectRegex {
    pub(crate) fn build(&self, next: Arc<dyn Handler>) -> Result<Arc<dyn Handler>, BuildError> {
        let pattern =
            Regex::new(&self.regex).map_err(|error| BuildError::value("redirectRegex.regex", error))?;
        let how = How::Pattern(pattern, self.replacement.clone());
        Ok(Arc::new(Redirect { how, permanent: self.permanent, next }))
    }
}

struct Redirect {
    how: How,
    permanent: bool,
    next: Arc<dyn Handler>,
}

enum How {
    Scheme { scheme: String, port: String },
    Pattern(Regex, String),
}

impl Redirect {
    /// Where the client should go, if it is not there.
    fn target(&self, request: &Request) -> Option<String> {
        let scheme = request_scheme(request);
        let host =
            request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let uri = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let old = format!("{scheme}://{host}{uri}");
        let new = match &self.how {
            How::Scheme { scheme, port } => format!("{scheme}://{}{port}{uri}", without_port(host)),
            How::Pattern(pattern, replacement) => {
                if !pattern.is_match(&old) {
                    return None;
                }
                pattern.replace_all(&old, replacement).into_owned()
            }
        };
        (new != old).then_some(new)
    }
}

impl Handler for Redirect {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        let Some(target) = self.target(&request) else { return self.next.handle(request) };
        let status = match (self.permanent, request.method() == Method::GET) {
            (true, true) => StatusCode::MOVED_PERMANENTLY,
            (true, false) => StatusCode::PERMANENT_REDIRECT,
            (false, true) => StatusCode::FOUND,
            (false, false) => StatusCode::TEMPORARY_REDIRECT,
        };
        Box::pin(async move {
            match HeaderValue::from_str(&target) {
                Ok(location) => {
                    let mut response = answer_status(status);
                    response.headers_mut().insert(header::LOCATION, location);
                    response
                }
                Err(_) => answer(StatusCode::BAD_REQUEST, "cannot redirect to an invalid URL"),
            }
        })
    }
}

/// `https` or `http`, as the client sees it: `X-Forwarded-Proto` tells, which the entry point lets in from trusted proxies only.
pub fn request_scheme(request: &Request) -> &'static str {
    let forwarded = request.headers().get("x-forwarded-proto").and_then(|value| value.to_str().ok());
    match forwarded {
        Some("https" | "wss") => "https",
        Some("http" | "ws") => "http",
        _ if request.extensions().get::<Client>().is_some_and(|client| client.is_tls) => "https",
        _ => "http",
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() => {
            if name.contains(':') && !name.ends_with(']') { host } else { name }
        }
        _ => host,
    }
}
