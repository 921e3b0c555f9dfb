//! `resets` and `changes`.

use model::HistogramPoint;

use super::{starts::Counted, window::Window};
use crate::histogram::{Native, is_reset};

/// How often a counter started anew. A float after a histogram is a reset, and the other way round.
pub(crate) fn resets(window: &Window<'_>) -> f64 {
    if window.histograms.is_empty() {
        return window.resets.len() as f64;
    }
    count_pairs(window, |previous, current| match (previous, current) {
        (Sample::Float(before, previous), Sample::Float(after, current)) => {
            current < previous || after.is_reset_after(*before)
        }
        (Sample::Histogram(before, previous), Sample::Histogram(after, current)) => {
            after.is_reset_after(*before)
                || is_reset(&Native::from(&current.histogram), &Native::from(&previous.histogram))
        }
        _ => true,
    })
}

/// How often the value became another. NaN stays NaN without change.
pub(crate) fn changes(window: &Window<'_>) -> f64 {
    let differ = |a: f64, b: f64| a != b && !(a.is_nan() && b.is_nan());
    if window.histograms.is_empty() {
        return window.values.windows(2).filter(|pair| differ(pair[0], pair[1])).count() as f64;
    }
    count_pairs(window, |previous, current| match (previous, current) {
        (Sample::Float(_, previous), Sample::Float(_, current)) => differ(*previous, *current),
        (Sample::Histogram(_, previous), Sample::Histogram(_, current)) => {
            let (mut previous, current) =
                (Native::from(&previous.histogram), Native::from(&current.histogram));
            previous.hint = current.hint;
            previous != current
        }
        _ => true,
    })
}

enum Sample<'a> {
    Float(Counted, f64),
    Histogram(Counted, &'a HistogramPoint),
}

/// How many neighbours in time satisfy `counts`.
fn count_pairs(window: &Window<'_>, counts: impl Fn(&Sample<'_>, &Sample<'_>) -> bool) -> f64 {
    let (mut float, mut histogram) = (0, 0);
    let mut previous = None;
    let mut pairs = 0u32;
    while float < window.values.len() || histogram < window.histograms.len() {
        let float_first = match (window.timestamps.get(float), window.histograms.get(histogram)) {
            (Some(time), Some(point)) => *time < point.timestamp,
            (float, _) => float.is_some(),
        };
        let current = if float_first {
            float += 1;
            Sample::Float(window.float_times(float - 1), window.values[float - 1])
        } else {
            histogram += 1;
            Sample::Histogram(window.histogram_times(histogram - 1), &window.histograms[histogram - 1])
        };
        if previous.as_ref().is_some_and(|previous| counts(previous, &current)) {
            pairs += 1;
        }
        previous = Some(current);
    }
    f64::from(pairs)
}
