//! Functions over windows of floats, all windows of a series in one go.
//!
//! Most series have floats only, and most queries one of these functions. Windows move over the samples, so that each costs its step and
//! not its length: changes are differences between two samples. Only sums are added up anew for each window, four windows at a time, since
//! their rounding has to be Prometheus'.

use model::Millis;
use vector::{Row, Steps};

use super::{
    over_time,
    stretch::{Borders, Stretcher},
};
use crate::{
    engine::{EngineError, budget::Budget},
    plan::{RangeFunction, Shift},
};

/// Samples between two looks at whether the query may go on: a few milliseconds of work.
const CHECK_EVERY: u64 = 1 << 20;
/// Windows that are added up side by side.
const LANES: usize = 4;

/// The floats of one series, without staleness markers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floats<'a> {
    pub(crate) timestamps: &'a [Millis],
    pub(crate) values: &'a [f64],
}

/// The windows of all steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Windows {
    pub(crate) steps: Steps,
    pub(crate) shift: Shift,
    /// How long, milliseconds.
    pub(crate) range: Millis,
}

/// The samples of the window of one step, `(end - range, end]`. There is at least one.
#[derive(Debug, Clone, Copy)]
struct Found {
    step: usize,
    /// The first sample and the one behind the last.
    low: usize,
    high: usize,
    end: Millis,
}

/// Buffers that are used for one series after the other.
#[derive(Debug, Default)]
pub(crate) struct FloatScratch {
    resets: Vec<usize>,
    windows: Vec<Found>,
}

/// Whether [`evaluate`] knows the function.
pub(crate) fn knows(function: RangeFunction) -> bool {
    use RangeFunction::*;
    matches!(
        function,
        Rate | Increase
            | Delta
            | SumOverTime
            | AvgOverTime
            | MinOverTime
            | MaxOverTime
            | CountOverTime
            | PresentOverTime
            | LastOverTime
    )
}

/// The function's value at each step that has one.
pub(crate) fn evaluate(
    function: RangeFunction,
    floats: Floats<'_>,
    windows: &Windows,
    scratch: &mut FloatScratch,
    budget: &Budget,
) -> Result<Row, EngineError> {
    use RangeFunction::*;
    let values = floats.values;
    let each = |found: &Found| &values[found.low..found.high];
    match function {
        Rate | Increase | Delta => changes(function, floats, windows, scratch, budget),
        SumOverTime => sums(floats, windows, scratch, budget, over_time::sum, |sum, lost, _| sum + lost),
        AvgOverTime => sums(floats, windows, scratch, budget, over_time::avg, |sum, lost, count| {
            sum / count + lost / count
        }),
        MinOverTime => windows.rows(floats, budget, |found| Some(over_time::min(each(&found)))),
        MaxOverTime => windows.rows(floats, budget, |found| Some(over_time::max(each(&found)))),
        CountOverTime => windows.rows(floats, budget, |found| Some((found.high - found.low) as f64)),
        PresentOverTime => windows.rows(floats, budget, |_| Some(1.0)),
        LastOverTime => windows.rows(floats, budget, |found| Some(values[found.high - 1])),
        _ => Err(EngineError::NotSupported(format!("function {} of floats alone", function.name()))),
    }
}

/// Differences between the last and the first sample, with what resets took away.
fn changes(
    function: RangeFunction,
    floats: Floats<'_>,
    windows: &Windows,
    scratch: &mut FloatScratch,
    budget: &Budget,
) -> Result<Row, EngineError> {
    let Floats { timestamps, values } = floats;
    let is_counter = function != RangeFunction::Delta;
    let resets = &mut scratch.resets;
    resets.clear();
    if is_counter {
        resets.extend((1..values.len()).filter(|at| values[*at] < values[at - 1]));
    }
    let mut stretcher = Stretcher::new(function, windows.range);
    let mut next_reset = 0;
    windows.rows(floats, budget, |Found { low, high, end, .. }| {
        let last = high - 1;
        if low == last {
            return None;
        }
        let mut change = values[last] - values[low];
        while resets.get(next_reset).is_some_and(|reset| *reset <= low) {
            next_reset += 1;
        }
        for reset in resets[next_reset..].iter().take_while(|reset| **reset <= last) {
            change += values[reset - 1];
        }
        let borders = Borders { first: timestamps[low], last: timestamps[last], distances: last - low };
        let first = is_counter.then_some(values[low]);
        Some(stretcher.stretch(change, first, &borders, (end.saturating_sub(windows.range), end)))
    })
}

/// Compensated sums of all windows, from which `result` makes values, told the sum, what it lost and the number of samples; `alone` makes one
/// of a window whose sum is not finite.
fn sums(
    floats: Floats<'_>,
    windows: &Windows,
    scratch: &mut FloatScratch,
    budget: &Budget,
    alone: impl Fn(&[f64]) -> f64,
    result: impl Fn(f64, f64, f64) -> f64,
) -> Result<Row, EngineError> {
    let found = &mut scratch.windows;
    found.clear();
    windows.each(floats, |window| found.push(window));
    let mut row = Row::empty(windows.steps.count());
    let mut touched = Touched::new(budget);
    let mut add = |found: &Found, sum: f64, lost: f64| {
        let samples = &floats.values[found.low..found.high];
        let value = match (sum + lost).is_finite() {
            true => result(sum, lost, samples.len() as f64),
            false => alone(samples),
        };
        row.set(found.step, value);
        touched.add(samples.len())
    };
    let mut groups = found.chunks_exact(LANES);
    for group in &mut groups {
        let lanes: [&[f64]; LANES] =
            std::array::from_fn(|lane| &floats.values[group[lane].low..group[lane].high]);
        for (found, (sum, lost)) in group.iter().zip(add_up(lanes)) {
            add(found, sum, lost)?;
        }
    }
    for found in groups.remainder() {
        let [(sum, lost)] = add_up([&floats.values[found.low..found.high]]);
        add(found, sum, lost)?;
    }
    touched.finish();
    Ok(row)
}

/// Compensated sums (as `vector::CompensatedSum`) of finite numbers, side by side: one addition has to wait for the one before it, but not
/// for those of another sum.
fn add_up<const N: usize>(lanes: [&[f64]; N]) -> [(f64, f64); N] {
    let mut sums = [(0.0, 0.0); N];
    let common = lanes.iter().map(|lane| lane.len()).min().unwrap_or(0);
    let heads = lanes.map(|lane| &lane[..common]);
    for at in 0..common {
        for (sum, head) in sums.iter_mut().zip(&heads) {
            *sum = added(*sum, head[at]);
        }
    }
    for (sum, lane) in sums.iter_mut().zip(lanes) {
        *sum = lane[common..].iter().fold(*sum, |sum, value| added(sum, *value));
    }
    sums
}

#[inline]
fn added((sum, lost): (f64, f64), value: f64) -> (f64, f64) {
    let total = sum + value;
    let (large, small) = if sum.abs() >= value.abs() { (sum, value) } else { (value, sum) };
    (total, lost + ((large - total) + small))
}

// === impl Windows ===

impl Windows {
    /// A row with the value of each window that has samples and a value.
    #[inline]
    fn rows(
        &self,
        floats: Floats<'_>,
        budget: &Budget,
        mut value: impl FnMut(Found) -> Option<f64>,
    ) -> Result<Row, EngineError> {
        let mut row = Row::empty(self.steps.count());
        let mut touched = Touched::new(budget);
        let mut outcome = Ok(());
        self.each(floats, |found| {
            if outcome.is_err() {
                return;
            }
            if let Some(value) = value(found) {
                row.set(found.step, value);
            }
            outcome = touched.add(found.high - found.low);
        });
        touched.finish();
        outcome.map(|()| row)
    }

    /// Shows the windows that have samples, in order.
    #[inline]
    fn each(&self, Floats { timestamps, .. }: Floats<'_>, mut show: impl FnMut(Found)) {
        let (mut low, mut high) = (0, 0);
        for step in 0..self.steps.count() {
            let end = self.shift.apply(self.steps.at(step));
            let start = end.saturating_sub(self.range);
            while timestamps.get(high).is_some_and(|time| *time <= end) {
                high += 1;
            }
            while low < high && timestamps[low] <= start {
                low += 1;
            }
            if low < high {
                show(Found { step, low, high, end });
            } else if high == timestamps.len() && low == high {
                // Nothing comes any more.
                return;
            }
        }
    }
}

/// Counts samples, and looks now and then whether the query may go on.
struct Touched<'b> {
    budget: &'b Budget,
    samples: u64,
    checked_at: u64,
}

impl<'b> Touched<'b> {
    fn new(budget: &'b Budget) -> Self {
        Self { budget, samples: 0, checked_at: 0 }
    }

    #[inline]
    fn add(&mut self, samples: usize) -> Result<(), EngineError> {
        self.samples += samples as u64;
        if self.samples - self.checked_at >= CHECK_EVERY {
            self.checked_at = self.samples;
            return self.budget.check();
        }
        Ok(())
    }

    fn finish(&self) {
        self.budget.touch(self.samples);
    }
}
