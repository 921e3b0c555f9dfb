//! `POST /api/ds/query`.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::post,
};

use super::{ApiError, AppState};
use crate::{auth::Identity, query::QueryRequest};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/api/ds/query", post(query))
}

/// 200, or 207 when some queries failed: their results say why. A client that goes away drops this future and with it the requests.
async fn query(State(shared): State<AppState>, _: Identity, body: Bytes) -> Result<Response, ApiError> {
    let request = QueryRequest::parse(&body, shared.clock.now_ms())?;
    drop(body);
    let outcome = shared.runner.run(request).await;
    let status = outcome.status();
    let json = service::spawn_blocking(move || serde_json::to_vec(&outcome))
        .await
        .map_err(|error| ApiError::internal(&error))?
        .map_err(|error| ApiError::internal(&error))?;
    Ok((status, [(header::CONTENT_TYPE, "application/json")], json).into_response())
}
