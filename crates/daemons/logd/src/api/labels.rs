//! `/labels`, `/label/{name}/values`, `/series`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use model::Nanos;
use serde::Serialize;
use streams::StreamQuery;

use super::{ApiError, ApiState, params::Params, query, tenant::TenantName};
use crate::maintenance::now;

/// Names or values; `data` is absent where there are none, as in Loki.
#[derive(Serialize)]
struct Texts {
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    data: Vec<String>,
}

#[derive(Serialize)]
struct Series {
    status: &'static str,
    data: Vec<model::Labels>,
}

pub(super) async fn names(
    State(state): State<Arc<ApiState>>,
    tenant: TenantName,
    params: Params,
) -> Result<Response, ApiError> {
    let streams = stream_query(&state, params.bounds(now())?, params.optional_selector()?);
    query::run(&state, tenant, move |source, _, _| {
        encode(&Texts { status: "success", data: source.querier()?.label_names(&streams)? })
    })
    .await
}

pub(super) async fn values(
    State(state): State<Arc<ApiState>>,
    Path(name): Path<String>,
    tenant: TenantName,
    params: Params,
) -> Result<Response, ApiError> {
    let streams = stream_query(&state, params.bounds(now())?, params.optional_selector()?);
    query::run(&state, tenant, move |source, _, _| {
        encode(&Texts { status: "success", data: source.querier()?.label_values(&name, &streams)? })
    })
    .await
}

pub(super) async fn series(
    State(state): State<Arc<ApiState>>,
    tenant: TenantName,
    params: Params,
) -> Result<Response, ApiError> {
    let streams = stream_query(&state, params.bounds(now())?, params.selectors()?);
    query::run(&state, tenant, move |source, _, _| {
        encode(&Series { status: "success", data: source.querier()?.series(&streams)? })
    })
    .await
}

/// The streams of a range with its end, as far back as queries see.
pub(super) fn stream_query(
    state: &ApiState,
    (mut start, end): (Nanos, Nanos),
    selectors: Vec<Vec<model::Matcher>>,
) -> StreamQuery {
    // Where nothing of the range is in view the start comes after the end, and nothing is found.
    query::clamp(&state.config.limits, &mut start, end, now());
    StreamQuery { selectors, start, end: end.saturating_add(1) }
}

pub(super) fn encode(answer: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(answer).map_err(|error| ApiError::Internal(error.to_string()))
}
