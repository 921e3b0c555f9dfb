//! A chunk in a file, as a series remembers it.

use std::{io, path::PathBuf};

use model::Millis;

use super::format::{NewChunk, OUT_OF_ORDER, Reason, Record};
use crate::chunk::{ChunkError, Encoding};

/// Where a chunk is: the file's number in the upper half, the offset in the lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ChunkRef(u64);

/// A chunk in a file. There are millions of these: what it takes is part of what a series costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MappedChunk {
    min_time: Millis,
    reference: ChunkRef,
    /// From the first to the last sample, milliseconds: 49 days at most.
    span: u32,
    samples: u16,
    encoding: Encoding,
}

/// Why a closed chunk of the head could not be read.
#[derive(Debug, thiserror::Error)]
pub enum HeadChunkError {
    /// The chunk's file is not there.
    #[error("there is no file for head chunk {reference:#x}")]
    Missing {
        /// Where it should be: number of the file in the upper half, offset in the lower.
        reference: u64,
    },
    /// The file could not be mapped.
    #[error("cannot map `{}`", .path.display())]
    Map {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file changed since it was written. Its samples are in the log: a restart reads them from there.
    #[error("chunk at byte {offset} of `{}` is damaged ({reason}): a restart reads it from the log", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u32,
        /// What is wrong.
        reason: &'static str,
    },
    /// The data could not be decoded.
    #[error(transparent)]
    Decode(#[from] ChunkError),
}

// === impl ChunkRef ===

impl ChunkRef {
    pub(crate) fn new(file: u32, offset: u32) -> Self {
        Self(u64::from(file) << 32 | u64::from(offset))
    }

    pub(crate) fn file(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(crate) fn offset(self) -> u32 {
        self.0 as u32
    }

    pub(crate) fn from_u64(number: u64) -> Self {
        Self(number)
    }

    pub(crate) fn to_u64(self) -> u64 {
        self.0
    }
}

// === impl NewChunk ===

impl NewChunk<'_> {
    /// Whether a [`MappedChunk`] can tell of it.
    pub(crate) fn fits(&self) -> bool {
        MappedChunk::written(ChunkRef::new(0, 0), self).is_ok()
    }
}

// === impl MappedChunk ===

impl MappedChunk {
    /// A chunk that was found.
    pub(super) fn found(reference: ChunkRef, record: &Record<'_>) -> Result<Self, Reason> {
        Self::new(reference, record.min_time, record.max_time, record.encoding, record.data)
    }

    /// A chunk that was written.
    pub(crate) fn written(reference: ChunkRef, chunk: &NewChunk<'_>) -> Result<Self, Reason> {
        Self::new(reference, chunk.min_time, chunk.max_time, chunk.encoding & !OUT_OF_ORDER, chunk.data)
    }

    fn new(
        reference: ChunkRef,
        min_time: Millis,
        max_time: Millis,
        encoding: u8,
        data: &[u8],
    ) -> Result<Self, Reason> {
        let span = max_time.checked_sub(min_time).ok_or("a chunk spans too much time")?;
        let span = u32::try_from(span).map_err(|_| "a chunk spans no or too much time")?;
        let encoding = Encoding::from_byte(encoding).map_err(|_| "a chunk has an unknown encoding")?;
        let samples = encoding.sample_count(data).map_err(|_| "a chunk has no samples")?;
        Ok(Self { min_time, reference, span, samples, encoding })
    }

    pub(crate) fn min_time(&self) -> Millis {
        self.min_time
    }

    pub(crate) fn max_time(&self) -> Millis {
        self.min_time + Millis::from(self.span)
    }

    pub(crate) fn samples(&self) -> u16 {
        self.samples
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    pub(crate) fn reference(&self) -> ChunkRef {
        self.reference
    }
}
