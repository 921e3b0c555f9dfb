//! The API v2. Source: Alertmanager api/v2/openapi.yaml.

mod alerts;
mod answer;
mod filter;
mod groups;
mod silences;
mod status;
mod times;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::{HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use notify::Engine;
use parking_lot::RwLock;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use tokio::sync::Semaphore;
use tower_http::cors::{Any, CorsLayer};

use crate::Config;
use answer::Answer;

/// Largest body of a request: some ten thousand alerts.
const MAX_BODY_BYTES: usize = 32 << 20;
/// Fewest GET requests at a time, whatever the number of processors.
const MIN_GET_CONCURRENCY: usize = 8;

/// What the handlers share.
pub(crate) struct Api {
    engine: Engine,
    config: Arc<RwLock<Arc<Config>>>,
    started: Timestamp,
    received: Family<ReceivedLabels, Counter>,
    invalid: Family<VersionLabels, Counter>,
    concurrency_exceeded: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReceivedLabels {
    status: &'static str,
    version: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VersionLabels {
    version: &'static str,
}

impl Api {
    pub fn new(engine: Engine, config: Arc<RwLock<Arc<Config>>>, registry: &mut Registry) -> Self {
        let api = Self {
            started: engine.now(),
            engine,
            config,
            received: Family::default(),
            invalid: Family::default(),
            concurrency_exceeded: Counter::default(),
        };
        registry.register(
            "alertmanager_alerts_received",
            "The total number of received alerts",
            api.received.clone(),
        );
        registry.register(
            "alertmanager_alerts_invalid",
            "The total number of received alerts that were invalid",
            api.invalid.clone(),
        );
        registry.register(
            "alertmanager_http_concurrency_limit_exceeded",
            "Total number of times an HTTP request failed because the concurrency limit was reached",
            api.concurrency_exceeded.clone(),
        );
        for status in ["firing", "resolved"] {
            let _ = api.received.get_or_create(&ReceivedLabels { status, version: "v2" });
        }
        let _ = api.invalid.get_or_create(&VersionLabels { version: "v2" });
        api
    }

    fn config(&self) -> Arc<Config> {
        Arc::clone(&*self.config.read())
    }

    fn count_received(&self, firing: bool) {
        let status = if firing { "firing" } else { "resolved" };
        self.received.get_or_create(&ReceivedLabels { status, version: "v2" }).inc();
    }

    fn count_invalid(&self) {
        self.invalid.get_or_create(&VersionLabels { version: "v2" }).inc();
    }
}

/// All routes of the API. `get_concurrency` bounds the GET requests at a time, see [`crate::Options`].
pub(crate) fn routes(api: Arc<Api>, get_concurrency: usize) -> Router {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let limit = if get_concurrency > 0 { get_concurrency } else { processors.max(MIN_GET_CONCURRENCY) };
    let gate = Gate { slots: Arc::new(Semaphore::new(limit)), limit, api: Arc::clone(&api) };
    let v2 = Router::new()
        .route("/status", get(status::status).fallback(not_allowed_but_get))
        .route("/receivers", get(status::receivers).fallback(not_allowed_but_get))
        .route("/alerts", get(alerts::list).post(alerts::take).fallback(not_allowed_but_both))
        .route("/alerts/groups", get(groups::list).fallback(not_allowed_but_get))
        .route("/silences", get(silences::list).post(silences::set).fallback(not_allowed_but_both))
        .route("/silence/{id}", get(silences::get).delete(silences::expire).fallback(not_allowed_on_silence))
        .fallback(not_found)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(api);
    let cors = CorsLayer::new().allow_origin(Any).allow_methods([Method::GET, Method::POST, Method::HEAD]);
    Router::new()
        .nest("/api/v2", v2)
        .layer(from_fn_with_state(gate, bound_gets))
        .layer(from_fn(do_not_store))
        .layer(cors)
}

/// All routes below a prefix, with the way there from the root.
pub(crate) fn under_prefix(routes: Router, prefix: &str) -> Router {
    let routes = routes.layer(from_fn(no_quit));
    if prefix.is_empty() {
        return routes;
    }
    let target = format!("{prefix}/");
    Router::new().nest(prefix, routes).route("/", get(async move || Redirect::temporary(&target)))
}

#[derive(Clone)]
struct Gate {
    slots: Arc<Semaphore>,
    limit: usize,
    api: Arc<Api>,
}

async fn bound_gets(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let Ok(_slot) = gate.slots.try_acquire() else {
        gate.api.concurrency_exceeded.inc();
        let text = format!("Limit of concurrent GET requests reached ({}), try again later.\n", gate.limit);
        return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    };
    next.run(request).await
}

async fn do_not_store(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The original can be reloaded over HTTP by anyone, but not ended.
async fn no_quit(request: Request, next: Next) -> Response {
    if request.uri().path().ends_with("/-/quit") {
        return StatusCode::NOT_FOUND.into_response();
    }
    next.run(request).await
}

async fn not_found(uri: axum::extract::OriginalUri) -> Response {
    Answer::coded(StatusCode::NOT_FOUND, 404, format!("path {} was not found", uri.path())).into_response()
}

async fn not_allowed_but_get(method: Method) -> Response {
    not_allowed(&method, "GET")
}

async fn not_allowed_but_both(method: Method) -> Response {
    not_allowed(&method, "GET,POST")
}

async fn not_allowed_on_silence(method: Method) -> Response {
    not_allowed(&method, "DELETE,GET")
}

fn not_allowed(method: &Method, allowed: &str) -> Response {
    let text = format!("method {method} is not allowed, but [{allowed}] are");
    Answer::coded(StatusCode::METHOD_NOT_ALLOWED, 405, text).into_response()
}
