//! Reading a push request's body: bounded as sent and decompressed, in memory and in time.

use std::{
    io::{self, Read},
    sync::Arc,
    time::Duration,
};

use axum::body::{Body, Bytes};
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use futures_util::StreamExt;
use http::{HeaderMap, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wire::{SnappyError, snappy_decompress};

use super::ApiError;
use crate::{Config, ingest::Refusal};

/// Memory for the bodies of all requests, KiB.
const ROOM_KIB: usize = 512 << 10;
/// Pushes that are decoded and stored at a time.
const MAX_DECODING: usize = 64;
/// How long a request waits for its turn before it is sent away.
const PATIENCE: Duration = Duration::from_secs(10);
/// Snappy's block format turns three bytes into 64 at best: who promises more does not keep it.
const SNAPPY_RATIO: usize = 22;

/// What pushes may occupy together.
#[derive(Debug, Clone)]
pub(crate) struct PushRoom {
    kib: Arc<Semaphore>,
    decoding: Arc<Semaphore>,
}

/// A compressed body's encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As it is; protobuf is snappy inside all the same.
    Plain,
    Gzip,
    Deflate,
}

impl Default for PushRoom {
    fn default() -> Self {
        Self { kib: Arc::new(Semaphore::new(ROOM_KIB)), decoding: Arc::new(Semaphore::new(MAX_DECODING)) }
    }
}

impl PushRoom {
    /// Reads a body as it was sent. The permit stands for the memory it takes.
    pub async fn read(
        &self,
        config: &Config,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<(Bytes, OwnedSemaphorePermit), ApiError> {
        let max = config.max_push_bytes;
        let announced = announced_size(headers);
        if let Some(size) = announced.filter(|size| *size > max) {
            return Err(too_large(size, max));
        }
        let kib = (announced.unwrap_or(max) / 1024 + 1).min(ROOM_KIB);
        let room = wait(&self.kib, u32::try_from(kib).unwrap_or(u32::MAX)).await?;
        match tokio::time::timeout(config.http_read_timeout, collect(body, max)).await {
            Ok(read) => Ok((read?, room)),
            Err(_) => Err(Refusal::new(408, "the request's body did not come in time").into()),
        }
    }

    /// Waits for a turn to decode and store.
    pub async fn turn(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        wait(&self.decoding, 1).await
    }
}

async fn wait(semaphore: &Arc<Semaphore>, permits: u32) -> Result<OwnedSemaphorePermit, ApiError> {
    match tokio::time::timeout(PATIENCE, semaphore.clone().acquire_many_owned(permits)).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(ApiError::Unavailable("too many pushes at a time, try again later\n".to_owned())),
    }
}

async fn collect(body: Body, max: usize) -> Result<Bytes, ApiError> {
    let mut stream = body.into_data_stream();
    let mut whole = Vec::new();
    while let Some(part) = stream.next().await {
        let part =
            part.map_err(|error| ApiError::BadRequest(format!("cannot read the request's body: {error}\n")))?;
        if whole.len() + part.len() > max {
            return Err(too_large(whole.len() + part.len(), max));
        }
        whole.extend_from_slice(&part);
    }
    Ok(whole.into())
}

/// How large a body is said to be.
pub(super) fn announced_size(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The encoding of a body.
pub(super) fn encoding(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let text = headers.get(header::CONTENT_ENCODING).map_or("", |value| value.to_str().unwrap_or("\u{fffd}"));
    match text {
        "" | "snappy" => Ok(Encoding::Plain),
        "gzip" => Ok(Encoding::Gzip),
        "deflate" => Ok(Encoding::Deflate),
        other => Err(Refusal::new(400, format!("Content-Encoding {other:?} not supported"))),
    }
}

/// Takes the encoding off. `max` is how many bytes may come out.
pub(super) fn decompress(body: Bytes, encoding: Encoding, max: usize) -> Result<Bytes, Refusal> {
    match encoding {
        Encoding::Plain => Ok(body),
        Encoding::Gzip => inflate(MultiGzDecoder::new(body.as_ref()), max).map_err(|error| match error {
            // Loki tells a body that is no gzip at all from one that is broken further on.
            Failure::Io(_) if !body.starts_with(&[0x1f, 0x8b, 8]) => {
                Refusal::new(400, "gzip: invalid header")
            }
            other => other.into_refusal("gzip", max),
        }),
        Encoding::Deflate => {
            inflate(DeflateDecoder::new(body.as_ref()), max).map_err(|error| error.into_refusal("flate", max))
        }
    }
}

/// Takes protobuf's snappy off.
pub(super) fn unsnap(body: &Bytes, max: usize) -> Result<Bytes, Refusal> {
    match snappy_decompress(body, max) {
        Ok(plain) => Ok(plain.into()),
        Err(SnappyError::TooLarge { size, .. }) if size <= body.len().saturating_mul(SNAPPY_RATIO) => {
            Err(size_refusal(size, max))
        }
        Err(_) => Err(Refusal::new(400, "snappy: corrupt input")),
    }
}

enum Failure {
    Io(io::Error),
    TooLarge,
}

impl Failure {
    fn into_refusal(self, format: &str, max: usize) -> Refusal {
        match self {
            Self::Io(error) => Refusal::new(400, format!("{format}: {error}")),
            Self::TooLarge => size_refusal(max + 1, max),
        }
    }
}

fn inflate(decoder: impl Read, max: usize) -> Result<Bytes, Failure> {
    let mut plain = Vec::new();
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(limit).read_to_end(&mut plain).map_err(Failure::Io)?;
    if plain.len() > max { Err(Failure::TooLarge) } else { Ok(plain.into()) }
}

fn too_large(size: usize, max: usize) -> ApiError {
    size_refusal(size, max).into()
}

fn size_refusal(size: usize, max: usize) -> Refusal {
    Refusal::new(413, format!("request body too large: {size} bytes, limit: {max} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bombs_are_refused_before_they_unfold() {
        let promise = [0x80, 0x80, 0x80, 0x80, 0x08].iter().copied().chain([0; 100]).collect::<Vec<u8>>();
        assert_eq!(unsnap(&promise.into(), 1 << 20).expect_err("a bomb").status, 400);
        let honest: Bytes = wire::snappy_compress(&vec![b' '; 2000]).into();
        assert_eq!(unsnap(&honest, 1000).expect_err("too large").status, 413);
        assert_eq!(unsnap(&honest, 2000).expect("fits").len(), 2000);
    }

    #[test]
    fn what_is_no_gzip_is_told_so() {
        let refusal =
            decompress(Bytes::from_static(b"\x1f\x8bnot gzip"), Encoding::Gzip, 10).expect_err("broken");
        assert_eq!(refusal, Refusal::new(400, "gzip: invalid header"));
    }
}
