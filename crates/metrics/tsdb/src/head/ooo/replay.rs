//! Brings out-of-order samples back: from files of chunks, from their log, and from batches that came while the head loaded.

use std::sync::{Arc, atomic::Ordering};

use model::Millis;
use tracing::{info, warn};

use crate::{
    encoding::Malformed,
    head::{
        Head, MemSeries,
        ooo::Late,
        replay::old_segments,
        sample_records,
        series::{AppendRules, Verdict},
    },
    head_chunks::{ChunkRef, MappedChunk},
    metrics::WalMetrics,
    recode::Sample,
    wal::{
        ReadError, WalLayout,
        record::{self, RecordType, RefHistogram, RefMarker, RefSample},
    },
};

/// What a replay came to.
#[derive(Default)]
struct Totals {
    samples: u64,
    /// Samples, marks and chunks of series that nobody named.
    unknown: u64,
    unsupported: u64,
}

// === impl Head ===

impl Head {
    /// Loads the chunks that were found in files and the log of earlier runs. Their series are there by now.
    pub(in crate::head) fn replay_late_log(
        &self,
        layout: &WalLayout,
        found: &[(u64, MappedChunk)],
        metrics: &WalMetrics,
    ) -> Result<(), ReadError> {
        let mut totals = Totals::default();
        for (series_ref, chunk) in found {
            match self.series_by_any_ref(*series_ref) {
                Some(series) => {
                    series.state().late_mut().adopt(*chunk);
                    self.out_of_order.extend_time(chunk.min_time(), chunk.max_time());
                }
                None => totals.unknown += 1,
            }
        }
        for segment in old_segments(layout) {
            segment.read(metrics, |record| self.load_late(record, &mut totals))?;
        }
        self.report_late(found.len(), &totals, metrics);
        Ok(())
    }

    fn report_late(&self, chunks: usize, totals: &Totals, metrics: &WalMetrics) {
        metrics.replay_unknown_refs.inc_by(totals.unknown);
        metrics.unsupported_records.inc_by(totals.unsupported);
        if totals.unknown > 0 {
            warn!(
                entries = totals.unknown,
                "there are out-of-order samples of series that the log does not name"
            );
        }
        if totals.unsupported > 0 {
            warn!(
                records = totals.unsupported,
                "the log of out-of-order samples has records of later versions, or damaged histograms; they are left out"
            );
        }
        if totals.samples > 0 || chunks > 0 {
            info!(samples = totals.samples, chunks, "log of out-of-order samples is replayed");
        }
    }

    fn load_late(&self, record: &[u8], totals: &mut Totals) -> Result<(), Malformed> {
        match RecordType::of(record) {
            Some(RecordType::Samples | RecordType::SamplesV2) => record::decode_samples(record, |sample| {
                let RefSample { series_ref, timestamp, value } = sample;
                self.load_late_sample(series_ref, timestamp, Sample::Float(value), totals);
            }),
            Some(RecordType::Histograms(kind)) => {
                let left_out = sample_records::decode_histograms(record, kind, |sample| {
                    let RefHistogram { series_ref, timestamp, histogram } = sample;
                    self.load_late_sample(series_ref, timestamp, histogram, totals);
                })?;
                totals.unsupported += u64::from(left_out > 0);
                Ok(())
            }
            Some(RecordType::MmapMarkers) => record::decode_markers(record, |marker| {
                if !self.follow(marker) {
                    totals.unknown += 1;
                }
            }),
            Some(RecordType::Unknown(_)) => {
                totals.unsupported += 1;
                Ok(())
            }
            Some(
                RecordType::Series | RecordType::Tombstones | RecordType::Exemplars | RecordType::Metadata,
            )
            | None => Ok(()),
        }
    }

    fn load_late_sample(&self, series_ref: u64, timestamp: Millis, sample: Sample, totals: &mut Totals) {
        match self.series_by_any_ref(series_ref) {
            Some(series) => {
                self.keep_late(&series, timestamp, sample);
                totals.samples += 1;
            }
            None => totals.unknown += 1,
        }
    }

    fn keep_late(&self, series: &Arc<MemSeries>, timestamp: Millis, sample: Sample) {
        self.append_late(series, timestamp, sample, None);
        self.map_chunks_when_many();
    }

    /// Does not keep twice what is in a chunk; false when nobody named the series.
    fn follow(&self, marker: RefMarker) -> bool {
        let Some(series) = self.series_by_any_ref(marker.series_ref) else { return false };
        let files = self.chunk_files.files();
        let reference = ChunkRef::from_u64(marker.chunk);
        if let Err(error) = series.state().late_mut().forget_those_in(reference, &files) {
            warn!(%error, series = %series.labels(), "an out-of-order chunk cannot be read");
        }
        true
    }

    /// Takes samples of batches that came while a head loaded, this one or an earlier one, and are not younger than their series'
    /// newest; returns how many.
    pub(in crate::head) fn replay_late(&self, mut samples: Vec<Late>) -> u64 {
        let rules = AppendRules { min_valid_time: self.min_valid_time(), ..self.append_rules() };
        samples.retain(|late| {
            late.series.state().check_any(late.timestamp, &late.sample, rules) == Ok(Verdict::Late)
        });
        if samples.is_empty() {
            return 0;
        }
        if let Err(error) = self.log_late(&samples) {
            // The write-ahead log has them still.
            self.out_of_order.unlogged.store(true, Ordering::Release);
            warn!(%error, "cannot write to the log of out-of-order samples");
        }
        let count = samples.len() as u64;
        for Late { series, timestamp, sample } in samples {
            // That it is appended was counted by the batch.
            self.metrics.late_appended.of(sample.sample_type()).inc();
            self.keep_late(&series, timestamp, sample);
        }
        count
    }
}
