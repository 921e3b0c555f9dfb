//! From an exposition to samples in storage.

use std::time::Duration;

use model::{Labels, LabelsBuilder, METRIC_NAME, Millis, STALE_NAN};
use relabel::{Verdict, relabel};
use storage::{AppendError, Appendable, Appender, CommitError, Exemplar, SeriesRef};
use tracing::debug;

use crate::{
    JobConfig, Target,
    cache::{Cache, Known},
    exposition::{Format, Item, Lines, ParseError, RawSample, labels},
    metrics::ScrapeMetrics,
};

/// Samples with a time of their own further in the future than this are refused, milliseconds.
const MAX_AHEAD: Millis = 10 * 60 * 1000;

/// What a scrape brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Samples in the exposition.
    pub scraped: u64,
    /// Samples left after relabelling.
    pub kept: u64,
    /// Series that were not known from the scrape before.
    pub added: u64,
}

/// Why an exposition was not taken. Nothing of it is in storage then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IngestError {
    #[error("exposition is not valid UTF-8")]
    Utf8,
    #[error(transparent)]
    Parse(#[from] ParseError),
    #[error("metric name label is mandatory")]
    NoName,
    #[error("sample limit of {0} exceeded")]
    SampleLimit(u64),
    #[error("label limit exceeded (metric: {metric}, {what}, limit: {limit})")]
    LabelLimit { metric: String, what: String, limit: u64 },
    #[error("cannot append")]
    Append(#[from] AppendError),
    #[error("cannot store the scrape")]
    Commit(#[from] CommitError),
}

/// Everything a scrape writes into: one target's state for the time of one scrape.
pub(crate) struct Ingest<'a> {
    pub job: &'a JobConfig,
    pub target: &'a Target,
    pub cache: &'a mut Cache,
    pub metrics: &'a ScrapeMetrics,
    /// The scrape's time.
    pub now: Millis,
}

/// Figures that are written with every scrape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report {
    pub up: bool,
    pub duration: Duration,
    pub counts: Counts,
    pub body_bytes: i64,
}

impl Ingest<'_> {
    /// Writes an exposition, staleness markers for what is gone, and the report: all of it or none.
    pub fn exposition(
        &mut self,
        storage: &dyn Appendable,
        body: &[u8],
        format: Format,
        duration: impl FnOnce() -> Duration,
    ) -> Result<Counts, IngestError> {
        let text = std::str::from_utf8(body).map_err(|_| IngestError::Utf8)?;
        let mut appender = storage.appender();
        self.cache.begin();
        let counts = match self.samples(appender.as_mut(), text, format) {
            Ok(counts) => counts,
            Err(error) => {
                appender.rollback();
                return Err(error);
            }
        };
        for series in self.cache.gone() {
            append_marker(appender.as_mut(), series.reference, &series.labels, self.now);
        }
        let report = Report { up: true, duration: duration(), counts, body_bytes: body.len() as i64 };
        self.report(appender.as_mut(), report);
        appender.commit()?;
        self.cache.end();
        if let Some(metadata) = self.cache.take_changed_metadata() {
            self.target.set_metadata(metadata);
        }
        Ok(counts)
    }

    /// Writes the report of a failed scrape, and staleness markers for all that the last good one had.
    pub fn failure(&mut self, storage: &dyn Appendable, duration: Duration) -> Result<(), CommitError> {
        let mut appender = storage.appender();
        self.mark_all_stale(appender.as_mut());
        self.report(
            appender.as_mut(),
            Report { up: false, duration, counts: Counts::default(), body_bytes: -1 },
        );
        appender.commit()
    }

    /// Writes staleness markers for everything, the report included: the target is no more.
    pub fn end(&mut self, storage: &dyn Appendable) -> Result<(), CommitError> {
        let mut appender = storage.appender();
        self.mark_all_stale(appender.as_mut());
        for name in
            REPORT_NAMES.iter().chain(self.job.extra_metrics.then_some(EXTRA_NAMES).into_iter().flatten())
        {
            append_marker(appender.as_mut(), SeriesRef::UNKNOWN, &report_labels(self.target, name), self.now);
        }
        appender.commit()
    }

    fn mark_all_stale(&mut self, appender: &mut dyn Appender) {
        for series in self.cache.all_current() {
            append_marker(appender, series.reference, &series.labels, self.now);
        }
        self.cache.abandon();
    }

    fn samples(
        &mut self,
        appender: &mut dyn Appender,
        text: &str,
        format: Format,
    ) -> Result<Counts, IngestError> {
        let mut counts = Counts::default();
        let mut scratch = Scratch::default();
        for item in Lines::new(text, format) {
            match item? {
                Item::Help { family, text } => self.cache.note(&family, |metadata| {
                    if metadata.help != text {
                        metadata.help = text.into_owned();
                    }
                }),
                Item::Unit { family, unit } => {
                    self.cache.note(&family, |metadata| unit.clone_into(&mut metadata.unit))
                }
                Item::Type { family, metric_type } => {
                    self.cache.note(&family, |metadata| metadata.metric_type = metric_type)
                }
                Item::Sample(sample) => {
                    counts.scraped += 1;
                    self.sample(appender, &sample, &mut scratch, &mut counts)?;
                }
            }
            let limit = self.job.limits.samples;
            if limit > 0 && counts.kept > limit {
                self.metrics.exceeded_sample_limit.inc();
                return Err(IngestError::SampleLimit(limit));
            }
        }
        Ok(counts)
    }

    fn sample(
        &mut self,
        appender: &mut dyn Appender,
        sample: &RawSample<'_>,
        scratch: &mut Scratch,
        counts: &mut Counts,
    ) -> Result<(), IngestError> {
        let own_time = if self.job.honor_timestamps { sample.timestamp } else { None };
        let goes_stale = own_time.is_none() || self.job.track_timestamps_staleness;
        let timestamp = own_time.unwrap_or(self.now);
        if timestamp > self.now + MAX_AHEAD {
            return self.refused(&AppendError::OutOfBounds, sample.series);
        }
        let (reference, labels) = match self.cache.get(sample.series, goes_stale) {
            Known::Dropped => return Ok(()),
            Known::Series(series) => {
                counts.kept += 1;
                match appender.append(series.reference, &series.labels, timestamp, sample.value) {
                    Ok(reference) => series.reference = reference,
                    Err(error) => return self.refused(&error, sample.series),
                }
                if sample.exemplar.is_none() {
                    return Ok(());
                }
                (series.reference, series.labels.clone())
            }
            Known::New => {
                let Some(labels) = self.labels_of(sample, scratch)? else {
                    self.cache.add_dropped(sample.series);
                    return Ok(());
                };
                counts.kept += 1;
                match appender.append(SeriesRef::UNKNOWN, &labels, timestamp, sample.value) {
                    Ok(reference) => {
                        counts.added += 1;
                        self.cache.add(sample.series, reference, labels.clone(), goes_stale);
                        (reference, labels)
                    }
                    Err(error) => return self.refused(&error, sample.series),
                }
            }
        };
        if let Some(exemplar) = &sample.exemplar
            && crate::exposition::labels(exemplar.labels, &mut scratch.metric).is_some()
        {
            let exemplar = Exemplar {
                labels: scratch.metric.build(),
                value: exemplar.value,
                timestamp: exemplar.timestamp.or(own_time),
            };
            // An exemplar that is not taken does not spoil the sample.
            if let Err(error) = appender.append_exemplar(reference, &labels, &exemplar) {
                debug!(%error, series = %labels, "exemplar not stored");
            }
        }
        Ok(())
    }

    /// The final labels of a series: its own, the target's, after relabelling. `None` when it is dropped.
    fn labels_of(
        &self,
        sample: &RawSample<'_>,
        scratch: &mut Scratch,
    ) -> Result<Option<Labels>, IngestError> {
        let Scratch { metric, merged } = scratch;
        labels(sample.series, metric).ok_or_else(|| ParseError {
            line: 0,
            message: format!("invalid labels in {:?}", sample.series),
        })?;
        if metric.get(METRIC_NAME).is_empty() {
            return Err(IngestError::NoName);
        }
        merge_labels(metric, &self.target.labels, self.job.honor_labels, merged);
        if relabel(&self.job.metric_relabel, merged) == Verdict::Drop || merged.is_empty() {
            return Ok(None);
        }
        if merged.get(METRIC_NAME).is_empty() {
            return Err(IngestError::NoName);
        }
        self.check_label_limits(merged)?;
        Ok(Some(merged.build()))
    }

    fn check_label_limits(&self, labels: &LabelsBuilder) -> Result<(), IngestError> {
        let limits = &self.job.limits;
        let exceeded = |what: String, limit: u64| {
            self.metrics.label_limit_exceeded.inc();
            Err(IngestError::LabelLimit { metric: labels.get(METRIC_NAME).to_owned(), what, limit })
        };
        let count = labels.iter().count() as u64;
        if limits.labels > 0 && count > limits.labels {
            return exceeded(format!("number of labels: {count}"), limits.labels);
        }
        for (name, value) in labels.iter() {
            if limits.label_name_length > 0 && name.len() as u64 > limits.label_name_length {
                return exceeded(
                    format!("length of label name {name:?}: {}", name.len()),
                    limits.label_name_length,
                );
            }
            if limits.label_value_length > 0 && value.len() as u64 > limits.label_value_length {
                return exceeded(
                    format!("length of value of label {name:?}: {}", value.len()),
                    limits.label_value_length,
                );
            }
        }
        Ok(())
    }

    /// A sample that was refused for its time is counted and the scrape goes on; anything else ends the scrape.
    fn refused(&self, error: &AppendError, series: &str) -> Result<(), IngestError> {
        match error {
            AppendError::OutOfOrder | AppendError::TooOld => self.metrics.samples_out_of_order.inc(),
            AppendError::OutOfBounds => self.metrics.samples_out_of_bounds.inc(),
            error if error.is_duplicate() => self.metrics.samples_duplicate.inc(),
            _ => return Err(error.clone().into()),
        };
        debug!(%error, series, "sample not stored");
        Ok(())
    }

    fn report(&self, appender: &mut dyn Appender, report: Report) {
        let Report { up, duration, counts, body_bytes } = report;
        let values = [
            f64::from(u8::from(up)),
            duration.as_secs_f64(),
            counts.scraped as f64,
            counts.kept as f64,
            counts.added as f64,
        ];
        let extra = [self.target.timeout.as_secs_f64(), self.job.limits.samples as f64, body_bytes as f64];
        let extra = EXTRA_NAMES.iter().zip(extra).filter(|_| self.job.extra_metrics);
        for (name, value) in REPORT_NAMES.iter().zip(values).chain(extra) {
            let labels = report_labels(self.target, name);
            if let Err(error) = appender.append(SeriesRef::UNKNOWN, &labels, self.now, value) {
                debug!(%error, series = %labels, "sample not stored");
            }
        }
    }
}

/// Builders that are used again for every new series.
#[derive(Default)]
struct Scratch {
    metric: LabelsBuilder,
    merged: LabelsBuilder,
}

const REPORT_NAMES: [&str; 5] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
];
const EXTRA_NAMES: &[&str] = &["scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes"];

fn report_labels(target: &Target, name: &str) -> Labels {
    let mut builder = target.labels.to_builder();
    builder.set(METRIC_NAME, name);
    builder.build()
}

/// The target's labels win over the metric's, which move to `exported_<name>`; with `honor_labels` it is the other way round.
fn merge_labels(metric: &LabelsBuilder, target: &Labels, honor_labels: bool, merged: &mut LabelsBuilder) {
    merged.clear();
    for (name, value) in metric.iter() {
        // `le="1"` and `quantile="1"` are the floats 1.0: exporters disagree, queries must not.
        match normalized_float(name, value) {
            Some(normalized) => merged.set(name, &normalized),
            None => merged.set(name, value),
        };
    }
    if honor_labels {
        for (name, value) in target.iter().filter(|(name, _)| metric.get(name).is_empty()) {
            merged.set(name, value);
        }
        return;
    }
    for (name, value) in target.iter() {
        let own = metric.get(name);
        if !own.is_empty() {
            let mut exported = format!("exported_{name}");
            while !metric.get(&exported).is_empty() || target.get(&exported).is_some() {
                exported.insert_str(0, "exported_");
            }
            merged.set(&exported, own);
        }
        merged.set(name, value);
    }
}

fn normalized_float(name: &str, value: &str) -> Option<String> {
    if name != model::BUCKET && name != model::QUANTILE {
        return None;
    }
    let is_integer = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    is_integer.then(|| format!("{value}.0"))
}

fn append_marker(appender: &mut dyn Appender, reference: SeriesRef, labels: &Labels, now: Millis) {
    // A series that got a newer sample meanwhile, from elsewhere, does not need the marker.
    if let Err(error) = appender.append(reference, labels, now, STALE_NAN) {
        debug!(%error, series = %labels, "staleness marker not stored");
    }
}
