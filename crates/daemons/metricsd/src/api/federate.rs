//! `/federate`: the newest sample of every series that is selected, as a target would expose it. Source: Prometheus docs/federation.md.
//!
//! The samples are collected and sorted first, at most as many as a query may hold; the text is written while it is sent, piece by piece,
//! so that a slow client holds no thread and no second copy.

mod escape;
mod text;

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use http::{HeaderMap, StatusCode, header};
use model::{Columns, Labels, Matcher, Millis, is_stale};
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use promql::{CancelToken, syntax::parse_labels};
use service::{FormError, FormParams, report, spawn_blocking};
use storage::{QueryError, Queryable, SelectHints};

use super::{ApiError, ApiState, error::plain, params::now, query::CancelOnDrop};
use escape::Escaping;
use text::{Exposition, Newest, NewestValue};

/// Size of the pieces of the answer, bytes: small enough to write one between two other requests.
const PIECE: usize = 64 << 10;
/// Series between two looks at the clock.
const CHECK_EVERY: usize = 1024;

/// What federation says about itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct FederationMetrics {
    errors: Counter,
}

/// Why the samples could not be collected.
#[derive(Debug, thiserror::Error)]
enum FederateError {
    #[error("more than {0} series are selected; select fewer, or raise --query.max-samples")]
    TooManySeries(usize),
    #[error("federation timed out")]
    Timeout,
    #[error("federation was canceled")]
    Canceled,
    #[error("cannot select series")]
    Query(#[from] QueryError),
}

/// What bounds the collecting.
struct Bounds {
    max_series: usize,
    deadline: Instant,
    cancel: CancelToken,
}

impl FederationMetrics {
    /// Registers them under Prometheus' names.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "prometheus_web_federation_errors",
            "Total number of errors that occurred while sending federation responses",
            metrics.errors.clone(),
        );
        metrics
    }
}

pub(super) async fn federate(
    State(state): State<Arc<ApiState>>,
    headers: HeaderMap,
    params: Result<FormParams, FormError>,
) -> Response {
    let params = match params {
        Ok(params) => params,
        Err(error) => return plain(StatusCode::BAD_REQUEST, &format!("error parsing form values: {error}")),
    };
    let selectors: Result<Vec<_>, _> = params.all("match[]").map(parse_labels).collect();
    let selectors = match selectors {
        Ok(selectors) => selectors,
        Err(error) => return plain(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let asked = format!("federate {}", params.all("match[]").collect::<Vec<_>>().join(", "));
    let samples = match collect_in_turn(&state, selectors, &asked).await {
        Ok(samples) => samples,
        Err(error) => {
            state.federation.errors.inc();
            return error.into_text();
        }
    };
    let escaping = Escaping::negotiate(&headers);
    let exposition = Exposition::new(&state.config.read().external_labels, escaping);
    let content_type = format!("text/plain; version=0.0.4; charset=utf-8; escaping={}", escaping.as_str());
    ([(header::CONTENT_TYPE, content_type)], Body::from_stream(pieces(exposition, samples))).into_response()
}

/// The text, one piece at a time as the client takes them.
fn pieces(
    mut exposition: Exposition,
    samples: Vec<Newest>,
) -> impl stream::Stream<Item = Result<Bytes, Infallible>> {
    let mut samples = samples.into_iter();
    stream::iter(std::iter::from_fn(move || {
        let mut piece = String::with_capacity(PIECE + PIECE / 8);
        while piece.len() < PIECE
            && let Some(sample) = samples.next()
        {
            exposition.write(&mut piece, &sample);
        }
        (!piece.is_empty()).then(|| Ok(piece.into()))
    }))
}

/// Collects on a blocking thread, as one of the queries that may run at a time.
async fn collect_in_turn(
    state: &Arc<ApiState>,
    selectors: Vec<Vec<Matcher>>,
    asked: &str,
) -> Result<Vec<Newest>, ApiError> {
    let db = state.db()?;
    let timeout = state.flags.query_timeout.0;
    let deadline = Instant::now() + timeout;
    let cancel = CancelToken::new();
    let turn = state.queries.wait(asked, timeout, &cancel).await?;
    let _cancel = CancelOnDrop(cancel.clone());
    let bounds = Bounds { max_series: state.flags.max_samples, deadline, cancel };
    let lookback = state.flags.lookback_delta.0;
    let collected = spawn_blocking(move || {
        let _turn = turn;
        collect(db.as_ref(), &selectors, now(), lookback, &bounds)
    });
    Ok(collected.await??)
}

/// The newest sample of each selected series, by metric name and then by labels. What is stale now is not there any more.
fn collect(
    queryable: &dyn Queryable,
    selectors: &[Vec<Matcher>],
    at: Millis,
    lookback: Duration,
    bounds: &Bounds,
) -> Result<Vec<Newest>, FederateError> {
    let from = at.saturating_sub(Millis::try_from(lookback.as_millis()).unwrap_or(Millis::MAX));
    let querier = queryable.querier(from, at)?;
    let hints = SelectHints { start: from, end: at, ..SelectHints::default() };
    let mut found = Vec::new();
    let mut columns = Columns::default();
    let mut looked_at = 0;
    // A selector without conditions selects nothing here, as in the original.
    for matchers in selectors.iter().filter(|matchers| !matchers.is_empty()) {
        let mut set = querier.select(&hints, matchers)?;
        while let Some(series) = set.next() {
            if looked_at % CHECK_EVERY == 0 {
                bounds.check()?;
            }
            looked_at += 1;
            let mut series = series?;
            columns.clear();
            series.samples.read(from, at, &mut columns)?;
            let Some(newest) = newest(series.labels, &mut columns) else { continue };
            if found.len() >= bounds.max_series {
                return Err(FederateError::TooManySeries(bounds.max_series));
            }
            found.push(newest);
        }
    }
    found.sort_unstable_by(|a, b| {
        let names = a.labels.metric_name().cmp(b.labels.metric_name());
        names.then_with(|| a.labels.cmp(&b.labels))
    });
    // Two selectors may have met the same series.
    found.dedup_by(|a, b| a.labels == b.labels);
    Ok(found)
}

fn newest(labels: Labels, columns: &mut Columns) -> Option<Newest> {
    let float = columns.timestamps.last().copied().zip(columns.values.last().copied());
    let histogram = columns.histograms.pop();
    match (float, histogram) {
        (Some((timestamp, value)), histogram)
            if histogram.as_ref().is_none_or(|point| point.timestamp <= timestamp) =>
        {
            (!is_stale(value)).then_some(Newest { labels, timestamp, value: NewestValue::Float(value) })
        }
        (_, Some(point)) if !is_stale(point.histogram.sum) => {
            let value = NewestValue::Histogram(Box::new(point.histogram));
            Some(Newest { labels, timestamp: point.timestamp, value })
        }
        _ => None,
    }
}

impl Bounds {
    fn check(&self) -> Result<(), FederateError> {
        if self.cancel.is_canceled() {
            return Err(FederateError::Canceled);
        }
        if Instant::now() >= self.deadline {
            return Err(FederateError::Timeout);
        }
        Ok(())
    }
}

impl From<FederateError> for ApiError {
    fn from(error: FederateError) -> Self {
        let text = report(&error);
        match error {
            FederateError::TooManySeries(_) => Self::Execution(text),
            FederateError::Timeout => Self::Timeout(text),
            FederateError::Canceled => Self::Canceled(text),
            FederateError::Query(_) => Self::Internal(text),
        }
    }
}
