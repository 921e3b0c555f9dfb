//! `rateLimit`: a token bucket for each source.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use config::GoDuration;
use http::{HeaderName, HeaderValue, StatusCode, header};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::{
    BoxFuture, BuildError, Handler, Request, Response, SourceCriterion,
    handler::answer_status,
    source::{IpPicker, Source},
};

/// Sources remembered at a time.
const MAX_SOURCES: usize = 65_536;

/// Options of `rateLimit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RateLimit {
    /// Requests in a period; 0 for no limit.
    pub average: u64,
    /// The period, 1 s if nothing is said.
    pub period: GoDuration,
    /// Requests at once, 1 if nothing is said.
    pub burst: u64,
    /// What counts together; the client's address if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_criterion: Option<SourceCriterion>,
    /// Buckets shared through Redis, which is not there yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redis: Option<serde_json::Value>,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { average: 0, period: GoDuration::from_secs(1), burst: 1, source_criterion: None, redis: None }
    }
}

impl RateLimit {
    pub(crate) fn build(&self, next: Arc<dyn Handler>) -> Result<Arc<dyn Handler>, BuildError> {
        if self.redis.is_some() {
            return Err(BuildError::NotSupported("rateLimit.redis".to_owned()));
        }
        let source = Source::new(self.source_criterion.as_ref(), Source::Address(IpPicker::default()))?;
        let period = if self.period.0.is_zero() { Duration::from_secs(1) } else { self.period.0 };
        let per_second = self.average as f64 / period.as_secs_f64();
        let buckets = Buckets::new(per_second, self.burst.max(1) as f64);
        Ok(Arc::new(Limiter { source, buckets: Mutex::new(buckets), unlimited: self.average == 0, next }))
    }
}

struct Limiter {
    source: Source,
    buckets: Mutex<Buckets>,
    unlimited: bool,
    next: Arc<dyn Handler>,
}

/// All buckets of a middleware. Time is a parameter.
pub(crate) struct Buckets {
    per_second: f64,
    burst: f64,
    longest_wait: Duration,
    sources: HashMap<String, Bucket>,
}

struct Bucket {
    /// Below zero: requests that were let in ahead of their time and wait.
    tokens: f64,
    at: Instant,
}

/// What becomes of a request.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Go on after this pause, which may be nothing.
    Pass(Duration),
    /// Refused; it would have to wait this long.
    Refuse(Duration),
}

impl Buckets {
    pub(crate) fn new(per_second: f64, burst: f64) -> Self {
        // As Traefik: a request may be held back for half the time between two, but never for more than half a second.
        let longest_wait =
            if per_second < 1.0 { Duration::from_millis(500) } else { seconds(0.5 / per_second) };
        Self { per_second, burst, longest_wait, sources: HashMap::new() }
    }

    pub(crate) fn take(&mut self, source: &str, now: Instant) -> Verdict {
        if !self.sources.contains_key(source) {
            if self.sources.len() >= MAX_SOURCES {
                self.forget_full(now);
            }
            self.sources.insert(source.to_owned(), Bucket { tokens: self.burst, at: now });
        }
        let Some(bucket) = self.sources.get_mut(source) else { return Verdict::Pass(Duration::ZERO) };
        let elapsed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + elapsed * self.per_second).min(self.burst);
        bucket.at = now;
        let wait = seconds(((1.0 - bucket.tokens) / self.per_second).max(0.0));
        if wait > self.longest_wait {
            return Verdict::Refuse(wait);
        }
        bucket.tokens -= 1.0;
        Verdict::Pass(wait)
    }

    /// A full bucket says nothing that a new one would not. If none is full, the table starts again: memory comes first.
    fn forget_full(&mut self, now: Instant) {
        let (per_second, burst) = (self.per_second, self.burst);
        self.sources.retain(|_, bucket| {
            let elapsed = now.saturating_duration_since(bucket.at).as_secs_f64();
            bucket.tokens + elapsed * per_second < burst
        });
        if self.sources.len() >= MAX_SOURCES {
            self.sources.clear();
        }
    }
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or(Duration::MAX)
}

impl Handler for Limiter {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        if self.unlimited {
            return self.next.handle(request);
        }
        let verdict = self.buckets.lock().take(&self.source.of(&request), Instant::now());
        match verdict {
            Verdict::Pass(wait) if wait.is_zero() => self.next.handle(request),
            Verdict::Pass(wait) => Box::pin(async move {
                tokio::time::sleep(wait).await;
                self.next.handle(request).await
            }),
            Verdict::Refuse(wait) => Box::pin(async move { refusal(wait) }),
        }
    }
}

fn refusal(wait: Duration) -> Response {
    let mut response = answer_status(StatusCode::TOO_MANY_REQUESTS);
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs_f64().ceil() as u64));
    if let Ok(text) = HeaderValue::from_str(&GoDuration(wait).to_string()) {
        headers.insert(HeaderName::from_static("x-retry-in"), text);
    }
    response
}
