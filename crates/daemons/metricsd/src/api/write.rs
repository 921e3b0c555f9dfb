//! `/write`: remote write 1.0. Source: Prometheus docs/specs/prw/remote_write_spec.md; what its receiver does with bad samples.

mod histogram;

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use model::{Labels, LabelsBuilder, METRIC_NAME};
use service::spawn_blocking;
use storage::{AppendError, CommitError, Exemplar};
use tracing::{debug, warn};
use tsdb::{Db, RawBatch};
use wire::{
    DecodeError, SnappyError,
    remote_write::{Item, TimeSeries, WriteRequest},
    snappy_decompress,
};

use super::{ApiError, ApiState, params::now};
use histogram::ReceivedHistogram;

/// Largest request, uncompressed.
const MAX_DECOMPRESSED: usize = 256 << 20;
/// Samples further in the future than this are refused, milliseconds.
const MAX_AHEAD: i64 = 10 * 60 * 1000;

pub(super) async fn write(State(state): State<Arc<ApiState>>, headers: HeaderMap, body: Bytes) -> Response {
    if !state.flags.enable_remote_write_receiver {
        let text = "remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n";
        return (StatusCode::NOT_FOUND, text).into_response();
    }
    if let Some(text) = unsupported(&headers) {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response();
    }
    let db = match state.db() {
        Ok(db) => db,
        Err(error) => return error.into_text(),
    };
    let limit = now() + MAX_AHEAD;
    match spawn_blocking(move || store(&db, &body, limit)).await {
        Ok(Ok(())) => StatusCode::NO_CONTENT.into_response(),
        Ok(Err(error)) => {
            let status = error.status();
            let text = service::report(&error);
            if status.is_server_error() {
                warn!(error = text, "remote write failed");
            } else {
                debug!(error = text, "remote write refused");
            }
            (status, format!("{text}\n")).into_response()
        }
        Err(error) => ApiError::from(error).into_text(),
    }
}

fn unsupported(headers: &HeaderMap) -> Option<String> {
    let value = |name: header::HeaderName| {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    };
    let content_type = value(header::CONTENT_TYPE);
    let mut parts = content_type.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let proto = parts.find_map(|part| part.strip_prefix("proto=")).unwrap_or("prometheus.WriteRequest");
    if !media.is_empty() && media != "application/x-protobuf" {
        return Some(format!("unsupported media type {content_type:?}, expected application/x-protobuf\n"));
    }
    if proto != "prometheus.WriteRequest" {
        return Some(format!(
            "not supported yet: remote write message {proto}, send prometheus.WriteRequest\n"
        ));
    }
    let encoding = value(header::CONTENT_ENCODING);
    (!encoding.is_empty() && encoding != "snappy")
        .then(|| format!("unsupported content encoding {encoding:?}, only snappy is\n"))
}

#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error(transparent)]
    Snappy(#[from] SnappyError),
    #[error("cannot decode the request")]
    Decode(#[from] DecodeError),
    #[error("{labels}")]
    Sample { labels: String, source: AppendError },
    #[error("cannot store the samples")]
    Append(#[source] AppendError),
    #[error("cannot store the samples")]
    Commit(#[from] CommitError),
    #[error("cannot decode a native histogram")]
    Histogram(#[from] prost::DecodeError),
}

impl WriteError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Snappy(SnappyError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Snappy(_) | Self::Decode(_) | Self::Histogram(_) | Self::Sample { .. } => {
                StatusCode::BAD_REQUEST
            }
            Self::Append(AppendError::SeriesLimit { .. }) => StatusCode::TOO_MANY_REQUESTS,
            Self::Append(_) | Self::Commit(CommitError::Log(_)) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Commit(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Stores a request whole, or refuses it whole. A series whose labels do not hold is left out with a log line, as the original does.
fn store(db: &Db, body: &[u8], limit: i64) -> Result<(), WriteError> {
    let body = snappy_decompress(body, MAX_DECOMPRESSED)?;
    let mut batch = db.raw_batch();
    let mut scratch = LabelsBuilder::new();
    for item in WriteRequest::new(&body) {
        match item? {
            Item::Series(series) => store_series(&mut batch, &series, limit, &mut scratch)?,
            // Families' metadata comes in requests of its own, without series it could belong to: read and left.
            Item::Metadata(_) => {}
        }
    }
    batch.commit()?;
    Ok(())
}

fn store_series(
    batch: &mut RawBatch<'_>,
    series: &TimeSeries<'_>,
    limit: i64,
    scratch: &mut LabelsBuilder,
) -> Result<(), WriteError> {
    let mut decode_error = None;
    let found = batch.series(series.raw_labels(), || match decode_labels(series, scratch) {
        Ok(labels) => labels,
        Err(error) => {
            decode_error = Some(error);
            Err(AppendError::Closed("labels do not decode".into()))
        }
    });
    if let Some(error) = decode_error {
        return Err(error.into());
    }
    let found = match found {
        Ok(found) => found,
        Err(error @ AppendError::InvalidLabels { .. }) => {
            warn!(%error, "series left out of a remote write request");
            return Ok(());
        }
        Err(error) => return Err(WriteError::Append(error)),
    };
    let fault = |error: AppendError| match error.is_sample_fault() {
        true => WriteError::Sample { labels: series_name(series), source: error },
        false => WriteError::Append(error),
    };
    for sample in series.samples() {
        let sample = sample?;
        if sample.timestamp > limit {
            return Err(fault(AppendError::OutOfBounds));
        }
        batch.append(found, sample.timestamp, sample.value).map_err(fault)?;
    }
    for exemplar in series.exemplars() {
        let exemplar = exemplar?;
        let exemplar = Exemplar {
            labels: Labels::from_pairs(exemplar.labels),
            value: exemplar.value,
            timestamp: Some(exemplar.timestamp),
        };
        if let Err(error) = batch.append_exemplar(found, &exemplar) {
            debug!(%error, "exemplar not stored");
        }
    }
    for histogram in series.histograms() {
        let received = ReceivedHistogram::decode(histogram?)?;
        if received.timestamp > limit {
            return Err(fault(AppendError::OutOfBounds));
        }
        batch.append_histogram(found, received.timestamp, received.sample()).map_err(fault)?;
    }
    Ok(())
}

/// The labels of a new series: sorted, unique, with a name. The outer error is the request's, the inner one the series'.
fn decode_labels(
    series: &TimeSeries<'_>,
    scratch: &mut LabelsBuilder,
) -> Result<Result<Labels, AppendError>, DecodeError> {
    scratch.clear();
    let mut reason = None;
    for label in series.labels() {
        let (name, value) = label?;
        if name.is_empty() {
            reason = Some("empty label name");
        } else if !scratch.get(name).is_empty() {
            reason = Some("label name is given twice");
        }
        scratch.set(name, value);
    }
    if scratch.get(METRIC_NAME).is_empty() {
        reason = Some("no metric name");
    }
    let labels = scratch.build();
    Ok(match reason {
        Some(reason) => Err(AppendError::InvalidLabels { labels, reason }),
        None => Ok(labels),
    })
}

fn series_name(series: &TimeSeries<'_>) -> String {
    series.labels().filter_map(Result::ok).collect::<Labels>().to_string()
}
