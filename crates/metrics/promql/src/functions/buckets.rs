//! Classic histograms: cumulative counts under upper bounds.

/// Differences below this share are rounding errors of floating point sums.
const TOLERANCE: f64 = 1e-12;

/// The count of observations up to a bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) upper: f64,
    pub(crate) count: f64,
}

/// Counts that had to be bent to rise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bent {
    pub(crate) least_bucket: f64,
    pub(crate) greatest_bucket: f64,
    pub(crate) greatest_diff: f64,
}

/// The φ-quantile of the observations, linear inside a bucket. Needs at least one bucket; sorts them.
///
/// The highest bucket has to be `+Inf`; a quantile in it is the bound below. The lowest one begins at zero if its bound is positive.
pub(crate) fn quantile(phi: f64, buckets: &mut Vec<Bucket>) -> (f64, Option<Bent>) {
    if phi.is_nan() {
        return (f64::NAN, None);
    }
    if phi < 0.0 {
        return (f64::NEG_INFINITY, None);
    }
    if phi > 1.0 {
        return (f64::INFINITY, None);
    }
    if !sort_and_merge(buckets) {
        return (f64::NAN, None);
    }
    let bent = make_monotonic(buckets);
    let last = buckets.len() - 1;
    let observations = buckets[last].count;
    if last == 0 || observations == 0.0 {
        return (f64::NAN, bent);
    }
    let mut rank = phi * observations;
    let at = buckets[..last]
        .partition_point(|bucket| bucket.count < rank || bucket.count.is_nan() || rank.is_nan());
    let value = if at == last {
        buckets[last - 1].upper
    } else if at == 0 && buckets[0].upper <= 0.0 {
        buckets[0].upper
    } else {
        let mut lower = 0.0;
        let mut count = buckets[at].count;
        if at > 0 {
            lower = buckets[at - 1].upper;
            count -= buckets[at - 1].count;
            rank -= buckets[at - 1].count;
        }
        lower + (buckets[at].upper - lower) * (rank / count)
    };
    (value, bent)
}

/// The share of observations between two values. Needs at least one bucket; sorts them.
pub(crate) fn fraction(lower: f64, upper: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if !sort_and_merge(buckets) {
        return f64::NAN;
    }
    let total = buckets[buckets.len() - 1].count;
    if total == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let below = |value: f64| rank_of(value, buckets).min(total);
    (below(upper) - below(lower)) / total
}

/// How many observations lie below `value`, linear inside a bucket with two ends.
fn rank_of(value: f64, buckets: &[Bucket]) -> f64 {
    let mut start = if buckets[0].upper <= 0.0 { f64::NEG_INFINITY } else { 0.0 };
    let mut below = 0.0;
    for bucket in buckets {
        if start >= value {
            return below;
        }
        if bucket.upper > value {
            if start == f64::NEG_INFINITY {
                return bucket.count;
            }
            return below + (bucket.count - below) * (value - start) / (bucket.upper - start);
        }
        start = bucket.upper;
        below = bucket.count;
    }
    buckets[buckets.len() - 1].count
}

/// Sorts by bound and adds up equal bounds; false when the highest is not `+Inf`.
fn sort_and_merge(buckets: &mut Vec<Bucket>) -> bool {
    buckets.sort_by(|a, b| a.upper.partial_cmp(&b.upper).unwrap_or(std::cmp::Ordering::Equal));
    if buckets.last().is_none_or(|bucket| bucket.upper != f64::INFINITY) {
        return false;
    }
    buckets.dedup_by(|next, kept| {
        let same = next.upper == kept.upper;
        if same {
            kept.count += next.count;
        }
        same
    });
    true
}

/// Raises counts that fall below the one before them; ignores differences that are rounding errors.
fn make_monotonic(buckets: &mut [Bucket]) -> Option<Bent> {
    let mut bent: Option<Bent> = None;
    let mut previous = buckets[0].count;
    for bucket in &mut buckets[1..] {
        let current = bucket.count;
        if current == previous {
            continue;
        }
        if almost_equal(previous, current) {
            bucket.count = previous;
            continue;
        }
        if current < previous {
            bucket.count = previous;
            let bent = bent.get_or_insert(Bent {
                least_bucket: bucket.upper,
                greatest_bucket: bucket.upper,
                greatest_diff: 0.0,
            });
            bent.greatest_bucket = bucket.upper;
            bent.greatest_diff = bent.greatest_diff.max(previous - current);
            continue;
        }
        previous = current;
    }
    bent
}

fn almost_equal(a: f64, b: f64) -> bool {
    let sum = a.abs() + b.abs();
    let diff = (a - b).abs();
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return diff < TOLERANCE * f64::MIN_POSITIVE;
    }
    diff / sum.min(f64::MAX) < TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::{Bucket, fraction, quantile};

    fn buckets(list: &[(f64, f64)]) -> Vec<Bucket> {
        list.iter().map(|(upper, count)| Bucket { upper: *upper, count: *count }).collect()
    }

    const INF: f64 = f64::INFINITY;

    #[test]
    fn quantiles() {
        let check = |phi: f64, list: &[(f64, f64)], want: f64| {
            let (got, _) = quantile(phi, &mut buckets(list));
            assert!(
                (got - want).abs() < 1e-9 || got == want || got.is_nan() && want.is_nan(),
                "{phi}: {got} != {want}"
            );
        };
        let normal = [(0.1, 50.0), (0.2, 70.0), (1.0, 110.0), (INF, 120.0)];
        check(0.2, &normal, 0.048);
        check(0.5, &normal, 0.15);
        check(0.8, &normal, 0.72);
        check(1.0, &normal, 1.0);
        check(0.0, &[(-0.2, 10.0), (-0.1, 20.0), (INF, 30.0)], -0.2);
        check(0.5, &[(0.1, 5.0)], f64::NAN);
        check(0.5, &[(INF, 5.0)], f64::NAN);
        check(0.5, &[(1.0, 0.0), (INF, 0.0)], f64::NAN);
        check(-0.1, &normal, f64::NEG_INFINITY);
        check(1.1, &normal, INF);
    }

    #[test]
    fn falling_counts_are_bent_and_told() {
        let (_, bent) = quantile(0.5, &mut buckets(&[(1.0, 10.0), (2.0, 8.0), (3.0, 9.0), (INF, 20.0)]));
        let bent = bent.unwrap();
        assert_eq!((bent.least_bucket, bent.greatest_bucket, bent.greatest_diff), (2.0, 3.0, 2.0));
        let (_, bent) = quantile(0.5, &mut buckets(&[(1.0, 10.0), (2.0, 10.0 - 1e-12), (INF, 20.0)]));
        assert_eq!(bent, None);
    }

    #[test]
    fn fractions() {
        let list = [(2.0, 1.0), (4.0, 2.0), (6.0, 3.0), (INF, 3.0)];
        assert_eq!(fraction(0.0, 4.0, &mut buckets(&list)), 2.0 / 3.0);
        assert_eq!(fraction(f64::NEG_INFINITY, INF, &mut buckets(&list)), 1.0);
        assert_eq!(fraction(3.0, 2.0, &mut buckets(&list)), 0.0);
        assert!(fraction(f64::NAN, 2.0, &mut buckets(&list)).is_nan());
    }
}
