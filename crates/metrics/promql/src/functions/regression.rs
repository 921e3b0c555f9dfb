//! Least squares, for `deriv` and `predict_linear`.

use model::Millis;
use vector::{CompensatedSum, add_finite};

use super::window::Window;

/// A straight line through samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    /// Change a second.
    pub(crate) slope: f64,
    /// Value at the time of reference.
    pub(crate) intercept: f64,
}

/// The line closest to the floats of a window. Equal values give a level line exactly.
pub(crate) fn linear(window: &Window<'_>, reference: Millis) -> Line {
    let initial = window.values[0];
    if window.values.iter().all(|value| *value == initial) {
        return if initial.is_infinite() {
            Line { slope: f64::NAN, intercept: f64::NAN }
        } else {
            Line { slope: 0.0, intercept: initial }
        };
    }
    // Four sums side by side, which are added up without a look at infinities: those show in the end.
    let mut sums = [(0.0, 0.0); 4];
    for terms in terms(window, reference) {
        for (sum, term) in sums.iter_mut().zip(terms) {
            *sum = add_finite(*sum, term);
        }
    }
    let mut totals = sums.map(|(sum, lost)| sum + lost);
    if !totals.iter().all(|total| total.is_finite()) {
        let mut sums = [CompensatedSum::default(); 4];
        for terms in terms(window, reference) {
            sums.iter_mut().zip(terms).for_each(|(sum, term)| sum.add(term));
        }
        totals = sums.map(CompensatedSum::total);
    }
    let count = window.values.len() as f64;
    let [x, y, xy, xx] = totals;
    let covariance = xy - x * y / count;
    let variance = xx - x * x / count;
    let slope = covariance / variance;
    Line { slope, intercept: y / count - slope * x / count }
}

/// Of each sample x, y, their product and the square of x; x in seconds after the reference.
fn terms(window: &Window<'_>, reference: Millis) -> impl Iterator<Item = [f64; 4]> {
    window.timestamps.iter().zip(window.values).map(move |(time, y)| {
        let x = time.saturating_sub(reference) as f64 / 1e3;
        [x, *y, x * y, x * x]
    })
}
