//! `anchored` and `smoothed` ranges: the borders have values of their own, so nothing is extrapolated.
//!
//! Anchored, the left border has the value of the newest sample before it. Smoothed, both borders lie on the line between their
//! neighbours. The window therefore holds samples beyond its borders, up to the lookback.

use std::sync::Arc;

use model::{CounterResetHint, Millis};

use super::{
    counter, extended_histograms,
    extended_histograms::ExtendedHistograms,
    window::{Notes, Point, Window},
};
use crate::plan::{Extension, RangeFunction};

/// The function's value over the range from `start` to `end`, if it has one. `window` reaches beyond them.
pub(crate) fn evaluate(
    function: RangeFunction,
    window: &Window<'_>,
    (start, end): (Millis, Millis),
    extension: Extension,
    notes: Notes<'_>,
) -> Option<Point> {
    match function {
        RangeFunction::Changes => {
            window.anchored(start).map(|window| Point::Float(counter::changes(&window)))
        }
        RangeFunction::Resets => window.anchored(start).map(|window| Point::Float(counter::resets(&window))),
        _ if window.is_mixed() => {
            notes.mixed();
            None
        }
        _ if !window.histograms.is_empty() => {
            let smoothed = extension == Extension::Smoothed;
            ExtendedHistograms { points: window.histograms, start, end, smoothed, notes }.change(function)
        }
        _ => Extended::new(window, start, end, extension).change(function).map(Point::Float),
    }
}

/// The value on the line between the neighbours of `at`; the one before it where there is none after it.
pub(crate) fn smoothed(window: &Window<'_>, at: Millis, notes: Notes<'_>) -> Option<Point> {
    if window.is_mixed() {
        notes.mixed();
        return None;
    }
    if window.histograms.is_empty() {
        return smoothed_float(window, at).map(Point::Float);
    }
    let next = window.histograms.partition_point(|point| point.timestamp < at);
    let point = match (next.checked_sub(1).map(|at| &window.histograms[at]), window.histograms.get(next)) {
        (_, Some(point)) if point.timestamp == at => point.histogram.clone(),
        (Some(previous), Some(next)) => {
            let custom = [previous, next].map(|point| point.histogram.schema == model::CUSTOM_BUCKETS_SCHEMA);
            if custom[0] != custom[1] {
                notes.mixed_schemas();
                return None;
            }
            let gauge =
                |point: &model::HistogramPoint| point.histogram.counter_reset_hint == CounterResetHint::Gauge;
            let is_counter = !(gauge(previous) && gauge(next));
            extended_histograms::interpolate(previous, next, at, is_counter, notes)?.into()
        }
        (Some(previous), None) => {
            // What it says about the sample before it is not about this moment.
            let counter_reset_hint = CounterResetHint::Unknown;
            model::FloatHistogram { counter_reset_hint, ..previous.histogram.clone() }
        }
        (None, _) => return None,
    };
    Some(Point::Histogram(Arc::new(point)))
}

fn smoothed_float(window: &Window<'_>, at: Millis) -> Option<f64> {
    let sample = |index: usize| Some((*window.timestamps.get(index)?, window.values[index]));
    let next = window.timestamps.partition_point(|time| *time < at);
    match (next.checked_sub(1).and_then(sample), sample(next)) {
        (_, Some((time, value))) if time == at => Some(value),
        (Some(previous), Some(next)) => Some(interpolate(previous, next, at, false)),
        (Some((_, value)), None) => Some(value),
        (None, _) => None,
    }
}

/// The floats of a window that reaches beyond `start` and `end`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extended<'a> {
    timestamps: &'a [Millis],
    values: &'a [f64],
    start: Millis,
    end: Millis,
    smoothed: bool,
}

/// Places in the window and the values at its borders.
struct Borders {
    first: usize,
    last: usize,
    left: f64,
    right: f64,
}

impl<'a> Extended<'a> {
    /// `window` reaches beyond the range that ends at `end`.
    pub(crate) fn new(window: &Window<'a>, start: Millis, end: Millis, extension: Extension) -> Self {
        Self {
            timestamps: window.timestamps,
            values: window.values,
            start,
            end,
            smoothed: extension == Extension::Smoothed,
        }
    }

    /// The samples of the range with one at each border.
    pub(crate) fn samples(&self) -> Vec<(Millis, f64)> {
        let Some(borders) = self.borders(false) else {
            return Vec::new();
        };
        let inner = self.inner(&borders).map(|at| (self.timestamps[at], self.values[at]));
        let mut samples = vec![(self.start, borders.left)];
        samples.extend(inner);
        samples.push((self.end, borders.right));
        samples
    }

    /// `rate`, `increase` or `delta`.
    pub(crate) fn change(&self, function: RangeFunction) -> Option<f64> {
        let is_counter = function != RangeFunction::Delta;
        let borders = self.borders(is_counter)?;
        let mut change = borders.right - borders.left;
        if is_counter {
            let mut previous = borders.left;
            for at in self.inner(&borders) {
                if self.values[at] < previous {
                    change += previous;
                }
                previous = self.values[at];
            }
            if borders.right < previous {
                change += previous;
            }
        }
        match function {
            RangeFunction::Rate => Some(change / ((self.end - self.start) as f64 / 1000.0)),
            _ => Some(change),
        }
    }

    fn borders(&self, is_counter: bool) -> Option<Borders> {
        let mut last = self.values.len().checked_sub(1)?;
        let inside = self.timestamps[..last].partition_point(|time| *time <= self.start);
        let first = inside.saturating_sub(1);
        if self.smoothed {
            last = self.timestamps[..last].partition_point(|time| *time < self.end);
        }
        if self.timestamps[last] <= self.start || (self.smoothed && self.timestamps[first] > self.end) {
            return None;
        }
        let left = match self.smoothed && self.timestamps[first] < self.start {
            true => self.between(first, self.start, is_counter),
            false => self.values[first],
        };
        let right = match self.smoothed && last > 0 && self.timestamps[last] > self.end {
            true => self.between(last - 1, self.end, is_counter),
            false => self.values[last],
        };
        Some(Borders { first, last, left, right })
    }

    /// The samples strictly between the borders.
    fn inner(&self, borders: &Borders) -> std::ops::Range<usize> {
        let first = borders.first + usize::from(self.timestamps[borders.first] <= self.start);
        let end = borders.last + usize::from(self.timestamps[borders.last] < self.end);
        first..end.max(first)
    }

    /// The value at `time` on the line from sample `at` to the next. A counter that fell began at zero.
    fn between(&self, at: usize, time: Millis, is_counter: bool) -> f64 {
        let Some(next) = self.values.get(at + 1) else {
            return self.values[at];
        };
        interpolate(
            (self.timestamps[at], self.values[at]),
            (self.timestamps[at + 1], *next),
            time,
            is_counter,
        )
    }
}

/// The value at `time` on the line between two samples.
fn interpolate(from: (Millis, f64), to: (Millis, f64), time: Millis, is_counter: bool) -> f64 {
    let start = if is_counter && to.1 < from.1 { 0.0 } else { from.1 };
    start + (to.1 - start) * (time - from.0) as f64 / (to.0 - from.0) as f64
}
