//! `rate`, `increase`, `delta`, `irate`, `idelta`.

use model::Millis;

use super::{
    histograms_over_time,
    starts::Counted,
    stretch::{Before, Borders, Stretch},
    window::{Notes, Point, Window},
};
use crate::plan::RangeFunction;

/// The change over a window of floats, stretched to its borders; per second for `rate`. Needs two samples, or one whose counting began
/// in the window.
pub(crate) fn extrapolated(function: RangeFunction, window: &Window<'_>, notes: Notes<'_>) -> Option<f64> {
    let (times, values) = (window.timestamps, window.values);
    let last = values.len().checked_sub(1)?;
    let is_counter = function != RangeFunction::Delta;
    let mut change = values[last] - values[0];
    if is_counter {
        if window.starts_overlap() {
            notes.starts_overlap();
        }
        for reset in window.resets {
            change += values[reset - window.first - 1];
        }
    }
    let borders = Borders { first: times[0], last: times[last], distances: last };
    let before = match began_within(function, window, window.float_times(0)) {
        Some(start) => {
            change += values[0];
            Before::Zero(start)
        }
        None if last == 0 => return None,
        None if is_counter && change > 0.0 && values[0] >= 0.0 => Before::Share(values[0] / change),
        None => Before::Nothing,
    };
    Some(change * factor(function, window, &borders, before))
}

/// When the counting of the window's first sample began, where that is known to have been in the window.
pub(crate) fn began_within(function: RangeFunction, window: &Window<'_>, first: Counted) -> Option<Millis> {
    let is_counter = function != RangeFunction::Delta;
    let start = first.start;
    (is_counter && start != 0 && start > window.start && start < first.time).then_some(start)
}

/// What a change is multiplied by: stretched to the borders of the window, and per second for `rate`.
pub(crate) fn factor(function: RangeFunction, window: &Window<'_>, borders: &Borders, before: Before) -> f64 {
    let factor = Stretch::new(borders, window.start, window.end).factor(before);
    if function == RangeFunction::Rate { factor / window.range_seconds() } else { factor }
}

/// The change between the two latest samples; per second for `irate`.
pub(crate) fn instant(window: &Window<'_>, is_rate: bool, notes: Notes<'_>) -> Option<Point> {
    if window.values.len() + window.histograms.len() < 2 {
        return None;
    }
    match latest_kinds(window) {
        (Kind::Float, Kind::Float) => {}
        (Kind::Histogram, Kind::Histogram) => {
            let last = window.histograms.len() - 1;
            return histograms_over_time::instant(window, last, is_rate, notes);
        }
        _ => {
            notes.mixed();
            return None;
        }
    }
    let last = window.values.len() - 1;
    let (previous, latest) = (window.values[last - 1], window.values[last]);
    let interval = window.timestamps[last] - window.timestamps[last - 1];
    let restarted = window.float_times(last).is_reset_after(window.float_times(last - 1));
    let change = if is_rate && (latest < previous || restarted) { latest } else { latest - previous };
    let value = if is_rate { change / (interval as f64 / 1000.0) } else { change };
    Some(Point::Float(value))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Float,
    Histogram,
}

/// The kinds of the last two samples; there are two.
fn latest_kinds(window: &Window<'_>) -> (Kind, Kind) {
    let mut floats = window.timestamps.iter().rev().peekable();
    let mut histograms = window.histograms.iter().rev().map(|point| point.timestamp).peekable();
    let mut next = || match (floats.peek(), histograms.peek()) {
        (Some(float), Some(histogram)) if *float < histogram => {
            histograms.next();
            Kind::Histogram
        }
        (Some(_), _) => {
            floats.next();
            Kind::Float
        }
        (None, _) => Kind::Histogram,
    };
    let last = next();
    (next(), last)
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::extrapolated;
    use crate::{
        engine::annotations::Annotations,
        functions::{
            starts::Starts,
            window::{Notes, Window},
        },
        plan::RangeFunction,
        syntax::Span,
    };

    fn run(function: RangeFunction, samples: &[(i64, f64)], range: (i64, i64)) -> Option<f64> {
        run_counted(function, samples, &[], range)
    }

    fn run_counted(
        function: RangeFunction,
        samples: &[(i64, f64)],
        starts: &[i64],
        range: (i64, i64),
    ) -> Option<f64> {
        let annotations = Mutex::new(Annotations::default());
        let timestamps: Vec<i64> = samples.iter().map(|(time, _)| *time).collect();
        let values: Vec<f64> = samples.iter().map(|(_, value)| *value).collect();
        let resets: Vec<usize> = (1..values.len()).filter(|at| values[*at] < values[at - 1]).collect();
        extrapolated(
            function,
            &Window {
                timestamps: &timestamps,
                values: &values,
                histograms: &[],
                first: 0,
                resets: &resets,
                starts: Starts { floats: starts, histograms: &[] },
                start: range.0,
                end: range.1,
                time: range.1,
            },
            Notes { annotations: &annotations, metric: "m", span: Span::default() },
        )
    }

    #[test]
    fn needs_two_samples() {
        assert_eq!(run(RangeFunction::Rate, &[(0, 1.0)], (-60_000, 0)), None);
    }

    #[test]
    fn stretches_to_close_borders_only() {
        // Samples every 10 s, borders 5 s away on the left and none on the right.
        let samples = [(5_000, 10.0), (15_000, 20.0), (25_000, 30.0)];
        assert_eq!(run(RangeFunction::Delta, &samples, (0, 25_000)), Some(25.0));
        // A border far away adds half a distance.
        assert_eq!(run(RangeFunction::Delta, &samples, (-100_000, 25_000)), Some(25.0));
        // A counter was zero 2 s before its first sample, so no more than that is added.
        let young = [(5_000, 2.0), (15_000, 12.0), (25_000, 22.0)];
        assert_eq!(run(RangeFunction::Increase, &young, (0, 25_000)), Some(22.0));
    }

    #[test]
    fn a_known_start_is_a_sample_of_zero() {
        let once = [(10_000, 5.0)];
        assert_eq!(run_counted(RangeFunction::Increase, &once, &[4_000], (0, 20_000)), Some(5.0));
        assert_eq!(run_counted(RangeFunction::Rate, &once, &[4_000], (0, 20_000)), Some(0.25));
        assert_eq!(run_counted(RangeFunction::Increase, &once, &[0], (0, 20_000)), None);
        assert_eq!(
            run_counted(RangeFunction::Increase, &once, &[-1], (0, 20_000)),
            None,
            "before the window"
        );
        assert_eq!(run_counted(RangeFunction::Delta, &once, &[4_000], (0, 20_000)), None);
        // Stretched to the right only: 10 in 12 s become 10 × 14 / 12 in 14 s.
        let twice = [(10_000, 5.0), (16_000, 10.0)];
        let increase = run_counted(RangeFunction::Increase, &twice, &[4_000, 4_000], (0, 18_000));
        assert_eq!(increase, Some(10.0 * (14.0 / 12.0)));
    }

    #[test]
    fn resets_count_from_zero() {
        let samples = [(0, 5.0), (10_000, 10.0), (20_000, 3.0), (30_000, 4.0)];
        assert_eq!(run(RangeFunction::Increase, &samples, (0, 30_000)), Some(9.0));
        assert_eq!(run(RangeFunction::Rate, &samples, (0, 30_000)), Some(0.3));
        assert_eq!(run(RangeFunction::Delta, &samples, (0, 30_000)), Some(-1.0));
    }
}
