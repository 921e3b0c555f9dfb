//! Reading series.

use std::sync::Arc;

use model::{Columns, FloatHistogram, Millis, is_stale};
use storage::{SelectHints, SeriesSet};

use super::{Done, Executor, Series, Sink, scan::Worker};
use crate::{
    engine::EngineError,
    functions::{
        floats::{self, Floats},
        layout::Windows,
        window::Point,
    },
    histogram,
    plan::{Extension, Selector, Shift},
};

impl Executor<'_> {
    /// The newest sample of each series within the lookback, step by step.
    pub(super) fn instant_selector(&self, selector: &Selector, sink: Sink<'_>) -> Done {
        self.newest_samples(selector, sink, |_, value| value, |_, histogram| Point::Histogram(histogram))
    }

    /// As [`Self::instant_selector`], with each sample's own time in seconds for its value.
    pub(super) fn sample_times(&self, selector: &Selector, sink: Sink<'_>) -> Done {
        let seconds = |time: Millis| time as f64 / 1000.0;
        self.newest_samples(selector, sink, |time, _| seconds(time), |time, _| Point::Float(seconds(time)))
    }

    /// As [`Self::sample_times`], with the time at which the counting of each sample began; 0 where nobody knows.
    pub(super) fn sample_starts(&self, selector: &Selector, sink: Sink<'_>) -> Done {
        let lookback = self.context.lookback;
        let set = self.select(selector, selector.shift, 0, lookback)?;
        let (first, last) = self.window(selector, selector.shift, lookback);
        let make = |mut next: storage::Series, worker: &mut Worker<'_>| {
            worker.read(&mut *next.samples, first, last)?;
            let Worker { columns, starts, .. } = worker;
            starts.clear();
            next.samples.read_starts(first, last, starts)?;
            let mut series = Series::empty(next.labels, self.steps.count());
            let mut newest = Newest::new(columns);
            for step in 0..self.steps.count() {
                let at = selector.shift.apply(self.steps.at(step));
                let Some((time, point)) = newest.at(at, lookback) else { continue };
                let start = match point {
                    Point::Float(_) => {
                        columns.timestamps.binary_search(&time).ok().and_then(|at| starts.floats.get(at))
                    }
                    Point::Histogram(_) => {
                        let found = columns.histograms.binary_search_by_key(&time, |point| point.timestamp);
                        found.ok().and_then(|at| starts.histograms.get(at))
                    }
                };
                series.floats.set(step, start.copied().unwrap_or(0) as f64 / 1000.0);
            }
            Ok(self.used(series))
        };
        self.scan(set, &make, sink)
    }

    /// What `float` and `histogram` make of the newest sample's time and value.
    pub(super) fn newest_samples(
        &self,
        selector: &Selector,
        sink: Sink<'_>,
        float: impl Fn(Millis, f64) -> f64 + Sync,
        histogram: impl Fn(Millis, Arc<FloatHistogram>) -> Point + Sync,
    ) -> Done {
        let (lookback, shift) = (self.context.lookback, selector.shift);
        let set = self.select(selector, shift, 0, lookback)?;
        // Whatever the selector's extension: what is after a step is not its newest sample.
        let (first, last) = (self.window(selector, shift, lookback).0, shift.apply(self.steps.end()));
        let windows = Windows { steps: self.steps, shift, range: lookback };
        let make = |mut next: storage::Series, worker: &mut Worker<'_>| {
            if self.is_instant() && !selector.only_stats {
                // The only step looks at nothing older.
                worker.read_newest(&mut *next.samples, first, last)?;
            } else {
                worker.read(&mut *next.samples, first, last)?;
            }
            if selector.only_stats {
                // The start does not belong to the lookback.
                let lookbacks = Windows { range: lookback.saturating_sub(1), ..windows };
                histogram::keep_stats(&mut worker.columns, lookbacks.gaps());
            }
            let Worker { columns, scratch, .. } = worker;
            let series = if columns.histograms.is_empty() {
                let floats = Floats { timestamps: &columns.timestamps, values: &columns.values };
                let row = floats::newest(floats, &windows, &mut scratch.floats, &float);
                Series::of_row(next.labels, row)
            } else {
                let mut series = Series::empty(next.labels, self.steps.count());
                let mut newest = Newest::new(columns);
                for step in 0..self.steps.count() {
                    match newest.at(shift.apply(self.steps.at(step)), lookback) {
                        Some((time, Point::Float(value))) => series.floats.set(step, float(time, value)),
                        Some((time, Point::Histogram(value))) => series.push(step, histogram(time, value)),
                        None => {}
                    }
                }
                series
            };
            Ok(self.used(series))
        };
        self.scan(set, &make, sink)
    }

    /// A row whose samples are those of a selector, one a step, if it has any: they count as used.
    pub(super) fn used(&self, series: Series) -> Option<Series> {
        let floats = series.floats.present().iter().map(|step| (step, 1));
        let histograms =
            series.histograms.iter().map(|(step, histogram)| (*step, histogram::samples(histogram)));
        self.tally.add(series.samples(), floats.chain(histograms));
        (!series.is_empty()).then_some(series)
    }

    /// Opens the series of a selector whose windows reach `reach` milliseconds back; `range` is told to the storage.
    pub(super) fn select(
        &self,
        selector: &Selector,
        shift: Shift,
        range: Millis,
        reach: Millis,
    ) -> Result<Box<dyn SeriesSet>, EngineError> {
        self.context.budget.check()?;
        let (start, end) = self.window(selector, shift, reach);
        let hints = SelectHints {
            start,
            end,
            step: if self.is_instant() { 0 } else { self.steps.step() },
            range,
            function: selector.function.clone(),
            projection: selector.projection.clone(),
            ..SelectHints::default()
        };
        Ok(self.context.querier.select(&hints, &selector.matchers)?)
    }

    /// First and last moment that any step sees, both inclusive.
    pub(super) fn window(&self, selector: &Selector, shift: Shift, reach: Millis) -> (Millis, Millis) {
        let first = shift.apply(self.steps.start()).saturating_sub(reach).saturating_add(1);
        let ahead = Extension::ahead(selector.extension, self.context.lookback);
        (first, shift.apply(self.steps.end()).saturating_add(ahead))
    }
}

/// Finds the newest sample for moments that only go forward.
struct Newest<'a> {
    columns: &'a Columns,
    /// How many floats and histograms are not younger than the last moment asked for.
    floats: usize,
    histograms: usize,
}

impl<'a> Newest<'a> {
    fn new(columns: &'a Columns) -> Self {
        Self { columns, floats: 0, histograms: 0 }
    }

    /// The newest sample in `(at - lookback, at]`, unless it says that the series is gone.
    fn at(&mut self, at: Millis, lookback: Millis) -> Option<(Millis, Point)> {
        let Columns { timestamps, values, histograms } = self.columns;
        while timestamps.get(self.floats).is_some_and(|time| *time <= at) {
            self.floats += 1;
        }
        while histograms.get(self.histograms).is_some_and(|point| point.timestamp <= at) {
            self.histograms += 1;
        }
        let oldest = at.saturating_sub(lookback);
        let float = self.floats.checked_sub(1).map(|index| (timestamps[index], values[index]));
        let histogram = self.histograms.checked_sub(1).map(|index| &histograms[index]);
        match (float, histogram) {
            (Some((time, _)), Some(point)) if time <= point.timestamp => Self::histogram(point, oldest),
            (None, Some(point)) => Self::histogram(point, oldest),
            (Some((time, value)), _) if time > oldest && !is_stale(value) => {
                Some((time, Point::Float(value)))
            }
            _ => None,
        }
    }

    fn histogram(point: &model::HistogramPoint, oldest: Millis) -> Option<(Millis, Point)> {
        if point.timestamp <= oldest || is_stale(point.histogram.sum) {
            return None;
        }
        Some((point.timestamp, Point::Histogram(Arc::new(point.histogram.clone()))))
    }
}
