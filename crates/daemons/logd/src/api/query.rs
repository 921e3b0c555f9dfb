//! `/query`, `/query_range`, `/format_query`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use config::{GoDuration, PromDuration};
use http::{HeaderMap, StatusCode, header};
use logql::syntax::{format_query, parse};
use model::Nanos;
use service::spawn_blocking;
use streams::{LogQuerier, LogSource, QueryError};

use super::{ApiError, ApiState, json, params::Params, tenant::TenantName};
use crate::{
    Limits,
    maintenance::now,
    queries::{Running, StopOnDrop},
    tenants::Tenant,
};

/// The header with which clients ask for labels by where they come from.
const FLAGS_HEADER: &str = "x-loki-response-encoding-flags";

pub(super) async fn instant(
    State(state): State<Arc<ApiState>>,
    tenant: TenantName,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, ApiError> {
    let time = params.time(now())?;
    // Without meaning for values at one moment, but a mistake all the same.
    params.limit()?;
    params.direction()?;
    let expr = params.query()?;
    let categorize = wants_categories(&headers);
    let engine = state.engine.clone();
    run(&state, tenant, move |source, running, queued| {
        let result = engine.instant(source, &expr, time, running.cancel())?;
        Ok(json::query_result(&result, categorize, queued))
    })
    .await
}

pub(super) async fn range(
    State(state): State<Arc<ApiState>>,
    tenant: TenantName,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, ApiError> {
    let now = now();
    let mut range = params.range(now)?;
    let expr = params.query()?;
    check_length(&state.config.limits, range.start, range.end)?;
    let in_view = clamp(&state.config.limits, &mut range.start, range.end, now);
    let categorize = wants_categories(&headers);
    let engine = state.engine.clone();
    run(&state, tenant, move |source, running, queued| {
        let source = if in_view { source } else { &Nothing };
        let result = engine.range(source, &expr, &range, running.cancel())?;
        Ok(json::query_result(&result, categorize, queued))
    })
    .await
}

pub(super) async fn format(params: Params) -> Response {
    let (status, body) = match parse(params.get("query")) {
        Ok(expr) => (StatusCode::OK, serde_json::json!({"status": "success", "data": format_query(&expr)})),
        Err(error) => {
            let body = serde_json::json!({"status": "invalid-query", "error": error.to_string()});
            (StatusCode::BAD_REQUEST, body)
        }
    };
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// Refuses ranges that are too long.
pub(super) fn check_length(limits: &Limits, start: Nanos, end: Nanos) -> Result<(), ApiError> {
    let max = limits.max_query_length.0;
    let length = Duration::from_nanos(end.saturating_sub(start).max(0).unsigned_abs());
    if max.is_zero() || length <= max {
        return Ok(());
    }
    Err(ApiError::BadRequest(format!(
        "the query time range exceeds the limit (query length: {}, limit: {})",
        GoDuration(length),
        PromDuration(max)
    )))
}

/// Moves the start to where queries can see; `false` where they see nothing of the range.
pub(super) fn clamp(limits: &Limits, start: &mut Nanos, end: Nanos, now: Nanos) -> bool {
    let lookback = limits.max_query_lookback.0;
    if lookback.is_zero() {
        return true;
    }
    let oldest = now.saturating_sub(Nanos::try_from(lookback.as_nanos()).unwrap_or(Nanos::MAX));
    *start = (*start).max(oldest);
    end >= oldest
}

/// Runs a question on a thread for blocking work when its turn comes; stops it when the client leaves or the time is up.
///
/// `work` also gets how long it waited.
pub(super) async fn run<F>(
    state: &Arc<ApiState>,
    TenantName(name): TenantName,
    work: F,
) -> Result<Response, ApiError>
where
    F: FnOnce(&dyn LogSource, &Running, Duration) -> Result<String, ApiError> + Send + 'static,
{
    let started = Instant::now();
    let limit = state.config.limits.query_deadline();
    let running = Running::until(limit.map(|limit| started + limit));
    let _stop_on_drop = StopOnDrop(running.clone());
    // The wait for a turn counts as time of the query.
    let turn = state.queries.enter(&name, limit).await?;
    let tenants = state.tenants.clone();
    let body = spawn_blocking(move || {
        let _turn = turn;
        let tenant: Option<Arc<Tenant>> = tenants.find(&name)?;
        let source: &dyn LogSource = tenant.as_ref().map_or(&Nothing, |tenant| &tenant.store);
        work(source, &running, started.elapsed())
    })
    .await??;
    Ok(([(header::CONTENT_TYPE, "application/json; charset=UTF-8")], body).into_response())
}

fn wants_categories(headers: &HeaderMap) -> bool {
    headers
        .get_all(FLAGS_HEADER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|flag| flag.trim() == "categorize-labels")
}

/// What a tenant has who never pushed anything.
struct Nothing;

impl LogSource for Nothing {
    fn querier(&self) -> Result<Arc<dyn LogQuerier>, QueryError> {
        Ok(Arc::new(Self))
    }
}

impl LogQuerier for Nothing {
    fn select(
        &self,
        _: &streams::SelectLogs,
    ) -> Result<Box<dyn Iterator<Item = Result<streams::LineBatch, QueryError>> + Send>, QueryError> {
        Ok(Box::new(std::iter::empty()))
    }

    fn series(&self, _: &streams::StreamQuery) -> Result<Vec<model::Labels>, QueryError> {
        Ok(Vec::new())
    }

    fn label_names(&self, _: &streams::StreamQuery) -> Result<Vec<String>, QueryError> {
        Ok(Vec::new())
    }

    fn label_values(&self, _: &str, _: &streams::StreamQuery) -> Result<Vec<String>, QueryError> {
        Ok(Vec::new())
    }

    fn volume(&self, _: &streams::StreamQuery) -> Result<streams::Volume, QueryError> {
        Ok(streams::Volume::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = 1_000_000_000;

    #[test]
    fn ranges_within_limits() {
        let mut limits = Limits::default();
        limits.max_query_length = GoDuration::from_secs(721 * 3600);
        limits.max_query_lookback = GoDuration::from_secs(100);
        assert!(check_length(&limits, 0, 721 * 3600 * SECOND).is_ok());
        let Err(ApiError::BadRequest(text)) = check_length(&limits, 0, 721 * 3600 * SECOND + SECOND) else {
            panic!("refused")
        };
        assert_eq!(text, "the query time range exceeds the limit (query length: 721h0m1s, limit: 30d1h)");
        let mut start = 0;
        assert!(clamp(&limits, &mut start, 950 * SECOND, 1000 * SECOND));
        assert_eq!(start, 900 * SECOND);
        assert!(!clamp(&limits, &mut start, 899 * SECOND, 1000 * SECOND));
    }
}
