//! Fills the head from the log.
//!
//! ```text
//! segments ─► LogReader: decode, make series ─► Gathered ─┬─► Worker: append    each series on one worker, so that its
//!                                                         └─► Worker: append    samples stay in order
//! ```
//!
//! Batches are taken meanwhile: they go into the log and nowhere else (see [`super::loading`]), and the replay comes to them at last. So
//! the log is the queue, and memory holds at no time more than it does when everything runs: where the head spans enough time to give up
//! a block, that block is written before reading goes on.

mod gather;
mod log_reader;
mod progress;
mod ref_map;
mod ref_set;
mod worker;

use std::path::PathBuf;

use model::Millis;
use tracing::{info, warn};

use super::{Head, NO_MAX};
use crate::{
    head_chunks::FoundChunks,
    metrics::WalMetrics,
    wal::{ReadError, WalLayout},
};
use log_reader::{LogReader, Segment};
pub use progress::ReplayProgress;
use worker::Workers;

/// Bytes of the log that batches may wait for at the end: what is left is read with them stopped.
const LAST_PART: u64 = 1 << 20;
/// Rounds of catching up at most: whoever writes faster than this reads waits then.
const ROUNDS: usize = 16;

/// What is to be replayed.
#[derive(Default)]
pub(crate) struct Pending {
    /// The log as an earlier run left it.
    pub(crate) layout: WalLayout,
    /// Chunks in files, which need not be read from the log.
    pub(crate) found: FoundChunks,
    /// The log of out-of-order samples as an earlier run left it.
    pub(crate) late: WalLayout,
    /// From this segment on an earlier run has not checked its samples.
    pub(crate) unchecked_since: Option<u64>,
}

/// What a replay came to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) samples: u64,
    /// Samples of series that the log does not name.
    pub(super) unknown: u64,
    /// Times of the oldest and the newest sample that was read, whether it was new or not.
    pub(super) times: Option<(Millis, Millis)>,
}

// === impl Totals ===

impl Totals {
    pub(super) fn note(&mut self, first: Millis, last: Millis) {
        let (min, max) = self.times.unwrap_or((first, last));
        self.times = Some((min.min(first), max.max(last)));
    }

    fn add(&mut self, other: Self) {
        self.samples += other.samples;
        self.unknown += other.unknown;
        if let Some((first, last)) = other.times {
            self.note(first, last);
        }
    }
}

// === impl Head ===

impl Head {
    /// Loads everything the log has, but for what the chunks found in files have already, and whatever is written to the log meanwhile;
    /// then the head is live. Damage is cut off and counted; only an unreadable file is an error, after which the head stays as it is.
    ///
    /// `make_room` is called now and then, with everything read so far in the head: it may write a block.
    pub(crate) fn replay(
        &self,
        pending: Pending,
        progress: &ReplayProgress,
        metrics: &WalMetrics,
        mut make_room: impl FnMut(),
    ) -> Result<(), ReadError> {
        let Pending { layout, mut found, late, unchecked_since } = pending;
        let found_late = std::mem::take(&mut found.out_of_order);
        std::thread::scope(|scope| {
            let mut workers = Workers::start(scope, self);
            let mut reader = LogReader::new(self, found, metrics);
            let mut totals = Totals::default();
            let old = old_segments(&layout);
            progress.expect(layout.segments.first().map(|(index, _)| *index), layout.last);
            for segment in &old {
                progress.at(segment.number);
                if unchecked_since.is_some_and(|since| segment.number >= since) {
                    workers.take_late();
                }
                reader.read(segment, &mut workers)?;
                self.settle(&mut workers, &reader, &mut totals);
                make_room();
            }
            self.replay_late_log(&late, &found_late, metrics)?;
            workers.take_late();
            // From here on the log names series anew that it named before: samples under both numbers must not overtake each other.
            let mut next = layout.last.map_or(0, |last| last + 1);
            for _ in 0..ROUNDS {
                let (until, bytes) = self.finished_segments(next);
                for segment in self.live_segments(next, until) {
                    reader.read(&segment, &mut workers)?;
                }
                next = until;
                self.settle(&mut workers, &reader, &mut totals);
                make_room();
                if bytes <= LAST_PART {
                    break;
                }
            }
            let last = self.loading.last_step();
            for segment in self.live_segments(next, u64::MAX) {
                reader.read(&segment, &mut workers)?;
            }
            self.settle(&mut workers, &reader, &mut totals);
            totals.add(workers.end());
            if let Some((first, last)) = reader.adopted_times() {
                self.extend_time(first, last);
            }
            last.go_live(self);
            self.report(&reader, totals, metrics);
            Ok(())
        })
    }

    /// Waits until everything read is in the head, and makes the series findable.
    fn settle(&self, workers: &mut Workers, reader: &LogReader<'_>, totals: &mut Totals) {
        totals.add(workers.wait());
        if let Some((first, last)) = totals.times {
            self.extend_time(first, last);
        }
        // Chunks from files may lie hours ahead of what is read: who took them for the present would write blocks of a past that is still
        // to be read.
        if let Some((first, _)) = reader.adopted_times() {
            self.extend_time(first, NO_MAX);
        }
        self.index_loaded();
    }

    /// Ends the segment that batches are written to, if it has anything in it; returns the first number that is still written to, and the
    /// bytes of those from `first` on that are not.
    fn finished_segments(&self, first: u64) -> (u64, u64) {
        let Some(wal) = self.wal() else { return (first, 0) };
        let (index, used) = wal.position();
        if used > 0 && wal.next_segment().is_err() {
            // A full disk, say: what is in the segment is read at the end.
            return (index, 0);
        }
        let until = wal.position().0;
        let size = |segment: Segment| std::fs::metadata(segment.path).map_or(0, |file| file.len());
        (until, self.live_segments(first, until).map(size).sum())
    }

    /// The segments of this run from `first` on, those below `until`.
    fn live_segments(&self, first: u64, until: u64) -> impl Iterator<Item = Segment> + use<> {
        let written = self.wal().map(|wal| (wal.dir().to_owned(), wal.position().0));
        written.into_iter().flat_map(move |(dir, current)| {
            (first..until.min(current + 1)).map(move |number| Segment {
                number,
                path: crate::filenames::wal_segment(&dir, number),
                origin: log_reader::Origin::ThisRun,
            })
        })
    }

    fn report(&self, reader: &LogReader<'_>, totals: Totals, metrics: &WalMetrics) {
        let mut chunks = 0;
        // In the order they were made in: neighbours in memory, mostly.
        self.index.read().all().iter().for_each(|series| chunks += series.state().chunk_count());
        self.metrics.chunks.set(chunks as i64);
        self.metrics.series.set(self.series_count() as i64);
        metrics.replay_unknown_refs.inc_by(totals.unknown);
        metrics.unsupported_records.inc_by(reader.unsupported());
        if totals.unknown > 0 {
            warn!(samples = totals.unknown, "log has samples of series that it does not name");
        }
        if reader.unsupported() > 0 {
            warn!(records = reader.unsupported(), "log has records of a later version, which are left out");
        }
        info!(
            series = self.series_count(),
            samples = totals.samples,
            chunks = reader.adopted(),
            unknown_chunks = reader.unknown_chunks(),
            "log is replayed"
        );
    }
}

/// Checkpoint and segments of earlier runs, in order.
pub(super) fn old_segments(layout: &WalLayout) -> Vec<Segment> {
    let checkpoint = layout.checkpoint.iter().flat_map(|(number, paths)| {
        paths.iter().map(|path| (*number, path.clone(), log_reader::Origin::Whole))
    });
    let last = layout.segments.len();
    let segments =
        layout.segments.iter().enumerate().map(|(at, (number, path)): (usize, &(u64, PathBuf))| {
            let origin = if at + 1 == last { log_reader::Origin::Last } else { log_reader::Origin::Whole };
            (*number, path.clone(), origin)
        });
    checkpoint.chain(segments).map(|(number, path, origin)| Segment { number, path, origin }).collect()
}
