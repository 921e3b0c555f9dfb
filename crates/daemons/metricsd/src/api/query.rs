//! `/query`, `/query_range`, `/format_query`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{extract::State, response::Response};
use model::Millis;
use promql::{CancelToken, EngineError, ErrorKind, QueryOptions, QueryResult};
use service::{report, spawn_blocking};

use super::{
    ApiError, ApiState,
    caller::Caller,
    is_enabled, json,
    params::{Nanos, Params, invalid, now},
    stats::Spent,
};
use crate::query_log::{QueryOrigin, QueryRecord};

/// Most steps of a range query, as in the original.
const MAX_STEPS: i128 = 11_000;
const NANOS_PER_MILLI: i64 = 1_000_000;

/// When a query is evaluated; without a step once, at `start`.
#[derive(Clone, Copy)]
struct When {
    start: Millis,
    end: Millis,
    step: Option<Millis>,
}

/// What a request asks besides the query and its times.
struct Asked {
    limit: usize,
    timeout: Duration,
    lookback_delta: Option<Duration>,
    stats: Stats,
    /// Whether the answer tells what each step used.
    per_step_stats: bool,
    /// Whether the answer tells what each operator did.
    explain: bool,
}

/// Whether the answer tells what it took.
enum Stats {
    No,
    Yes,
    /// As in the original, any other value than its two means yes, for now.
    Deprecated(String),
}

pub(super) async fn instant(
    State(state): State<Arc<ApiState>>,
    Caller(origin): Caller,
    params: Params,
) -> Result<Response, ApiError> {
    let limit = params.limit()?;
    let at = params.time("time")?.unwrap_or_else(now);
    let asked = Asked::of(&params, limit, &state)?;
    respond(&state, &params, asked, When { start: at, end: at, step: None }, origin).await
}

pub(super) async fn range(
    State(state): State<Arc<ApiState>>,
    Caller(origin): Caller,
    params: Params,
) -> Result<Response, ApiError> {
    let limit = params.limit()?;
    let start = params.required_time("start")?;
    let end = params.required_time("end")?;
    if end < start {
        return Err(invalid("end", "end timestamp must not be before start time".into()));
    }
    let nanos = params.required_duration("step")?;
    let step = nanos / NANOS_PER_MILLI;
    if step <= 0 {
        return Err(invalid(
            "step",
            "zero or negative query resolution step widths are not accepted. Try a positive integer".into(),
        ));
    }
    if i128::from(end - start) * i128::from(NANOS_PER_MILLI) / i128::from(nanos) > MAX_STEPS {
        return Err(ApiError::BadData(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)".into(),
        ));
    }
    let asked = Asked::of(&params, limit, &state)?;
    respond(&state, &params, asked, When { start, end, step: Some(step) }, origin).await
}

pub(super) async fn format(State(state): State<Arc<ApiState>>, params: Params) -> Result<Response, ApiError> {
    let expression = state.engine.parse(params.get("query")).map_err(invalid_query)?;
    json::success(expression.pretty())
}

/// A query that is none is a bad parameter.
pub(super) fn invalid_query(error: EngineError) -> ApiError {
    match (error.kind(), ApiError::from(error)) {
        (ErrorKind::BadData, ApiError::BadData(text)) => invalid("query", text),
        (_, other) => other,
    }
}

/// Stops the query when its request goes away.
pub(super) struct CancelOnDrop(pub CancelToken);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Asked {
    fn of(params: &Params, limit: usize, state: &ApiState) -> Result<Self, ApiError> {
        let longest = state.flags.query_timeout.0;
        let timeout = params.duration("timeout").map_err(|error| invalid("timeout", error))?;
        let lookback_delta = params
            .duration("lookback_delta")
            .map_err(|error| ApiError::BadData(format!("error parsing lookback delta duration: {error}")))?;
        Ok(Self {
            limit,
            timeout: timeout.map_or(longest, positive).min(longest),
            // As in the original, none at all means the usual one.
            lookback_delta: lookback_delta.map(positive).filter(|delta| !delta.is_zero()),
            stats: match params.get("stats") {
                "" => Stats::No,
                "true" | "all" => Stats::Yes,
                other => Stats::Deprecated(other.to_owned()),
            },
            per_step_stats: params.get("stats") == "all"
                && is_enabled(&state.flags.enable_feature, "promql-per-step-stats"),
            explain: params
                .boolean("explain")
                .map_err(|error| invalid("explain", error.to_string()))?
                .unwrap_or_default(),
        })
    }
}

/// Time that is over is none.
fn positive(nanos: Nanos) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or_default())
}

/// Waits for the query's turn, evaluates it, logs it, and writes the answer, which is work as well. The wait counts as time of the query.
async fn respond(
    state: &Arc<ApiState>,
    params: &Params,
    asked: Asked,
    when: When,
    origin: QueryOrigin,
) -> Result<Response, ApiError> {
    let db = state.db()?;
    let query = params.get("query");
    // What is no query need not wait.
    let expr = state.engine.parse(query).map_err(invalid_query)?;
    let asked_at = Instant::now();
    let cancel = CancelToken::new();
    let turn = state.queries.wait(query, asked.timeout, &cancel).await?;
    let queued = asked_at.elapsed();
    let _cancel = CancelOnDrop(cancel.clone());
    let options = QueryOptions {
        lookback_delta: asked.lookback_delta,
        timeout: Some(asked.timeout.saturating_sub(queued)),
        cancel,
        explain: asked.explain,
        per_step_stats: asked.per_step_stats,
    };
    let times = (when.start, when.end, when.step.unwrap_or_default());
    let is_small = state.engine.is_small(db.as_ref(), &expr, times, &options);
    let (state, query) = (state.clone(), query.to_owned());
    let work = move || {
        let _turn = turn;
        let begun = Instant::now();
        let outcome = match when.step {
            None => state.engine.instant(db.as_ref(), &query, when.start, &options),
            Some(step) => state.engine.range(db.as_ref(), &query, (when.start, when.end, step), &options),
        };
        let engine = outcome.as_ref().map(|result| result.stats).unwrap_or_default();
        let spent = Spent { queued, executing: begun.elapsed(), engine };
        let error = outcome.as_ref().err();
        // What is no query was not evaluated.
        if error.is_none_or(|error| error.kind() != ErrorKind::BadData) {
            state.query_log.record(&QueryRecord {
                query: &query,
                start: when.start,
                end: when.end,
                step: when.step.unwrap_or_default(),
                error: error.map(|error| report(error)),
                spent,
                origin: &origin,
            });
        }
        answer(outcome.map_err(invalid_query)?, &asked, spent)
    };
    // What is done sooner than another thread wakes up keeps nobody waiting here.
    if is_small { work() } else { spawn_blocking(work).await? }
}

fn answer(mut result: QueryResult, asked: &Asked, spent: Spent) -> Result<Response, ApiError> {
    json::truncate(&mut result, asked.limit);
    if let Stats::Deprecated(value) = &asked.stats {
        result.warnings.push(format!(
            "value {value:?} for parameter \"stats\" is deprecated and will be rejected in the next major release, use \"true\" or \"all\""
        ));
    }
    let stats = match asked.stats {
        Stats::No => None,
        Stats::Yes | Stats::Deprecated(_) => Some(spent),
    };
    json::query_result(&result, stats)
}
