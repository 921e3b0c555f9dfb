//! `/admin/tsdb/*`: what an operator does to the database (Prometheus docs/querying/api.md, "TSDB Admin APIs"), and stopping a query.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use jiff::Timestamp;
use serde_json::json;
use service::{report, spawn_blocking};

use super::{
    ApiError, ApiState, json as answer,
    params::{Params, invalid},
};

/// Where snapshots lie in the data folder, as in the original.
const SNAPSHOTS: &str = "snapshots";

pub(super) async fn delete_series(
    State(state): State<Arc<ApiState>>,
    params: Params,
) -> Result<Response, ApiError> {
    allowed(&state)?;
    let selectors = params.selectors().map_err(|text| invalid("match[]", text))?;
    if selectors.is_empty() {
        return Err(ApiError::BadData("no match[] parameter provided".into()));
    }
    let (start, end) = params.range()?;
    if end < start {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let db = state.db()?;
    spawn_blocking(move || db.delete_series(&selectors, start, end)).await?.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn clean_tombstones(State(state): State<Arc<ApiState>>) -> Result<Response, ApiError> {
    allowed(&state)?;
    let db = state.db()?;
    spawn_blocking(move || db.clean_tombstones()).await?.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn snapshot(
    State(state): State<Arc<ApiState>>,
    params: Params,
) -> Result<Response, ApiError> {
    allowed(&state)?;
    let skip_head = params
        .boolean("skip_head")
        .map_err(|error| invalid("skip_head", format!("unable to parse boolean: {error}")))?;
    let with_head = !skip_head.unwrap_or_default();
    let db = state.db()?;
    let name = snapshot_name(Timestamp::now());
    let target = db.dir().join(SNAPSHOTS).join(&name);
    spawn_blocking(move || db.snapshot(&target, with_head)).await?.map_err(internal)?;
    answer::success(json!({ "name": name }))
}

/// Stops a query that `/status/queries` lists; it fails as one whose client left (not an endpoint of the original).
pub(super) async fn cancel_query(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    allowed(&state)?;
    let id: u64 = id.parse().map_err(|_| invalid("id", format!("cannot parse {id:?} to a valid number")))?;
    if !state.queries.cancel(id) {
        return Err(ApiError::NotFound(format!("no query {id} waits or runs")));
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn allowed(state: &ApiState) -> Result<(), ApiError> {
    if state.flags.enable_admin_api {
        return Ok(());
    }
    Err(ApiError::Unavailable("admin APIs disabled".into()))
}

fn internal(error: tsdb::AdminError) -> ApiError {
    ApiError::Internal(report(&error))
}

/// The time, and a number so that two snapshots of one second have two names: `20260115T100000Z-4d65822107fcfd52`.
fn snapshot_name(now: Timestamp) -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("{}-{:016x}", now.strftime("%Y%m%dT%H%M%SZ"), RandomState::new().hash_one(now.as_nanosecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_are_named_after_their_time() {
        let name = snapshot_name("2026-01-15T10:00:00.5Z".parse().expect("time"));
        assert!(name.starts_with("20260115T100000Z-"), "{name}");
        assert_eq!(name.len(), "20260115T100000Z-4d65822107fcfd52".len());
        assert_ne!(name, snapshot_name("2026-01-15T10:00:00.5Z".parse().expect("time")));
    }
}
