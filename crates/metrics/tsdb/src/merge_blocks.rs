//! From several blocks to one: series by series, so that memory does not grow with the samples. What is deleted is left out.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use disk::Fs;
use model::{Labels, Millis};

use crate::{
    block::{
        Block, BlockChunk, BlockCompaction, BlockCursor, BlockDescription, BlockError, BlockMeta, BlockStats,
        BlockWriter, ChunkMeta, HINT_STALE_SERIES, TextSet, new_ulid,
    },
    intervals::Intervals,
    recode::{Sample, encode_samples, merge_samples, read_samples},
};

/// A chunk of one of the blocks.
struct Source<'a> {
    block: &'a Block,
    meta: ChunkMeta,
    deleted: Option<&'a Intervals>,
}

/// Writes the samples of `blocks` as one block in `dir`; none where all are deleted.
pub(crate) fn merge_blocks(
    blocks: &[Arc<Block>],
    fs: &Arc<dyn Fs>,
    dir: &Path,
) -> Result<Option<Block>, BlockError> {
    let mut texts = TextSet::default();
    for block in blocks {
        block.add_texts(&mut texts)?;
    }
    let meta = merged_meta(blocks.iter().map(|block| block.meta()));
    let mut writer = BlockWriter::create(Arc::clone(fs), dir, meta, texts.sorted())?;
    let mut cursors = blocks.iter().map(|block| block.cursor()).collect::<Result<Vec<_>, _>>()?;
    let mut written = 0u64;
    while let Some(labels) = smallest(&cursors) {
        let mut sources = Vec::new();
        for cursor in &mut cursors {
            if let Some(series) = cursor.take_if(&labels)? {
                sources.extend(series.chunks.into_iter().map(|meta| Source {
                    block: cursor.block(),
                    meta,
                    deleted: series.deleted,
                }));
            }
        }
        sources.sort_by_key(|source| (source.meta.min_time, source.meta.max_time));
        let chunks = merge_chunks(&sources)?;
        if !chunks.is_empty() {
            writer.add_series(&labels, &chunks)?;
            written += 1;
        }
    }
    if written == 0 {
        return Ok(None);
    }
    writer.finish().map(Some)
}

fn smallest(cursors: &[BlockCursor<'_>]) -> Option<Labels> {
    cursors.iter().filter_map(BlockCursor::labels).min().cloned()
}

fn merged_meta<'a>(parts: impl Iterator<Item = &'a BlockMeta> + Clone) -> BlockMeta {
    let sources: BTreeSet<_> =
        parts.clone().flat_map(|part| part.compaction.sources.iter().cloned()).collect();
    // Such blocks are merged with their like only.
    let stale = parts.clone().any(|part| part.compaction.has_hint(HINT_STALE_SERIES));
    let hints = stale.then(|| HINT_STALE_SERIES.to_owned()).into_iter().collect();
    BlockMeta {
        ulid: new_ulid(),
        min_time: parts.clone().map(|part| part.min_time).min().unwrap_or_default(),
        max_time: parts.clone().map(|part| part.max_time).max().unwrap_or_default(),
        stats: BlockStats::default(),
        compaction: BlockCompaction {
            level: parts.clone().map(|part| part.compaction.level).max().unwrap_or_default() + 1,
            sources: sources.into_iter().collect(),
            parents: parts
                .map(|part| BlockDescription {
                    ulid: part.ulid.clone(),
                    min_time: part.min_time,
                    max_time: part.max_time,
                })
                .collect(),
            hints,
            ..BlockCompaction::default()
        },
        version: 1,
    }
}

/// The chunks of one series. One that shares no time with another and has nothing deleted is copied; the others are encoded anew.
fn merge_chunks<'a>(sources: &[Source<'a>]) -> Result<Vec<BlockChunk<'a>>, BlockError> {
    let mut chunks = Vec::with_capacity(sources.len());
    let mut rest = sources;
    while let Some(first) = rest.first() {
        let mut end = first.meta.max_time;
        let mut size = 1;
        while let Some(next) = rest.get(size).filter(|next| next.meta.min_time <= end) {
            end = end.max(next.meta.max_time);
            size += 1;
        }
        let (run, behind) = rest.split_at(size);
        rest = behind;
        if size == 1 && !first.touches_deletion() {
            let (encoding, data) = first.block.chunk(first.meta.reference)?;
            chunks.push(BlockChunk::copied(&first.meta, encoding, data));
        } else {
            chunks.extend(encode_samples(&read_run(run)?));
        }
    }
    Ok(chunks)
}

// === impl Source ===

impl Source<'_> {
    fn touches_deletion(&self) -> bool {
        self.deleted.is_some_and(|deleted| deleted.overlaps(self.meta.min_time, self.meta.max_time))
    }
}

/// The samples of chunks that share time, merged.
fn read_run(run: &[Source<'_>]) -> Result<Vec<(Millis, Sample)>, BlockError> {
    let mut all = Vec::new();
    for source in run {
        let reference = source.meta.reference;
        let (encoding, data) = source.block.chunk(reference)?;
        let deleted = |timestamp| source.deleted.is_some_and(|deleted| deleted.contains(timestamp));
        read_samples(encoding, data, &mut all, |timestamp| !deleted(timestamp))
            .map_err(|source_error| source.block.chunk_error(reference, source_error))?;
    }
    merge_samples(&mut all);
    Ok(all)
}
