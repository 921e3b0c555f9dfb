//! Functions over the samples of a window.

use crate::syntax::RangeOp;

/// A sample from a label's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LabelSample {
    /// Nanoseconds.
    pub timestamp: i64,
    pub value: f64,
}

/// A function of a window with its constants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Function {
    pub op: RangeOp,
    /// The quantile.
    pub parameter: f64,
    /// Length of the window, nanoseconds.
    pub interval: i64,
}

/// Nanoseconds as seconds, computed as Go does it, so that quotients agree to the last digit.
pub(super) fn seconds(nanos: i64) -> f64 {
    const SECOND: i64 = 1_000_000_000;
    (nanos / SECOND) as f64 + (nanos % SECOND) as f64 / 1e9
}

impl Function {
    /// The value for the samples of a window, in time order; there is at least one.
    pub fn apply(&self, samples: &[LabelSample], scratch: &mut Vec<f64>) -> f64 {
        let values = || samples.iter().map(|sample| sample.value);
        let edge = |sample: Option<&LabelSample>| sample.map_or(f64::NAN, |sample| sample.value);
        match self.op {
            RangeOp::Count => samples.len() as f64,
            RangeOp::Absent => 1.0,
            RangeOp::Sum | RangeOp::Bytes => values().sum(),
            RangeOp::Rate | RangeOp::BytesRate => values().sum::<f64>() / seconds(self.interval),
            RangeOp::RateCounter => counter_rate(samples, self.interval),
            RangeOp::Avg => mean(values()),
            RangeOp::Min => values()
                .fold(f64::NAN, |least, value| if value < least || least.is_nan() { value } else { least }),
            RangeOp::Max => values()
                .fold(f64::NAN, |most, value| if value > most || most.is_nan() { value } else { most }),
            RangeOp::Stdvar => variance(values()),
            RangeOp::Stddev => variance(values()).sqrt(),
            RangeOp::Quantile => {
                scratch.clear();
                scratch.extend(values());
                vector::quantile(self.parameter, scratch)
            }
            RangeOp::First => edge(samples.first()),
            RangeOp::Last => edge(samples.last()),
        }
    }
}

/// A running mean, which cannot overflow where the mean does not; infinities keep their sign.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut mean, mut count) = (0.0f64, 0.0);
    for value in values {
        count += 1.0;
        if mean.is_infinite() {
            let same_infinity = value.is_infinite() && (mean > 0.0) == (value > 0.0);
            if same_infinity || value.is_finite() {
                continue;
            }
        }
        mean += value / count - mean / count;
    }
    mean
}

/// Population variance, by Welford's method.
fn variance(values: impl Iterator<Item = f64>) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for value in values {
        count += 1.0;
        let delta = value - mean;
        mean += delta / count;
        squares += delta * (value - mean);
    }
    squares / count
}

/// The rate of a counter, resets undone.
///
/// The formula is Prometheus' extrapolation, with Loki's units: distances between samples are in microseconds and the distance to the
/// window's start in seconds, so that in effect nothing is extrapolated. Values agree with Loki's because of it.
fn counter_rate(samples: &[LabelSample], interval: i64) -> f64 {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return 0.0;
    };
    if samples.len() < 2 {
        return 0.0;
    }
    let mut increase = last.value - first.value;
    let mut previous = 0.0;
    for sample in samples {
        if sample.value < previous {
            increase += previous;
        }
        previous = sample.value;
    }
    let sampled = (last.timestamp - first.timestamp) as f64 / 1000.0;
    let between = sampled / (samples.len() - 1) as f64;
    let mut to_start = (interval / 1_000_000) as f64 / 1000.0;
    if increase > 0.0 && first.value >= 0.0 {
        to_start = to_start.min(sampled * (first.value / increase));
    }
    let threshold = between * 1.1;
    let mut extrapolated = sampled;
    extrapolated += if to_start < threshold { to_start } else { between / 2.0 };
    // The distance to the end is 0, as the last sample is taken for the window's end.
    if threshold <= 0.0 {
        extrapolated += between / 2.0;
    }
    increase * (extrapolated / sampled) / seconds(interval)
}

#[cfg(test)]
mod tests {
    use super::{Function, LabelSample, seconds};
    use crate::syntax::RangeOp;

    fn apply(op: RangeOp, values: &[f64]) -> f64 {
        let sample =
            |(at, value): (usize, &f64)| LabelSample { timestamp: at as i64 * 1_000_000_000, value: *value };
        let samples: Vec<_> = values.iter().enumerate().map(sample).collect();
        let function = Function { op, parameter: 0.5, interval: 10_000_000_000 };
        function.apply(&samples, &mut Vec::new())
    }

    #[test]
    fn functions_of_a_window() {
        let check = |op, want: f64| assert_eq!(apply(op, &[4.0, 1.0, 3.0, 2.0]), want, "{op:?}");
        check(RangeOp::Count, 4.0);
        check(RangeOp::Sum, 10.0);
        check(RangeOp::Rate, 1.0);
        check(RangeOp::Avg, 2.5);
        check(RangeOp::Min, 1.0);
        check(RangeOp::Max, 4.0);
        check(RangeOp::Stdvar, 1.25);
        check(RangeOp::Stddev, 1.25f64.sqrt());
        check(RangeOp::Quantile, 2.5);
        check(RangeOp::First, 4.0);
        check(RangeOp::Last, 2.0);
        check(RangeOp::Absent, 1.0);
    }

    #[test]
    fn nan_and_infinity() {
        assert_eq!(apply(RangeOp::Min, &[f64::NAN, 2.0]), 2.0);
        assert!(apply(RangeOp::Max, &[f64::NAN]).is_nan());
        assert_eq!(apply(RangeOp::Avg, &[f64::INFINITY, 1.0, f64::INFINITY]), f64::INFINITY);
        assert!(apply(RangeOp::Avg, &[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }

    #[test]
    fn counters_need_two_samples_and_survive_resets() {
        assert_eq!(apply(RangeOp::RateCounter, &[5.0]), 0.0);
        let rate = apply(RangeOp::RateCounter, &[5.0, 7.0, 1.0, 2.0]);
        assert!((rate - 0.4).abs() < 1e-3, "{rate}");
    }

    #[test]
    fn seconds_are_gos() {
        assert_eq!(seconds(1_500_000_000), 1.5);
        assert_eq!(seconds(60_000_000_000), 60.0);
    }
}
