//! The HTTP API: Loki's paths, parameters and answers. Source: Loki docs, "Loki HTTP API".
//!
//! Handlers parse, call and encode. One file a group of endpoints; `json` writes answers straight from columns.

mod body;
mod error;
mod index;
mod json;
mod labels;
mod observe;
mod params;
mod push;
mod push_json;
mod query;
mod stats;
mod status;
mod tenant;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use http::header;
use logql::engine::Engine;
use service::{Access, Frame, Readiness, RequestMetrics, Stopper, common_layers, frame_routes};

use crate::{Config, ingest::SharedIngester, queries::QueryGate, tenants::Tenants};
use body::PushRoom;
use error::ApiError;

pub(crate) use observe::RequestDurations;
pub(crate) use tenant::tenant_of;

/// Largest form, bytes.
const MAX_FORM: usize = 10 << 20;

/// What handlers work with.
pub(crate) struct ApiState {
    pub config: Arc<Config>,
    pub tenants: Arc<Tenants>,
    pub ingester: SharedIngester,
    pub engine: Arc<Engine>,
    pub queries: QueryGate,
    pub readiness: Readiness,
    pub room: PushRoom,
    pub log_level: String,
}

/// All routes under their prefix.
pub(crate) fn router(
    state: Arc<ApiState>,
    frame: &Frame,
    quit: &Stopper,
    requests: RequestMetrics,
    durations: RequestDurations,
) -> Router {
    let access = Access { title: "Loki", lifecycle: false, quit: quit.clone() };
    let api = query_routes()
        .merge(unsupported_routes())
        .route("/loki/api/v1/push", post(push::v1))
        .route("/api/prom/push", post(push::legacy))
        .route("/flush", get(status::flush).post(status::flush))
        .layer(from_fn_with_state(state.clone(), wait_until_ready))
        .route("/loki/api/v1/format_query", both(query::format))
        .route("/loki/api/v1/status/buildinfo", get(status::build_info))
        .route("/config/tenant/v1/limits", get(status::limits))
        .route("/ready", get(status::ready))
        .route("/config", get(status::config))
        .route("/services", get(status::services))
        .route("/log_level", get(status::log_level).post(status::set_log_level))
        .route("/", get(front))
        .with_state(state.clone());
    let routes = api
        .merge(frame_routes(frame, access))
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(from_fn_with_state(durations, observe::observe));
    let prefix = &state.config.http_path_prefix;
    let routes = if prefix.is_empty() { routes } else { Router::new().nest(prefix, routes) };
    common_layers(routes, requests)
}

fn query_routes() -> Router<Arc<ApiState>> {
    Router::new()
        .route("/loki/api/v1/query", both(query::instant))
        .route("/loki/api/v1/query_range", both(query::range))
        .route("/loki/api/v1/labels", both(labels::names))
        .route("/loki/api/v1/label", both(labels::names))
        .route("/loki/api/v1/label/{name}/values", both(labels::values))
        .route("/loki/api/v1/series", both(labels::series))
        .route("/loki/api/v1/index/stats", both(index::stats))
        .route("/loki/api/v1/index/volume", both(index::volume))
        .route("/loki/api/v1/index/volume_range", both(index::volume_range))
}

/// What the original has and this one has not yet: asked for, it says so.
fn unsupported_routes() -> Router<Arc<ApiState>> {
    const PATHS: &[&str] = &[
        "/otlp/v1/logs",
        "/loki/api/v1/tail",
        "/loki/api/v1/delete",
        "/loki/api/v1/patterns",
        "/loki/api/v1/detected_labels",
        "/loki/api/v1/detected_fields",
        "/loki/api/v1/detected_field/{name}/values",
        "/loki/api/v1/drilldown-limits",
        "/loki/api/v1/index/shards",
        "/loki/api/v1/rules",
        "/loki/api/v1/rules/{*rest}",
        "/api/prom/rules",
        "/api/prom/rules/{*rest}",
        "/prometheus/api/v1/rules",
        "/prometheus/api/v1/alerts",
        "/api/prom/query",
        "/api/prom/label",
        "/api/prom/label/{name}/values",
        "/api/prom/series",
        "/api/prom/tail",
        "/ingester/prepare_shutdown",
        "/ingester/shutdown",
    ];
    let mut routes = Router::new();
    for path in PATHS {
        routes = routes.route(path, axum::routing::any(status::unsupported));
    }
    routes
}

/// Reading takes GET, and POST for long queries.
fn both<H, T>(handler: H) -> MethodRouter<Arc<ApiState>>
where
    H: axum::handler::Handler<T, Arc<ApiState>>,
    T: 'static,
{
    get(handler.clone()).post(handler)
}

async fn wait_until_ready(State(state): State<Arc<ApiState>>, request: Request, next: Next) -> Response {
    if state.readiness.is_ready() {
        return next.run(request).await;
    }
    status::not_ready(&state.readiness).into_response()
}

async fn unknown() -> ApiError {
    ApiError::NotFound("404 page not found".into())
}

/// A page for people who open the port in a browser.
async fn front() -> Response {
    let page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
        <title>logd</title><style>:root{color-scheme:light dark}body{font:14px/1.6 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}</style>\
        <h1>logd</h1><p>This is the log server. It speaks Loki&#8217;s HTTP API; add it to a dashboard as a Loki data source.</p>\
        <ul><li><a href=\"loki/api/v1/labels\">Labels</a></li><li><a href=\"ready\">Readiness</a></li>\
        <li><a href=\"services\">Services</a></li><li><a href=\"config\">Configuration</a></li>\
        <li><a href=\"metrics\">Own metrics</a></li></ul></html>";
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}
