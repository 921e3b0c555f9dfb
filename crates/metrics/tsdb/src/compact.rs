//! From the head to a block: series by series in the order of their labels, so that memory does not grow with the samples.

use std::{ops::ControlFlow, path::Path, sync::Arc};

use disk::Fs;
use model::Millis;

use crate::{
    block::{
        Block, BlockChunk, BlockCompaction, BlockError, BlockMeta, BlockStats, BlockWriter, Texts, new_ulid,
    },
    chunk::{ChunkError, XorEncoder, decode_each},
    head::{ClosedChunk, Head, MemSeries},
    intervals::Intervals,
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
    let texts = texts_of(&series);
    let mut writer = BlockWriter::create(Arc::clone(fs), dir, meta, texts)?;
    let mut written = 0u64;
    for series in &series {
        let chunks = chunks_in(series, min_time, max_time).map_err(|source| BlockError::Chunk {
            path: dir.join(&ulid),
            reference: series.series_ref(),
            source,
        })?;
        if !chunks.is_empty() {
            let chunks: Vec<_> = chunks.iter().map(BlockChunk::closed).collect();
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
fn texts_of(series: &[Arc<MemSeries>]) -> Texts<'_> {
    series.iter().flat_map(|series| series.labels().iter()).flat_map(|(name, value)| [name, value]).collect()
}

/// The chunks of a series in `[min_time, max_time)` without what is deleted. Chunks that lie within are taken as they are.
fn chunks_in(series: &MemSeries, min_time: Millis, max_time: Millis) -> Result<Vec<ClosedChunk>, ChunkError> {
    let state = series.state();
    let mut chunks = state.chunks_in(min_time, max_time - 1);
    let deleted = state.deleted().cloned().unwrap_or_default();
    drop(state);
    for chunk in &mut chunks {
        let whole = chunk.min_time >= min_time && chunk.max_time < max_time;
        if !whole || !deleted.is_empty() {
            *chunk = part_of(chunk, min_time, max_time, &deleted)?;
        }
    }
    chunks.retain(|chunk| chunk.min_time <= chunk.max_time);
    Ok(chunks)
}

/// A chunk's samples in the range, encoded anew; with its end before its start where there are none.
fn part_of(
    chunk: &ClosedChunk,
    min_time: Millis,
    max_time: Millis,
    deleted: &Intervals,
) -> Result<ClosedChunk, ChunkError> {
    let mut encoder = XorEncoder::new();
    let (mut first, mut last) = (Millis::MAX, Millis::MIN);
    decode_each(&chunk.data, usize::MAX, |timestamp, value| {
        if (min_time..max_time).contains(&timestamp) && !deleted.contains(timestamp) {
            encoder.append(timestamp, value);
            first = first.min(timestamp);
            last = timestamp;
        }
        ControlFlow::Continue(())
    })?;
    Ok(ClosedChunk { min_time: first, max_time: last, data: encoder.bytes().into() })
}
