//! The closed chunks of one series: the older ones in files, the newest still in memory.

use std::mem;

use model::Millis;

use crate::{
    chunk::Encoding,
    head_chunks::{ChunkData, ChunkFiles, CurrentFiles, HeadChunkError, MappedChunk},
};

/// Chunks in order of time; all in files are older than all in memory. Boxed slices, since there are few of them and each spare place
/// would be paid for by every series.
#[derive(Default)]
pub(super) struct ClosedChunks {
    mapped: Box<[MappedChunk]>,
    /// Until [`super::Head::map_chunks`] comes by.
    waiting: Box<[ClosedChunk]>,
}

/// A chunk that gets no more samples, with its data at hand.
#[derive(Debug, Clone)]
pub(crate) struct ClosedChunk {
    pub(crate) min_time: Millis,
    pub(crate) max_time: Millis,
    pub(crate) encoding: Encoding,
    pub(crate) data: ChunkData,
}

/// A closed chunk as it can be taken along from a locked series, to be read when the lock is gone.
#[derive(Debug, Clone)]
pub(crate) enum TakenChunk {
    Mapped(MappedChunk),
    Memory(ClosedChunk),
}

// === impl ClosedChunks ===

impl ClosedChunks {
    pub(super) fn len(&self) -> usize {
        self.mapped.len() + self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The chunks in memory.
    pub(super) fn waiting(&self) -> &[ClosedChunk] {
        &self.waiting
    }

    pub(super) fn min_time(&self) -> Option<Millis> {
        let waiting = self.waiting.first().map(|chunk| chunk.min_time);
        self.mapped.first().map(MappedChunk::min_time).or(waiting)
    }

    pub(super) fn max_time(&self) -> Option<Millis> {
        let mapped = self.mapped.last().map(MappedChunk::max_time);
        self.waiting.last().map(|chunk| chunk.max_time).or(mapped)
    }

    /// How the newest chunk is encoded.
    pub(super) fn newest_encoding(&self) -> Option<Encoding> {
        let mapped = self.mapped.last().map(MappedChunk::encoding);
        self.waiting.last().map(|chunk| chunk.encoding).or(mapped)
    }

    /// Adds a chunk that is younger than all others.
    pub(super) fn push(&mut self, chunk: ClosedChunk) {
        self.waiting = with_last(mem::take(&mut self.waiting), chunk);
    }

    /// Puts the oldest chunk in memory into the place that it was written to, if it is the one that was written.
    pub(super) fn settle(&mut self, chunk: MappedChunk) {
        if self.waiting.first().is_none_or(|first| first.min_time != chunk.min_time()) {
            return; // truncated meanwhile
        }
        let mut waiting = mem::take(&mut self.waiting).into_vec();
        waiting.remove(0);
        self.waiting = waiting.into_boxed_slice();
        self.mapped = with_last(mem::take(&mut self.mapped), chunk);
    }

    /// Takes in chunks that a series had in files before a restart; false where they and those that are there do not follow each other.
    pub(super) fn adopt(&mut self, chunks: impl Iterator<Item = MappedChunk>) -> bool {
        let mut all = self.mapped.to_vec();
        all.extend(chunks);
        all.sort_by_key(MappedChunk::min_time);
        let ascending = all.is_sorted_by(|a, b| a.max_time() < b.min_time());
        if ascending && self.waiting.is_empty() {
            self.mapped = all.into_boxed_slice();
            return true;
        }
        false
    }

    /// Drops the chunks that end before `time`; returns how many.
    pub(super) fn truncate_before(&mut self, time: Millis) -> usize {
        let mapped = self.mapped.partition_point(|chunk| chunk.max_time() < time);
        let waiting = self.waiting.partition_point(|chunk| chunk.max_time < time);
        drop_first(&mut self.mapped, mapped);
        drop_first(&mut self.waiting, waiting);
        mapped + waiting
    }

    /// All chunks, the newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = TakenChunk> {
        let waiting = self.waiting.iter().rev().map(|chunk| TakenChunk::Memory(chunk.clone()));
        waiting.chain(self.mapped.iter().rev().map(|chunk| TakenChunk::Mapped(*chunk)))
    }
}

fn with_last<T>(items: Box<[T]>, last: T) -> Box<[T]> {
    let mut items = items.into_vec();
    items.reserve_exact(1);
    items.push(last);
    items.into_boxed_slice()
}

fn drop_first<T>(items: &mut Box<[T]>, count: usize) {
    if count > 0 {
        *items = mem::take(items).into_iter().skip(count).collect();
    }
}

// === impl TakenChunk ===

impl TakenChunk {
    pub(crate) fn min_time(&self) -> Millis {
        match self {
            Self::Mapped(chunk) => chunk.min_time(),
            Self::Memory(chunk) => chunk.min_time,
        }
    }

    pub(crate) fn max_time(&self) -> Millis {
        match self {
            Self::Mapped(chunk) => chunk.max_time(),
            Self::Memory(chunk) => chunk.max_time,
        }
    }

    /// Number of samples.
    pub(crate) fn samples(&self) -> usize {
        match self {
            Self::Mapped(chunk) => chunk.samples().into(),
            Self::Memory(chunk) => chunk.encoding.sample_count(&chunk.data).map_or(0, usize::from),
        }
    }

    /// Shows how it is encoded, and its data. `files` were taken while the series was locked.
    pub(crate) fn show<T>(
        &self,
        files: &CurrentFiles,
        show: impl FnOnce(Encoding, &[u8]) -> T,
    ) -> Result<T, HeadChunkError> {
        match self {
            Self::Memory(chunk) => Ok(show(chunk.encoding, &chunk.data)),
            Self::Mapped(chunk) => files.show(chunk.reference(), |data| show(chunk.encoding(), data)),
        }
    }

    /// The chunk with its data. `files` were taken while the series was locked.
    pub(crate) fn load(self, files: &ChunkFiles) -> Result<ClosedChunk, HeadChunkError> {
        match self {
            Self::Memory(chunk) => Ok(chunk),
            Self::Mapped(chunk) => Ok(ClosedChunk {
                min_time: chunk.min_time(),
                max_time: chunk.max_time(),
                encoding: chunk.encoding(),
                data: files.read(chunk.reference())?,
            }),
        }
    }
}
