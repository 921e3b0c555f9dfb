//! `GET /api/health`, `GET /healthz`: without a login.

use axum::{Json, Router, extract::State, routing::get};
use serde_json::{Value, json};

use super::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/api/health", get(health)).route("/healthz", get(async || "Ok"))
}

async fn health(State(shared): State<AppState>) -> Json<Value> {
    let hidden = shared.settings.auth.anonymous.as_ref().is_some_and(|anonymous| anonymous.hide_version);
    if hidden {
        return Json(json!({"database": "ok"}));
    }
    Json(json!({"commit": "", "database": "ok", "version": service::Version::NUMBER}))
}
