//! Housekeeping: what is old enough leaves memory for a block, then the log; what is too old leaves the disk.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use disk::{dir_size, disk_space};
use model::Millis;
use tracing::{info, warn};

use crate::{
    Db, DbOptions, MaintainError,
    block::{Block, HINT_OUT_OF_ORDER},
    chunk::range_end,
    compact::compact_head,
    db::millis,
    filenames, levels,
    merge_blocks::merge_blocks,
    retention::{Retention, size_limit},
    wal::{WalLayout, remove_checkpoints_before, remove_segments_before, write_checkpoint},
};

// === impl Db ===

impl Db {
    /// Moves the chunks that got full since the last call from memory to files, where queries go on reading them. What a full disk keeps
    /// from that stays in memory, is counted, and tried again by the next call.
    ///
    /// To be called about once a second, on a thread that may block: what waits for it is what memory holds beyond the open chunks.
    pub fn map_chunks(&self) {
        self.head.map_chunks();
    }

    /// Does what is due: writes blocks, shortens the log, removes what is beyond retention. Takes and answers go on meanwhile.
    ///
    /// To be called about once a minute, on a thread that may block; calls at the same time wait for each other. After an error
    /// everything is as consistent as before, and the next call tries again.
    pub fn maintain(&self) -> Result<(), MaintainError> {
        let mut written_until = self.maintenance.lock();
        self.map_chunks();
        let dir = &self.options.dir;
        self.blocks.reload().map_err(|source| MaintainError::Reload { path: dir.clone(), source })?;
        let compacted = self.compact(&mut written_until);
        // Also where that failed: a full disk gets emptier only by this.
        let retained = self.apply_retention();
        compacted.and(retained)?;
        while self.merge_some()? {
            // What was merged is replaced, and the head must not wait for all of it.
            self.apply_retention()?;
            self.compact(&mut written_until)?;
        }
        Ok(())
    }

    /// Makes one block of several, if that is due; false when it is not.
    fn merge_some(&self) -> Result<bool, MaintainError> {
        let list = self.mergeable_blocks();
        let metas: Vec<_> = list.iter().map(|block| block.meta()).collect();
        let widths = levels::widths(millis(self.options.min_block_duration), self.widest_block());
        let planned = levels::plan(&metas, &widths);
        let parts: Vec<_> = planned.into_iter().filter_map(|at| list.get(at).cloned()).collect();
        if parts.is_empty() {
            return Ok(false);
        }
        let metrics = &self.metrics.blocks;
        metrics.compactions_triggered.inc();
        if parts.windows(2).any(|pair| pair[1].meta().min_time < pair[0].meta().max_time) {
            metrics.vertical_compactions.inc();
            info!(blocks = ?parts.iter().map(|part| &part.meta().ulid).collect::<Vec<_>>(), "merging overlapping blocks");
        }
        let start = Instant::now();
        let merged = merge_blocks(&parts, &self.options.fs, &self.options.dir);
        metrics.compaction_seconds.observe(start.elapsed().as_secs_f64());
        match merged {
            Ok(merged) => {
                metrics.compactions.inc();
                info!(blocks = parts.len(), ulid = merged.as_ref().map(|block| &block.meta().ulid), duration = ?start.elapsed(), "merged blocks");
                self.blocks.replace(&parts, merged)?;
                Ok(true)
            }
            Err(error) => {
                metrics.compactions_failed.inc();
                // A full disk is not the blocks' fault.
                if !error.is_write() {
                    self.blocks.mark_failed(&parts, &*self.options.fs);
                }
                Err(MaintainError::Merge(error))
            }
        }
    }

    /// The blocks but for those of out-of-order samples that reach beyond the samples in order: merged with others, such a one would say
    /// that the log has nothing more of its time.
    fn mergeable_blocks(&self) -> Vec<Arc<Block>> {
        let in_order_end = self.blocks.in_order_max_time().unwrap_or(Millis::MIN);
        let mut list = self.blocks.list().to_vec();
        list.retain(|block| {
            let meta = block.meta();
            !meta.compaction.has_hint(HINT_OUT_OF_ORDER) || meta.max_time <= in_order_end
        });
        list
    }

    fn widest_block(&self) -> Millis {
        const MOST: Duration = Duration::from_secs(31 * 24 * 3600);
        let set = self.options.max_block_duration;
        let retention = self.options.retention_time;
        millis(match () {
            () if !set.is_zero() => set,
            () if !retention.is_zero() => MOST.min(retention / 10),
            () => MOST,
        })
    }

    fn compact(&self, written_until: &mut Millis) -> Result<(), MaintainError> {
        // An earlier round may have met readers of what came out of order.
        if self.write_due_blocks(written_until)? || self.head.has_late_cut() {
            self.compact_out_of_order()?;
            self.truncate_log()?;
        }
        Ok(())
    }

    /// Writes blocks of what the head has no room for; returns whether there were any.
    pub(crate) fn write_due_blocks(&self, written_until: &mut Millis) -> Result<bool, MaintainError> {
        let metrics = &self.metrics.blocks;
        let mut compacted = false;
        while let Some((min_time, max_time)) = self.compactable_range() {
            let start = Instant::now();
            metrics.compactions_triggered.inc();
            let result = self.compact_range(min_time, max_time, written_until);
            metrics.compaction_seconds.observe(start.elapsed().as_secs_f64());
            if let Err(error) = result {
                metrics.compactions_failed.inc();
                return Err(error);
            }
            metrics.compactions.inc();
            compacted = true;
        }
        Ok(compacted)
    }

    /// The oldest stretch of time in the head that is to become a block: when the head spans one and a half.
    fn compactable_range(&self) -> Option<(Millis, Millis)> {
        let head = &self.head;
        if head.is_empty() {
            return None;
        }
        let width = head.chunk_range();
        let (min_time, max_time) = (head.min_time(), head.max_time());
        let due = max_time.saturating_sub(min_time) > width.saturating_add(width / 2);
        due.then(|| (min_time, range_end(min_time, width)))
    }

    fn compact_range(
        &self,
        min_time: Millis,
        max_time: Millis,
        written_until: &mut Millis,
    ) -> Result<(), MaintainError> {
        let head = &self.head;
        head.refuse_before(max_time);
        if !head.isolation().wait_for_writers_before(max_time, self.options.patience) {
            return Err(MaintainError::WritersBusy);
        }
        // An earlier round may have come this far and then met readers.
        if *written_until < max_time {
            self.write_block(min_time.max(*written_until), max_time)?;
            *written_until = max_time;
        }
        if !head.isolation().wait_for_readers_before(max_time, self.options.patience) {
            return Err(MaintainError::ReadersBusy);
        }
        head.truncate_before(max_time);
        Ok(())
    }

    fn write_block(&self, min_time: Millis, max_time: Millis) -> Result<(), MaintainError> {
        let start = Instant::now();
        let written = compact_head(&self.head, &self.options.fs, &self.options.dir, min_time, max_time)?;
        if let Some(block) = written {
            let meta = block.meta();
            info!(
                ulid = meta.ulid,
                min_time,
                max_time,
                series = meta.stats.num_series,
                samples = meta.stats.num_samples,
                duration = ?start.elapsed(),
                "wrote a block"
            );
            self.blocks.add(block);
        }
        Ok(())
    }

    /// Replaces the older two thirds of the log's segments by a checkpoint.
    fn truncate_log(&self) -> Result<(), MaintainError> {
        let Some(wal) = self.head.wal() else {
            return Ok(());
        };
        let metrics = &self.metrics.wal;
        let start = Instant::now();
        let current = wal.next_segment().map_err(MaintainError::Log)?;
        let layout = WalLayout::read(wal.dir()).map_err(|error| MaintainError::Truncate(Box::new(error)))?;
        let Some(first) = layout.segments.first().map(|(index, _)| *index) else {
            return Ok(());
        };
        // The current segment is empty and the one before it will be of use for long.
        let newest = current.saturating_sub(2);
        let last = first + newest.saturating_sub(first) * 2 / 3;
        if last <= first {
            return Ok(());
        }
        metrics.truncations.inc();
        metrics.checkpoints.inc();
        let head = Arc::clone(&self.head);
        let keep = move |series_ref| head.knows_ref(series_ref);
        let min_time = self.head.min_valid_time();
        let written = write_checkpoint(&self.options.fs, wal.dir(), last, min_time, wal.compression(), &keep);
        let stats = written.map_err(|error| {
            metrics.checkpoints_failed.inc();
            MaintainError::Truncate(Box::new(error))
        })?;
        let removed = remove_segments_before(wal.dir(), last + 1)
            .and_then(|()| remove_checkpoints_before(wal.dir(), last))
            .inspect_err(|_| {
                metrics.truncations_failed.inc();
            });
        removed.map_err(|error| MaintainError::Truncate(Box::new(error)))?;
        info!(first, last, ?stats, duration = ?start.elapsed(), "shortened the write-ahead log");
        metrics.truncate_seconds.observe(start.elapsed().as_secs_f64());
        remove_chunk_snapshots(&self.options.dir);
        Ok(())
    }

    fn size_limit(&self) -> u64 {
        let DbOptions { dir, retention_size, retention_percentage, .. } = &self.options;
        let total = (*retention_percentage > 0.0).then(|| disk_space(dir)).and_then(|space| {
            space
                .inspect_err(|error| {
                    warn!(%error, path = %dir.display(), "size of the file system is unknown: blocks are kept up to the fixed size");
                })
                .ok()
        });
        size_limit(*retention_size, *retention_percentage, total.map(|space| space.total))
    }

    fn apply_retention(&self) -> Result<(), MaintainError> {
        let size_of = |name: &str| dir_size(&self.options.dir.join(name)).unwrap_or_default();
        let wal_bytes = size_of(filenames::WAL);
        self.metrics.wal.storage_size.set(wal_bytes as i64);
        let wbl_bytes = size_of(filenames::WBL);
        self.metrics.wbl.storage_size.set(wbl_bytes as i64);
        let other_bytes = wal_bytes + wbl_bytes + size_of(filenames::CHUNKS_HEAD);
        let retention = Retention { time: millis(self.options.retention_time), size: self.size_limit() };
        let result = self.blocks.remove_unwanted(retention, other_bytes);
        let lowest = self.blocks.min_time().unwrap_or(self.head.min_time());
        self.metrics.blocks.lowest_timestamp.set(lowest);
        result
    }
}

/// Removes what a Prometheus may have left beside its log to start faster: once the log moves on, it no longer fits it, and all that is in
/// it is in the log as well.
fn remove_chunk_snapshots(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(filenames::CHUNK_SNAPSHOT_PREFIX) {
            let path = entry.path();
            if let Err(error) = fs::remove_dir_all(&path) {
                warn!(path = %path.display(), %error, "cannot remove a chunk snapshot");
            }
        }
    }
}
