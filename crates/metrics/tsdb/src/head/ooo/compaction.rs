//! Hands out-of-order samples over to blocks.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
};

use model::Millis;
use storage::CommitError;
use tracing::warn;

use crate::{
    head::{Head, MemSeries, NO_MAX, NO_MIN, closed::TakenChunk},
    head_chunks::ChunkFiles,
    intervals::Intervals,
};

/// What goes into blocks: chunks that get no more samples.
pub(crate) struct LateCut {
    /// The log's segments below this one have nothing else.
    pub(crate) segment: Option<u64>,
    /// Series in order of their labels, each with the number of its oldest chunks that are meant.
    pub(crate) series: Vec<(Arc<MemSeries>, usize)>,
    pub(crate) max_time: Millis,
    /// It is in blocks, and still in memory.
    pub(crate) written: bool,
}

// === impl LateCut ===

impl LateCut {
    /// The chunks of a series that are meant, what of them is deleted, and the files to read them from.
    pub(crate) fn taken(
        &self,
        (series, count): &(Arc<MemSeries>, usize),
        head: &Head,
    ) -> (Vec<TakenChunk>, Intervals, ChunkFiles) {
        let state = series.state();
        let chunks = state.late().map(|late| late.first_chunks(*count)).unwrap_or_default();
        let deleted = state.deleted().cloned().unwrap_or_default();
        (chunks, deleted, head.chunk_files().files())
    }
}

// === impl Head ===

impl Head {
    /// Closes the lists of all series and begins a new segment of the log. Gives back what an earlier call gave out and
    /// [`Head::give_back_late`] got; none where there is nothing. To be called by housekeeping alone.
    pub(crate) fn cut_late(&self) -> Result<Option<LateCut>, CommitError> {
        if let Some(cut) = self.out_of_order.cut.lock().take() {
            return Ok(Some(cut));
        }
        if self.out_of_order.time_range().is_none() {
            return Ok(None);
        }
        // No commit is between the log and memory, or between memory and being visible.
        let _order = self.out_of_order.order.write();
        let segment = self.out_of_order.log().map(|log| log.next_segment()).transpose()?;
        Ok(Some(LateCut { segment, ..self.close_late() }))
    }

    /// Closes the lists of all series, for a copy of what there is.
    pub(crate) fn copy_late(&self) -> LateCut {
        let _order = self.out_of_order.order.write();
        self.close_late()
    }

    fn close_late(&self) -> LateCut {
        let watermark = self.isolation.watermark();
        let mut cut = LateCut { segment: None, series: Vec::new(), max_time: NO_MAX, written: false };
        self.table.for_each(|series| {
            let mut state = series.state();
            let Some(late) = &mut state.late else { return };
            late.close(watermark);
            let count = late.chunk_count();
            if let Some((_, last)) = late.time_range() {
                cut.max_time = cut.max_time.max(last);
                cut.series.push((Arc::clone(series), count));
            }
        });
        cut.series.sort_unstable_by(|(a, _), (b, _)| a.labels().cmp(b.labels()));
        cut
    }

    /// Keeps a cut for the next round.
    pub(crate) fn give_back_late(&self, cut: LateCut) {
        *self.out_of_order.cut.lock() = Some(cut);
    }

    /// Whether an earlier round could not end.
    pub(crate) fn has_late_cut(&self) -> bool {
        self.out_of_order.cut.lock().is_some()
    }

    /// Drops what is in blocks. The caller has waited for its readers.
    pub(crate) fn truncate_late(&self, cut: &LateCut) {
        let mut chunks = 0;
        for (series, count) in &cut.series {
            chunks += series.state().drop_late(*count);
        }
        self.metrics.chunks_removed.inc_by(chunks as u64);
        self.metrics.chunks.dec_by(chunks as i64);
        {
            let _order = self.out_of_order.order.write();
            let (mut min_time, mut max_time) = (NO_MIN, NO_MAX);
            self.table.for_each(|series| {
                if let Some((first, last)) = series.state().late().and_then(|late| late.time_range()) {
                    (min_time, max_time) = (min_time.min(first), max_time.max(last));
                }
            });
            self.out_of_order.min_time.store(min_time, Ordering::Release);
            self.out_of_order.max_time.store(max_time, Ordering::Release);
        }
        if let Err(error) = self.truncate_chunk_files(self.min_valid_time()) {
            warn!(%error, "cannot remove old files of head chunks, they are kept until the next block");
        }
    }

    /// Removes the files of chunks that end before `time`, but for those that have out-of-order chunks of any series.
    pub(in crate::head) fn truncate_chunk_files(&self, time: Millis) -> io::Result<()> {
        // Nobody moves a chunk into a file meanwhile.
        let _turn = self.mapping.turn();
        // While the head loads not all series know their chunks.
        if self.is_live() {
            let mut first = u32::MAX;
            self.table.for_each(|series| {
                if let Some(file) = series.state().late().and_then(|late| late.first_file()) {
                    first = first.min(file);
                }
            });
            self.chunk_files.release_out_of_order(first);
        }
        self.chunk_files.truncate_before(time)
    }
}
