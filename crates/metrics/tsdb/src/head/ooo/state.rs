//! What a locked series tells of its out-of-order samples.

use model::Millis;

use super::LateSamples;
use crate::{
    head::{closed::ClosedChunk, series::SeriesState},
    head_chunks::MappedChunk,
};

// === impl SeriesState ===

impl SeriesState {
    pub(crate) fn late(&self) -> Option<&LateSamples> {
        self.late.as_deref()
    }

    pub(super) fn late_mut(&mut self) -> &mut LateSamples {
        self.late.get_or_insert_default()
    }

    /// The out-of-order chunks that are not in files yet.
    pub(in crate::head) fn late_waiting(&self) -> Vec<ClosedChunk> {
        self.late().map(LateSamples::waiting).unwrap_or_default()
    }

    pub(super) fn settle_late(&mut self, chunk: MappedChunk) {
        if let Some(late) = &mut self.late {
            late.settle(chunk);
        }
    }

    /// Drops the first `count` out-of-order chunks; returns how many there were.
    pub(super) fn drop_late(&mut self, count: usize) -> usize {
        let Some(late) = &mut self.late else { return 0 };
        let before = late.chunk_count();
        let empty = late.drop_first(count);
        let dropped = before - late.chunk_count();
        if empty {
            self.late = None;
        }
        dropped
    }

    /// The oldest and the newest sample's times, in order or not.
    pub(crate) fn whole_time_range(&self) -> Option<(Millis, Millis)> {
        let late = self.late().and_then(LateSamples::time_range);
        let parts = [self.time_range(), late];
        parts.into_iter().flatten().reduce(|(min, max), (first, last)| (min.min(first), max.max(last)))
    }
}
