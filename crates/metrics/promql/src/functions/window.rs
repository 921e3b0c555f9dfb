//! The samples that a range function sees at one step.

use std::{cell::RefCell, sync::Arc};

use model::{FloatHistogram, HistogramPoint, Millis};

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
    /// Where in the series a float is less than the one before it; within the window, the first float left out.
    pub(crate) resets: &'a [usize],
    pub(crate) start: Millis,
    pub(crate) end: Millis,
    /// The moment of evaluation, from which offsets look back.
    pub(crate) time: Millis,
}

impl Window<'_> {
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
    pub(crate) annotations: &'a RefCell<Annotations>,
    pub(crate) metric: &'a str,
    pub(crate) span: Span,
}

impl Notes<'_> {
    pub(crate) fn add(&self, note: Note) {
        self.annotations.borrow_mut().add(note, self.span);
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
