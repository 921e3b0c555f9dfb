//! `/api/admin`: reading provisioning files again.

use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};

use super::{ApiError, AppState, extract::blocking};
use crate::{auth::Identity, provisioning::log_warnings};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/admin/provisioning/dashboards/reload", post(reload_dashboards))
        .route("/api/admin/provisioning/datasources/reload", post(reload_data_sources))
}

async fn reload_dashboards(
    State(shared): State<AppState>,
    identity: Identity,
) -> Result<Json<Value>, ApiError> {
    identity.require_server_admin()?;
    let provisioning = shared.provisioning.clone();
    let warnings = blocking(move || provisioning.load_dashboards()).await?;
    log_warnings(&warnings);
    Ok(Json(json!({"message": "Dashboards config reloaded"})))
}

async fn reload_data_sources(
    State(shared): State<AppState>,
    identity: Identity,
) -> Result<Json<Value>, ApiError> {
    identity.require_server_admin()?;
    let provisioning = shared.provisioning.clone();
    let warnings = blocking(move || provisioning.load_data_sources()).await?;
    log_warnings(&warnings);
    Ok(Json(json!({"message": "Datasources config reloaded"})))
}
