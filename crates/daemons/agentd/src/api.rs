//! The HTTP API: Promtail's pages, and the frame's routes beside them.

mod pages;

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use parking_lot::RwLock;
use service::{Access, Frame, RequestMetrics, Stopper, common_layers, frame_routes};

use crate::{generation::Generation, node_integration::NodeMetrics};

/// What handlers see.
#[derive(Clone)]
pub(crate) struct ApiState {
    pub frame: Frame,
    pub generation: Arc<RwLock<Option<View>>>,
}

/// What the pages show of the generation at work.
#[derive(Clone)]
pub(crate) struct View {
    pub jobs: Vec<Arc<parking_lot::Mutex<crate::job::JobStatus>>>,
    pub custom: pipeline::CustomMetrics,
    pub config: String,
    pub health_check_target: bool,
    pub enable_reload: bool,
}

impl View {
    pub(crate) fn of(generation: &Generation) -> Self {
        Self {
            jobs: generation.jobs.clone(),
            custom: generation.custom.clone(),
            config: generation.settings.text.clone(),
            health_check_target: generation.settings.server.health_check_target,
            enable_reload: generation.settings.server.enable_reload,
        }
    }
}

/// All routes.
pub(crate) fn routes(
    state: ApiState,
    node: Option<&NodeMetrics>,
    lifecycle: bool,
    quit: Stopper,
    requests: RequestMetrics,
) -> Router {
    let access = Access { title: "Promtail", lifecycle, quit };
    let frame = frame_routes(&state.frame, access);
    let mut routes = Router::new()
        .route("/metrics", get(metrics))
        .route("/ready", get(pages::ready))
        .route("/targets", get(pages::targets))
        .route("/service-discovery", get(pages::service_discovery))
        .route("/config", get(pages::config))
        .route("/reload", post(pages::reload))
        .with_state(state)
        .fallback_service(frame);
    if let Some(node) = node {
        routes = routes.merge(node.routes("/metrics/node"));
    }
    common_layers(routes, requests)
}

/// The agent's own metrics and those that pipelines define.
async fn metrics(State(state): State<ApiState>, headers: HeaderMap) -> Response {
    let (content_type, mut text) = state.frame.metrics.encode(&headers);
    let openmetrics = content_type.starts_with("application/openmetrics-text");
    if openmetrics && text.ends_with("# EOF\n") {
        text.truncate(text.len() - "# EOF\n".len());
    }
    if let Some(view) = &*state.generation.read() {
        view.custom.write(&mut text, openmetrics, Instant::now());
    }
    if openmetrics {
        text.push_str("# EOF\n");
    }
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}
