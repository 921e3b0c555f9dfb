//! Sealing: what is in memory becomes segments.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use model::{Labels, Nanos};
use streams::{Direction, Wanted};
use tracing::{info, warn};
use ulid::Ulid;

use super::Inner;
use crate::{
    MaintainError,
    files::{index_name, parquet_name},
    head::{Generation, StreamBuffer},
    metrics::FlushReason,
    query::{BlockSource, ChunkSource, Merge, Purpose, TextFilter},
    segment::{
        Layout, Origin, Segment,
        writer::{SegmentWriter, WriteError},
    },
    view::Sealing,
};

/// A segment holds entries of one day (UTC), so that whole segments can be deleted when their day is over.
pub(super) const DAY: Nanos = 86_400 * 1_000_000_000;
/// Days that are kept apart at most; entries of still older days share the oldest one's segment.
const MAX_DAYS: usize = 32;

/// After a failure, sealing is left alone for so long: each attempt writes everything again.
const AGAIN_AFTER: Nanos = 30 * 1_000_000_000;

/// Why something is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Full,
    MaxAge,
    Idle,
    Forced,
}

/// Segments being written, by day.
struct Writers<'a> {
    inner: &'a Inner,
    open: BTreeMap<i64, SegmentWriter>,
    oldest_day: i64,
}

// === impl Reason ===

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::MaxAge => "max_age",
            Self::Idle => "idle",
            Self::Forced => "forced",
        }
    }
}

// === impl Inner ===

impl Inner {
    /// Seals everything in memory; returns the number of segments written.
    pub(super) fn seal(&self, reason: Reason) -> Result<usize, MaintainError> {
        let _one = self.maintenance.lock();
        self.seal_alone(reason)
    }

    /// As `seal`, for one who holds `maintenance`.
    pub(super) fn seal_alone(&self, reason: Reason) -> Result<usize, MaintainError> {
        let mut written = 0;
        // What an earlier attempt could not write comes first.
        let pending = self.view.read().sealing.clone();
        if let Some(sealing) = pending {
            written += self.write(&sealing, Reason::Forced)?;
        }
        if let Some(sealing) = self.cut()? {
            written += self.write(&sealing, reason)?;
        }
        Ok(written)
    }

    /// Puts a new generation in the place of the active one. `None` where nothing is in it.
    fn cut(&self) -> Result<Option<Sealing>, MaintainError> {
        let _alone = self.gate.write();
        let active = Arc::clone(&self.view.read().active);
        if active.entries() == 0 {
            return Ok(None);
        }
        let wal_before = match self.wal.get() {
            Some(wal) => wal.rotate()?,
            None => self.replaying.load(Ordering::Acquire),
        };
        let next = active.successor(self.idle_before(self.clock.load(Ordering::Acquire)));
        let removed = active.streams() - next.streams();
        self.metrics.streams_removed.get_or_create(&self.tenant()).inc_by(removed);
        let sealing = Sealing { generation: active, wal_before };
        let mut view = self.view.write();
        view.sealing = Some(sealing.clone());
        view.active = Arc::new(next);
        Ok(Some(sealing))
    }

    /// Writes a generation into segments and publishes them in its place.
    fn write(&self, sealing: &Sealing, reason: Reason) -> Result<usize, MaintainError> {
        let started = Instant::now();
        let Sealing { generation, wal_before } = sealing;
        let written = match self.write_segments(generation, *wal_before) {
            Ok(written) => written,
            Err(error) => {
                self.metrics.flush_failures.inc();
                let now = self.clock.load(Ordering::Acquire);
                self.seal_again_at.store(now.saturating_add(AGAIN_AFTER), Ordering::Release);
                return Err(error.into());
            }
        };
        let count = written.len();
        self.publish(written);
        if let Some(wal) = self.wal.get()
            && let Err(error) = wal.remove_before(*wal_before)
        {
            let cause: &dyn std::error::Error = &error;
            warn!(error = cause, "cannot remove sealed segments of the write-ahead log, the next start will");
        }
        let reason = reason.as_str();
        self.metrics
            .chunks_flushed
            .get_or_create(&FlushReason { reason })
            .inc_by(generation.filled_streams());
        self.metrics.flush_seconds.observe(started.elapsed().as_secs_f64());
        info!(
            reason,
            segments = count,
            entries = generation.entries(),
            bytes = generation.bytes(),
            "entries sealed"
        );
        Ok(count)
    }

    fn write_segments(
        &self,
        generation: &Generation,
        wal_before: u64,
    ) -> Result<Vec<(Ulid, Layout)>, WriteError> {
        let buffers = generation.sorted_buffers();
        let mut writers = Writers { inner: self, open: BTreeMap::new(), oldest_day: oldest_day(&buffers) };
        for buffer in &buffers {
            if let Err(error) = writers.add_stream(buffer) {
                writers.abandon();
                return Err(error);
            }
        }
        writers.finish(wal_before)
    }

    fn publish(&self, written: Vec<(Ulid, Layout)>) {
        let index = Arc::clone(&self.view.read().index);
        let mut segments = Vec::with_capacity(written.len());
        for (id, layout) in written {
            let opened = Segment::new(
                id,
                layout,
                &self.segments_dir,
                Arc::clone(&self.options.fs),
                &mut index.write(),
            );
            match opened {
                Ok(segment) => segments.push(Arc::new(segment)),
                // Its file was renamed into place just now: somebody removed it. There is nothing left to publish.
                Err(error) => warn!(%error, segment = %id, "a segment has vanished"),
            }
        }
        let mut view = self.view.write();
        view.replace_segments(&[], segments);
        view.sealing = None;
    }
}

// === impl Writers ===

impl Writers<'_> {
    fn add_stream(&mut self, buffer: &StreamBuffer) -> Result<(), WriteError> {
        let runs = BlockSource::runs(
            buffer.read(Nanos::MIN, Nanos::MAX),
            Nanos::MIN,
            Nanos::MAX,
            Direction::Forward,
        );
        if runs.is_empty() {
            return Ok(());
        }
        let sources = runs.into_iter().map(|run| Box::new(run) as Box<dyn ChunkSource>).collect();
        let mut merge = Merge::new(buffer.labels.clone(), sources, Arc::new(everything()));
        let mut entries = 0u64;
        // Reading from memory does not fail.
        while let Ok(Some(batch)) = merge.next_batch() {
            let no_metadata = Labels::empty();
            entries += batch.len() as u64;
            for (at, time) in batch.timestamps.iter().enumerate() {
                let metadata = batch.metadata(at).unwrap_or(&no_metadata);
                self.writer(*time)?.add(&buffer.labels, *time, batch.line(at), metadata)?;
            }
        }
        self.inner.metrics.chunk_entries.observe(entries as f64);
        Ok(())
    }

    /// The writer of the segment this time belongs to.
    fn writer(&mut self, time: Nanos) -> Result<&mut SegmentWriter, WriteError> {
        let day = time.div_euclid(DAY).max(self.oldest_day);
        match self.open.entry(day) {
            std::collections::btree_map::Entry::Occupied(entry) => Ok(entry.into_mut()),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let Inner { segments_dir, options, .. } = self.inner;
                let level = options.segment.zstd_level;
                Ok(entry.insert(SegmentWriter::create(
                    Ulid::generate(),
                    segments_dir,
                    &options.fs,
                    &options.segment,
                    level,
                )?))
            }
        }
    }

    /// Finishes all segments, or none.
    fn finish(mut self, wal_before: u64) -> Result<Vec<(Ulid, Layout)>, WriteError> {
        let mut written: Vec<(Ulid, Layout)> = Vec::new();
        while let Some((_, writer)) = self.open.pop_first() {
            let origin = Origin {
                store: self.inner.id.clone(),
                // Only when the last one is there, everything is.
                wal_before: if self.open.is_empty() { wal_before } else { 0 },
                replaces: Vec::new(),
            };
            match writer.finish(origin) {
                Ok(segment) => written.push(segment),
                Err(error) => {
                    self.take_back(&written);
                    self.abandon();
                    return Err(error);
                }
            }
        }
        Ok(written)
    }

    /// Removes segments that are finished, when others of the same generation cannot be.
    fn take_back(&self, written: &[(Ulid, Layout)]) {
        let Inner { segments_dir, options, .. } = self.inner;
        for (id, _) in written {
            for name in [parquet_name(*id), index_name(*id)] {
                if let Err(error) = options.fs.remove_file(&segments_dir.join(name)) {
                    // It will be read at the next start, beside the same entries: repeats are removed when they are read.
                    warn!(%error, segment = %id, "cannot take back a segment");
                }
            }
        }
    }

    fn abandon(self) {
        self.open.into_values().for_each(SegmentWriter::abandon);
    }
}

/// The purpose of one who wants all of a stream in order.
fn everything() -> Purpose {
    Purpose {
        direction: Direction::Forward,
        wanted: Wanted { lines: true, metadata: true },
        filter: TextFilter::default(),
        no_metadata: Labels::empty(),
    }
}

/// The oldest day that gets a segment of its own.
fn oldest_day(buffers: &[Arc<StreamBuffer>]) -> i64 {
    let mut days = BTreeSet::new();
    for buffer in buffers {
        for block in buffer.read(Nanos::MIN, Nanos::MAX) {
            let mut last = None;
            for day in block.entries().iter().map(|entry| entry.timestamp.div_euclid(DAY)) {
                if last != Some(day) {
                    days.insert(day);
                    last = Some(day);
                }
            }
            while days.len() > MAX_DAYS {
                days.pop_first();
            }
        }
    }
    days.first().copied().unwrap_or(i64::MIN)
}
