//! Range functions over native histograms.

use std::sync::Arc;

use model::{CounterResetHint, HistogramPoint};

use super::{
    rate,
    stretch::{Before, Borders},
    window::{Notes, Point, Window},
};
use crate::{
    engine::annotations::Note,
    histogram::{AddNotes, HistogramSum, Native, is_reset},
    plan::RangeFunction,
};

/// The result for a window of histograms only.
pub(crate) fn evaluate(function: RangeFunction, window: &Window<'_>, notes: Notes<'_>) -> Option<Point> {
    let result = match function {
        RangeFunction::SumOverTime => sum(window.histograms, false, notes),
        RangeFunction::AvgOverTime => sum(window.histograms, true, notes),
        RangeFunction::Rate | RangeFunction::Increase | RangeFunction::Delta => {
            extrapolated(function, window, notes)
        }
        _ => None,
    }?;
    Some(Point::Histogram(Arc::new(result.into())))
}

/// The change from the histogram before `last` to it, per second for `irate`.
pub(crate) fn instant(window: &Window<'_>, last: usize, is_rate: bool, notes: Notes<'_>) -> Option<Point> {
    let [previous_times, latest_times] = [last - 1, last].map(|at| window.histogram_times(at));
    let [previous, latest] = [last - 1, last].map(|at| Native::from(&window.histograms[at].histogram));
    let gauges = [&previous, &latest].map(|histogram| histogram.hint == CounterResetHint::Gauge);
    if is_rate && gauges.contains(&true) {
        notes.not_counter();
    }
    if !is_rate && gauges.contains(&false) {
        notes.not_gauge();
    }
    let mut result = latest.clone();
    let restarted = latest_times.is_reset_after(previous_times) || is_reset(&latest, &previous);
    if !is_rate || !restarted {
        match result.add(&previous, -1.0) {
            Ok(added) => note_bounds(added, "subtraction", notes),
            Err(_) => {
                notes.mixed_schemas();
                return None;
            }
        }
    }
    result.hint = CounterResetHint::Gauge;
    if is_rate {
        result.divide((latest_times.time - previous_times.time) as f64 / 1000.0);
    }
    Some(Point::Histogram(Arc::new(result.into())))
}

fn sum(points: &[HistogramPoint], mean: bool, notes: Notes<'_>) -> Option<Native> {
    let (first, rest) = points.split_first()?;
    let mut sum = HistogramSum::new(Native::from(&first.histogram), mean);
    for point in rest {
        if sum.add(&Native::from(&point.histogram)).is_err() {
            notes.mixed_schemas();
            return None;
        }
    }
    let (result, added) = sum.finish();
    if added.hints_collide {
        notes.add(Note::ConflictingResets { operation: "aggregation" });
    }
    note_bounds(added, "aggregation", notes);
    result
}

fn extrapolated(function: RangeFunction, window: &Window<'_>, notes: Notes<'_>) -> Option<Native> {
    let points = window.histograms;
    let last = points.len().checked_sub(1)?;
    let is_counter = function != RangeFunction::Delta;
    let borders = Borders { first: points[0].timestamp, last: points[last].timestamp, distances: last };
    let start = rate::began_within(function, window, window.histogram_times(0));
    let mut change = match last {
        0 => start.map(|_| Native::from(&points[0].histogram))?,
        _ => change(window, is_counter, notes)?,
    };
    let first_count = points[0].histogram.count;
    let before = match start {
        Some(start) => {
            if last > 0 {
                let Ok(added) = change.add(&Native::from(&points[0].histogram), 1.0) else {
                    notes.mixed_schemas();
                    return None;
                };
                note_bounds(added, "addition", notes);
            }
            Before::Zero(start)
        }
        None if is_counter && change.count > 0.0 && first_count >= 0.0 => {
            Before::Share(first_count / change.count)
        }
        None => Before::Nothing,
    };
    change.multiply(rate::factor(function, window, &borders, before));
    Some(change)
}

/// The difference between the last and the first histogram, with what was lost at resets.
fn change(window: &Window<'_>, is_counter: bool, notes: Notes<'_>) -> Option<Native> {
    let restarted = |at: usize| window.histogram_times(at).is_reset_after(window.histogram_times(at - 1));
    let natives: Vec<Native> = window.histograms.iter().map(|point| Native::from(&point.histogram)).collect();
    let (mut previous, last) = (natives[0].clone(), natives[natives.len() - 1].clone());
    let is_gauge = |histogram: &Native| histogram.hint == CounterResetHint::Gauge;
    if is_counter && (is_gauge(&previous) || is_gauge(&last)) {
        notes.not_counter();
    }
    if is_counter && (restarted(1) || is_reset(&natives[1], &previous)) {
        // The first one is forgotten with its schema.
        previous = Native {
            schema: natives[1].schema,
            custom_values: natives[1].custom_values.clone(),
            ..Native::from(&model::FloatHistogram::default())
        };
    }
    let custom = previous.uses_custom_buckets();
    let mut schema = last.schema.min(previous.schema);
    for histogram in natives[1..].iter().take(if is_counter { usize::MAX } else { 0 }) {
        if is_gauge(histogram) {
            notes.not_counter();
        }
        schema = schema.min(histogram.schema);
    }
    let checked = if is_counter { &natives[1..] } else { &natives[natives.len() - 1..] };
    if checked.iter().any(|histogram| histogram.uses_custom_buckets() != custom) {
        notes.mixed_schemas();
        return None;
    }
    let mut result = last;
    result.reduce(schema);
    let added = result.add(&previous, -1.0).ok()?;
    note_bounds(added, "subtraction", notes);
    if is_counter {
        if window.starts_overlap() {
            notes.starts_overlap();
        }
        for (at, current) in natives.iter().enumerate().skip(1) {
            if restarted(at) || is_reset(current, &previous) {
                let added = result.add(&previous, 1.0).ok()?;
                note_bounds(added, "addition", notes);
            }
            previous = current.clone();
        }
    } else if !is_gauge(&natives[0]) || !is_gauge(&natives[natives.len() - 1]) {
        notes.not_gauge();
    }
    result.hint = CounterResetHint::Gauge;
    Some(result)
}

fn note_bounds(added: AddNotes, operation: &'static str, notes: Notes<'_>) {
    if added.bounds_reconciled {
        notes.add(Note::MismatchedBounds { operation });
    }
}
