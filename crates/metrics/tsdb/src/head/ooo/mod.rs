//! Samples that are older than their series' newest one, and not too old.
//!
//! They have a log of their own (`wbl/`), and in memory lists and chunks of their own (`series`), which queries merge with the rest.
//! `state` is what a series knows of them, `mapping` takes their chunks to files, `replay` brings them back after a restart, and
//! `compaction` hands them over to blocks.
//!
//! Which samples are out of order is decided when they are appended, and again when the batch is applied, by when others may have come.
//! The log has all of them before the batch is acknowledged; nothing depends on the files of chunks, as with samples in order.
//!
//! *Locks*: the order of the log comes after the phase of loading and before a series.

mod compaction;
mod mapping;
mod replay;
mod series;
mod state;
mod unchecked;

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use model::Millis;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use storage::CommitError;

pub(crate) use compaction::LateCut;
pub(crate) use series::LateSamples;
pub(crate) use unchecked::UncheckedNote;

use super::{Head, MemSeries, NO_MAX, NO_MIN, isolation::CommitId, sample_records, series::AppendRules};
use crate::{
    recode::Sample,
    wal::{Wal, WalRecord},
};
use series::Inserted;

/// What the head knows of out-of-order samples.
pub(crate) struct OutOfOrder {
    /// How much older than the newest sample one may be, milliseconds; 0 for none. There is a log where it is more.
    window: AtomicI64,
    log: OnceLock<Wal>,
    /// Held by whoever makes the log.
    log_turn: Mutex<()>,
    /// Read by each commit, from before the log until its samples are visible; written by whoever needs log and memory to say the same.
    order: RwLock<()>,
    min_time: AtomicI64,
    max_time: AtomicI64,
    /// What is on its way into blocks.
    cut: Mutex<Option<LateCut>>,
    /// Samples that the replay has found could not be written to the log.
    unlogged: AtomicBool,
}

/// A sample that comes late.
pub(super) struct Late {
    pub(super) series: Arc<MemSeries>,
    pub(super) timestamp: Millis,
    pub(super) sample: Sample,
}

// === impl OutOfOrder ===

impl OutOfOrder {
    pub(super) fn new() -> Self {
        Self {
            window: AtomicI64::new(0),
            log: OnceLock::new(),
            log_turn: Mutex::default(),
            order: RwLock::default(),
            min_time: AtomicI64::new(NO_MIN),
            max_time: AtomicI64::new(NO_MAX),
            cut: Mutex::default(),
            unlogged: AtomicBool::new(false),
        }
    }

    pub(crate) fn log(&self) -> Option<&Wal> {
        self.log.get()
    }

    /// Makes the log unless it is there.
    pub(crate) fn start_log(&self, create: impl FnOnce() -> io::Result<Wal>) -> io::Result<()> {
        let _turn = self.log_turn.lock();
        if self.log.get().is_none() {
            let log = create()?;
            assert!(self.log.set(log).is_ok(), "BUG: who makes the log holds its turn");
        }
        Ok(())
    }

    /// Sets the window; one that is not zero needs the log.
    pub(crate) fn set_window(&self, window: Millis) {
        self.window.store(window.max(0), Ordering::Release);
    }

    /// Times of the oldest and the newest sample, or wider.
    pub(crate) fn time_range(&self) -> Option<(Millis, Millis)> {
        let range = (self.min_time.load(Ordering::Acquire), self.max_time.load(Ordering::Acquire));
        (range.0 <= range.1).then_some(range)
    }

    /// Whether only the write-ahead log has all that the replay has found.
    pub(crate) fn has_unlogged(&self) -> bool {
        self.unlogged.load(Ordering::Acquire)
    }

    fn extend_time(&self, min_time: Millis, max_time: Millis) {
        self.min_time.fetch_min(min_time, Ordering::AcqRel);
        self.max_time.fetch_max(max_time, Ordering::AcqRel);
    }
}

// === impl Head ===

impl Head {
    pub(crate) fn out_of_order(&self) -> &OutOfOrder {
        &self.out_of_order
    }

    /// What batches go by now.
    pub(super) fn append_rules(&self) -> AppendRules {
        let window = self.out_of_order.window.load(Ordering::Acquire);
        AppendRules {
            min_valid_time: self.appendable_since(),
            late_since: (window > 0).then(|| self.max_time().saturating_sub(window)),
        }
    }

    /// Whether there are samples in `[min_time, max_time]`, or may be.
    pub(crate) fn overlaps(&self, min_time: Millis, max_time: Millis) -> bool {
        self.time_ranges().any(|(first, last)| first <= max_time && last >= min_time)
    }

    /// Times of the oldest and the newest sample, or wider, of those in order and of those that are not.
    pub(crate) fn time_ranges(&self) -> impl Iterator<Item = (Millis, Millis)> + use<> {
        let in_order = (!self.is_empty()).then(|| (self.min_time(), self.max_time()));
        [in_order, self.out_of_order.time_range()].into_iter().flatten()
    }

    /// Logs the samples and appends them. They may become visible while the guard is held.
    pub(super) fn commit_late(
        &self,
        samples: Vec<Late>,
        commit: CommitId,
    ) -> Result<Option<RwLockReadGuard<'_, ()>>, CommitError> {
        if samples.is_empty() {
            return Ok(None);
        }
        let guard = self.out_of_order.order.read();
        self.log_late(&samples)?;
        for Late { series, timestamp, sample } in samples {
            let sample_type = sample.sample_type();
            if self.append_late(&series, timestamp, sample, Some(commit)) {
                self.metrics.appended.of(sample_type).inc();
                self.metrics.late_appended.of(sample_type).inc();
            }
        }
        Ok(Some(guard))
    }

    fn log_late(&self, samples: &[Late]) -> Result<(), CommitError> {
        let records = sample_records::encode(
            samples.iter().map(|late| (late.series.series_ref(), late.timestamp, &late.sample)),
        );
        let log = self.out_of_order.log().ok_or(CommitError::Closed)?;
        log.commit(records.into_iter().map(|record| WalRecord::new(record, log.compression())).collect())
    }

    /// Adds a sample to those out of order; false when one of this moment is known.
    fn append_late(
        &self,
        series: &Arc<MemSeries>,
        timestamp: Millis,
        sample: Sample,
        commit: Option<CommitId>,
    ) -> bool {
        let inserted = series.state().late_mut().insert(timestamp, sample, commit);
        if inserted == Inserted::Known {
            return false;
        }
        self.out_of_order.extend_time(timestamp, timestamp);
        if inserted == Inserted::Closed {
            self.metrics.chunks_created.inc();
            self.metrics.chunks.inc();
            self.mapping.add([Arc::clone(series)]);
        }
        true
    }
}
