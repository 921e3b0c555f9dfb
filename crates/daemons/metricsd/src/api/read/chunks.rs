//! Chunks as they are stored, frame by frame: neither side needs room for the whole answer.

use std::{io, sync::Arc};

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use http::header;
use model::Labels;
use prost::{Message, encoding::encode_varint};
use storage::ChunkQueryable;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tracing::warn;
use tsdb::Db;
use wire::prometheus::{Chunk, ChunkedReadResponse, ChunkedSeries};

use super::{ReadError, Selection, labels::with_external};

/// Frames that may wait for the client.
const FRAMES_WAITING: usize = 4;
const CONTENT_TYPE: &str = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";

type Frame = Result<Bytes, ReadError>;

/// Streams the answer. A failure before the first frame has a status of its own, a later one cuts the connection.
pub(super) async fn answer(
    db: Arc<Db>,
    selections: Vec<Selection>,
    external: Labels,
    max_frame: usize,
    permit: OwnedSemaphorePermit,
) -> Response {
    let (sender, mut receiver) = mpsc::channel(FRAMES_WAITING);
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let result = send_all(&*db, &selections, &external, max_frame, &sender);
        if let Err(error) = result {
            // Whoever is gone does not want to know.
            let _ = sender.blocking_send(Err(error));
        }
    });
    let first = match receiver.recv().await {
        Some(Err(error)) => return error.into_response(),
        first => first,
    };
    let rest = stream::poll_fn(move |context| receiver.poll_recv(context));
    let frames = stream::iter(first).chain(rest).map(|frame: Frame| {
        frame.map_err(|error| {
            let text = service::report(&error);
            warn!(error = text, "remote read ends early");
            io::Error::other(text)
        })
    });
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], Body::from_stream(frames)).into_response()
}

fn send_all(
    db: &dyn ChunkQueryable,
    selections: &[Selection],
    external: &Labels,
    max_frame: usize,
    sender: &mpsc::Sender<Frame>,
) -> Result<(), ReadError> {
    for (query_index, Selection { min_time, max_time, matchers, hints }) in (0..).zip(selections) {
        let querier = db.chunk_querier(*min_time, *max_time)?;
        let mut set = querier.select_chunks(hints, matchers)?;
        while let Some(series) = set.next() {
            let mut series = series?;
            let labels = with_external(&series.labels, external);
            let label_bytes: usize = labels.iter().map(Message::encoded_len).sum();
            let mut chunks = Vec::new();
            let mut bytes = label_bytes;
            let send = |chunks: Vec<Chunk>| {
                let series = ChunkedSeries { labels: labels.clone(), chunks };
                let frame = frame(&ChunkedReadResponse { chunked_series: vec![series], query_index });
                sender.blocking_send(Ok(frame)).map_err(|_| ReadError::Gone)
            };
            while let Some(chunk) = series.chunks.next() {
                let chunk = chunk?;
                let chunk = Chunk {
                    min_time_ms: chunk.min_time,
                    max_time_ms: chunk.max_time,
                    r#type: chunk.encoding.number().into(),
                    data: chunk.data.to_vec(),
                };
                bytes += chunk.encoded_len();
                chunks.push(chunk);
                if bytes >= max_frame {
                    send(std::mem::take(&mut chunks))?;
                    bytes = label_bytes;
                }
            }
            if !chunks.is_empty() {
                send(chunks)?;
            }
        }
    }
    Ok(())
}

/// The message behind its size and its CRC-32C.
fn frame(message: &ChunkedReadResponse) -> Bytes {
    let body = message.encode_to_vec();
    let mut frame = Vec::with_capacity(body.len() + 9);
    encode_varint(body.len() as u64, &mut frame);
    frame.extend_from_slice(&crc32c::crc32c(&body).to_be_bytes());
    frame.extend_from_slice(&body);
    frame.into()
}
