//! `retry`: asks again when no server could be reached.

use std::{sync::Arc, time::Duration};

use config::GoDuration;
use http::StatusCode;
use http_body::Body as _;
use serde::{Deserialize, Serialize};
use tracing::debug;

use crate::{
    Body, BoxFuture, BuildError, Handler, NetworkError, Record, Request, Response, body::read_limited, empty,
    full, handler::answer_status,
};

/// Largest request body that is kept to be sent again, in bytes; larger requests are tried once.
const MAX_KEPT_BODY: u64 = 1 << 20;

/// Options of `retry`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Retry {
    /// How often to try in all; at least 1.
    pub attempts: u32,
    /// Pause before the second attempt, doubled for each further one; nothing is no pause.
    pub initial_interval: GoDuration,
}

impl Retry {
    pub(crate) fn build(&self, next: Arc<dyn Handler>) -> Result<Arc<dyn Handler>, BuildError> {
        if self.attempts == 0 {
            return Err(BuildError::value("retry.attempts", "must be at least 1"));
        }
        Ok(Arc::new(Retrier { attempts: self.attempts, interval: self.initial_interval.0, next }))
    }
}

struct Retrier {
    attempts: u32,
    interval: Duration,
    next: Arc<dyn Handler>,
}

impl Handler for Retrier {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        let size = request.body().size_hint().exact();
        let is_upgrade = request.headers().contains_key(http::header::UPGRADE);
        if is_upgrade || size.is_none_or(|size| size > MAX_KEPT_BODY) {
            return self.next.handle(request);
        }
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let Ok(kept) = read_limited(body, MAX_KEPT_BODY as usize).await else {
                return answer_status(StatusCode::BAD_REQUEST);
            };
            let body = || -> Body { if kept.is_empty() { empty() } else { full(kept.clone()) } };
            let mut pause = self.interval;
            for attempt in 1..self.attempts {
                let response = self.next.handle(Request::from_parts(parts.clone(), body())).await;
                if response.extensions().get::<NetworkError>().is_none() {
                    return response;
                }
                debug!(attempt, "no server reached, trying again");
                if let Some(record) = parts.extensions.get::<Record>() {
                    record.note(|facts| facts.retries = attempt);
                }
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2);
            }
            self.next.handle(Request::from_parts(parts, body())).await
        })
    }
}
