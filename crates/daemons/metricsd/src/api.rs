//! The HTTP API: Prometheus' paths, parameters and JSON. Source: Prometheus docs/querying/api.md.
//!
//! Handlers parse, call and encode. One file a group of endpoints; `json` writes answers straight from columns.

mod admin;
mod caller;
mod error;
mod exemplars;
mod features;
mod federate;
mod json;
mod labels;
mod notifications;
mod params;
mod query;
mod read;
mod rules;
mod scrape_pools;
mod search;
mod self_metrics;
mod stats;
mod status;
mod syntax_tree;
mod targets;
mod write;

use std::sync::{Arc, OnceLock};

use ::rules::{Manager as RuleManager, Notifier};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use http::{HeaderValue, Method, StatusCode, header};
use parking_lot::RwLock;
use promql::{Engine, syntax::ParserOptions};
use scrape::Manager as ScrapeManager;
use service::{
    Access, Frame, Metrics, Readiness, ReloadMetrics, RequestMetrics, Stopper, common_layers, frame_routes,
};
use tokio::sync::Semaphore;
use tsdb::{Db, ReplayProgress};

use crate::{Config, Flags, notifications::Notifications, queries::Queries, query_log::QueryLog};
use error::ApiError;

pub(crate) use federate::FederationMetrics;
pub(crate) use params::now;
pub(crate) use stats::Spent;

/// Largest form or remote write body, as sent.
const MAX_BODY: usize = 64 << 20;

/// What handlers work with. Parts that need the database are set once it is open.
pub(crate) struct ApiState {
    pub flags: Flags,
    pub engine: Arc<Engine>,
    pub notifier: Arc<Notifier>,
    pub readiness: Readiness,
    pub replay: Arc<ReplayProgress>,
    pub config: RwLock<Arc<Config>>,
    pub db: OnceLock<Arc<Db>>,
    pub scrape: OnceLock<Arc<ScrapeManager>>,
    pub rules: OnceLock<Arc<RuleManager>>,
    pub queries: Arc<Queries>,
    pub remote_reads: Arc<Semaphore>,
    /// When the daemon started, seconds since the Unix epoch.
    pub started: f64,
    pub reload: ReloadMetrics,
    /// The daemon's own.
    pub metrics: Metrics,
    pub query_log: Arc<QueryLog>,
    pub federation: FederationMetrics,
    pub notifications: Arc<Notifications>,
}

impl ApiState {
    fn db(&self) -> Result<Arc<Db>, ApiError> {
        self.db.get().cloned().ok_or_else(|| self.not_ready())
    }

    fn not_ready(&self) -> ApiError {
        ApiError::NotReady { stopping: self.readiness.is_stopping() }
    }
}

/// All routes under their prefix.
pub(crate) fn router(state: Arc<ApiState>, frame: &Frame, quit: &Stopper, metrics: RequestMetrics) -> Router {
    let access =
        Access { title: "Prometheus Server", lifecycle: state.flags.enable_lifecycle, quit: quit.clone() };
    let v1 = Router::new()
        .route("/query", get(query::instant).post(query::instant))
        .route("/query_range", get(query::range).post(query::range))
        .route("/query_exemplars", get(exemplars::query).post(exemplars::query))
        .route("/parse_query", get(syntax_tree::parse).post(syntax_tree::parse))
        .route("/format_query", get(query::format).post(query::format))
        .route("/series", get(labels::series).post(labels::series))
        .route("/labels", get(labels::names).post(labels::names))
        .route("/label/{name}/values", get(labels::values))
        .route("/search/metric_names", get(search::metric_names).post(search::metric_names))
        .route("/search/label_names", get(search::label_names).post(search::label_names))
        .route("/search/label_values", get(search::label_values).post(search::label_values))
        .route("/scrape_pools", get(scrape_pools::names))
        .route("/scrape_pools/config", get(scrape_pools::config))
        .route("/targets/relabel_steps", get(scrape_pools::relabel_steps))
        .route("/targets", get(targets::targets))
        .route("/targets/metadata", get(targets::targets_metadata))
        .route("/metadata", get(targets::metadata))
        .route("/alertmanagers", get(targets::alertmanagers))
        .route("/rules", get(rules::rules))
        .route("/alerts", get(rules::alerts))
        .route("/status/config", get(status::config))
        .route("/features", get(features::features))
        .route("/status/self_metrics", get(self_metrics::self_metrics))
        .route("/status/flags", get(status::flags))
        .route("/status/runtimeinfo", get(status::runtime_info))
        .route("/status/tsdb", get(status::tsdb))
        .route("/status/tsdb/blocks", get(status::blocks))
        .route("/status/queries", get(status::queries))
        .route("/status/queries/{id}", delete(admin::cancel_query))
        .route("/write", post(write::write))
        .route("/read", post(read::read))
        .route("/admin/tsdb/delete_series", post(admin::delete_series).put(admin::delete_series))
        .route("/admin/tsdb/clean_tombstones", post(admin::clean_tombstones).put(admin::clean_tombstones))
        .route("/admin/tsdb/snapshot", post(admin::snapshot).put(admin::snapshot))
        .layer(from_fn_with_state(state.clone(), wait_until_ready))
        .route("/status/buildinfo", get(status::build_info))
        .route("/status/walreplay", get(status::wal_replay))
        .route("/notifications", get(notifications::all))
        .route("/notifications/live", get(notifications::live))
        .route_layer(from_fn(refuse_head))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(cors(&state.flags.cors_origin), allow_origin))
        .with_state(state.clone());
    let federate = Router::new()
        .route("/federate", get(federate::federate))
        .method_not_allowed_fallback(wrong_method)
        .route_layer(from_fn(refuse_head))
        .layer(from_fn_with_state(state.clone(), wait_until_ready))
        .with_state(state.clone());
    let routes = Router::new()
        .nest("/api/v1", v1)
        .merge(federate)
        .merge(frame_routes(frame, access))
        .route("/", get(front))
        .route("/version", get(status::version))
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(MAX_BODY));
    let prefix = route_prefix(&state.flags);
    let routes = if prefix.is_empty() { routes } else { Router::new().nest(&prefix, routes) };
    common_layers(routes, metrics)
}

/// `--web.route-prefix`, else the path of `--web.external-url`, without a slash at its end.
fn route_prefix(flags: &Flags) -> String {
    let prefix = match &flags.route_prefix {
        Some(prefix) => prefix.clone(),
        None => url::Url::parse(&flags.external_url).map(|url| url.path().to_owned()).unwrap_or_default(),
    };
    match prefix.trim_matches('/') {
        "" => String::new(),
        path => format!("/{path}"),
    }
}

async fn wait_until_ready(State(state): State<Arc<ApiState>>, request: Request, next: Next) -> Response {
    // While the log is read, what is in blocks can be queried, and samples are taken.
    if state.db.get().is_some() && !state.readiness.is_stopping() {
        return next.run(request).await;
    }
    state.not_ready().into_response()
}

async fn unknown() -> Response {
    error::plain(StatusCode::NOT_FOUND, "404 page not found")
}

async fn wrong_method() -> Response {
    error::plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

/// The original has HEAD for its health alone.
async fn refuse_head(request: Request, next: Next) -> Response {
    if request.method() == Method::HEAD { wrong_method().await } else { next.run(request).await }
}

/// A page for people who open the port in a browser.
async fn front() -> Response {
    let page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
        <title>metricsd</title><style>:root{color-scheme:light dark}body{font:14px/1.6 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}</style>\
        <h1>metricsd</h1><p>This is the metrics server. It speaks Prometheus&#8217; HTTP API; add it to a dashboard as a Prometheus data source.</p>\
        <ul><li><a href=\"api/v1/targets\">Targets</a></li><li><a href=\"api/v1/rules\">Rules</a></li><li><a href=\"api/v1/alerts\">Alerts</a></li>\
        <li><a href=\"api/v1/status/tsdb\">Head statistics</a></li><li><a href=\"api/v1/status/config\">Configuration</a></li>\
        <li><a href=\"metrics\">Own metrics</a></li></ul></html>";
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// The allowed origins: everyone, or those that match.
#[derive(Clone)]
enum Origins {
    Any,
    Matching(Arc<model::Matcher>),
    None,
}

fn cors(pattern: &str) -> Origins {
    if pattern == ".*" {
        return Origins::Any;
    }
    match model::Matcher::new(model::MatchOp::Regex, "origin", pattern) {
        Ok(matcher) => Origins::Matching(Arc::new(matcher)),
        Err(error) => {
            tracing::error!(
                error = service::report(&error),
                "--web.cors.origin is not a regex, no origin is allowed"
            );
            Origins::None
        }
    }
}

async fn allow_origin(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response =
        if is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = origin else { return response };
    let allowed = match &origins {
        Origins::Any => Some(HeaderValue::from_static("*")),
        Origins::Matching(matcher) => {
            origin.to_str().ok().filter(|text| matcher.matches(text)).map(|_| origin.clone())
        }
        Origins::None => None,
    };
    if let Some(allowed) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Date"));
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Accept, Authorization, Content-Type, Origin"),
    );
    response
}

/// Feature names of `--enable-feature` that mean something here, or did in the original.
pub(crate) fn is_known_feature(name: &str) -> bool {
    const KNOWN: &[&str] = &[
        "exemplar-storage",
        "promql-experimental-functions",
        "promql-duration-expr",
        "promql-extended-range-selectors",
        "promql-binop-fill-modifiers",
        "promql-delayed-name-removal",
        "promql-per-step-stats",
        "promql-at-modifier",
        "promql-negative-offset",
        "memory-snapshot-on-shutdown",
        "extra-scrape-metrics",
        "new-service-discovery-manager",
        "auto-gomaxprocs",
        "auto-gomemlimit",
        "no-default-scrape-port",
        "utf8-names",
        "expand-external-labels",
        "search-api",
    ];
    KNOWN.contains(&name)
}

/// Whether `--enable-feature` names it.
fn is_enabled(names: &[String], name: &str) -> bool {
    names.iter().any(|given| given == name)
}

/// What of the language `--enable-feature` switches on.
pub(crate) fn syntax_features(names: &[String]) -> ParserOptions {
    let on = |name: &str| is_enabled(names, name);
    ParserOptions {
        experimental_functions: on("promql-experimental-functions"),
        duration_expressions: on("promql-duration-expr"),
        extended_range_selectors: on("promql-extended-range-selectors"),
        binop_fill_modifiers: on("promql-binop-fill-modifiers"),
    }
}
