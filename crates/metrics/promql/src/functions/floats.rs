//! Functions over windows of floats, all windows of a series in one go.
//!
//! Most series have floats only, and most queries one of these functions. Windows move over the samples, so that each costs its step and
//! not its length: changes are differences between two samples. Only sums are added up anew for each window, four windows at a time, since
//! their rounding has to be Prometheus'.

use model::{Millis, is_stale};
use vector::{Row, add_finite};

use super::{
    layout::{Found, Layout, Windows},
    over_time,
    stretch::{Borders, Placed, Stretcher},
};
use crate::{
    engine::{
        EngineError,
        budget::{Budget, Pace},
    },
    plan::RangeFunction,
};

/// Windows that are added up side by side.
const LANES: usize = 4;

/// The floats of one series; ranges see no staleness markers among them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floats<'a> {
    pub(crate) timestamps: &'a [Millis],
    pub(crate) values: &'a [f64],
}

/// What is kept from one series to the next.
#[derive(Debug, Default)]
pub(crate) struct FloatScratch {
    /// Where the windows of the last series lie.
    pub(crate) layout: Layout,
    /// How each window of the layout is stretched by a function.
    placed: Vec<Placed>,
    placed_for: Option<RangeFunction>,
    resets: Vec<usize>,
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
    if matches!(function, Rate | Increase | Delta) {
        return Ok(changes(function, floats, windows, scratch));
    }
    let layout = &mut scratch.layout;
    layout.update(floats.timestamps, windows);
    let values = floats.values;
    match function {
        SumOverTime => sums(values, layout, windows, budget, over_time::sum, |sum, lost, _| sum + lost),
        AvgOverTime => sums(values, layout, windows, budget, over_time::avg, |sum, lost, count| {
            sum / count + lost / count
        }),
        MinOverTime => rows(layout, budget, |found| over_time::min(&values[found.low..found.high])),
        MaxOverTime => rows(layout, budget, |found| over_time::max(&values[found.low..found.high])),
        CountOverTime => rows(layout, budget, |found| found.len() as f64),
        PresentOverTime => rows(layout, budget, |_| 1.0),
        LastOverTime => rows(layout, budget, |found| values[found.last()]),
        _ => Err(EngineError::NotSupported(format!("function {} of floats alone", function.name()))),
    }
}

/// What `value` makes of the newest sample's time and value in each window, where it is not a staleness marker.
pub(crate) fn newest(
    Floats { timestamps, values }: Floats<'_>,
    windows: &Windows,
    scratch: &mut FloatScratch,
    value: impl Fn(Millis, f64) -> f64,
) -> Row {
    let layout = &mut scratch.layout;
    layout.update(timestamps, windows);
    let mut any_stale = false;
    let mut row = layout.row(1, |_, found| {
        let newest = values[found.last()];
        any_stale |= is_stale(newest);
        value(timestamps[found.last()], newest)
    });
    if any_stale {
        for found in layout.found().iter().filter(|found| is_stale(values[found.last()])) {
            row.unset(found.step);
        }
    }
    row
}

/// A row with the value of each window, which may take as long as the window has samples.
#[inline]
fn rows(layout: &Layout, budget: &Budget, mut value: impl FnMut(&Found) -> f64) -> Result<Row, EngineError> {
    let mut pace = Pace::new(budget);
    let mut outcome = Ok(());
    let row = layout.row(1, |_, found| {
        if outcome.is_ok() {
            outcome = pace.add(found.len());
        }
        if outcome.is_ok() { value(found) } else { f64::NAN }
    });
    outcome.map(|()| row)
}

/// Differences between the last and the first sample, with what resets took away.
fn changes(
    function: RangeFunction,
    floats: Floats<'_>,
    windows: &Windows,
    scratch: &mut FloatScratch,
) -> Row {
    let Floats { timestamps, values } = floats;
    let FloatScratch { layout, placed, placed_for, resets } = scratch;
    let mut stretcher = Stretcher::new(function, windows.range);
    if layout.update(timestamps, windows) || *placed_for != Some(function) {
        *placed_for = Some(function);
        placed.clear();
        placed.extend(layout.found().iter().map(|found| {
            let (first, last) = (timestamps[found.low], timestamps[found.last()]);
            stretcher.place(&Borders { first, last, distances: found.len() - 1 }, windows.borders(found.step))
        }));
    }
    let is_counter = function != RangeFunction::Delta;
    resets.clear();
    let falls = |at: usize| values[at] < values[at - 1];
    // Counted first, without a branch: nearly all series have none.
    if is_counter && values.windows(2).map(|pair| usize::from(pair[1] < pair[0])).sum::<usize>() > 0 {
        resets.extend((1..values.len()).filter(|at| falls(*at)));
    }
    let mut next_reset = 0;
    layout.row(2, |place, found| {
        let (low, last) = (found.low, found.last());
        let mut change = values[last] - values[low];
        while resets.get(next_reset).is_some_and(|reset| *reset <= low) {
            next_reset += 1;
        }
        for reset in resets[next_reset..].iter().take_while(|reset| **reset <= last) {
            change += values[reset - 1];
        }
        stretcher.stretch(change, is_counter.then_some(values[low]), &placed[place])
    })
}

/// Compensated sums of all windows, from which `result` makes values, told the sum, what it lost and the number of samples; `alone` makes one
/// of a window whose sum is not finite.
fn sums(
    values: &[f64],
    layout: &Layout,
    windows: &Windows,
    budget: &Budget,
    alone: impl Fn(&[f64]) -> f64,
    result: impl Fn(f64, f64, f64) -> f64,
) -> Result<Row, EngineError> {
    let mut row = Row::empty(windows.steps.count());
    let mut pace = Pace::new(budget);
    let mut add = |found: &Found, sum: f64, lost: f64| {
        let samples = &values[found.low..found.high];
        let value = match (sum + lost).is_finite() {
            true => result(sum, lost, samples.len() as f64),
            false => alone(samples),
        };
        row.set(found.step, value);
        pace.add(samples.len())
    };
    let mut groups = layout.found().chunks_exact(LANES);
    for group in &mut groups {
        let lanes: [&[f64]; LANES] = std::array::from_fn(|lane| &values[group[lane].low..group[lane].high]);
        for (found, (sum, lost)) in group.iter().zip(add_up(lanes)) {
            add(found, sum, lost)?;
        }
    }
    for found in groups.remainder() {
        let [(sum, lost)] = add_up([&values[found.low..found.high]]);
        add(found, sum, lost)?;
    }
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
