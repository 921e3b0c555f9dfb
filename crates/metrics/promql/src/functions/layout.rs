//! Where windows lie among the samples of a series.
//!
//! The series of one target have their samples at the same times, and mostly follow each other: what was found for one holds for the next.

use model::Millis;
use vector::{Row, Steps};

use crate::plan::Shift;

/// The windows of all steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Windows {
    pub(crate) steps: Steps,
    pub(crate) shift: Shift,
    /// How long, milliseconds.
    pub(crate) range: Millis,
}

/// The samples of the window of one step, `(end - range, end]`. There is at least one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) step: usize,
    /// The first sample and the one behind the last.
    pub(crate) low: usize,
    pub(crate) high: usize,
}

/// The windows of one series that have samples.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// What it was made of.
    windows: Option<Windows>,
    timestamps: Vec<Millis>,
    /// In the order of their steps.
    found: Vec<Found>,
    /// Samples of all windows: those in several count in each.
    samples: usize,
    /// The fewest samples of a window; none where some have no samples.
    least: usize,
}

impl Windows {
    /// The start and the end of a step's window, of which the end belongs to it.
    #[inline]
    pub(crate) fn borders(&self, step: usize) -> (Millis, Millis) {
        let end = self.shift.apply(self.steps.at(step));
        (end.saturating_sub(self.range), end)
    }

    /// What lies between windows that do not meet, from the end of one, which belongs to it, to the start of the next.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = (Millis, Millis)> {
        let gap = |step: usize| (self.borders(step - 1).1, self.borders(step).0);
        (1..self.steps.count()).map(gap).filter(|(from, to)| from < to)
    }
}

impl Found {
    pub(crate) fn len(&self) -> usize {
        self.high - self.low
    }

    /// The number of the newest sample.
    pub(crate) fn last(&self) -> usize {
        self.high - 1
    }
}

impl Layout {
    /// Finds the windows among samples; false where all lie as they did before.
    pub(crate) fn update(&mut self, timestamps: &[Millis], windows: &Windows) -> bool {
        if self.timestamps == timestamps && self.windows.as_ref() == Some(windows) {
            return false;
        }
        self.timestamps.clear();
        self.timestamps.extend_from_slice(timestamps);
        self.windows = Some(*windows);
        self.found.clear();
        let (mut low, mut high) = (0, 0);
        for step in 0..windows.steps.count() {
            let (start, end) = windows.borders(step);
            while timestamps.get(high).is_some_and(|time| *time <= end) {
                high += 1;
            }
            while low < high && timestamps[low] <= start {
                low += 1;
            }
            if low < high {
                self.found.push(Found { step, low, high });
            }
        }
        self.samples = self.found.iter().map(Found::len).sum();
        let all = self.found.len() == windows.steps.count();
        self.least = if all { self.found.iter().map(Found::len).min().unwrap_or_default() } else { 0 };
        true
    }

    pub(crate) fn found(&self) -> &[Found] {
        &self.found
    }

    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    /// A row of what `value` gives for the windows that have at least that many samples, and are told their place among all that have any.
    #[inline]
    pub(crate) fn row(&self, least: usize, mut value: impl FnMut(usize, &Found) -> f64) -> Row {
        let found = self.found.iter().enumerate();
        if self.least >= least {
            return Row::full(found.map(|(place, found)| value(place, found)));
        }
        let mut row = Row::empty(self.windows.map_or(0, |windows| windows.steps.count()));
        for (place, found) in found.filter(|(_, found)| found.len() >= least) {
            row.set(found.step, value(place, found));
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn windows_have_the_samples_between_their_borders(
            times in prop::collection::btree_set(-50i64..200, 0..30),
            (start, step, count) in (-60i64..100, 1i64..40, 0i64..8),
            (range, offset) in (0i64..60, -20i64..20),
            at in prop::option::of(0i64..100),
        ) {
            let times: Vec<i64> = times.into_iter().collect();
            let steps = Steps::range(start, start + step * count, step);
            let windows = Windows { steps, shift: Shift { at, offset }, range };
            let mut layout = Layout::default();
            prop_assert!(layout.update(&times, &windows));
            prop_assert!(!layout.update(&times, &windows));
            let mut samples = 0;
            let row = layout.row(1, |_, found| found.len() as f64);
            for index in 0..steps.count() {
                let end = at.unwrap_or(steps.at(index)) - offset;
                let inside: Vec<_> = (0..times.len()).filter(|at| times[*at] > end - range && times[*at] <= end).collect();
                let found = layout.found().iter().find(|found| found.step == index);
                prop_assert_eq!(found.map(|found| (found.low, found.last())), inside.first().copied().zip(inside.last().copied()));
                prop_assert_eq!(row.get(index), found.map(|found| found.len() as f64));
                samples += inside.len();
            }
            prop_assert_eq!(layout.samples(), samples);
            let longer = Windows { range: range + 1, ..windows };
            prop_assert!(layout.update(&times, &longer));
        }
    }
}
