//! The samples that a range function sees at one step.

use std::sync::Arc;

use model::{FloatHistogram, HistogramPoint, Millis};
use parking_lot::Mutex;

use super::starts::{self, Counted, Starts};
use crate::{
    engine::annotations::{Annotations, Note},
    syntax::Span,
};

/// Samples of one series in `(start, end]`, staleness markers left out. There is at least one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window<'a> {
    pub(crate) timestamps: &'a [Millis],
    pub(crate) values: &'a [f64],
    pub(crate) histograms: &'a [HistogramPoint],
    /// Where in the series the floats of this window begin.
    pub(crate) first: usize,
    /// Where in the series a float began anew after the one before it; within the window, the first float left out.
    pub(crate) resets: &'a [usize],
    /// When the counting of its samples began, as far as the function looks at it.
    pub(crate) starts: Starts<'a>,
    pub(crate) start: Millis,
    pub(crate) end: Millis,
    /// The moment of evaluation, from which offsets look back.
    pub(crate) time: Millis,
}

impl<'a> Window<'a> {
    /// The window from its anchor on: the newest sample at or before `start`, of either kind. Without a sample after it there is nothing.
    pub(crate) fn anchored(self, start: Millis) -> Option<Self> {
        let floats = self.timestamps.partition_point(|time| *time <= start);
        let histograms = self.histograms.partition_point(|point| point.timestamp <= start);
        if floats == self.timestamps.len() && histograms == self.histograms.len() {
            return None;
        }
        let last_float = floats.checked_sub(1).map(|at| self.timestamps[at]);
        let last_histogram = histograms.checked_sub(1).map(|at| self.histograms[at].timestamp);
        let (float, histogram) = match (last_float, last_histogram) {
            (Some(float), Some(histogram)) if float < histogram => (floats, histograms - 1),
            (Some(_), _) => (floats - 1, histograms),
            (None, Some(_)) => (floats, histograms - 1),
            (None, None) => (floats, histograms),
        };
        let first = self.first + float;
        Some(Self {
            timestamps: &self.timestamps[float..],
            values: &self.values[float..],
            histograms: &self.histograms[histogram..],
            first,
            resets: &self.resets[self.resets.partition_point(|reset| *reset <= first)..],
            starts: Starts {
                floats: self.starts.floats.get(float..).unwrap_or_default(),
                histograms: self.starts.histograms.get(histogram..).unwrap_or_default(),
            },
            ..self
        })
    }

    /// The float at `at` by its times.
    pub(crate) fn float_times(&self, at: usize) -> Counted {
        Counted::new(self.starts.floats, at, self.timestamps[at])
    }

    /// The histogram at `at` by its times.
    pub(crate) fn histogram_times(&self, at: usize) -> Counted {
        Counted::new(self.starts.histograms, at, self.histograms[at].timestamp)
    }

    /// Whether samples claim the same time, though each counts from another moment.
    pub(crate) fn starts_overlap(&self) -> bool {
        let Starts { floats, histograms } = self.starts;
        starts::any_overlap(floats, self.timestamps.iter().copied())
            || starts::any_overlap(histograms, self.histograms.iter().map(|point| point.timestamp))
    }

    /// Length of the range in seconds.
    pub(crate) fn range_seconds(&self) -> f64 {
        (self.end - self.start) as f64 / 1000.0
    }

    /// Whether floats and histograms meet.
    pub(crate) fn is_mixed(&self) -> bool {
        !self.values.is_empty() && !self.histograms.is_empty()
    }
}

/// The result of a range function at one step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Point {
    Float(f64),
    Histogram(Arc<FloatHistogram>),
}

/// Takes notes about one series.
#[derive(Clone, Copy)]
pub(crate) struct Notes<'a> {
    pub(crate) annotations: &'a Mutex<Annotations>,
    pub(crate) metric: &'a str,
    pub(crate) span: Span,
}

impl Notes<'_> {
    pub(crate) fn add(&self, note: Note) {
        self.annotations.lock().add(note, self.span);
    }

    /// The series is used as a counter and is none.
    pub(crate) fn not_counter(&self) {
        let metric = self.metric.to_owned();
        self.add(Note::NativeNotCounter { metric });
    }

    /// The series is used as a gauge and is none.
    pub(crate) fn not_gauge(&self) {
        let metric = self.metric.to_owned();
        self.add(Note::NativeNotGauge { metric });
    }

    /// Exponential and custom buckets have no common result.
    pub(crate) fn mixed_schemas(&self) {
        let metric = self.metric.to_owned();
        self.add(Note::MixedExponentialCustom { metric });
    }

    /// Two samples say that they count from different moments, though the times they cover overlap.
    pub(crate) fn starts_overlap(&self) {
        let metric = self.metric.to_owned();
        self.add(Note::StartTimeOverlap { metric, occurrences: 1 });
    }

    /// Floats and histograms together have no result.
    pub(crate) fn mixed(&self) {
        let metric = self.metric.to_owned();
        self.add(Note::MixedFloatsHistograms { metric });
    }

    /// Of floats and histograms together, the floats count.
    pub(crate) fn histograms_ignored(&self) {
        let metric = self.metric.to_owned();
        self.add(Note::HistogramIgnoredInRange { metric });
    }
}
