//! From the out-of-order samples of the head to blocks beside those of samples in order, which they are merged with later.
//!
//! A crash on the way loses nothing: chunks and log stay until the blocks are there, and what is in both is merged by queries.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Instant};

use disk::remove_dir_atomic;
use model::Millis;
use tracing::{info, warn};

use crate::{
    Db, MaintainError,
    block::{
        Block, BlockCompaction, BlockError, BlockMeta, BlockStats, BlockWriter, HINT_OUT_OF_ORDER, new_ulid,
    },
    chunk::range_end,
    compact::texts_of,
    head::{LateCut, MemSeries},
    head_chunks::HeadChunkError,
    recode::{Sample, encode_samples, merge_samples, read_samples},
    wal::remove_segments_before,
};

/// Times of a range's first moment and its end.
type Range = (Millis, Millis);

// === impl Db ===

impl Db {
    /// Writes blocks of what came out of order, one for each range that has any, and drops it from memory and log. To be called by
    /// housekeeping, after the head gave up a block.
    pub(crate) fn compact_out_of_order(&self) -> Result<(), MaintainError> {
        let Some(mut cut) = self.head.cut_late().map_err(MaintainError::Log)? else {
            return Ok(());
        };
        if !cut.written {
            let metrics = &self.metrics.blocks;
            let start = Instant::now();
            metrics.compactions_triggered.inc();
            let written = self.write_late_blocks(&cut, &self.options.dir);
            metrics.compaction_seconds.observe(start.elapsed().as_secs_f64());
            match written {
                Ok(blocks) => blocks.into_iter().for_each(|block| self.blocks.add(block)),
                Err(error) => {
                    metrics.compactions_failed.inc();
                    self.head.give_back_late(cut);
                    return Err(error.into());
                }
            }
            metrics.compactions.inc();
            cut.written = true;
        }
        let behind = cut.max_time.saturating_add(1);
        if !self.head.isolation().wait_for_readers_before(behind, self.options.patience) {
            self.head.give_back_late(cut);
            return Err(MaintainError::ReadersBusy);
        }
        self.head.truncate_late(&cut);
        self.truncate_late_log(&cut)
    }

    fn truncate_late_log(&self, cut: &LateCut) -> Result<(), MaintainError> {
        let (Some(log), Some(segment)) = (self.head.out_of_order().log(), cut.segment) else {
            return Ok(());
        };
        let metrics = &self.metrics.wbl;
        metrics.truncations.inc();
        remove_segments_before(log.dir(), segment).map_err(|error| {
            metrics.truncations_failed.inc();
            MaintainError::Truncate(Box::new(error))
        })
    }

    /// All blocks, into the folder `dir`, or after an error none.
    pub(crate) fn write_late_blocks(&self, cut: &LateCut, dir: &Path) -> Result<Vec<Block>, BlockError> {
        let width = self.head.chunk_range();
        let mut ranges = BTreeSet::new();
        for series in &cut.series {
            let samples = self.late_samples(cut, series, (Millis::MIN, Millis::MAX))?;
            ranges.extend(samples.iter().map(|(time, _)| range_end(*time, width)));
        }
        let mut blocks: Vec<Block> = Vec::new();
        for end in ranges {
            match self.write_late_block(cut, dir, (end.saturating_sub(width), end)) {
                Ok(block) => blocks.extend(block),
                Err(error) => {
                    for block in blocks {
                        if let Err(error) = remove_dir_atomic(block.dir()) {
                            warn!(path = %block.dir().display(), %error, "cannot remove a block that will be written anew");
                        }
                    }
                    return Err(error);
                }
            }
        }
        Ok(blocks)
    }

    fn write_late_block(&self, cut: &LateCut, dir: &Path, range: Range) -> Result<Option<Block>, BlockError> {
        let start = Instant::now();
        let ulid = new_ulid();
        let meta = BlockMeta {
            ulid: ulid.clone(),
            min_time: range.0,
            max_time: range.1,
            stats: BlockStats::default(),
            compaction: BlockCompaction {
                level: 1,
                sources: vec![ulid],
                hints: vec![HINT_OUT_OF_ORDER.to_owned()],
                ..BlockCompaction::default()
            },
            version: 1,
        };
        let texts = texts_of(cut.series.iter().map(|(series, _)| &**series));
        let mut writer = BlockWriter::create(Arc::clone(&self.options.fs), dir, meta, texts)?;
        let mut written = 0u64;
        for series in &cut.series {
            let samples = self.late_samples(cut, series, range)?;
            if !samples.is_empty() {
                writer.add_series(series.0.labels(), &encode_samples(&samples))?;
                written += 1;
            }
        }
        if written == 0 {
            return Ok(None);
        }
        let block = writer.finish()?;
        let meta = block.meta();
        info!(
            ulid = meta.ulid,
            min_time = range.0,
            max_time = range.1,
            series = meta.stats.num_series,
            samples = meta.stats.num_samples,
            duration = ?start.elapsed(),
            "wrote a block of out-of-order samples"
        );
        Ok(Some(block))
    }

    /// The samples of a series in the range, the end exclusive, without what is deleted.
    fn late_samples(
        &self,
        cut: &LateCut,
        series: &(Arc<MemSeries>, usize),
        (min_time, end): Range,
    ) -> Result<Vec<(Millis, Sample)>, BlockError> {
        let failed = |source: HeadChunkError| BlockError::Head { labels: series.0.labels().clone(), source };
        let (chunks, deleted, files) = cut.taken(series, &self.head);
        let mut samples = Vec::new();
        for chunk in chunks.into_iter().filter(|chunk| chunk.min_time() < end && chunk.max_time() >= min_time)
        {
            let chunk = chunk.load(&files).map_err(failed)?;
            let wanted = |time| (min_time..end).contains(&time) && !deleted.contains(time);
            read_samples(chunk.encoding, &chunk.data, &mut samples, wanted)
                .map_err(|source| failed(source.into()))?;
        }
        merge_samples(&mut samples);
        Ok(samples)
    }
}
