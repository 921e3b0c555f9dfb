//! `/query`, `/query_range`, `/format_query`.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use model::Millis;
use promql::{CancelToken, QueryOptions, QueryResult};
use service::spawn_blocking;

use super::{
    ApiError, ApiState, json,
    params::{Params, invalid, now},
};

/// Most steps of a range query, as in the original.
const MAX_STEPS: Millis = 11_000;

/// When a query is evaluated.
enum When {
    Instant(Millis),
    Range(Millis, Millis, Millis),
}

pub(super) async fn instant(
    State(state): State<Arc<ApiState>>,
    params: Params,
) -> Result<Response, ApiError> {
    let at = params.time("time")?.unwrap_or_else(now);
    let result = run(&state, &params, When::Instant(at)).await?;
    json::query_result(result, params.limit()?, !params.get("stats").is_empty())
}

pub(super) async fn range(State(state): State<Arc<ApiState>>, params: Params) -> Result<Response, ApiError> {
    let start = params.required_time("start")?;
    let end = params.required_time("end")?;
    if end < start {
        return Err(invalid("end", "end timestamp must not be before start time".into()));
    }
    let step = params
        .duration("step")?
        .ok_or_else(|| invalid("step", "cannot parse \"\" to a valid duration".into()))?;
    let step = step.as_millis() as Millis;
    if step <= 0 {
        return Err(invalid(
            "step",
            "zero or negative query resolution step widths are not accepted. Try a positive integer".into(),
        ));
    }
    if (end - start) / step > MAX_STEPS {
        return Err(ApiError::BadData(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)".into(),
        ));
    }
    let result = run(&state, &params, When::Range(start, end, step)).await?;
    json::query_result(result, params.limit()?, !params.get("stats").is_empty())
}

pub(super) async fn format(State(state): State<Arc<ApiState>>, params: Params) -> Result<Response, ApiError> {
    let expression = state.engine.parse(params.get("query"))?;
    json::success(expression.to_string())
}

/// Stops the query when its request goes away.
struct CancelOnDrop(CancelToken);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

async fn run(state: &Arc<ApiState>, params: &Params, when: When) -> Result<QueryResult, ApiError> {
    let query = params.get("query").to_owned();
    let timeout = params.duration("timeout")?;
    let options = QueryOptions {
        lookback_delta: params.duration("lookback_delta")?,
        timeout,
        cancel: CancelToken::new(),
    };
    let db = state.db()?;
    let limit = timeout.unwrap_or(state.flags.query_timeout.0).min(state.flags.query_timeout.0);
    // The wait for a turn counts as time of the query.
    let turn = tokio::time::timeout(limit, state.queries.acquire())
        .await
        .map_err(|_| ApiError::Timeout("query timed out in query queue".into()))?
        .map_err(|_| ApiError::NotReady)?;
    let engine = state.engine.clone();
    let _cancel = CancelOnDrop(options.cancel.clone());
    let result = spawn_blocking(move || match when {
        When::Instant(at) => engine.instant(db.as_ref(), &query, at, &options),
        When::Range(start, end, step) => engine.range(db.as_ref(), &query, (start, end, step), &options),
    })
    .await?;
    drop(turn);
    Ok(result?)
}
