//! One batch on its way into the head: checked as it grows, then logged, then made visible at once.

mod histograms;

use std::sync::Arc;

use model::{Labels, Millis, is_stale};
use storage::{AppendError, CommitError, Exemplar, Metadata};

use super::{
    Head,
    exemplars::StoredExemplar,
    isolation::{CommitId, Writer},
    loading::Phase,
    ooo::Late,
    series::{AppendRules, Appended, MemSeries, SeriesState, Verdict},
};
use crate::{
    metrics::SampleType,
    recode::Sample,
    wal::{
        WalRecord,
        record::{self, RefExemplar, RefMetadata, RefSample},
    },
};

use histograms::BatchHistogram;

/// Most characters in the labels of an exemplar (OpenMetrics).
const MAX_EXEMPLAR_CHARS: usize = 128;

/// The batch. Dropping it forgets it.
pub(crate) struct Batch<'a> {
    head: &'a Head,
    /// Keeps the samples' time from being compacted until the batch is over.
    _writer: Writer<'a>,
    /// Unknown until the first sample of an empty head says which time it is.
    rules: Option<AppendRules>,
    /// The head loaded when the batch began: series have not got all their samples, and so cannot tell what may follow.
    unchecked: bool,
    /// Held until the batch is over.
    series: Vec<Arc<MemSeries>>,
    samples: Vec<BatchSample>,
    histograms: Vec<BatchHistogram>,
    /// Samples out of order.
    late: Vec<Late>,
    exemplars: Vec<(BatchSeries, Millis, Exemplar)>,
    metadata: Vec<(BatchSeries, Metadata)>,
}

/// Names a series within one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSeries(u32);

struct BatchSample {
    series: BatchSeries,
    timestamp: Millis,
    value: f64,
}

/// What samples did to the head, told at once when all are in their series.
#[derive(Default)]
struct Applied {
    appended: u64,
    late: u64,
    new_chunks: u64,
    times: Option<(Millis, Millis)>,
    /// Series that have a closed chunk in memory since this batch.
    to_map: Vec<Arc<MemSeries>>,
}

// === impl Applied ===

impl Applied {
    #[inline]
    fn note(&mut self, appended: Appended, timestamp: Millis) {
        match appended {
            Appended::Not => {
                self.late += 1;
                return;
            }
            Appended::NewChunk => self.new_chunks += 1,
            Appended::Same => {}
        }
        self.appended += 1;
        let (first, last) = self.times.unwrap_or((timestamp, timestamp));
        self.times = Some((first.min(timestamp), last.max(timestamp)));
    }

    /// Tells what does not depend on the kind of the samples.
    fn tell(self, head: &Head) {
        if !self.to_map.is_empty() {
            head.mapping.add(self.to_map);
        }
        head.metrics.chunks_created.inc_by(self.new_chunks);
        head.metrics.chunks.inc_by(self.new_chunks as i64);
        if let Some((first, last)) = self.times {
            head.extend_time(first, last);
        }
    }
}

// === impl Batch ===

impl<'a> Batch<'a> {
    pub(crate) fn new(head: &'a Head) -> Self {
        head.metrics().active_appenders.inc();
        let unchecked = !head.is_live();
        let (writer, rules) = head.register_batch();
        Self {
            head,
            _writer: writer,
            rules,
            unchecked,
            series: Vec::new(),
            samples: Vec::new(),
            histograms: Vec::new(),
            late: Vec::new(),
            exemplars: Vec::new(),
            metadata: Vec::new(),
        }
    }

    pub(crate) fn head(&self) -> &'a Head {
        self.head
    }

    /// Takes a series into the batch, unless it was removed.
    pub(crate) fn enter(&mut self, series: Arc<MemSeries>) -> Option<BatchSeries> {
        if !series.hold() {
            return None;
        }
        let index = u32::try_from(self.series.len()).expect("BUG: request sizes bound the series of a batch");
        self.series.push(series);
        Some(BatchSeries(index))
    }

    /// The series with this number, if the head has it.
    pub(crate) fn enter_by_ref(&mut self, series_ref: u64) -> Option<BatchSeries> {
        if let Some(last) = self.series.last()
            && last.series_ref() == series_ref
        {
            return Some(BatchSeries(self.series.len() as u32 - 1));
        }
        let series = self.head.series_by_ref(series_ref)?;
        self.enter(series)
    }

    /// The series with these labels, made if need be.
    pub(crate) fn enter_by_labels(&mut self, labels: &Labels) -> Result<BatchSeries, AppendError> {
        loop {
            let series = self.head.get_or_create(labels)?;
            // It may be removed between the two: then there is another, or none, next time.
            if let Some(series) = self.enter(series) {
                return Ok(series);
            }
        }
    }

    /// A series of the batch, for whoever keeps it longer.
    pub(crate) fn shared(&self, series: BatchSeries) -> Arc<MemSeries> {
        Arc::clone(&self.series[series.0 as usize])
    }

    pub(crate) fn series_ref(&self, series: BatchSeries) -> u64 {
        self.get(series).series_ref()
    }

    pub(crate) fn append(
        &mut self,
        series: BatchSeries,
        timestamp: Millis,
        value: f64,
    ) -> Result<(), AppendError> {
        if self.unchecked {
            self.samples.push(BatchSample { series, timestamp, value });
            return Ok(());
        }
        let rules = self.rules_at(timestamp);
        if is_stale(value)
            && let Some(appended) = self.append_stale(series, timestamp, value)
        {
            return appended;
        }
        let verdict = self.get(series).state().check(timestamp, value, rules);
        match verdict {
            Ok(Verdict::Take) => self.samples.push(BatchSample { series, timestamp, value }),
            Ok(Verdict::Late) => self.late.push(self.late(series, timestamp, Sample::Float(value))),
            Ok(Verdict::Known) => {}
            Err(error) => {
                self.head.count_refusal(&error, SampleType::Float);
                return Err(error);
            }
        }
        Ok(())
    }

    /// What the batch goes by, now that it has a sample.
    fn rules_at(&mut self, timestamp: Millis) -> AppendRules {
        match self.rules {
            Some(rules) => rules,
            None => *self.rules.insert(self.head.init_time(timestamp)),
        }
    }

    pub(crate) fn add_exemplar(
        &mut self,
        series: BatchSeries,
        exemplar: &Exemplar,
    ) -> Result<(), AppendError> {
        let ring = self.head.exemplars();
        if ring.is_disabled() {
            return Ok(());
        }
        let chars: usize = exemplar.labels.iter().map(|(n, v)| n.chars().count() + v.chars().count()).sum();
        if chars > MAX_EXEMPLAR_CHARS {
            return Err(AppendError::InvalidLabels {
                labels: exemplar.labels.clone(),
                reason: "labels of an exemplar have more than 128 characters",
            });
        }
        let of_sample = || {
            let float = self.samples.iter().rev().find(|sample| sample.series == series);
            float.map(|sample| sample.timestamp).max(self.histogram_time(series))
        };
        let timestamp = exemplar.timestamp.or_else(of_sample).unwrap_or_else(|| self.head.max_time());
        ring.check(self.series_ref(series), timestamp)?;
        drop(ring);
        self.exemplars.push((series, timestamp, exemplar.clone()));
        Ok(())
    }

    pub(crate) fn set_metadata(&mut self, series: BatchSeries, metadata: &Metadata) {
        if self.get(series).state().metadata() != Some(metadata) {
            self.metadata.push((series, metadata.clone()));
        }
    }

    /// Logs the batch and makes it visible, while the head loads with everything else at its end. After an error none of it is, unless it
    /// was the log of out-of-order samples that failed: those in order are there then.
    pub(crate) fn commit(mut self) -> Result<(), CommitError> {
        let phase = self.head.loading.phase();
        if self.unchecked && *phase == Phase::Live {
            // It began while the head loaded, and blocks may have been written since.
            self.drop_out_of_bounds();
        }
        self.arrange();
        let records = self.encode();
        // Without records it is for the new series, which no log may name samples of before.
        if !records.is_empty() || !self.late.is_empty() {
            self.head.log(records)?;
        }
        if *phase == Phase::Loading {
            self.head.metrics().appended.floats.inc_by(self.samples.len() as u64);
            self.head.metrics().appended.histograms.inc_by(self.histograms.len() as u64);
            return Ok(());
        }
        let commit = self.head.isolation().begin();
        self.apply(commit);
        self.apply_histograms(commit);
        let late = self.head.commit_late(std::mem::take(&mut self.late), commit);
        self.head.isolation().end(commit);
        late.map(drop)
    }

    /// Drops the samples that nobody would have taken; those that are out of order at best go there.
    fn drop_out_of_bounds(&mut self) {
        let rules = *self.rules.insert(self.head.append_rules());
        let comes_late = |timestamp| rules.late_since.is_some_and(|since| timestamp >= since);
        for sample in std::mem::take(&mut self.samples) {
            let BatchSample { series, timestamp, value } = sample;
            if timestamp >= rules.min_valid_time {
                self.samples.push(sample);
            } else if comes_late(timestamp) {
                self.late.push(self.late(series, timestamp, Sample::Float(value)));
            }
        }
        for histogram in std::mem::take(&mut self.histograms) {
            if histogram.timestamp >= rules.min_valid_time {
                self.histograms.push(histogram);
            } else if comes_late(histogram.timestamp) {
                self.late.push(self.late(histogram.series, histogram.timestamp, histogram.sample));
            }
        }
    }

    fn late(&self, series: BatchSeries, timestamp: Millis, sample: Sample) -> Late {
        Late { series: self.shared(series), timestamp, sample }
    }

    /// Whether a sample that is not the newest belongs to those out of order: others, or the batch itself, brought younger ones since it
    /// was checked.
    fn comes_late(&self, state: &SeriesState, sample: &BatchSample) -> bool {
        let verdict = self.rules.map(|rules| state.check(sample.timestamp, sample.value, rules));
        verdict == Some(Ok(Verdict::Late))
    }

    fn encode(&self) -> Vec<WalRecord> {
        let floats = record::encode_samples(self.samples.iter().map(|sample| RefSample {
            series_ref: self.series_ref(sample.series),
            timestamp: sample.timestamp,
            value: sample.value,
        }));
        let exemplars: Vec<_> = self
            .exemplars
            .iter()
            .map(|(series, timestamp, exemplar)| RefExemplar {
                series_ref: self.series_ref(*series),
                timestamp: *timestamp,
                value: exemplar.value,
                labels: exemplar.labels.clone(),
            })
            .collect();
        let metadata: Vec<_> = self
            .metadata
            .iter()
            .map(|(series, metadata)| RefMetadata {
                series_ref: self.series_ref(*series),
                metadata: metadata.clone(),
            })
            .collect();
        let metadata = if metadata.is_empty() { Vec::new() } else { record::encode_metadata(&metadata) };
        std::iter::once(floats)
            .chain(self.encode_histograms())
            .chain([record::encode_exemplars(&exemplars), metadata])
            .filter(|record| !record.is_empty())
            .map(|record| WalRecord::new(record, self.head.wal_compression()))
            .collect()
    }

    fn apply(&mut self, commit: CommitId) {
        let form = self.head.chunk_form();
        let mut applied = Applied::default();
        let mut moved = Vec::new();
        // Samples of one series come together: lock it once for all of them.
        for run in self.samples.chunk_by(|a, b| a.series == b.series) {
            let Some(series) = run.first().map(|sample| sample.series) else {
                continue;
            };
            let mut state = self.get(series).state();
            let waits_already = !state.waiting().is_empty();
            for sample in run {
                let appended = state.append(sample.timestamp, sample.value, Some(commit), form);
                if appended == Appended::Not && self.comes_late(&state, sample) {
                    moved.push(self.late(series, sample.timestamp, Sample::Float(sample.value)));
                } else {
                    applied.note(appended, sample.timestamp);
                }
            }
            if !waits_already && !state.waiting().is_empty() {
                applied.to_map.push(self.shared(series));
            }
        }
        self.late.extend(moved);
        let metrics = self.head.metrics();
        metrics.appended.floats.inc_by(applied.appended);
        metrics.out_of_order.floats.inc_by(applied.late);
        applied.tell(self.head);
        for (series, metadata) in self.metadata.drain(..) {
            self.series[series.0 as usize].state().set_metadata(metadata);
        }
        if !self.exemplars.is_empty() {
            self.apply_exemplars();
        }
    }

    fn apply_exemplars(&mut self) {
        let mut ring = self.head.exemplars();
        let mut added = 0;
        for (series, timestamp, exemplar) in self.exemplars.drain(..) {
            let series = Arc::clone(&self.series[series.0 as usize]);
            added += u64::from(ring.push(StoredExemplar { series, timestamp, exemplar }));
        }
        self.head.metrics().exemplars_appended.inc_by(added);
        self.head.metrics().exemplars_in_storage.set(ring.len() as i64);
    }

    fn get(&self, series: BatchSeries) -> &MemSeries {
        self.series.get(series.0 as usize).expect("BUG: a series of another batch")
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        for series in &self.series {
            series.release();
        }
        self.head.metrics().active_appenders.dec();
    }
}
