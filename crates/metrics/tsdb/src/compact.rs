//! From the head to a block: series by series in the order of their labels, so that memory does not grow with the samples.

use std::{path::Path, sync::Arc};

use disk::Fs;
use model::Millis;

use crate::{
    block::{
        Block, BlockChunk, BlockCompaction, BlockError, BlockMeta, BlockStats, BlockWriter, Texts, new_ulid,
    },
    chunk::ChunkError,
    head::{ClosedChunk, Head, MemSeries},
    head_chunks::{HeadChunkError, HeadChunks},
    intervals::Intervals,
    recode::{encode_samples, read_samples},
};

/// Writes the samples of the head in `[min_time, max_time)` as a block in `dir`; none where there are none.
///
/// The caller sees to it that none is added meanwhile.
pub(crate) fn compact_head(
    head: &Head,
    fs: &Arc<dyn Fs>,
    dir: &Path,
    min_time: Millis,
    max_time: Millis,
) -> Result<Option<Block>, BlockError> {
    let series = series_in(head, min_time, max_time);
    if series.is_empty() {
        return Ok(None);
    }
    let ulid = new_ulid();
    let meta = BlockMeta {
        ulid: ulid.clone(),
        min_time,
        max_time,
        stats: BlockStats::default(),
        compaction: BlockCompaction { level: 1, sources: vec![ulid.clone()], ..BlockCompaction::default() },
        version: 1,
    };
    let texts = texts_of(series.iter().map(|series| &**series));
    let mut writer = BlockWriter::create(Arc::clone(fs), dir, meta, texts)?;
    let mut written = 0u64;
    for series in &series {
        let taken = taken_chunks(series, head.chunk_files(), min_time, max_time)
            .map_err(|source| BlockError::Head { labels: series.labels().clone(), source })?;
        let chunks = taken
            .chunks_in(min_time, max_time)
            .map_err(|source| BlockError::Head { labels: series.labels().clone(), source: source.into() })?;
        if !chunks.is_empty() {
            writer.add_series(series.labels(), &chunks)?;
            written += 1;
        }
    }
    if written == 0 {
        return Ok(None); // everything was deleted
    }
    writer.finish().map(Some)
}

/// The series that may have samples in the range, sorted by their labels.
fn series_in(head: &Head, min_time: Millis, max_time: Millis) -> Vec<Arc<MemSeries>> {
    let mut series = head.sorted_series();
    series.retain(|series| {
        let range = series.state().time_range();
        range.is_some_and(|(first, last)| first < max_time && last >= min_time)
    });
    series
}

/// Every name and value of the series.
pub(crate) fn texts_of<'a>(series: impl Iterator<Item = &'a MemSeries>) -> Texts<'a> {
    series.flat_map(|series| series.labels().iter()).flat_map(|(name, value)| [name, value]).collect()
}

/// The chunks of a series that have samples in `[min_time, max_time)`, and what of them is deleted.
struct Taken {
    chunks: Vec<ClosedChunk>,
    deleted: Intervals,
}

fn taken_chunks(
    series: &MemSeries,
    files: &HeadChunks,
    min_time: Millis,
    max_time: Millis,
) -> Result<Taken, HeadChunkError> {
    let state = series.state();
    let taken = state.chunks_in(min_time, max_time - 1);
    let deleted = state.deleted().cloned().unwrap_or_default();
    let files = files.files();
    drop(state);
    let chunks = taken.into_iter().map(|chunk| chunk.load(&files)).collect::<Result<_, _>>()?;
    Ok(Taken { chunks, deleted })
}

// === impl Taken ===

impl Taken {
    /// The chunks without what lies outside or is deleted. Those that lie within are taken as they are.
    fn chunks_in(&self, min_time: Millis, max_time: Millis) -> Result<Vec<BlockChunk<'_>>, ChunkError> {
        let mut chunks = Vec::with_capacity(self.chunks.len());
        for chunk in &self.chunks {
            let whole = chunk.min_time >= min_time && chunk.max_time < max_time;
            if whole && self.deleted.is_empty() {
                chunks.push(BlockChunk::closed(chunk));
                continue;
            }
            let mut samples = Vec::new();
            let wanted = |time| (min_time..max_time).contains(&time) && !self.deleted.contains(time);
            read_samples(chunk.encoding, &chunk.data, &mut samples, wanted)?;
            chunks.extend(encode_samples(&samples));
        }
        Ok(chunks)
    }
}
