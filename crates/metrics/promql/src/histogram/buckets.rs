//! The buckets of a histogram by their bounds, for those who show them.

use model::FloatHistogram;

use super::{Bounds, Native};

/// A bucket by its bounds, and which of these it takes in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HistogramBucket {
    /// The lower bound.
    pub lower: f64,
    /// The upper bound.
    pub upper: f64,
    /// Whether the lower bound belongs to the bucket.
    pub lower_inclusive: bool,
    /// Whether the upper bound belongs to the bucket.
    pub upper_inclusive: bool,
    /// Observations in it.
    pub count: f64,
}

/// The buckets that are not empty, in ascending order.
pub fn histogram_buckets(histogram: &FloatHistogram) -> Vec<HistogramBucket> {
    let native = Native::from(histogram);
    let custom = native.uses_custom_buckets();
    let bucket = |bounds: Bounds| {
        let Bounds { lower, upper, count } = bounds;
        let (lower_inclusive, upper_inclusive) = match custom {
            // The first one has no bound below.
            true => (lower == f64::NEG_INFINITY, true),
            false => (lower < 0.0, upper > 0.0),
        };
        HistogramBucket { lower, upper, lower_inclusive, upper_inclusive, count }
    };
    let zero =
        |bounds: &Bounds| bounds.lower == -native.zero_threshold && bounds.upper == native.zero_threshold;
    let all = native.all_bounds().into_iter().map(|bounds| match zero(&bounds) && !custom {
        true => HistogramBucket { lower_inclusive: true, upper_inclusive: true, ..bucket(bounds) },
        false => bucket(bounds),
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use model::{CUSTOM_BUCKETS_SCHEMA, Span};

    use super::*;

    fn check(histogram: &FloatHistogram, want: &[&str]) {
        let text = |bucket: HistogramBucket| {
            let open = if bucket.lower_inclusive { '[' } else { '(' };
            let close = if bucket.upper_inclusive { ']' } else { ')' };
            format!("{open}{},{}{close}:{}", bucket.lower, bucket.upper, bucket.count)
        };
        assert_eq!(histogram_buckets(histogram).into_iter().map(text).collect::<Vec<_>>(), want);
    }

    #[test]
    fn buckets_ascend_and_know_their_bounds() {
        let spans = vec![Span { offset: 0, length: 3 }];
        let histogram = FloatHistogram {
            zero_threshold: 0.25,
            zero_count: 3.0,
            positive_spans: spans.clone(),
            positive_buckets: vec![1.0, 0.0, 2.5],
            negative_spans: spans.clone(),
            negative_buckets: vec![4.0, 0.0, 5.0],
            ..FloatHistogram::default()
        };
        check(&histogram, &["[-4,-2):5", "[-1,-0.5):4", "[-0.25,0.25]:3", "(0.5,1]:1", "(2,4]:2.5"]);
        let none = FloatHistogram { zero_threshold: 0.0, ..histogram.clone() };
        check(&none, &["[-4,-2):5", "[-1,-0.5):4", "[-0,0]:3", "(0.5,1]:1", "(2,4]:2.5"]);
        let custom = FloatHistogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            positive_spans: spans,
            positive_buckets: vec![1.0, 2.0, 3.0],
            custom_values: vec![0.5, 2.0],
            ..FloatHistogram::default()
        };
        check(&custom, &["[-inf,0.5]:1", "(0.5,2]:2", "(2,inf]:3"]);
        check(&FloatHistogram::default(), &[]);
    }
}
