//! `anchored` and `smoothed` ranges: the borders have values of their own, so nothing is extrapolated.
//!
//! Anchored, the left border has the value of the newest sample before it. Smoothed, both borders lie on the line between their
//! neighbours. The window therefore holds samples beyond its borders, up to the lookback.

use model::Millis;

use super::window::Window;
use crate::plan::{Extension, RangeFunction};

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

    /// The function's value, if the range has one.
    pub(crate) fn evaluate(&self, function: RangeFunction) -> Option<f64> {
        match function {
            RangeFunction::Changes => self
                .pairs(|previous, current| previous != current && !(previous.is_nan() && current.is_nan())),
            RangeFunction::Resets => self.pairs(|previous, current| current < previous),
            _ => self.change(function),
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

    fn change(&self, function: RangeFunction) -> Option<f64> {
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

    /// How many neighbours satisfy `counts`, from the sample before the left border on. There has to be one inside.
    fn pairs(&self, counts: impl Fn(f64, f64) -> bool) -> Option<f64> {
        let inside = self.timestamps.partition_point(|time| *time <= self.start);
        if inside == self.timestamps.len() {
            return None;
        }
        let values = &self.values[inside.saturating_sub(1)..];
        Some(values.windows(2).filter(|pair| counts(pair[0], pair[1])).count() as f64)
    }
}

/// The value at `time` on the line between two samples.
pub(crate) fn interpolate(from: (Millis, f64), to: (Millis, f64), time: Millis, is_counter: bool) -> f64 {
    let start = if is_counter && to.1 < from.1 { 0.0 } else { from.1 };
    start + (to.1 - start) * (time - from.0) as f64 / (to.0 - from.0) as f64
}
