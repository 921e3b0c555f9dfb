//! `GET /api/datasources/uid/{uid}/health`: whether a data source answers.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use service::report;

use super::{ApiError, AppState};
use crate::{
    auth::Identity,
    model::{DataSource, DataSourceKind},
    store::DataSourceError,
};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/api/datasources/uid/{uid}/health", get(check))
}

async fn check(
    State(shared): State<AppState>,
    _: Identity,
    Path(uid): Path<String>,
) -> Result<Response, ApiError> {
    let source = shared.stores.data_sources.by_uid(&uid).ok_or(DataSourceError::NotFound)?;
    Ok(match ask(&shared, &source).await {
        Ok(message) => Json(json!({"status": "OK", "message": message})).into_response(),
        Err(message) => {
            (StatusCode::BAD_REQUEST, Json(json!({"status": "ERROR", "message": message}))).into_response()
        }
    })
}

/// What worked, or what did not.
async fn ask(shared: &AppState, source: &DataSource) -> Result<String, String> {
    // The smallest thing that only works if queries will.
    let (path, query, api) = match source.kind() {
        DataSourceKind::Prometheus => ("api/v1/query", Some("query=1%2B1"), "Prometheus"),
        DataSourceKind::Loki => ("loki/api/v1/query", Some("query=vector(1)%2Bvector(1)"), "Loki"),
        DataSourceKind::Alertmanager => ("api/v2/status", None, "Alertmanager"),
        DataSourceKind::Other => {
            return Err(format!("not supported yet: checking data sources of type {}", source.kind));
        }
    };
    let answer = async {
        let upstream = shared.upstreams.of(source)?;
        let request = upstream.request(Method::GET, upstream.url(path, query)?)?;
        upstream.fetch(request).await
    };
    let (status, body) = answer.await.map_err(|error| report(&error))?;
    if !status.is_success() {
        let text = String::from_utf8_lossy(body.get(..200).unwrap_or(&body)).trim().to_owned();
        return Err(format!("{api} answered {status}: {text}"));
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(&body)
        .map_err(|_| format!("the answer is not from {api}: it is not JSON"))?;
    Ok(format!("Successfully queried the {api} API."))
}
