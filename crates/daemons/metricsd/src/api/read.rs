//! `/read`: remote read, of samples and of streamed chunks. Source: Prometheus storage/remote/read_handler.go, docs on remote read.

mod chunks;
mod labels;
mod samples;

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use model::{Labels, MatchOp, Matcher, MatcherError, Millis};
use prost::Message;
use service::spawn_blocking;
use storage::{QueryError, SelectHints};
use tracing::warn;
use wire::{
    SnappyError,
    prometheus::{Query, ReadHints, ReadRequest, label_matcher, read_request::ResponseType},
    snappy_decompress,
};

use super::{ApiError, ApiState};

/// Largest request, uncompressed.
const MAX_DECOMPRESSED: usize = 16 << 20;

/// Why a request is not answered.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Snappy(#[from] SnappyError),
    #[error("cannot decode the request")]
    Decode(#[from] prost::DecodeError),
    #[error(
        "server does not support any of the requested response types: {0:?}; supported: SAMPLES, STREAMED_XOR_CHUNKS"
    )]
    ResponseType(Vec<i32>),
    #[error("invalid matcher type {0}")]
    MatcherType(i32),
    #[error(transparent)]
    Matcher(#[from] MatcherError),
    #[error("exceeded sample limit ({0})")]
    SampleLimit(u64),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("the client went away")]
    Gone,
}

/// One query of a request.
struct Selection {
    min_time: Millis,
    max_time: Millis,
    matchers: Vec<Matcher>,
    hints: SelectHints,
}

pub(super) async fn read(State(state): State<Arc<ApiState>>, body: Bytes) -> Response {
    let db = match state.db() {
        Ok(db) => db,
        Err(error) => return error.into_text(),
    };
    let external = state.config.read().external_labels.clone();
    let (selections, response_type) = match decode(&body, &external) {
        Ok(request) => request,
        Err(error) => return error.into_response(),
    };
    let Ok(permit) = state.remote_reads.clone().acquire_owned().await else {
        return state.not_ready().into_text();
    };
    match response_type {
        ResponseType::Samples => {
            let limit = state.flags.remote_read_sample_limit;
            let answer = spawn_blocking(move || {
                let _permit = permit;
                samples::answer(&*db, &selections, &external, limit)
            });
            match answer.await {
                Ok(Ok(body)) => {
                    let headers = [
                        (header::CONTENT_TYPE, "application/x-protobuf"),
                        (header::CONTENT_ENCODING, "snappy"),
                    ];
                    (headers, body).into_response()
                }
                Ok(Err(error)) => error.into_response(),
                Err(error) => ApiError::from(error).into_text(),
            }
        }
        ResponseType::StreamedXorChunks => {
            let frame = state.flags.remote_read_max_bytes_in_frame;
            chunks::answer(db, selections, external, frame, permit).await
        }
    }
}

fn decode(body: &[u8], external: &Labels) -> Result<(Vec<Selection>, ResponseType), ReadError> {
    let body = snappy_decompress(body, MAX_DECOMPRESSED)?;
    let request = ReadRequest::decode(&*body)?;
    let accepted = &request.accepted_response_types;
    let response_type = match accepted.as_slice() {
        [] => ResponseType::Samples,
        all => all
            .iter()
            .find_map(|number| ResponseType::try_from(*number).ok())
            .ok_or_else(|| ReadError::ResponseType(all.to_vec()))?,
    };
    let selections = request.queries.into_iter().map(|query| Selection::new(query, external));
    Ok((selections.collect::<Result<_, _>>()?, response_type))
}

// === impl Selection ===

impl Selection {
    /// A matcher that asks for an external label, which no series has in the database, is met by all of them.
    fn new(query: Query, external: &Labels) -> Result<Self, ReadError> {
        let mut matchers = Vec::with_capacity(query.matchers.len());
        for matcher in &query.matchers {
            let op = match label_matcher::Type::try_from(matcher.r#type) {
                Ok(label_matcher::Type::Eq) => MatchOp::Equal,
                Ok(label_matcher::Type::Neq) => MatchOp::NotEqual,
                Ok(label_matcher::Type::Re) => MatchOp::Regex,
                Ok(label_matcher::Type::Nre) => MatchOp::NotRegex,
                Err(_) => return Err(ReadError::MatcherType(matcher.r#type)),
            };
            let is_external = op == MatchOp::Equal
                && !matcher.value.is_empty()
                && external.value(&matcher.name) == matcher.value;
            if !is_external {
                matchers.push(Matcher::new(op, &matcher.name, &matcher.value)?);
            }
        }
        let (min_time, max_time) = (query.start_timestamp_ms, query.end_timestamp_ms);
        let hints = match query.hints {
            Some(ReadHints { step_ms, func, start_ms, end_ms, range_ms, .. }) => SelectHints {
                start: start_ms,
                end: end_ms,
                step: step_ms,
                range: range_ms,
                function: func,
                ..SelectHints::default()
            },
            None => SelectHints { start: min_time, end: max_time, ..SelectHints::default() },
        };
        Ok(Self { min_time, max_time, matchers, hints })
    }
}

// === impl ReadError ===

impl ReadError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Query(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Snappy(SnappyError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for ReadError {
    fn into_response(self) -> Response {
        let (status, text) = (self.status(), service::report(&self));
        if status.is_server_error() {
            warn!(error = text, "remote read failed");
        }
        (status, format!("{text}\n")).into_response()
    }
}
