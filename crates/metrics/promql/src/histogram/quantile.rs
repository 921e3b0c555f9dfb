//! Quantiles, shares and spread of native histograms.

use vector::CompensatedSum;

use super::{Bounds, Native};

/// What a reader should know about a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HistogramNote {
    /// Observations that are NaN make the result NaN.
    ResultIsNan,
    /// Observations that are NaN shift the result up.
    SkewedUp,
    /// Observations that are NaN belong to no share.
    NanExcluded,
}

/// The φ-quantile: linear inside custom buckets and the zero bucket, exponential elsewhere.
pub(crate) fn quantile(phi: f64, histogram: &Native) -> (f64, Option<HistogramNote>) {
    if phi < 0.0 {
        return (f64::NEG_INFINITY, None);
    }
    if phi > 1.0 {
        return (f64::INFINITY, None);
    }
    if histogram.count == 0.0 || phi.is_nan() {
        return (f64::NAN, None);
    }
    let has_nan = histogram.sum.is_nan();
    let forward = has_nan || phi < 0.5;
    let mut all = histogram.all_bounds();
    let mut rank = if forward { phi } else { 1.0 - phi } * histogram.count;
    if !forward {
        all.reverse();
    }
    let mut count = 0.0;
    let mut bucket = Bounds { lower: 0.0, upper: 0.0, count: 0.0 };
    let mut rest = all.iter().filter(|bounds| bounds.count != 0.0);
    for bounds in rest.by_ref() {
        bucket = *bounds;
        count += bounds.count;
        if count >= rank {
            break;
        }
    }
    let custom = histogram.uses_custom_buckets();
    if !custom && bucket.lower < 0.0 && bucket.upper > 0.0 {
        if histogram.negative.is_empty() && !histogram.positive.is_empty() {
            bucket.lower = 0.0;
        } else if histogram.positive.is_empty() && !histogram.negative.is_empty() {
            bucket.upper = 0.0;
        }
    } else if custom {
        if bucket.lower == f64::NEG_INFINITY {
            if bucket.upper <= 0.0 {
                return (bucket.upper, None);
            }
            bucket.lower = 0.0;
        } else if bucket.upper == f64::INFINITY {
            return (bucket.lower, None);
        }
    }
    count = count.min(histogram.count);
    if count < rank {
        return match has_nan {
            true => (f64::NAN, Some(HistogramNote::ResultIsNan)),
            false => (bucket.upper, None),
        };
    }
    if forward {
        rank -= count - bucket.count;
    } else {
        rank = count - rank;
    }
    let counted = count + rest.map(|bounds| bounds.count).sum::<f64>();
    let note = (has_nan && counted < histogram.count).then_some(HistogramNote::SkewedUp);
    let share = rank / bucket.count;
    if custom || (bucket.lower <= 0.0 && bucket.upper >= 0.0) {
        return (bucket.lower + (bucket.upper - bucket.lower) * share, note);
    }
    let (lower, upper) = (bucket.lower.abs().log2(), bucket.upper.abs().log2());
    let value = if bucket.lower > 0.0 {
        (lower + (upper - lower) * share).exp2()
    } else {
        -(upper + (lower - upper) * (1.0 - share)).exp2()
    };
    (value, note)
}

/// The share of observations between two values.
pub(crate) fn fraction(lower: f64, upper: f64, histogram: &Native) -> (f64, Option<HistogramNote>) {
    if histogram.count == 0.0 || lower.is_nan() || upper.is_nan() {
        return (f64::NAN, None);
    }
    if lower >= upper {
        return (0.0, None);
    }
    let all = histogram.all_bounds();
    let counted: f64 = all.iter().map(|bounds| bounds.count).sum();
    let has_nan = histogram.sum.is_nan();
    let total = if has_nan { counted } else { histogram.count };
    let note = (has_nan && counted < histogram.count).then_some(HistogramNote::NanExcluded);
    let below = |value: f64| rank_of(value, histogram, &all).map_or(total, |rank| rank.min(total));
    ((below(upper) - below(lower)) / histogram.count, note)
}

/// How many observations lie below `value`; `None` when all do.
fn rank_of(value: f64, histogram: &Native, all: &[Bounds]) -> Option<f64> {
    let mut rank = 0.0;
    for bounds in all {
        let mut bounds = *bounds;
        let around_zero = bounds.lower <= 0.0 && bounds.upper >= 0.0;
        if around_zero {
            if histogram.negative.is_empty() && !histogram.positive.is_empty() {
                bounds.lower = 0.0;
            } else if histogram.positive.is_empty() && !histogram.negative.is_empty() {
                bounds.upper = 0.0;
            }
        }
        if bounds.lower >= value {
            return Some(rank);
        }
        if bounds.upper > value {
            let linear = histogram.uses_custom_buckets() || around_zero;
            if linear && bounds.lower == f64::NEG_INFINITY {
                return Some(bounds.count);
            }
            return Some(rank + bounds.count * share_below(&bounds, value, linear));
        }
        rank += bounds.count;
    }
    None
}

pub(super) fn share_below(bounds: &Bounds, value: f64, linear: bool) -> f64 {
    if linear {
        return (value - bounds.lower) / (bounds.upper - bounds.lower);
    }
    let (lower, upper, value_log) =
        (bounds.lower.abs().log2(), bounds.upper.abs().log2(), value.abs().log2());
    if value > 0.0 {
        (value_log - lower) / (upper - lower)
    } else {
        1.0 - (value_log - upper) / (lower - upper)
    }
}

/// The variance of observations taken to lie in the middle of their buckets.
pub(crate) fn variance(histogram: &Native) -> f64 {
    let mean = histogram.sum / histogram.count;
    let mut squares = CompensatedSum::default();
    for bounds in histogram.all_bounds().iter().filter(|bounds| bounds.count != 0.0) {
        let middle = if histogram.uses_custom_buckets() {
            f64::midpoint(bounds.upper, bounds.lower)
        } else if bounds.lower <= 0.0 && bounds.upper >= 0.0 {
            0.0
        } else {
            let middle = (bounds.upper * bounds.lower).sqrt();
            if bounds.upper < 0.0 { -middle } else { middle }
        };
        let delta = middle - mean;
        squares.add(bounds.count * delta * delta);
    }
    squares.total() / histogram.count
}
