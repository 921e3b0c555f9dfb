//! Least squares, for `deriv` and `predict_linear`.

use model::Millis;
use vector::CompensatedSum;

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
    let [mut sum_x, mut sum_y, mut sum_xy, mut sum_xx] = [CompensatedSum::default(); 4];
    for (time, y) in window.timestamps.iter().zip(window.values) {
        let x = time.saturating_sub(reference) as f64 / 1e3;
        sum_x.add(x);
        sum_y.add(*y);
        sum_xy.add(x * y);
        sum_xx.add(x * x);
    }
    let count = window.values.len() as f64;
    let [x, y, xy, xx] = [sum_x, sum_y, sum_xy, sum_xx].map(CompensatedSum::total);
    let covariance = xy - x * y / count;
    let variance = xx - x * x / count;
    let slope = covariance / variance;
    Line { slope, intercept: y / count - slope * x / count }
}
