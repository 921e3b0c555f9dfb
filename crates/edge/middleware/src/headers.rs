//! `headers`: custom request and response headers, CORS, and the headers that make browsers careful.

mod config;
mod cors;
mod secure;

use std::sync::Arc;

use http::{HeaderName, HeaderValue, StatusCode, header};

pub use config::Headers;
use cors::Cors;
use secure::Secure;

use crate::{BoxFuture, BuildError, Handler, Request, Response, answer, request_scheme};

impl Headers {
    pub(crate) fn build(&self, next: Arc<dyn Handler>) -> Result<Arc<dyn Handler>, BuildError> {
        for (key, is_set) in self.retired() {
            if is_set {
                tracing::warn!(
                    key = format!("headers.{key}"),
                    "retired: has no effect, use redirectScheme, redirectRegex or permissionsPolicy"
                );
            }
        }
        Ok(Arc::new(Layer {
            request: custom("headers.customRequestHeaders", &self.custom_request_headers)?,
            response: custom("headers.customResponseHeaders", &self.custom_response_headers)?,
            cors: Cors::new(self)?,
            secure: Secure::new(self)?,
            next,
        }))
    }
}

/// A header to set, or to remove if there is no value.
type Change = (HeaderName, Option<HeaderValue>);

fn custom(
    key: &'static str,
    headers: &std::collections::BTreeMap<String, String>,
) -> Result<Vec<Change>, BuildError> {
    let change = |(name, value): (&String, &String)| {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| BuildError::value(key, error))?;
        let value = match value.as_str() {
            "" => None,
            text => Some(HeaderValue::from_str(text).map_err(|error| BuildError::value(key, error))?),
        };
        Ok((name, value))
    };
    headers.iter().map(change).collect()
}

struct Layer {
    request: Vec<Change>,
    response: Vec<Change>,
    cors: Cors,
    secure: Secure,
    next: Arc<dyn Handler>,
}

fn apply(changes: &[Change], headers: &mut http::HeaderMap) {
    for (name, value) in changes {
        match value {
            Some(value) => {
                headers.insert(name, value.clone());
            }
            None => {
                headers.remove(name);
            }
        }
    }
}

impl Handler for Layer {
    fn handle(&self, mut request: Request) -> BoxFuture<'_, Response> {
        let is_tls = request_scheme(&request) == "https" || self.secure.comes_from_tls_proxy(&request);
        let origin = request.headers().get(header::ORIGIN).cloned();
        Box::pin(async move {
            if !self.secure.allows_host(&request) {
                return answer(StatusCode::INTERNAL_SERVER_ERROR, "Bad Host");
            }
            if let Some(response) = self.cors.preflight(&request, origin.as_ref()) {
                return response;
            }
            apply(&self.request, request.headers_mut());
            let mut response = self.next.handle(request).await;
            let headers = response.headers_mut();
            self.secure.apply(is_tls, headers);
            apply(&self.response, headers);
            self.cors.apply(origin.as_ref(), headers);
            response
        })
    }
}
