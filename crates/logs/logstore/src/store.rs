//! The store: takes pushes, answers queries, seals and forgets.
//!
//! # Locks, in the order in which they are taken
//!
//! 0. `compacting`: one merge at a time.
//! 1. `maintenance`: one sealing, expiry or merge publication at a time.
//! 2. `gate`: pushers hold it shared from before the write-ahead log until their entries are in a buffer. Who holds it alone knows that
//!    everything logged is in the active generation.
//! 3. `view`: held for moments only, to copy or swap what it contains.
//! 4. The generation's table, then the stream index, then a buffer. Who reads the index lets go of it before looking into a table.

mod compact;
mod open;
mod push;
mod seal;

#[cfg(test)]
mod tests;

use std::{
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use disk::DirLock;
use model::Nanos;
use parking_lot::{Mutex, RwLock};
use prometheus_client::registry::Registry;
use streams::{LogAppender, LogQuerier, LogSource, PushError, QueryError, Stream};

use crate::{
    MaintainError, Metrics, OpenError, ReplayReport, StoreOptions, head::Generation, metrics::Tenant,
    query::Snapshot, view::View, wal::Wal,
};
use seal::Reason;

/// The clock before the first tick.
const UNKNOWN: Nanos = Nanos::MIN;

/// A store of log streams in a folder. Clones are the same store.
///
/// Dropping the last clone without [`Store::close`] is like a crash of the process: nothing acknowledged is lost, but the next start has
/// to replay the write-ahead log.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Maintenance {
    /// Segments written.
    pub sealed: usize,
    /// Segments deleted because all their entries are too old.
    pub expired: usize,
    /// Streams forgotten because they got nothing for too long.
    pub forgotten: u64,
}

struct Inner {
    options: StoreOptions,
    segments_dir: PathBuf,
    /// The store's own id.
    id: String,
    metrics: Metrics,
    maintenance: Mutex<()>,
    /// Held while segments are merged.
    compacting: Mutex<()>,
    gate: RwLock<()>,
    view: RwLock<View>,
    /// Empty while the log is replayed, and for ever where it is not enabled.
    wal: OnceLock<Wal>,
    /// The log segment being replayed; after the replay, the first that does not exist.
    replaying: AtomicU64,
    /// The time of the last tick.
    clock: AtomicI64,
    closed: AtomicBool,
    /// The device is fuller than the options allow, by the last tick.
    disk_full: AtomicBool,
    /// After a failed seal: not before this time again.
    seal_again_at: AtomicI64,
    wal_dir: PathBuf,
    replay: OnceLock<ReplayReport>,
    reported: Mutex<Reported>,
    _lock: DirLock,
}

/// What this store has added to gauges that all stores share.
#[derive(Default)]
struct Reported {
    streams: i64,
    chunks: i64,
    buffer_bytes: i64,
    segments: i64,
    segment_bytes: i64,
}

// === impl Store ===

impl Store {
    /// Opens or creates a store: removes what a crash left unfinished and replays the write-ahead log.
    ///
    /// Registers the store's metrics. Where several stores share a process, make [`Metrics`] once and use [`Store::open_with`].
    pub fn open(options: StoreOptions, registry: &mut Registry) -> Result<Self, OpenError> {
        Self::open_with(options, Metrics::new(registry))
    }

    /// As [`Store::open`], with metrics that are registered already.
    pub fn open_with(options: StoreOptions, metrics: Metrics) -> Result<Self, OpenError> {
        let inner = Arc::new(Inner::open(options, metrics)?);
        inner.report();
        Ok(Self { inner })
    }

    /// What was found in the write-ahead log when the store was opened.
    pub fn replay_report(&self) -> ReplayReport {
        self.inner.replay.get().cloned().unwrap_or_default()
    }

    /// Looks after the store: seals what is old, idle or too much, forgets idle streams, deletes what retention no longer keeps.
    ///
    /// `now` is the time in nanoseconds since the Unix epoch, and the store's only clock. Call it about once a second.
    pub fn tick(&self, now: Nanos) -> Result<Maintenance, MaintainError> {
        self.inner.tick(now)
    }

    /// Seals everything in memory, whatever its age. Returns the number of segments written.
    pub fn flush(&self) -> Result<usize, MaintainError> {
        let sealed = self.inner.seal(Reason::Forced);
        self.inner.report();
        sealed
    }

    /// Merges small segments of one day into a larger one, if there are enough of them. Returns how many were merged; 0 when there is
    /// nothing to do. May take long: give it a thread of its own.
    pub fn compact(&self) -> Result<usize, MaintainError> {
        let merged = self.inner.compact();
        self.inner.report();
        merged
    }

    /// Ends the store: refuses pushes, waits for those under way, seals if the options say so, syncs the write-ahead log.
    ///
    /// Queries that run go on. A second call does nothing.
    pub fn close(&self) -> Result<(), MaintainError> {
        let inner = &self.inner;
        if inner.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        drop(inner.gate.write());
        let sealed = if inner.options.wal.flush_on_shutdown || !inner.options.wal.enabled {
            inner.seal(Reason::Forced)
        } else {
            Ok(0)
        };
        let stopped = inner.wal.get().map_or(Ok(()), Wal::stop);
        sealed?;
        Ok(stopped?)
    }
}

impl LogAppender for Store {
    fn push(&self, streams: Vec<Stream>) -> Result<(), PushError> {
        self.inner.push(streams)
    }
}

impl LogSource for Store {
    fn querier(&self) -> Result<Arc<dyn LogQuerier>, QueryError> {
        let view = self.inner.view.read().clone();
        Ok(Arc::new(Snapshot::new(view, self.inner.metrics.clone())))
    }
}

// === impl Inner ===

impl Inner {
    fn tick(&self, now: Nanos) -> Result<Maintenance, MaintainError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(MaintainError::Closed);
        }
        let before = self.clock.swap(now, Ordering::AcqRel);
        let active = Arc::clone(&self.view.read().active);
        if before == UNKNOWN {
            active.note_time(now);
        }
        self.look_at_device();
        let mut done = Maintenance::default();
        let sealed = match self.reason_to_seal(&active, now) {
            Some(reason) => self.seal(reason),
            None => {
                done.forgotten = self.forget_idle(now);
                Ok(0)
            }
        };
        done.expired = self.expire(now);
        self.report();
        done.sealed = sealed?;
        Ok(done)
    }

    fn reason_to_seal(&self, active: &Generation, now: Nanos) -> Option<Reason> {
        let options = &self.options;
        if now < self.seal_again_at.load(Ordering::Acquire) {
            return None;
        }
        let born_before =
            |age: Duration| active.born().is_some_and(|born| born <= now.saturating_sub(nanos(age)));
        if self.view.read().sealing.is_some() {
            return Some(Reason::Forced);
        }
        if active.bytes() >= options.seal_bytes {
            return Some(Reason::Full);
        }
        if born_before(options.max_chunk_age) {
            return Some(Reason::MaxAge);
        }
        (born_before(options.chunk_idle_period) && active.has_idle(self.idle_before(now)))
            .then_some(Reason::Idle)
    }

    /// Streams that got nothing since this time are idle.
    fn idle_before(&self, now: Nanos) -> Nanos {
        if now == UNKNOWN { UNKNOWN } else { now.saturating_sub(nanos(self.options.chunk_idle_period)) }
    }

    /// Sees whether there is room for the write-ahead log.
    fn look_at_device(&self) {
        let threshold = self.options.wal.disk_full_threshold;
        let Ok(space) = disk::disk_space(&self.wal_dir) else {
            return;
        };
        // As Loki reckons it: blocks set aside for root are not used.
        let used = 1.0 - space.free as f64 / space.total.max(1) as f64;
        let full = threshold > 0.0 && used >= threshold;
        if full != self.disk_full.swap(full, Ordering::AcqRel) {
            if full {
                tracing::error!(
                    used,
                    threshold,
                    "the device of the write-ahead log is nearly full, refusing pushes"
                );
            } else {
                tracing::info!(used, threshold, "there is room for the write-ahead log again");
            }
        }
    }

    fn forget_idle(&self, now: Nanos) -> u64 {
        // Alone, so that nobody has a buffer in hand that is about to be forgotten.
        let _alone = self.gate.write();
        let forgotten = self.view.read().active.forget_idle(self.idle_before(now));
        self.metrics.streams_removed.get_or_create(&self.tenant()).inc_by(forgotten);
        forgotten
    }

    /// Deletes the segments that retention no longer keeps; returns how many.
    fn expire(&self, now: Nanos) -> usize {
        let Some(retention) = self.options.retention else {
            return 0;
        };
        let oldest = now.saturating_sub(nanos(retention));
        let _one = self.maintenance.lock();
        let segments = Arc::clone(&self.view.read().segments);
        let gone: Vec<_> =
            segments.iter().filter(|segment| segment.layout.extent().1 < oldest).cloned().collect();
        if gone.is_empty() {
            return 0;
        }
        self.view.write().replace_segments(&gone, Vec::new());
        for segment in &gone {
            tracing::info!(segment = %segment.id, "deleting a segment that is older than the retention period");
            segment.doom();
        }
        self.metrics.segments_expired.inc_by(gone.len() as u64);
        self.shrink_index();
        gone.len()
    }

    /// Forgets streams that are nowhere any more, if they are many.
    fn shrink_index(&self) {
        let _alone = self.gate.write();
        let mut view = self.view.write();
        let mut live: Vec<_> = view.generations().flat_map(|generation| generation.ids()).collect();
        live.extend(view.segments.iter().flat_map(|segment| segment.ids.iter().copied()));
        live.sort_unstable();
        live.dedup();
        if view.index.read().len() >= live.len() * 2 + 1024 {
            let kept = view.index.read().keep_only(&live);
            // A new index: queries that run keep the old one.
            view.index = Arc::new(RwLock::new(kept));
        }
    }

    /// Brings the gauges up to date.
    fn report(&self) {
        let view = self.view.read().clone();
        let now = Reported {
            streams: view.active.streams() as i64,
            chunks: view.generations().map(|generation| generation.filled_streams() as i64).sum(),
            buffer_bytes: view.buffer_bytes() as i64,
            segments: view.segments.len() as i64,
            segment_bytes: view.segments.iter().map(|segment| segment.file_bytes as i64).sum(),
        };
        self.set_reported(now);
    }

    fn set_reported(&self, now: Reported) {
        let mut before = self.reported.lock();
        let metrics = &self.metrics;
        metrics.streams.get_or_create(&self.tenant()).inc_by(now.streams - before.streams);
        metrics.chunks.inc_by(now.chunks - before.chunks);
        metrics.buffer_bytes.inc_by(now.buffer_bytes - before.buffer_bytes);
        metrics.segments.inc_by(now.segments - before.segments);
        metrics.segment_bytes.inc_by(now.segment_bytes - before.segment_bytes);
        *before = now;
    }

    fn tenant(&self) -> Tenant {
        Tenant { tenant: self.options.tenant.clone() }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.set_reported(Reported::default());
    }
}

/// A duration in nanoseconds, at most what fits.
fn nanos(duration: Duration) -> Nanos {
    Nanos::try_from(duration.as_nanos()).unwrap_or(Nanos::MAX)
}
