//! Histograms with integer counts, in the form in which they are sent and stored.

use super::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, FloatHistogram, Span};

/// A native histogram with integer counts. Buckets hold the difference to the bucket before, which is small as a rule.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histogram {
    /// What is known about a preceding reset.
    pub counter_reset_hint: CounterResetHint,
    /// Resolution, −4 … 8, or [`CUSTOM_BUCKETS_SCHEMA`].
    pub schema: i32,
    /// Width of the zero bucket: it takes observations in `[-zero_threshold, zero_threshold]`.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: u64,
    /// All observations.
    pub count: u64,
    /// Sum of all observed values; the staleness marker here marks the whole sample as stale.
    pub sum: f64,
    /// Where the positive buckets lie.
    pub positive_spans: Vec<Span>,
    /// The first positive bucket's count, then each one's difference to the bucket before, in the order of their spans.
    pub positive_buckets: Vec<i64>,
    /// Where the negative buckets lie.
    pub negative_spans: Vec<Span>,
    /// The negative buckets, as the positive ones.
    pub negative_buckets: Vec<i64>,
    /// Upper bounds of custom buckets, ascending, without `+Inf`; empty for exponential schemas.
    pub custom_values: Vec<f64>,
}

// === impl Histogram ===

impl Histogram {
    /// The same with absolute float counts. What custom buckets cannot have (a zero bucket, negative buckets) is left out of them.
    pub fn to_float(&self) -> FloatHistogram {
        let custom = self.schema == CUSTOM_BUCKETS_SCHEMA;
        let floats = |buckets: &[i64]| counts(buckets).map(|count| count as f64).collect();
        let mut float = FloatHistogram {
            counter_reset_hint: self.counter_reset_hint,
            schema: self.schema,
            count: self.count as f64,
            sum: self.sum,
            positive_spans: self.positive_spans.clone(),
            positive_buckets: floats(&self.positive_buckets),
            ..FloatHistogram::default()
        };
        if custom {
            float.custom_values.clone_from(&self.custom_values);
        } else {
            float.zero_threshold = self.zero_threshold;
            float.zero_count = self.zero_count as f64;
            float.negative_spans.clone_from(&self.negative_spans);
            float.negative_buckets = floats(&self.negative_buckets);
        }
        float
    }
}

/// The absolute counts of buckets that hold differences.
pub(super) fn counts(buckets: &[i64]) -> impl Iterator<Item = i64> + '_ {
    buckets.iter().scan(0i64, |count, difference| {
        *count = count.wrapping_add(*difference);
        Some(*count)
    })
}

/// Turns absolute counts into what buckets of a [`Histogram`] hold: the first count, then each one's difference to the one before.
pub fn bucket_differences(mut counts: Vec<i64>) -> Vec<i64> {
    let mut last = 0i64;
    for count in &mut counts {
        let difference = count.wrapping_sub(last);
        last = *count;
        *count = difference;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_absolute() {
        let histogram = Histogram {
            count: 9,
            zero_count: 1,
            zero_threshold: 0.5,
            sum: 2.5,
            positive_spans: vec![Span { offset: 1, length: 3 }],
            positive_buckets: vec![2, 1, -2],
            negative_spans: vec![Span { offset: 0, length: 1 }],
            negative_buckets: vec![2],
            ..Histogram::default()
        };
        let float = histogram.to_float();
        assert_eq!(float.positive_buckets, [2.0, 3.0, 1.0]);
        assert_eq!(float.negative_buckets, [2.0]);
        assert_eq!((float.count, float.zero_count, float.sum), (9.0, 1.0, 2.5));
        assert_eq!(
            bucket_differences(counts(&histogram.positive_buckets).collect()),
            histogram.positive_buckets
        );
    }

    #[test]
    fn custom_buckets_have_one_side() {
        let histogram = Histogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            count: 1,
            zero_count: 5,
            positive_spans: vec![Span { offset: 0, length: 1 }],
            positive_buckets: vec![1],
            negative_buckets: vec![7],
            custom_values: vec![0.5],
            ..Histogram::default()
        };
        let float = histogram.to_float();
        assert_eq!((float.zero_count, float.negative_buckets.len()), (0.0, 0));
        assert_eq!(float.custom_values, [0.5]);
    }
}
