//! `/ready`, `/config`, `/services`, `/flush`, `/log_level`, build information, and what is not there yet.

use std::sync::Arc;

use axum::{
    extract::{OriginalUri, State},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde_json::json;
use service::{Readiness, spawn_blocking};

use super::{ApiError, ApiState};

pub(super) async fn ready(State(state): State<Arc<ApiState>>) -> Response {
    if state.readiness.is_ready() {
        return "ready\n".into_response();
    }
    not_ready(&state.readiness).into_response()
}

/// Why requests are not served now.
pub(super) fn not_ready(readiness: &Readiness) -> ApiError {
    if readiness.is_stopping() {
        return ApiError::Unavailable("Application is stopping\n".to_owned());
    }
    ApiError::Unavailable(format!("Ingester not ready: waiting for {}\n", readiness.pending().join(", ")))
}

/// The configuration in force, as YAML.
pub(super) async fn config(State(state): State<Arc<ApiState>>) -> Response {
    yaml(state.config.shown.clone())
}

pub(super) async fn limits(State(state): State<Arc<ApiState>>) -> Result<Response, ApiError> {
    serde_yaml::to_string(&state.config.limits)
        .map(yaml)
        .map_err(|error| ApiError::Internal(error.to_string()))
}

fn yaml(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// The parts and how they are, one a line, under Loki's names.
pub(super) async fn services(State(state): State<Arc<ApiState>>) -> String {
    let readiness = &state.readiness;
    let store = match (readiness.is_stopping(), readiness.is_ready()) {
        (true, _) => "Stopping",
        (false, true) => "Running",
        (false, false) => "Starting",
    };
    ["server", "distributor", "ingester", "store", "querier", "compactor"]
        .map(|name| format!("{name} => {}\n", if name == "server" { "Running" } else { store }))
        .concat()
}

/// Seals everything in memory.
pub(super) async fn flush(State(state): State<Arc<ApiState>>) -> Result<StatusCode, ApiError> {
    spawn_blocking(move || {
        for tenant in state.tenants.all() {
            tenant.store.flush().map_err(|error| ApiError::Internal(service::report(&error)))?;
        }
        Ok(StatusCode::NO_CONTENT)
    })
    .await?
}

pub(super) async fn log_level(State(state): State<Arc<ApiState>>) -> Response {
    let text = format!("Current log level is {}", state.log_level);
    as_json(&json!({ "message": text }))
}

pub(super) async fn set_log_level() -> ApiError {
    ApiError::NotSupported("changing the log level while running; start with -log.level".to_owned())
}

/// Clients read the version to choose features: it names the Loki whose API this is, the revision names this program.
pub(super) async fn build_info() -> Response {
    as_json(&json!({
        "version": "3.7.6",
        "revision": format!("logd-{}", service::Version::NUMBER),
        "branch": "",
        "buildDate": "",
        "buildUser": "",
        "goVersion": "",
    }))
}

pub(super) async fn unsupported(OriginalUri(uri): OriginalUri) -> ApiError {
    ApiError::NotSupported(uri.path().to_owned())
}

fn as_json(value: &serde_json::Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
