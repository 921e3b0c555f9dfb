//! What wraps every daemon's routes: compression, panics as 500, request metrics.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer, Predicate,
        predicate::{NotForContentType, SizeAbove},
    },
};
use tracing::{debug, error};

/// Smallest answer that is worth compressing, in bytes.
const COMPRESS_ABOVE: u16 = 1024;

/// `<prefix>_http_requests_total{handler,code}` and `<prefix>_http_request_duration_seconds{handler}`.
#[derive(Debug, Clone)]
pub struct RequestMetrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<HandlerLabels, Histogram, fn() -> Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    handler: String,
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HandlerLabels {
    handler: String,
}

impl RequestMetrics {
    /// Registers both under the peer's prefix: `prometheus`, `alertmanager`, …
    pub fn register(registry: &mut Registry, prefix: &str) -> Self {
        let buckets: fn() -> Histogram = || Histogram::new([0.1, 0.2, 0.4, 1.0, 3.0, 8.0, 20.0, 60.0, 120.0]);
        let metrics = Self { requests: Family::default(), durations: Family::new_with_constructor(buckets) };
        registry.register(
            format!("{prefix}_http_requests"),
            "Counter of HTTP requests",
            metrics.requests.clone(),
        );
        registry.register(
            format!("{prefix}_http_request_duration_seconds"),
            "Histogram of latencies for HTTP requests",
            metrics.durations.clone(),
        );
        metrics
    }
}

/// Wraps a daemon's routes. Call it last, on the whole router: metrics are kept by matched path, unknown paths under one name.
pub fn common_layers(routes: Router, metrics: RequestMetrics) -> Router {
    let compress = SizeAbove::new(COMPRESS_ABOVE)
        .and(NotForContentType::GRPC)
        .and(NotForContentType::IMAGES)
        .and(NotForContentType::SSE);
    routes
        .layer(CatchPanicLayer::custom(|panic: Box<dyn std::any::Any + Send>| {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("unknown");
            error!(panic = text, "BUG: request handler panicked");
            (StatusCode::INTERNAL_SERVER_ERROR, "internal error, see the log\n").into_response()
        }))
        .layer(CompressionLayer::new().gzip(true).zstd(true).compress_when(compress))
        .layer(from_fn_with_state(Arc::new(metrics), observe))
}

async fn observe(State(metrics): State<Arc<RequestMetrics>>, request: Request, next: Next) -> Response {
    let handler = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let started = Instant::now();
    let response = next.run(request).await;
    let elapsed = started.elapsed();
    let code = response.status().as_u16();
    debug!(%method, handler, code, bytes = response.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()), ?elapsed, "request");
    metrics
        .durations
        .get_or_create(&HandlerLabels { handler: handler.clone() })
        .observe(elapsed.as_secs_f64());
    metrics.requests.get_or_create(&RequestLabels { handler, code }).inc();
    response
}
