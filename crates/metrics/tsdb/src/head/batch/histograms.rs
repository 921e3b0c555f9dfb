//! Native histograms of a batch.
//!
//! Each kind of samples has records of its own in the log, and a replay must meet the samples of a series in order of time. That takes
//! care only of a series that has more than one kind in one batch: its samples, floats included, go among the histograms then, and all of
//! those are logged and applied in order of time. Batches of floats alone know nothing of this.

use model::{CUSTOM_BUCKETS_SCHEMA, FloatHistogram, Histogram, Millis};
use rustc_hash::FxHashMap;
use storage::{AppendError, HistogramSample};

use super::{Applied, Batch, BatchSeries};
use crate::{
    chunk::Encoding,
    head::{
        isolation::CommitId,
        sample_records,
        series::{Appended, Verdict},
    },
    metrics::SampleType,
    recode::Sample,
};

/// A histogram; after [`Batch::arrange`] also a float of a series that has both.
pub(super) struct BatchHistogram {
    pub(super) series: BatchSeries,
    pub(super) timestamp: Millis,
    pub(super) sample: Sample,
}

/// Kinds of samples that have records of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Float,
    Histogram { custom: bool },
    FloatHistogram { custom: bool },
}

// === impl Batch ===

impl Batch<'_> {
    pub(crate) fn append_histogram(
        &mut self,
        series: BatchSeries,
        timestamp: Millis,
        histogram: HistogramSample<'_>,
    ) -> Result<(), AppendError> {
        let checked = self.check_histogram(series, timestamp, histogram);
        match &checked {
            Ok(Verdict::Take) => {
                let sample = Sample::from(histogram);
                self.histograms.push(BatchHistogram { series, timestamp, sample });
            }
            Ok(Verdict::Late) => self.late.push(self.late(series, timestamp, Sample::from(histogram))),
            Ok(Verdict::Known) => {}
            Err(error) => self.head.count_refusal(error, SampleType::Histogram),
        }
        checked.map(|_| ())
    }

    fn check_histogram(
        &mut self,
        series: BatchSeries,
        timestamp: Millis,
        histogram: HistogramSample<'_>,
    ) -> Result<Verdict, AppendError> {
        let rules = (!self.unchecked).then(|| self.rules_at(timestamp));
        if rules.is_some_and(|rules| timestamp < rules.min_valid_time && rules.late_since.is_none()) {
            return Err(AppendError::OutOfBounds);
        }
        let valid = match histogram {
            HistogramSample::Integer(histogram) => histogram.validate(),
            HistogramSample::Float(histogram) => histogram.validate(),
        };
        valid.map_err(|error| AppendError::InvalidHistogram(error.to_string()))?;
        match rules {
            Some(rules) => self.get(series).state().check_histogram(timestamp, histogram, rules),
            None => Ok(Verdict::Take),
        }
    }

    /// Appends a staleness marker as a histogram, if the series' newest sample is one; otherwise returns none.
    pub(super) fn append_stale(
        &mut self,
        series: BatchSeries,
        timestamp: Millis,
        marker: f64,
    ) -> Option<Result<(), AppendError>> {
        match self.newest_kind(series)? {
            Kind::Float => None,
            Kind::Histogram { .. } => {
                let stale = Histogram { sum: marker, ..Histogram::default() };
                Some(self.append_histogram(series, timestamp, HistogramSample::Integer(&stale)))
            }
            Kind::FloatHistogram { .. } => {
                let stale = FloatHistogram { sum: marker, ..FloatHistogram::default() };
                Some(self.append_histogram(series, timestamp, HistogramSample::Float(&stale)))
            }
        }
    }

    /// The kind of a series' newest sample. Samples of one series come together: of those in the batch only the last is looked at.
    fn newest_kind(&self, series: BatchSeries) -> Option<Kind> {
        let number = self.series_ref(series);
        let pending = self.histograms.last().filter(|last| self.series_ref(last.series) == number);
        if let Some(pending) = pending {
            return Some(pending.kind());
        }
        Some(match self.get(series).state().newest_encoding()? {
            Encoding::Xor | Encoding::Xor2 => Kind::Float,
            Encoding::Histogram | Encoding::HistogramSt => Kind::Histogram { custom: false },
            Encoding::FloatHistogram | Encoding::FloatHistogramSt => Kind::FloatHistogram { custom: false },
        })
    }

    /// The newest histogram of a series in the batch.
    pub(super) fn histogram_time(&self, series: BatchSeries) -> Option<Millis> {
        self.histograms.iter().rev().find(|sample| sample.series == series).map(|sample| sample.timestamp)
    }

    /// Puts the samples into an order in which they can be logged and applied, kind by kind where possible.
    pub(super) fn arrange(&mut self) {
        if self.histograms.is_empty() {
            return;
        }
        let mut kinds: FxHashMap<u64, Kind> = FxHashMap::default();
        let mut mixed = false;
        for sample in &self.histograms {
            let kind = *kinds.entry(self.series_ref(sample.series)).or_insert(sample.kind());
            mixed |= kind != sample.kind();
        }
        let samples = std::mem::take(&mut self.samples);
        let (both, floats): (Vec<_>, Vec<_>) =
            samples.into_iter().partition(|sample| kinds.contains_key(&self.series_ref(sample.series)));
        mixed |= !both.is_empty();
        self.samples = floats;
        self.histograms.extend(both.into_iter().map(|sample| BatchHistogram {
            series: sample.series,
            timestamp: sample.timestamp,
            sample: Sample::Float(sample.value),
        }));
        if mixed {
            self.histograms.sort_by_key(|sample| (sample.timestamp, sample.kind()));
        } else {
            self.histograms.sort_by_key(BatchHistogram::kind);
        }
    }

    /// The records of what [`Batch::arrange`] put in order.
    pub(super) fn encode_histograms(&self) -> Vec<Vec<u8>> {
        let runs = self.histograms.chunk_by(|a, b| a.kind() == b.kind());
        runs.flat_map(|run| {
            sample_records::encode(
                run.iter().map(|sample| (self.series_ref(sample.series), sample.timestamp, &sample.sample)),
            )
        })
        .collect()
    }

    pub(super) fn apply_histograms(&mut self, commit: CommitId) {
        let form = self.head.chunk_form();
        let (mut applied, mut floats) = (Applied::default(), 0);
        for BatchHistogram { series, timestamp, sample } in std::mem::take(&mut self.histograms) {
            let is_float = matches!(sample, Sample::Float(_));
            let mut state = self.get(series).state();
            if state.is_behind_newest(timestamp) {
                let waits_already = !state.waiting().is_empty();
                let appended = state.append_any(timestamp, sample, Some(commit), form);
                applied.note(appended, timestamp);
                floats += u64::from(is_float);
                if !waits_already && !state.waiting().is_empty() {
                    applied.to_map.push(self.shared(series));
                }
                continue;
            }
            let verdict = self.rules.map(|rules| state.check_any(timestamp, &sample, rules));
            drop(state);
            if verdict == Some(Ok(Verdict::Late)) {
                self.late.push(self.late(series, timestamp, sample));
            } else {
                applied.note(Appended::Not, timestamp);
            }
        }
        let metrics = self.head.metrics();
        metrics.appended.floats.inc_by(floats);
        metrics.appended.histograms.inc_by(applied.appended - floats);
        metrics.out_of_order.histograms.inc_by(applied.late);
        applied.tell(self.head);
    }
}

// === impl BatchHistogram ===

impl BatchHistogram {
    fn kind(&self) -> Kind {
        match &self.sample {
            Sample::Float(_) => Kind::Float,
            Sample::Histogram(histogram) => {
                Kind::Histogram { custom: histogram.schema == CUSTOM_BUCKETS_SCHEMA }
            }
            Sample::FloatHistogram(histogram) => {
                Kind::FloatHistogram { custom: histogram.schema == CUSTOM_BUCKETS_SCHEMA }
            }
        }
    }
}
