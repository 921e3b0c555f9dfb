//! Functions over windows of floats, all windows of a series in one go.
//!
//! Most series have floats only, and most queries one of these functions. Windows move over the samples, so that each costs its step and
//! not its length: changes are differences between two samples. Only sums are added up anew for each window, four windows at a time, since
//! their rounding has to be Prometheus'.

use model::{Millis, is_stale};
use vector::{Row, Steps, add_finite};

use super::{
    over_time,
    stretch::{Borders, Stretcher},
};
use crate::{
    engine::{
        EngineError,
        budget::{Budget, Touched},
    },
    plan::{RangeFunction, Shift},
};

/// Windows that are added up side by side.
const LANES: usize = 4;

/// The floats of one series; ranges see no staleness markers among them.
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

/// What `value` makes of the newest sample's time and value at each step, where it is in `(at - lookback, at]` and not a staleness marker.
pub(crate) fn newest(
    Floats { timestamps, values }: Floats<'_>,
    steps: Steps,
    shift: Shift,
    lookback: Millis,
    value: impl Fn(Millis, f64) -> f64,
) -> Row {
    let mut seen = 0;
    Row::from_fn(steps.count(), |step| {
        let at = shift.apply(steps.at(step));
        while timestamps.get(seen).is_some_and(|time| *time <= at) {
            seen += 1;
        }
        let newest = seen.checked_sub(1)?;
        let (time, sample) = (timestamps[newest], values[newest]);
        (time > at.saturating_sub(lookback) && !is_stale(sample)).then(|| value(time, sample))
    })
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
    let falls = |at: usize| values[at] < values[at - 1];
    // Counted first, without a branch: nearly all series have none.
    if is_counter && values.windows(2).map(|pair| usize::from(pair[1] < pair[0])).sum::<usize>() > 0 {
        resets.extend((1..values.len()).filter(|at| falls(*at)));
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
    let mut cursor = Cursor::default();
    found.extend((0..windows.steps.count()).filter_map(|step| windows.find(floats, step, &mut cursor)));
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
            *sum = add_finite(*sum, head[at]);
        }
    }
    for (sum, lane) in sums.iter_mut().zip(lanes) {
        *sum = lane[common..].iter().fold(*sum, |sum, value| add_finite(sum, *value));
    }
    sums
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
        let mut touched = Touched::new(budget);
        let mut outcome = Ok(());
        let mut cursor = Cursor::default();
        let row = Row::from_fn(self.steps.count(), |step| {
            let found = self.find(floats, step, &mut cursor)?;
            if outcome.is_err() {
                return None;
            }
            outcome = touched.add(found.high - found.low);
            value(found)
        });
        touched.finish();
        outcome.map(|()| row)
    }

    /// The window of a step, if it has samples. Steps must not go back.
    #[inline]
    fn find(&self, Floats { timestamps, .. }: Floats<'_>, step: usize, cursor: &mut Cursor) -> Option<Found> {
        let Cursor { low, high } = cursor;
        let end = self.shift.apply(self.steps.at(step));
        let start = end.saturating_sub(self.range);
        while timestamps.get(*high).is_some_and(|time| *time <= end) {
            *high += 1;
        }
        while *low < *high && timestamps[*low] <= start {
            *low += 1;
        }
        (*low < *high).then_some(Found { step, low: *low, high: *high, end })
    }
}

/// Where a window lies among the samples.
#[derive(Default)]
struct Cursor {
    low: usize,
    high: usize,
}
