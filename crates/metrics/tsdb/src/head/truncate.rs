//! Takes out of memory what is in a block by now.

use std::{sync::atomic::Ordering, time::Instant};

use model::Millis;
use tracing::warn;

use super::{Head, NO_MAX, NO_MIN};

// === impl Head ===

impl Head {
    /// From now on samples before `time` are refused: they are, or are about to be, in a block.
    pub(crate) fn refuse_before(&self, time: Millis) {
        self.min_valid_time.fetch_max(time, Ordering::AcqRel);
    }

    /// Drops the chunks that end before `time`, the series that have none left, and the files that nobody needs any more.
    ///
    /// The caller has waited for the readers of those chunks. Appending and reading go on meanwhile; only the making of new series waits
    /// while the index is exchanged.
    pub(crate) fn truncate_before(&self, time: Millis) {
        let start = Instant::now();
        self.metrics.truncations.inc();
        let (mut chunks, mut dead) = (0, 0);
        let mut oldest = Millis::MAX;
        self.table.for_each(|series| {
            let mut state = series.state();
            chunks += state.truncate_before(time);
            match state.time_range() {
                Some((first, _)) => oldest = oldest.min(first),
                None if state.late().is_some() => {}
                None => dead += usize::from(series.bury(&state)),
            }
        });
        if dead > 0 {
            let removed = self.table.remove_dead();
            self.raw_cache.remove_dead();
            self.aliases.lock().retain(|_, series| !series.is_dead());
            let mut index = self.index.write();
            let (alive, moved) = index.without_dead();
            *index = alive;
            self.order.rename(&moved);
            drop(index);
            self.metrics.series_removed.inc_by(removed);
            self.metrics.series.dec_by(removed as i64);
        }
        // No series has a chunk in them now, and who reads one has taken its file along.
        if let Err(error) = self.truncate_chunk_files(time) {
            warn!(%error, "cannot remove old files of head chunks, they are kept until the next block");
        }
        // A batch under way may hold older samples than any series has now: it is bounded by what is appendable.
        let oldest = oldest.min(self.appendable_since().max(time));
        if self.is_initialized() {
            self.min_time.store(oldest.min(self.max_time()), Ordering::Release);
            self.metrics.min_time.set(self.min_time());
        }
        self.metrics.chunks_removed.inc_by(chunks as u64);
        self.metrics.chunks.dec_by(chunks as i64);
        self.metrics.gc_seconds.observe(start.elapsed().as_secs_f64());
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.min_time() == NO_MIN || self.max_time() == NO_MAX
    }
}
