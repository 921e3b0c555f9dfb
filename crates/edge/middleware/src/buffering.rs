//! `buffering`: requests and responses of bounded size. What has a limit is read whole, in memory, before it goes on.

use std::sync::Arc;

use http::{StatusCode, header};
use http_body::Body as _;
use serde::{Deserialize, Serialize};

use crate::{
    BoxFuture, BuildError, Handler, Request, Response,
    body::{ReadError, read_limited},
    full,
    handler::answer_status,
};

/// Options of `buffering`. Sizes are in bytes, 0 and less are no limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Buffering {
    /// Largest request; over it 413.
    pub max_request_body_bytes: i64,
    /// Where Traefik begins to buffer on disk; this proxy never does.
    pub mem_request_body_bytes: i64,
    /// Largest response; over it 500.
    pub max_response_body_bytes: i64,
    /// Where Traefik begins to buffer on disk; this proxy never does.
    pub mem_response_body_bytes: i64,
    /// When to ask again, which is not there yet.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub retry_expression: String,
}

impl Buffering {
    pub(crate) fn build(&self, next: Arc<dyn Handler>) -> Result<Arc<dyn Handler>, BuildError> {
        if !self.retry_expression.is_empty() {
            return Err(BuildError::NotSupported("buffering.retryExpression".to_owned()));
        }
        let limit = |bytes: i64| usize::try_from(bytes).ok().filter(|bytes| *bytes > 0);
        Ok(Arc::new(Buffer {
            request: limit(self.max_request_body_bytes),
            response: limit(self.max_response_body_bytes),
            next,
        }))
    }
}

struct Buffer {
    request: Option<usize>,
    response: Option<usize>,
    next: Arc<dyn Handler>,
}

impl Handler for Buffer {
    fn handle(&self, mut request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            if let Some(limit) = self.request {
                if request.body().size_hint().lower() > limit as u64 {
                    return answer_status(StatusCode::PAYLOAD_TOO_LARGE);
                }
                let (mut parts, body) = request.into_parts();
                let bytes = match read_limited(body, limit).await {
                    Ok(bytes) => bytes,
                    Err(ReadError::TooLarge) => return answer_status(StatusCode::PAYLOAD_TOO_LARGE),
                    Err(ReadError::Broken) => return answer_status(StatusCode::BAD_REQUEST),
                };
                parts.headers.remove(header::TRANSFER_ENCODING);
                request = Request::from_parts(parts, full(bytes));
            }
            let response = self.next.handle(request).await;
            let Some(limit) = self.response else { return response };
            let (mut parts, body) = response.into_parts();
            match read_limited(body, limit).await {
                Ok(bytes) => {
                    parts.headers.remove(header::TRANSFER_ENCODING);
                    Response::from_parts(parts, full(bytes))
                }
                Err(_) => answer_status(StatusCode::INTERNAL_SERVER_ERROR),
            }
        })
    }
}
