//! `/ready`, `/targets`, `/service-discovery`, `/config`, `/reload`.
//!
//! Where the original has pages for people, these answer with JSON of the same facts.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use service::report;

use super::{ApiState, View};
use crate::{job::TargetStatus, targets::DroppedTarget};

#[derive(Serialize)]
struct Targets {
    #[serde(rename = "activeTargets")]
    active: Vec<ActiveTarget>,
}

#[derive(Serialize)]
struct ActiveTarget {
    job: String,
    #[serde(rename = "type")]
    kind: &'static str,
    path: String,
    labels: BTreeMap<String, String>,
    #[serde(rename = "discoveredLabels")]
    discovered: BTreeMap<String, String>,
    ready: bool,
    files: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct Discovery {
    job: String,
    active: Vec<BTreeMap<String, String>>,
    dropped: Vec<DroppedTarget>,
}

/// 200 once a target has a file to follow; at once if targets do not matter for health.
pub(super) async fn ready(State(state): State<ApiState>) -> Response {
    let Some(view) = view(&state) else { return not_ready("starting") };
    if state.frame.readiness.is_stopping() {
        return not_ready("stopping");
    }
    let any_ready = view.jobs.iter().any(|job| job.lock().targets.iter().any(|target| target.ready));
    if any_ready || !view.health_check_target {
        return "Ready".into_response();
    }
    not_ready("unable to find any logs to tail, please verify permissions, volumes and scrape_configs")
}

fn not_ready(why: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("Not ready: {why}")).into_response()
}

pub(super) async fn targets(State(state): State<ApiState>) -> Response {
    let mut active = Vec::new();
    for job in view(&state).into_iter().flat_map(|view| view.jobs) {
        let job = job.lock();
        for TargetStatus { path, labels, discovered, ready, files } in &job.targets {
            active.push(ActiveTarget {
                job: job.job.clone(),
                kind: "File",
                path: path.clone(),
                labels: labels.clone(),
                discovered: discovered.clone(),
                ready: *ready,
                files: files.clone(),
            });
        }
    }
    Json(Targets { active }).into_response()
}

pub(super) async fn service_discovery(State(state): State<ApiState>) -> Response {
    let jobs = view(&state).into_iter().flat_map(|view| view.jobs);
    let jobs = jobs.map(|job| {
        let job = job.lock();
        let active = job.targets.iter().map(|target| target.discovered.clone()).collect();
        Discovery { job: job.job.clone(), active, dropped: job.dropped.clone() }
    });
    Json(jobs.collect::<Vec<_>>()).into_response()
}

/// The configuration in force, without secrets.
pub(super) async fn config(State(state): State<ApiState>) -> Response {
    let text = view(&state).map(|view| view.config).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

pub(super) async fn reload(State(state): State<ApiState>) -> Response {
    if !view(&state).is_some_and(|view| view.enable_reload) {
        let text = "Reloading by HTTP is not enabled. Set server.enable_runtime_reload to use it.\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    match state.frame.reload.trigger().await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("failed to reload config: {}\n", report(&*error)))
                .into_response()
        }
    }
}

fn view(state: &ApiState) -> Option<View> {
    state.generation.read().clone()
}
