//! Fills the head from the log.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use model::{Labels, Millis};
use rustc_hash::FxHashMap;
use tracing::{info, warn};

use super::{
    Head,
    exemplars::StoredExemplar,
    series::{Appended, MemSeries},
};
use crate::{
    encoding::Malformed,
    head_chunks::{FoundChunks, MappedChunk},
    metrics::WalMetrics,
    wal::{ReadError, SegmentReader, WalLayout, record, record::RecordType, repair},
};

/// Series with closed chunks in memory, at which these are written to files.
const MAP_AT: usize = 16 * 1024;

/// How far reading the log has come: what `/api/v1/status/walreplay` tells. May be read from any thread.
#[derive(Debug, Default)]
pub struct ReplayProgress {
    min: AtomicU64,
    max: AtomicU64,
    current: AtomicU64,
}

/// Reads a log once.
pub(super) struct Replay<'a> {
    head: &'a Head,
    metrics: &'a WalMetrics,
    /// The series of each number in the log. Two numbers may mean one series, when it was removed and came again.
    series: FxHashMap<u64, Arc<MemSeries>>,
    /// Chunks that are in files, in order of their series' numbers and of time.
    found: Vec<(u64, MappedChunk)>,
    adopted: usize,
    min_valid_time: Millis,
    min_time: Millis,
    max_time: Millis,
    samples: u64,
    unknown: u64,
    unsupported: u64,
}

// === impl ReplayProgress ===

impl ReplayProgress {
    /// First and last segment, and the one that is being read.
    pub fn get(&self) -> (u64, u64, u64) {
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        (load(&self.min), load(&self.max), load(&self.current))
    }
}

// === impl Head ===

impl Head {
    /// Loads everything the log has, but for what the chunks found in files have already. Damage is cut off and counted; only an
    /// unreadable file is an error.
    pub(crate) fn replay(
        &self,
        layout: &WalLayout,
        found: FoundChunks,
        progress: &ReplayProgress,
        metrics: &WalMetrics,
    ) -> Result<(), ReadError> {
        if let (Some((first, _)), Some((last, _))) = (layout.segments.first(), layout.segments.last()) {
            progress.min.store(*first, Ordering::Relaxed);
            progress.max.store(*last, Ordering::Relaxed);
        }
        let mut replay = Replay::new(self, found, metrics);
        if let Some((_, segments)) = &layout.checkpoint {
            for path in segments {
                replay.read_segment(path, false)?;
            }
        }
        for (at, (index, path)) in layout.segments.iter().enumerate() {
            progress.current.store(*index, Ordering::Relaxed);
            replay.read_segment(path, at + 1 == layout.segments.len())?;
        }
        replay.finish();
        Ok(())
    }
}

// === impl Replay ===

impl<'a> Replay<'a> {
    fn new(head: &'a Head, found: FoundChunks, metrics: &'a WalMetrics) -> Self {
        let min_valid_time = head.min_valid_time();
        let FoundChunks { chunks: mut found, last_ref } = found;
        // A chunk may be of a series that the log has lost: another series under its number would be taken for it.
        head.last_ref.fetch_max(last_ref, Ordering::Relaxed);
        found.retain(|(_, chunk)| chunk.max_time() >= min_valid_time);
        found.sort_by_key(|(series_ref, _)| *series_ref); // stable: chunks of a series stay in order
        Self {
            head,
            metrics,
            series: FxHashMap::default(),
            found,
            adopted: 0,
            min_valid_time,
            min_time: Millis::MAX,
            max_time: Millis::MIN,
            samples: 0,
            unknown: 0,
            unsupported: 0,
        }
    }

    fn read_segment(&mut self, path: &Path, last: bool) -> Result<(), ReadError> {
        let mut reader = SegmentReader::open(path)?;
        loop {
            match reader.next_record() {
                Ok(Some(record)) => {
                    if let Err(error) = self.load(record) {
                        self.metrics.corruptions.inc();
                        warn!(path = %path.display(), %error, "log record is left out");
                    }
                }
                Ok(None) => return Ok(()),
                Err(ReadError::Corrupt { path, offset, reason }) => {
                    self.metrics.corruptions.inc();
                    warn!(path = %path.display(), offset, reason, "log segment is damaged, cutting it there");
                    return repair(&path, offset, !last).map_err(|source| ReadError::Io { path, source });
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn load(&mut self, record: &[u8]) -> Result<(), Malformed> {
        match RecordType::of(record) {
            Some(RecordType::Series) => record::decode_series(record, |series_ref, labels| {
                self.load_series(series_ref, &labels);
            }),
            Some(RecordType::Samples | RecordType::SamplesV2) => record::decode_samples(record, |sample| {
                self.load_sample(sample);
            }),
            Some(RecordType::Tombstones) => record::decode_tombstones(record, |tombstone| {
                if let Some(series) = self.series.get(&tombstone.series_ref) {
                    series.state().delete(tombstone.min_time, tombstone.max_time);
                }
            }),
            Some(RecordType::Exemplars) => self.load_exemplars(record),
            Some(RecordType::Metadata) => record::decode_metadata(record, |metadata| {
                if let Some(series) = self.series.get(&metadata.series_ref) {
                    series.state().set_metadata(metadata.metadata);
                }
            }),
            Some(RecordType::Histograms(_) | RecordType::Unknown(_)) => {
                self.unsupported += 1;
                Ok(())
            }
            Some(RecordType::MmapMarkers) | None => Ok(()),
        }
    }

    fn load_series(&mut self, series_ref: u64, labels: &Labels) {
        self.head.last_ref.fetch_max(series_ref, Ordering::Relaxed);
        if labels.is_empty() {
            return;
        }
        let hash = labels.hash64();
        let made: Result<_, std::convert::Infallible> =
            self.head.table.get_or_insert(hash, labels, || Ok(self.head.make_series(series_ref, labels)));
        let Ok((series, _)) = made;
        if series.series_ref() != series_ref {
            self.head.aliases.lock().insert(series_ref, Arc::clone(&series));
        }
        // The log may name a series twice.
        if self.series.insert(series_ref, Arc::clone(&series)).is_none() {
            self.adopt_chunks(series_ref, &series);
        }
    }

    /// Gives a series the chunks that were written under a number of its.
    fn adopt_chunks(&mut self, series_ref: u64, series: &MemSeries) {
        let first = self.found.partition_point(|(other, _)| *other < series_ref);
        let rest = self.found.get(first..).unwrap_or_default();
        let count = rest.partition_point(|(other, _)| *other == series_ref);
        let chunks = rest.iter().take(count).map(|(_, chunk)| *chunk);
        if let Some((oldest, newest)) = series.state().adopt(chunks) {
            self.adopted += count;
            self.min_time = self.min_time.min(oldest);
            self.max_time = self.max_time.max(newest);
        }
    }

    fn load_sample(&mut self, sample: record::RefSample) {
        if sample.timestamp < self.min_valid_time {
            return;
        }
        let Some(series) = self.series.get(&sample.series_ref) else {
            self.unknown += 1;
            return;
        };
        let width = self.head.chunk_range();
        let mut state = series.state();
        let waits_already = !state.waiting().is_empty();
        let appended = state.replay(sample.timestamp, sample.value, width);
        let waits = !waits_already && !state.waiting().is_empty();
        drop(state);
        if waits {
            self.head.mapping.add([Arc::clone(series)]);
            if self.head.mapping.len() >= MAP_AT {
                self.head.map_chunks();
            }
        }
        if appended != Appended::Not {
            self.samples += 1;
            self.min_time = self.min_time.min(sample.timestamp);
            self.max_time = self.max_time.max(sample.timestamp);
        }
    }

    fn load_exemplars(&mut self, record: &[u8]) -> Result<(), Malformed> {
        let mut ring = self.head.exemplars();
        record::decode_exemplars(record, |loaded| {
            if let Some(series) = self.series.get(&loaded.series_ref) {
                ring.push(StoredExemplar {
                    series: Arc::clone(series),
                    timestamp: loaded.timestamp,
                    exemplar: storage::Exemplar {
                        labels: loaded.labels,
                        value: loaded.value,
                        timestamp: Some(loaded.timestamp),
                    },
                });
            }
        })
    }

    fn finish(self) {
        let head = self.head;
        if self.min_time <= self.max_time {
            head.extend_time(self.min_time, self.max_time);
        }
        let mut chunks = 0;
        head.table.for_each(|series| chunks += series.state().chunk_count());
        head.metrics.chunks.set(chunks as i64);
        head.metrics.series.set(head.series_count() as i64);
        self.metrics.replay_unknown_refs.inc_by(self.unknown);
        self.metrics.unsupported_records.inc_by(self.unsupported);
        if self.unknown > 0 {
            warn!(samples = self.unknown, "log has samples of series that it does not name");
        }
        if self.unsupported > 0 {
            warn!(
                records = self.unsupported,
                "not supported yet: native histograms; their log records are left out"
            );
        }
        let unknown_chunks = self.found.len() - self.adopted;
        info!(
            series = head.series_count(),
            samples = self.samples,
            chunks = self.adopted,
            unknown_chunks,
            "log is replayed"
        );
    }
}
