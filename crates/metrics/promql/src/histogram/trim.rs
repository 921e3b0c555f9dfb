//! `</` and `>/`: histograms without the observations above or below a bound.

use super::{Bounds, Native};

/// Which observations go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trim {
    /// Those above the bound (`</`).
    Above,
    /// Those below the bound (`>/`).
    Below,
}

impl Native {
    /// Drops observations beyond `limit`. Count and sum are estimated anew from what remains, if anything went.
    pub(crate) fn trim(&mut self, limit: f64, trim: Trim) {
        let custom = self.uses_custom_buckets();
        let mut kept = Kept::default();
        let populated = |side: &[(i32, f64)]| side.iter().any(|(_, count)| *count != 0.0);
        let (has_positive, has_negative) = (populated(&self.positive), populated(&self.negative));
        let positive: Vec<f64> =
            self.positive_bounds().map(|bounds| kept.bucket(&bounds, limit, trim, true, custom)).collect();
        let negative: Vec<f64> =
            self.negative_bounds().map(|bounds| kept.bucket(&bounds, limit, trim, false, custom)).collect();
        for (bucket, count) in
            self.positive.iter_mut().zip(positive).chain(self.negative.iter_mut().zip(negative))
        {
            bucket.1 = count;
        }
        if self.zero_count > 0.0 {
            let zero = Bounds {
                lower: if has_positive && !has_negative { 0.0 } else { -self.zero_threshold },
                upper: if has_negative && !has_positive { 0.0 } else { self.zero_threshold },
                count: self.zero_count,
            };
            let (count, middle) = trim_zero(&zero, limit, trim);
            kept.add(count, middle, count != self.zero_count);
            self.zero_count = count;
        }
        if kept.changed {
            self.count = kept.count;
            self.sum = kept.sum;
            self.positive.retain(|(_, count)| *count != 0.0);
            self.negative.retain(|(_, count)| *count != 0.0);
        }
    }
}

/// What remains, added up.
#[derive(Default)]
struct Kept {
    count: f64,
    sum: f64,
    changed: bool,
}

impl Kept {
    fn add(&mut self, count: f64, middle: f64, changed: bool) {
        self.count += count;
        self.sum += middle * count;
        self.changed |= changed;
    }

    /// What remains of a bucket.
    fn bucket(&mut self, bounds: &Bounds, limit: f64, trim: Trim, positive: bool, custom: bool) -> f64 {
        let (inside, outside) = match trim {
            Trim::Above => (bounds.upper <= limit, bounds.lower >= limit),
            Trim::Below => (bounds.lower >= limit, bounds.upper <= limit),
        };
        if inside {
            self.add(bounds.count, middle(bounds.lower, bounds.upper, positive, custom), false);
            return bounds.count;
        }
        if outside {
            self.changed = true;
            return 0.0;
        }
        let (count, middle) = split(bounds, limit, trim, positive, custom);
        self.add(count, middle, count != bounds.count);
        count
    }
}

/// Count and middle of the part of a bucket that remains; the limit lies inside.
fn split(bounds: &Bounds, limit: f64, trim: Trim, positive: bool, custom: bool) -> (f64, f64) {
    if bounds.lower == f64::NEG_INFINITY || bounds.upper == f64::INFINITY {
        return split_open(bounds, limit, trim);
    }
    let below = bounds.count * super::quantile::share_below(bounds, limit, custom);
    match trim {
        Trim::Above => (below, middle(bounds.lower, limit, positive, custom)),
        Trim::Below => (bounds.count - below, middle(limit, bounds.upper, positive, custom)),
    }
}

/// A bucket without end on one side has no inner distribution: all of it stays or goes, unless it may be taken to begin at zero.
fn split_open(bounds: &Bounds, limit: f64, trim: Trim) -> (f64, f64) {
    let Bounds { lower, upper, count } = *bounds;
    let or_zero = |bound: f64| if bound.is_infinite() { 0.0 } else { bound };
    if lower == f64::NEG_INFINITY {
        return match trim {
            Trim::Above if limit >= upper => (count, 0.0),
            Trim::Above if limit > 0.0 && upper > 0.0 && upper < f64::INFINITY => {
                (count * limit / upper, limit / 2.0)
            }
            Trim::Above if upper <= 0.0 => (count, limit),
            Trim::Below if limit <= lower => (count, 0.0),
            Trim::Below if limit >= 0.0 && upper > limit && upper < f64::INFINITY => {
                (count * (1.0 - limit / upper), f64::midpoint(limit, upper))
            }
            Trim::Above | Trim::Below => (0.0, or_zero(upper)),
        };
    }
    match trim {
        Trim::Below if limit >= lower => (count, limit),
        Trim::Above | Trim::Below => (0.0, or_zero(lower)),
    }
}

fn trim_zero(zero: &Bounds, limit: f64, trim: Trim) -> (f64, f64) {
    let Bounds { lower, upper, count } = *zero;
    let whole = (count, f64::midpoint(lower, upper));
    match trim {
        Trim::Above if limit <= lower => (0.0, 0.0),
        Trim::Above if limit >= upper => whole,
        Trim::Above => (count * ((limit - lower) / (upper - lower)), f64::midpoint(lower, limit)),
        Trim::Below if limit <= lower => whole,
        Trim::Below if limit >= upper => (0.0, 0.0),
        Trim::Below => (count * ((upper - limit) / (upper - lower)), f64::midpoint(limit, upper)),
    }
}

/// Where the observations of a bucket are taken to lie.
fn middle(lower: f64, upper: f64, positive: bool, linear: bool) -> f64 {
    match (lower.is_infinite(), upper.is_infinite()) {
        (true, true) => 0.0,
        (true, false) if upper > 0.0 => upper / 2.0,
        (true, false) => upper,
        (false, true) => lower,
        (false, false) if linear => f64::midpoint(lower, upper),
        (false, false) => {
            let mean = (lower * upper).abs().sqrt();
            if positive { mean } else { -mean }
        }
    }
}
