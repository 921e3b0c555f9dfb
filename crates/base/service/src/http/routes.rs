//! The routes every daemon has: `/metrics`, health, readiness, reload, quit.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use crate::{Frame, Stopper, report};

/// Who may do what over these routes.
#[derive(Debug, Clone)]
pub struct Access {
    /// The name in the answers: `Prometheus Server` says "Prometheus Server is Healthy."
    pub title: &'static str,
    /// Whether `/-/reload` and `/-/quit` work (`--web.enable-lifecycle`); without, they answer 403.
    pub lifecycle: bool,
    /// What `/-/quit` stops.
    pub quit: Stopper,
}

#[derive(Clone)]
struct Shared {
    frame: Frame,
    access: Access,
}

/// `/metrics`, `/-/healthy`, `/-/ready`, `/-/reload`, `/-/quit` (Prometheus docs/management_api.md).
pub fn frame_routes(frame: &Frame, access: Access) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(ready))
        .route("/-/reload", post(reload).put(reload))
        .route("/-/quit", post(quit).put(quit))
        .with_state(Shared { frame: frame.clone(), access })
}

async fn metrics(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let (content_type, text) = shared.frame.metrics.encode(&headers);
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

async fn healthy(State(shared): State<Shared>) -> String {
    format!("{} is Healthy.\n", shared.access.title)
}

async fn ready(State(shared): State<Shared>) -> Response {
    let readiness = &shared.frame.readiness;
    if readiness.is_ready() {
        return format!("{} is Ready.\n", shared.access.title).into_response();
    }
    let stopping = readiness.is_stopping();
    let why = if stopping {
        "stopping".to_owned()
    } else {
        format!("waiting for {}", readiness.pending().join(", "))
    };
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [("X-Prometheus-Stopping", if stopping { "true" } else { "false" })],
        format!("Service Unavailable: {why}\n"),
    )
        .into_response()
}

async fn reload(State(shared): State<Shared>) -> Response {
    if !shared.access.lifecycle {
        return lifecycle_off();
    }
    match shared.frame.reload.trigger().await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("failed to reload config: {}\n", report(&*error)))
                .into_response()
        }
    }
}

async fn quit(State(shared): State<Shared>) -> Response {
    if !shared.access.lifecycle {
        return lifecycle_off();
    }
    shared.access.quit.stop();
    "Requesting termination... Goodbye!".into_response()
}

fn lifecycle_off() -> Response {
    (StatusCode::FORBIDDEN, "Lifecycle API is not enabled. Start with --web.enable-lifecycle to use it.\n")
        .into_response()
}
