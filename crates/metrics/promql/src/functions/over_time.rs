//! Aggregations along time. Slices hold at least one value.

use std::sync::Arc;

use vector::{CompensatedSum, Mean, quantile};

use super::window::{Point, Window};

pub(crate) fn sum(values: &[f64]) -> f64 {
    let mut sum = CompensatedSum::default();
    values.iter().for_each(|value| sum.add(*value));
    sum.total()
}

pub(crate) fn avg(values: &[f64]) -> f64 {
    let mut mean = Mean::default();
    values.iter().for_each(|value| mean.add(*value));
    mean.value()
}

/// The least value; NaN only when all are.
pub(crate) fn min(values: &[f64]) -> f64 {
    values.iter().fold(f64::NAN, |least, value| if *value < least || least.is_nan() { *value } else { least })
}

/// The greatest value; NaN only when all are.
pub(crate) fn max(values: &[f64]) -> f64 {
    values.iter().fold(f64::NAN, |most, value| if *value > most || most.is_nan() { *value } else { most })
}

/// Population variance, by a compensated form of Welford's method.
pub(crate) fn variance(values: &[f64]) -> f64 {
    let (mut mean, mut squares) = (CompensatedSum::default(), CompensatedSum::default());
    let mut count = 0.0;
    for value in values {
        count += 1.0;
        let delta = value - mean.total();
        mean.add(delta / count);
        squares.add(delta * (value - mean.total()));
    }
    squares.total() / count
}

/// The median distance from the median; NaN as soon as one value is.
pub(crate) fn median_absolute_deviation(values: &[f64], scratch: &mut Vec<f64>) -> f64 {
    if values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    scratch.clear();
    scratch.extend_from_slice(values);
    let median = quantile(0.5, scratch);
    scratch.iter_mut().for_each(|value| *value = (*value - median).abs());
    quantile(0.5, scratch)
}

/// When the best value was sampled, in seconds; the latest of equals. NaN gives way to anything.
pub(crate) fn time_of(window: &Window<'_>, beats: impl Fn(f64, f64) -> bool) -> f64 {
    let (mut best, mut time) = (f64::NAN, window.timestamps[0]);
    for (value, at) in window.values.iter().zip(window.timestamps) {
        if best.is_nan() || beats(*value, best) {
            (best, time) = (*value, *at);
        }
    }
    time as f64 / 1000.0
}

/// The oldest sample.
pub(crate) fn first(window: &Window<'_>) -> Option<Point> {
    match (window.timestamps.first(), window.histograms.first()) {
        (Some(time), Some(point)) if *time >= point.timestamp => Some(histogram(point)),
        (None, Some(point)) => Some(histogram(point)),
        _ => window.values.first().map(|value| Point::Float(*value)),
    }
}

/// The newest sample.
pub(crate) fn last(window: &Window<'_>) -> Option<Point> {
    match (window.timestamps.last(), window.histograms.last()) {
        (Some(time), Some(point)) if point.timestamp >= *time => Some(histogram(point)),
        (None, Some(point)) => Some(histogram(point)),
        _ => window.values.last().map(|value| Point::Float(*value)),
    }
}

/// When the oldest sample was taken, in seconds.
pub(crate) fn first_time(window: &Window<'_>) -> Option<f64> {
    let histogram = window.histograms.first().map(|point| point.timestamp);
    let time = window.timestamps.first().copied().into_iter().chain(histogram).min()?;
    Some(time as f64 / 1000.0)
}

/// When the newest sample was taken, in seconds.
pub(crate) fn last_time(window: &Window<'_>) -> Option<f64> {
    let histogram = window.histograms.last().map(|point| point.timestamp);
    let time = window.timestamps.last().copied().into_iter().chain(histogram).max()?;
    Some(time as f64 / 1000.0)
}

fn histogram(point: &model::HistogramPoint) -> Point {
    Point::Histogram(Arc::new(point.histogram.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_ignore_nan() {
        assert_eq!(min(&[f64::NAN, 2.0, 0.0, f64::NAN]), 0.0);
        assert_eq!(max(&[f64::NAN, 2.0, 0.0]), 2.0);
        assert!(max(&[f64::NAN]).is_nan());
    }

    #[test]
    fn variance_of_equal_values_is_zero() {
        assert_eq!(variance(&[1.599_050_563_727_786_8; 3]), 0.0);
        assert!((variance(&[0.0, 8.0, 8.0, 2.0, 3.0]) - 10.56).abs() < 1e-12);
    }

    #[test]
    fn deviation_from_the_median() {
        let mut scratch = Vec::new();
        assert_eq!(median_absolute_deviation(&[4.0, 6.0, 2.0, 1.0, 999.0, 1.0, 2.0], &mut scratch), 1.0);
        assert!(median_absolute_deviation(&[1.0, f64::NAN], &mut scratch).is_nan());
    }
}
