//! `/status/*`: what runs, with which settings, and how the database is.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde_json::{Map, Value, json};
use tsdb::Stat;

use super::{
    ApiError, ApiState, json as answer,
    params::{Params, now},
    targets::rfc3339,
};
use crate::queries::OpenQuery;

/// Entries of each list of `/status/tsdb`, and the most one may ask for.
const TSDB_LIMIT: (usize, usize) = (10, 10_000);

pub(super) async fn build_info() -> Result<Response, ApiError> {
    answer::success(build())
}

/// The same without the envelope, and as text, as the original has it.
pub(super) async fn version() -> String {
    format!("{}\n", build())
}

/// Clients read the version to choose features: it names the Prometheus whose API this is, the revision names this program.
fn build() -> Value {
    json!({
        "version": "3.5.0",
        "revision": format!("metricsd-{}", service::Version::NUMBER),
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    })
}

pub(super) async fn config(State(state): State<Arc<ApiState>>) -> Result<Response, ApiError> {
    answer::success(json!({ "yaml": state.config.read().shown }))
}

pub(super) async fn flags(State(state): State<Arc<ApiState>>) -> Result<Response, ApiError> {
    let flags: Map<String, Value> =
        state.flags.shown().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    answer::success(flags)
}

pub(super) async fn runtime_info(State(state): State<Arc<ApiState>>) -> Result<Response, ApiError> {
    let retention = state.flags.retention_time.map_or_else(|| "15d".to_owned(), |set| set.to_string());
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let (successful, last) = state.reload.last();
    answer::success(json!({
        "startTime": rfc3339((state.started * 1000.0) as i64),
        "CWD": std::env::current_dir().map(|dir| dir.display().to_string()).unwrap_or_default(),
        "hostname": hostname.trim(),
        "serverTime": rfc3339(now()),
        "reloadConfigSuccess": successful,
        "lastConfigTime": rfc3339((last * 1000.0) as i64),
        "corruptionCount": state.db()?.wal_corruptions(),
        "goroutineCount": 0,
        "GOMAXPROCS": std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        "GOMEMLIMIT": 0,
        "GOGC": "",
        "GODEBUG": "",
        "storageRetention": retention,
    }))
}

pub(super) async fn tsdb(State(state): State<Arc<ApiState>>, params: Params) -> Result<Response, ApiError> {
    let not_positive = || ApiError::BadData("limit must be a positive number".into());
    let limit = match params.integer("limit").map_err(|_| not_positive())? {
        None => TSDB_LIMIT.0,
        Some(asked) => usize::try_from(asked).ok().filter(|limit| *limit > 0).ok_or_else(not_positive)?,
    };
    if limit > TSDB_LIMIT.1 {
        return Err(ApiError::BadData(format!("limit must not exceed {}", TSDB_LIMIT.1)));
    }
    let db = state.db()?;
    let status = service::spawn_blocking(move || db.status(limit)).await?;
    let list = |stats: &[Stat]| -> Vec<Value> {
        stats.iter().map(|stat| json!({"name": stat.name, "value": stat.value})).collect()
    };
    answer::success(json!({
        "headStats": {
            "numSeries": status.series,
            "numLabelPairs": status.label_pairs,
            "chunkCount": status.chunks,
            "minTime": status.min_time,
            "maxTime": status.max_time,
        },
        "seriesCountByMetricName": list(&status.series_by_metric_name),
        "labelValueCountByLabelName": list(&status.values_by_label_name),
        "memoryInBytesByLabelName": list(&status.memory_by_label_name),
        "seriesCountByLabelValuePair": list(&status.series_by_label_pair),
    }))
}

pub(super) async fn blocks(State(state): State<Arc<ApiState>>) -> Result<Response, ApiError> {
    answer::success(json!({ "blocks": state.db()?.blocks() }))
}

pub(super) async fn wal_replay(State(state): State<Arc<ApiState>>) -> Result<Response, ApiError> {
    let (min, max, current) = state.replay.get();
    answer::success(json!({ "min": min, "max": max, "current": current }))
}

/// The queries that are not answered yet, of rules too, with the seconds since they were asked (not an endpoint of the original).
pub(super) async fn queries(State(state): State<Arc<ApiState>>) -> Result<Response, ApiError> {
    let open = state.queries.list().into_iter().map(|OpenQuery { id, query, state, age }| {
        json!({"id": id, "query": *query, "state": state.as_str(), "seconds": age.as_secs_f64()})
    });
    answer::success(json!({ "queries": open.collect::<Vec<Value>>() }))
}
