//! One request from its first byte to the last of its answer.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use middleware::{Body, BoxError, Client, Facts, Record, Request, Response};

use super::{AccessLog, OpenRequest, ProxyMetrics, TlsFacts};

/// Nginx's status for a client that went away before there was an answer.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// What is known of a request before it is routed.
#[derive(Debug)]
pub(crate) struct RequestFacts {
    pub(crate) entry_point: Arc<str>,
    pub(crate) client: Client,
    pub(crate) tls: Option<TlsFacts>,
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) host: String,
    /// `HTTP/1.1`.
    pub(crate) version: &'static str,
    /// `http`, `https`, `websocket` or `sse`.
    pub(crate) protocol: &'static str,
    /// Kept only if the access log may need them.
    pub(crate) headers: HeaderMap,
}

/// A request under way. When it is dropped it is counted and logged; without an answer by then its client went away.
pub(crate) struct Exchange {
    pub(crate) facts: RequestFacts,
    pub(crate) record: Record,
    pub(crate) started: Instant,
    pub(crate) started_at: SystemTime,
    pub(crate) status: u16,
    pub(crate) grpc_status: Option<u16>,
    pub(crate) request_bytes: Arc<AtomicU64>,
    pub(crate) response_bytes: u64,
    pub(crate) response_headers: HeaderMap,
    pub(crate) metrics: Option<Arc<ProxyMetrics>>,
    pub(crate) access_log: Option<Arc<AccessLog>>,
    _open: Option<OpenRequest>,
}

/// A request's figures for metrics.
pub(crate) struct Outcome<'e> {
    /// HTTP status, or gRPC's.
    pub(crate) code: u16,
    pub(crate) method: &'static str,
    pub(crate) protocol: &'static str,
    pub(crate) tls: Option<TlsFacts>,
    pub(crate) entry_point: &'e Arc<str>,
    pub(crate) router: Option<&'e Arc<str>>,
    pub(crate) service: Option<&'e Arc<str>>,
    pub(crate) duration: Duration,
    pub(crate) request_bytes: u64,
    pub(crate) response_bytes: u64,
    pub(crate) retries: u32,
}

impl Exchange {
    pub(crate) fn begin(
        facts: RequestFacts,
        metrics: Option<Arc<ProxyMetrics>>,
        access_log: Option<Arc<AccessLog>>,
    ) -> Self {
        let open = metrics
            .as_ref()
            .map(|metrics| metrics.request(&facts.entry_point, known_method(&facts.method), facts.protocol));
        Self {
            facts,
            record: Record::default(),
            started: Instant::now(),
            started_at: SystemTime::now(),
            status: CLIENT_CLOSED_REQUEST,
            grpc_status: None,
            request_bytes: Arc::default(),
            response_bytes: 0,
            response_headers: HeaderMap::new(),
            metrics,
            access_log,
            _open: open,
        }
    }

    /// Counts the request's body as it is read.
    pub(crate) fn count_request(&self, request: Request) -> Request {
        if request.body().is_end_stream() {
            return request;
        }
        let bytes = self.request_bytes.clone();
        request.map(|body| {
            body.map_frame(move |frame| {
                bytes.fetch_add(frame.data_ref().map_or(0, |data| data.len() as u64), Relaxed);
                frame
            })
            .boxed_unsync()
        })
    }

    /// Takes the answer's headers in and follows its body to the end.
    pub(crate) fn answered(mut self, response: Response) -> Response {
        self.status = response.status().as_u16();
        let is_grpc = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
        self.note_grpc_status(response.headers());
        if self.access_log.as_ref().is_some_and(|log| log.wants_headers()) {
            self.response_headers = response.headers().clone();
        }
        if response.body().is_end_stream() && !is_grpc && response.status() != StatusCode::SWITCHING_PROTOCOLS
        {
            // Nothing to follow: it is counted here.
            return response;
        }
        response.map(|body| Observed { body, exchange: self }.boxed_unsync())
    }

    fn note_grpc_status(&mut self, headers: &HeaderMap) {
        let status = headers.get("grpc-status").and_then(|value| value.to_str().ok()?.parse().ok());
        self.grpc_status = status.or(self.grpc_status);
    }

    fn finish(&self) {
        let duration = self.started.elapsed();
        let facts: Facts = self.record.facts();
        if let Some(metrics) = &self.metrics {
            metrics.observe(&Outcome {
                code: self.grpc_status.unwrap_or(self.status),
                method: known_method(&self.facts.method),
                protocol: self.facts.protocol,
                tls: self.facts.tls,
                entry_point: &self.facts.entry_point,
                router: facts.router.as_ref(),
                service: facts.service.as_ref(),
                duration,
                request_bytes: self.request_bytes.load(Relaxed),
                response_bytes: self.response_bytes,
                retries: facts.retries,
            });
        }
        if let Some(log) = &self.access_log {
            log.write(self, &facts, duration);
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Methods as label values; others share one, so that clients cannot make series.
fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "CONNECT" => "CONNECT",
        "OPTIONS" => "OPTIONS",
        "TRACE" => "TRACE",
        "PATCH" => "PATCH",
        "PRI" => "PRI",
        _ => "EXTENSION_METHOD",
    }
}

/// An answer's body that is counted as it goes.
pub(crate) struct Observed {
    body: Body,
    exchange: Exchange,
}

impl http_body::Body for Observed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            if let Some(data) = frame.data_ref() {
                self.exchange.response_bytes += data.len() as u64;
            } else if let Some(trailers) = frame.trailers_ref() {
                self.exchange.note_grpc_status(trailers);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
