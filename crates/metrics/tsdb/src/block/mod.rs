//! Blocks: samples of a stretch of time, in files that never change, in Prometheus' format.
//!
//! ```text
//! 01JD…/meta.json      what it is: time range, figures, where it came from
//!       index          series, their labels and where their chunks are; lists of series by label
//!       chunks/000001  chunks, up to 512 MiB a file
//!       tombstones     what was deleted since
//! ```
//!
//! [`Block`] reads one, [`BlockWriter`] makes one: under a temporary name, synced, then renamed.

mod chunk_segments;
mod chunk_writer;
mod cursor;
mod delete;
mod error;
mod index_format;
mod index_postings;
mod index_reader;
mod index_remains;
mod index_writer;
mod meta;
mod postings_table;
mod postings_writer;
mod querier;
mod salvage;
mod series_entry;
mod series_scan;
mod symbols;
mod texts;
mod tombstones;
mod writer;

#[cfg(test)]
mod tests;

use std::{
    io,
    path::{Path, PathBuf},
};

use disk::{Fs, dir_size};
use model::Millis;

pub(crate) use cursor::BlockCursor;
pub use error::BlockError;
pub(crate) use index_reader::IndexReader;
pub use meta::{BlockCompaction, BlockDescription, BlockMeta, BlockStats};
pub(crate) use meta::{HINT_OUT_OF_ORDER, HINT_STALE_SERIES, new_ulid};
pub(crate) use querier::BlockQuerier;
pub use salvage::Remains;
pub(crate) use salvage::Salvage;
pub(crate) use texts::{TextSet, Texts};
pub(crate) use writer::{BlockChunk, BlockWriter};

use crate::{
    chunk::{ChunkError, Encoding},
    filenames,
};
use chunk_segments::ChunkSegments;
use tombstones::Tombstones;

/// A block that is open for reading. Its files are mapped: memory grows with what is read, not with what is there.
pub(crate) struct Block {
    dir: PathBuf,
    meta: BlockMeta,
    index: IndexReader,
    chunks: ChunkSegments,
    tombstones: Tombstones,
    size: u64,
}

// === impl Block ===

impl Block {
    pub(crate) fn open(dir: &Path) -> Result<Self, BlockError> {
        let meta = BlockMeta::read(&dir.join(filenames::META))?;
        let index = IndexReader::open(&dir.join(filenames::INDEX))?;
        let chunks = ChunkSegments::open(&dir.join(filenames::CHUNKS))?;
        let tombstones = Tombstones::read(&dir.join(filenames::TOMBSTONES))?;
        let size = dir_size(dir).map_err(|source| BlockError::Read { path: dir.to_owned(), source })?;
        Ok(Self { dir: dir.to_owned(), meta, index, chunks, tombstones, size })
    }

    pub(crate) fn meta(&self) -> &BlockMeta {
        &self.meta
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Bytes of all its files.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn index(&self) -> &IndexReader {
        &self.index
    }

    /// Bytes of its tables that are kept in memory.
    pub(crate) fn table_bytes(&self) -> usize {
        self.index.table_bytes()
    }

    /// Notes in `meta.json` that merging it failed.
    pub(crate) fn mark_failed(&self, fs: &dyn Fs) -> Result<(), BlockError> {
        let mut meta = self.meta.clone();
        meta.compaction.failed = true;
        meta.write(fs, &self.dir.join(filenames::META))
    }

    /// Walks over its series.
    pub(crate) fn cursor(&self) -> Result<BlockCursor<'_>, BlockError> {
        BlockCursor::new(self)
    }

    /// Adds every name and value.
    pub(crate) fn add_texts<'a>(&'a self, texts: &mut TextSet<'a>) -> Result<(), BlockError> {
        self.index.each_symbol(|text| texts.insert(text))
    }

    /// Encoding and data of a chunk, its checksum verified.
    pub(crate) fn chunk(&self, reference: u64) -> Result<(Encoding, &[u8]), BlockError> {
        self.chunks.chunk(reference)
    }

    /// Wraps what decoding a chunk found.
    pub(crate) fn chunk_error(&self, reference: u64, source: ChunkError) -> BlockError {
        BlockError::Chunk { path: self.dir.clone(), reference, source }
    }

    /// Whether it may have samples in `[min_time, max_time]`.
    pub(crate) fn overlaps(&self, min_time: Millis, max_time: Millis) -> bool {
        // The block's own end is exclusive.
        self.meta.min_time <= max_time && min_time < self.meta.max_time
    }
}

/// Where a chunk of a series is and which time it spans, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChunkMeta {
    pub(crate) min_time: Millis,
    pub(crate) max_time: Millis,
    /// Number of the segment, from 0, in the upper half, offset in the lower.
    pub(crate) reference: u64,
}

fn read_failure(path: &Path) -> impl Fn(io::Error) -> BlockError + '_ {
    move |source| BlockError::Read { path: path.to_owned(), source }
}

fn write_failure(path: &Path) -> impl Fn(io::Error) -> BlockError + '_ {
    move |source| BlockError::Write { path: path.to_owned(), source }
}
