//! `anchored` and `smoothed` ranges of native histograms: like those of floats, with buckets that have to go together.

use std::sync::Arc;

use model::{CounterResetHint, HistogramPoint, Millis};

use super::window::{Notes, Point};
use crate::{
    engine::annotations::Note,
    histogram::{AddNotes, Native, is_reset},
    plan::RangeFunction,
};

/// Histograms that reach beyond the range from `start` to `end`.
#[derive(Clone, Copy)]
pub(crate) struct ExtendedHistograms<'a> {
    pub(crate) points: &'a [HistogramPoint],
    pub(crate) start: Millis,
    pub(crate) end: Millis,
    pub(crate) smoothed: bool,
    pub(crate) notes: Notes<'a>,
}

impl ExtendedHistograms<'_> {
    /// `rate`, `increase` or `delta`.
    pub(crate) fn change(&self, function: RangeFunction) -> Option<Point> {
        let is_counter = function != RangeFunction::Delta;
        let (first, last) = self.places()?;
        self.check(&self.points[first..=last], is_counter)?;
        let left = match self.smoothed && self.points[first].timestamp < self.start {
            true => self.between(first, self.start, is_counter)?,
            false => self.native(first),
        };
        let right = match self.smoothed && last > 0 && self.points[last].timestamp > self.end {
            true => self.between(last - 1, self.end, is_counter)?,
            false => self.native(last),
        };
        if !is_counter && [&left, &right].iter().any(|border| border.hint != CounterResetHint::Gauge) {
            self.notes.not_gauge();
        }
        let mut result = right.clone();
        add(&mut result, &left, -1.0, self.notes)?;
        if is_counter && let Some(lost) = self.lost_at_resets((first, last), left, &right)? {
            add(&mut result, &lost, 1.0, self.notes)?;
        }
        if function == RangeFunction::Rate {
            result.divide((self.end - self.start) as f64 / 1000.0);
        }
        result.hint = CounterResetHint::Gauge;
        Some(Point::Histogram(Arc::new(result.into())))
    }

    /// The samples that give the borders their values.
    fn places(&self) -> Option<(usize, usize)> {
        let time = |point: &HistogramPoint| point.timestamp;
        let mut last = self.points.len().checked_sub(1)?;
        let before = self.points[..last].partition_point(|point| time(point) <= self.start);
        let first = before.saturating_sub(1);
        if self.smoothed {
            last = self.points[..last].partition_point(|point| time(point) < self.end);
        }
        let beyond = self.smoothed && time(&self.points[first]) > self.end;
        (time(&self.points[last]) > self.start && !beyond).then_some((first, last))
    }

    fn check(&self, points: &[HistogramPoint], is_counter: bool) -> Option<()> {
        let custom = |point: &HistogramPoint| point.histogram.schema == model::CUSTOM_BUCKETS_SCHEMA;
        for point in points {
            if custom(point) != custom(&points[0]) {
                self.notes.mixed_schemas();
                return None;
            }
            if is_counter && point.histogram.counter_reset_hint == CounterResetHint::Gauge {
                self.notes.not_counter();
            }
        }
        Some(())
    }

    /// What the counter had before each reset between the borders.
    ///
    /// `None` when something does not go together. The last sample is not looked at by itself: it is the right border, or the border
    /// took what it says about resets from it.
    fn lost_at_resets(
        &self,
        (first, last): (usize, usize),
        left: Native,
        right: &Native,
    ) -> Option<Option<Native>> {
        let mut next = first + 1;
        let mut previous = left;
        let left_is_between = self.smoothed && self.points[first].timestamp < self.start;
        if left_is_between && is_reset(&self.native(next), &self.native(first)) {
            // The left border lies behind that reset already.
            previous = self.native(next);
            next += 1;
        }
        if next > last {
            return Some(None);
        }
        let mut lost: Option<Native> = None;
        let inner = self.points[next..last].iter().map(|point| Native::from(&point.histogram));
        for current in inner.chain([right.clone()]) {
            if is_reset(&current, &previous) {
                match &mut lost {
                    Some(lost) => add(lost, &previous, 1.0, self.notes)?,
                    None => lost = Some(previous),
                }
            }
            previous = current;
        }
        Some(lost)
    }

    fn between(&self, at: usize, time: Millis, is_counter: bool) -> Option<Native> {
        interpolate(&self.points[at], &self.points[at + 1], time, is_counter, self.notes)
    }

    fn native(&self, at: usize) -> Native {
        Native::from(&self.points[at].histogram)
    }
}

/// The histogram at `time` on the line between two. A counter that began anew began at zero.
pub(crate) fn interpolate(
    from: &HistogramPoint,
    to: &HistogramPoint,
    time: Millis,
    is_counter: bool,
    notes: Notes<'_>,
) -> Option<Native> {
    let (start, end) = (Native::from(&from.histogram), Native::from(&to.histogram));
    if time == from.timestamp {
        return Some(start);
    }
    if time == to.timestamp {
        return Some(end);
    }
    let share = (time - from.timestamp) as f64 / (to.timestamp - from.timestamp) as f64;
    let mut result = end;
    if is_counter && is_reset(&result, &start) {
        result.multiply(share);
        return Some(result);
    }
    add(&mut result, &start, -1.0, notes)?;
    result.multiply(share);
    add(&mut result, &start, 1.0, notes)?;
    Some(result)
}

fn add(target: &mut Native, other: &Native, sign: f64, notes: Notes<'_>) -> Option<()> {
    match target.add(other, sign) {
        Ok(AddNotes { bounds_reconciled, .. }) => {
            if bounds_reconciled {
                let operation = if sign < 0.0 { "subtraction" } else { "addition" };
                notes.add(Note::MismatchedBounds { operation });
            }
            Some(())
        }
        Err(_) => {
            notes.mixed_schemas();
            None
        }
    }
}
