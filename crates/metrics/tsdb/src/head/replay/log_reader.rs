//! Decodes the log: makes series, and hands samples to the workers.

use std::{path::PathBuf, sync::Arc};

use model::{Labels, Millis};
use tracing::warn;

use super::{ref_set::RefSet, worker::Workers};
use crate::{
    encoding::Malformed,
    head::{Head, MemSeries, exemplars::StoredExemplar, sample_records},
    head_chunks::{FoundChunks, MappedChunk},
    metrics::WalMetrics,
    wal::{
        ReadError, SegmentReader,
        record::{self, RecordType},
        repair,
    },
};

/// A file of the log.
#[derive(Debug, Clone)]
pub(in crate::head) struct Segment {
    pub(super) number: u64,
    pub(super) path: PathBuf,
    pub(super) origin: Origin,
}

/// Where a segment comes from, and so what damage in it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// An earlier run went on in another segment after this one.
    Whole,
    /// The last one of an earlier run: a torn end is what its death left.
    Last,
    /// Written by this run: nobody but the writer cuts it.
    ThisRun,
}

/// Reads segments in order.
pub(super) struct LogReader<'a> {
    head: &'a Head,
    metrics: &'a WalMetrics,
    /// Chunks that are in files, in order of their series' numbers and of time.
    found: Vec<(u64, MappedChunk)>,
    /// The numbers that were named so far.
    named: RefSet,
    adopted: usize,
    adopted_times: Option<(Millis, Millis)>,
    unsupported: u64,
}

// === impl Segment ===

impl Segment {
    /// Hands each record to `load`, which may refuse it. Damage is counted, and cut off where an earlier run left it.
    pub(in crate::head) fn read(
        &self,
        metrics: &WalMetrics,
        mut load: impl FnMut(&[u8]) -> Result<(), Malformed>,
    ) -> Result<(), ReadError> {
        let mut reader = SegmentReader::open(&self.path)?;
        loop {
            match reader.next_record() {
                Ok(Some(record)) => {
                    if let Err(error) = load(record) {
                        metrics.corruptions.inc();
                        warn!(path = %self.path.display(), %error, "log record is left out");
                    }
                }
                Ok(None) => return Ok(()),
                Err(ReadError::Corrupt { path, offset, reason }) => {
                    metrics.corruptions.inc();
                    warn!(path = %path.display(), offset, reason, "log segment is damaged, cutting it there");
                    return match self.origin {
                        Origin::ThisRun => Ok(()),
                        origin => repair(&path, offset, origin != Origin::Last)
                            .map_err(|source| ReadError::Io { path, source }),
                    };
                }
                Err(error) => return Err(error),
            }
        }
    }
}

// === impl LogReader ===

impl<'a> LogReader<'a> {
    pub(super) fn new(head: &'a Head, found: FoundChunks, metrics: &'a WalMetrics) -> Self {
        let min_valid_time = head.min_valid_time();
        let FoundChunks { chunks: mut found, .. } = found;
        found.retain(|(_, chunk)| chunk.max_time() >= min_valid_time);
        found.sort_by_key(|(series_ref, _)| *series_ref); // stable: chunks of a series stay in order
        Self {
            head,
            metrics,
            found,
            named: RefSet::default(),
            adopted: 0,
            adopted_times: None,
            unsupported: 0,
        }
    }

    /// Chunks in files that found their series.
    pub(super) fn adopted(&self) -> usize {
        self.adopted
    }

    /// Times of the first and the last sample in them.
    pub(super) fn adopted_times(&self) -> Option<(Millis, Millis)> {
        self.adopted_times
    }

    /// Chunks in files whose series the log does not name.
    pub(super) fn unknown_chunks(&self) -> usize {
        self.found.len() - self.adopted
    }

    /// Records that are left out, or some of whose histograms are.
    pub(super) fn unsupported(&self) -> u64 {
        self.unsupported
    }

    /// Reads a segment. Damage in one of an earlier run is cut off.
    pub(super) fn read(&mut self, segment: &Segment, workers: &mut Workers) -> Result<(), ReadError> {
        segment.read(self.metrics, |record| self.load(record, workers))
    }

    fn load(&mut self, record: &[u8], workers: &mut Workers) -> Result<(), Malformed> {
        match RecordType::of(record) {
            Some(RecordType::Series) => record::decode_series(record, |series_ref, labels| {
                self.load_series(series_ref, &labels, workers);
            }),
            Some(RecordType::Samples | RecordType::SamplesV2) => {
                record::decode_samples(record, |sample| workers.sample(sample))
            }
            Some(RecordType::Tombstones) => {
                record::decode_tombstones(record, |tombstone| workers.tombstone(tombstone))
            }
            Some(RecordType::Exemplars) => self.load_exemplars(record),
            Some(RecordType::Metadata) => record::decode_metadata(record, |metadata| {
                if let Some(series) = self.head.series_by_any_ref(metadata.series_ref) {
                    series.state().set_metadata(metadata.metadata);
                }
            }),
            Some(RecordType::Histograms(kind)) => {
                let left_out =
                    sample_records::decode_histograms(record, kind, |sample| workers.histogram(sample))?;
                self.unsupported += u64::from(left_out > 0);
                Ok(())
            }
            Some(RecordType::Unknown(_)) => {
                self.unsupported += 1;
                Ok(())
            }
            Some(RecordType::MmapMarkers) | None => Ok(()),
        }
    }

    fn load_series(&mut self, series_ref: u64, labels: &Labels, workers: &mut Workers) {
        if labels.is_empty() {
            return;
        }
        // Twice where a checkpoint replaced segments that are still there.
        if !self.named.insert(series_ref) {
            return;
        }
        let series = self.head.load_series(series_ref, labels);
        self.adopt_chunks(series_ref, &series);
        workers.series(series_ref, series);
    }

    /// Gives a series the chunks that were written under a number of its.
    fn adopt_chunks(&mut self, series_ref: u64, series: &MemSeries) {
        let first = self.found.partition_point(|(other, _)| *other < series_ref);
        let rest = self.found.get(first..).unwrap_or_default();
        let count = rest.partition_point(|(other, _)| *other == series_ref);
        if count == 0 {
            return;
        }
        let chunks = rest.iter().take(count).map(|(_, chunk)| *chunk);
        if let Some((oldest, newest)) = series.state().adopt(chunks) {
            self.adopted += count;
            let (first, last) = self.adopted_times.unwrap_or((oldest, newest));
            self.adopted_times = Some((first.min(oldest), last.max(newest)));
        }
    }

    fn load_exemplars(&mut self, record: &[u8]) -> Result<(), Malformed> {
        let mut ring = self.head.exemplars();
        record::decode_exemplars(record, |loaded| {
            if let Some(series) = self.head.series_by_any_ref(loaded.series_ref) {
                ring.push(StoredExemplar {
                    series: Arc::clone(&series),
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
}
