//! The two kinds of histograms, as far as they differ.

use model::{CounterResetHint, FloatHistogram, Histogram, MAX_SCHEMA, Span, bucket_differences};

use super::{
    decode::Parts,
    fit::Misfit,
    lane::{FloatLane, IntegerLane, Lane},
};
use crate::chunk::Encoding;

/// What a bucket or a count of a flavor is.
pub(crate) type Value<F> = <<F as Flavor>::Lane as Lane>::Value;

/// A kind of histograms.
pub(crate) trait Flavor: Sized {
    /// What is appended and read.
    type Histogram;
    type Lane: Lane;

    /// The encoding of chunks without start times.
    const ENCODING: Encoding;
    /// Least bits that a bucket takes in the first histogram of a chunk.
    const LEAST_BITS: usize;

    fn view(histogram: &Self::Histogram) -> View<'_, Value<Self>>;

    /// Makes a histogram, in a resolution that can be computed with.
    fn build(parts: Parts<Value<Self>>) -> Self::Histogram;

    /// Whether one count of observations is below another.
    fn below(count: Value<Self>, other: Value<Self>) -> bool;

    /// The number of observations in a bucket that holds `stored`, behind one with `previous` observations.
    fn absolute(previous: Value<Self>, stored: Value<Self>) -> Value<Self>;

    /// Turns numbers of observations into what buckets hold.
    fn relative(counts: Vec<Value<Self>>) -> Vec<Value<Self>>;

    /// What a count, which has no sign, is as a float.
    fn count_to_float(count: Value<Self>) -> f64;

    /// What the number of observations in a bucket is as a float.
    fn bucket_to_float(observations: Value<Self>) -> f64;

    /// The flags of a chunk whose first sample did not fit to the chunk before.
    fn flags_of_misfit(misfit: Misfit) -> CounterResetHint;

    /// The flags of a chunk that was begun because the one before was full; `misfit` is why its first sample would not have fit there.
    fn flags_of_full(misfit: Option<Misfit>) -> CounterResetHint;
}

/// Histograms with integer counts.
#[derive(Debug, Clone)]
pub(crate) struct Integers;

/// Histograms with float counts.
#[derive(Debug, Clone)]
pub(crate) struct Floats;

/// A histogram of either flavor.
pub(crate) struct View<'a, V> {
    pub(crate) hint: CounterResetHint,
    pub(crate) schema: i32,
    pub(crate) zero_threshold: f64,
    pub(crate) zero_count: V,
    pub(crate) count: V,
    pub(crate) sum: f64,
    /// Positive, then negative.
    pub(crate) sides: [SideView<'a, V>; 2],
    pub(crate) custom_values: &'a [f64],
}

/// The positive or the negative buckets.
pub(crate) struct SideView<'a, V> {
    pub(crate) spans: &'a [Span],
    pub(crate) buckets: &'a [V],
}

// === impl View ===

impl<V: Default> View<'_, V> {
    /// A stale sample: nothing but its sum is kept.
    pub(crate) fn stale(sum: f64) -> Self {
        Self {
            hint: CounterResetHint::Unknown,
            schema: 0,
            zero_threshold: 0.0,
            zero_count: V::default(),
            count: V::default(),
            sum,
            sides: [SideView { spans: &[], buckets: &[] }, SideView { spans: &[], buckets: &[] }],
            custom_values: &[],
        }
    }
}

// === impl Integers ===

impl Flavor for Integers {
    type Histogram = Histogram;
    type Lane = IntegerLane;

    const ENCODING: Encoding = Encoding::Histogram;
    const LEAST_BITS: usize = 1;

    fn view(histogram: &Histogram) -> View<'_, i64> {
        View {
            hint: histogram.counter_reset_hint,
            schema: histogram.schema,
            zero_threshold: histogram.zero_threshold,
            zero_count: histogram.zero_count as i64,
            count: histogram.count as i64,
            sum: histogram.sum,
            sides: [
                SideView { spans: &histogram.positive_spans, buckets: &histogram.positive_buckets },
                SideView { spans: &histogram.negative_spans, buckets: &histogram.negative_buckets },
            ],
            custom_values: &histogram.custom_values,
        }
    }

    fn build(parts: Parts<i64>) -> Histogram {
        let [(positive_spans, positive_buckets), (negative_spans, negative_buckets)] = parts.sides;
        let mut histogram = Histogram {
            counter_reset_hint: parts.hint,
            schema: parts.schema,
            zero_threshold: parts.zero_threshold,
            zero_count: parts.zero_count as u64,
            count: parts.count as u64,
            sum: parts.sum,
            positive_spans,
            positive_buckets,
            negative_spans,
            negative_buckets,
            custom_values: parts.custom_values,
        };
        histogram.reduce_resolution(MAX_SCHEMA);
        histogram
    }

    fn below(count: i64, other: i64) -> bool {
        (count as u64) < other as u64
    }

    fn absolute(previous: i64, stored: i64) -> i64 {
        previous.wrapping_add(stored)
    }

    fn relative(counts: Vec<i64>) -> Vec<i64> {
        bucket_differences(counts)
    }

    fn count_to_float(count: i64) -> f64 {
        count as u64 as f64
    }

    fn bucket_to_float(observations: i64) -> f64 {
        observations as f64
    }

    fn flags_of_misfit(misfit: Misfit) -> CounterResetHint {
        match misfit {
            Misfit::Reset => CounterResetHint::Reset,
            Misfit::Unlike => CounterResetHint::Unknown,
            Misfit::Gauge => CounterResetHint::NotReset,
        }
    }

    fn flags_of_full(misfit: Option<Misfit>) -> CounterResetHint {
        misfit.map_or(CounterResetHint::NotReset, Self::flags_of_misfit)
    }
}

// === impl Floats ===

impl Flavor for Floats {
    type Histogram = FloatHistogram;
    type Lane = FloatLane;

    const ENCODING: Encoding = Encoding::FloatHistogram;
    const LEAST_BITS: usize = 64;

    fn view(histogram: &FloatHistogram) -> View<'_, f64> {
        View {
            hint: histogram.counter_reset_hint,
            schema: histogram.schema,
            zero_threshold: histogram.zero_threshold,
            zero_count: histogram.zero_count,
            count: histogram.count,
            sum: histogram.sum,
            sides: [
                SideView { spans: &histogram.positive_spans, buckets: &histogram.positive_buckets },
                SideView { spans: &histogram.negative_spans, buckets: &histogram.negative_buckets },
            ],
            custom_values: &histogram.custom_values,
        }
    }

    fn build(parts: Parts<f64>) -> FloatHistogram {
        let [(positive_spans, positive_buckets), (negative_spans, negative_buckets)] = parts.sides;
        let mut histogram = FloatHistogram {
            counter_reset_hint: parts.hint,
            schema: parts.schema,
            zero_threshold: parts.zero_threshold,
            zero_count: parts.zero_count,
            count: parts.count,
            sum: parts.sum,
            positive_spans,
            positive_buckets,
            negative_spans,
            negative_buckets,
            custom_values: parts.custom_values,
        };
        histogram.reduce_resolution(MAX_SCHEMA);
        histogram
    }

    fn below(count: f64, other: f64) -> bool {
        count < other
    }

    fn absolute(_: f64, stored: f64) -> f64 {
        stored
    }

    fn relative(counts: Vec<f64>) -> Vec<f64> {
        counts
    }

    fn count_to_float(count: f64) -> f64 {
        count
    }

    fn bucket_to_float(observations: f64) -> f64 {
        observations
    }

    fn flags_of_misfit(misfit: Misfit) -> CounterResetHint {
        match misfit {
            Misfit::Reset => CounterResetHint::Reset,
            Misfit::Unlike | Misfit::Gauge => CounterResetHint::Unknown,
        }
    }

    fn flags_of_full(misfit: Option<Misfit>) -> CounterResetHint {
        match misfit {
            Some(Misfit::Reset) => CounterResetHint::Reset,
            Some(Misfit::Unlike | Misfit::Gauge) | None => CounterResetHint::NotReset,
        }
    }
}
