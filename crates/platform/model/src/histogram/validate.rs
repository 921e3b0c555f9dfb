//! Histograms that contradict themselves, named in Prometheus' words (`model/histogram`): clients know them by these texts.

use std::fmt;

use super::{
    CUSTOM_BUCKETS_SCHEMA, FloatHistogram, Histogram, MAX_SCHEMA, MIN_SCHEMA, Span, bucket_count,
    integer::counts,
};
use crate::format_value_json;

/// Which buckets are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketSide {
    /// Those above zero.
    Positive,
    /// Those below zero.
    Negative,
    /// Those with listed bounds.
    Custom,
}

/// What is wrong with a histogram.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HistogramError {
    /// The resolution is none that there is.
    #[error(
        "histogram has an invalid schema, which must be between {MIN_SCHEMA} and {MAX_SCHEMA} for exponential buckets, \
         or {CUSTOM_BUCKETS_SCHEMA} for custom buckets, got schema {0}"
    )]
    Schema(i32),
    /// A span would lie before the end of the one before.
    #[error(
        "{side}: span number {number} with offset {offset}: histogram has a span whose offset is negative"
    )]
    NegativeOffset {
        /// The side.
        side: BucketSide,
        /// The span, counted from 1.
        number: usize,
        /// Its offset.
        offset: i32,
    },
    /// The spans are for another number of buckets.
    #[error(
        "{side}: spans need {want} buckets, have {have} buckets: \
         histogram spans specify different number of buckets than provided"
    )]
    SpansMismatch {
        /// The side.
        side: BucketSide,
        /// Buckets that the spans say.
        want: usize,
        /// Buckets that are there.
        have: usize,
    },
    /// A bucket counts less than nothing.
    #[error(
        "{side}: bucket number {number} has observation count of {count}: \
         histogram has a bucket whose observation count is negative"
    )]
    NegativeBucket {
        /// The side.
        side: BucketSide,
        /// The bucket, counted from 1.
        number: usize,
        /// Its count, printed.
        count: String,
    },
    /// The zero bucket counts less than nothing.
    #[error(
        "zero bucket has observation count of {}: histogram has a bucket whose observation count is negative",
        format_value_json(*.0)
    )]
    NegativeZeroCount(f64),
    /// The whole counts less than nothing.
    #[error("observation count is  {}: histogram's observation count is negative", format_value_json(*.0))]
    NegativeCount(f64),
    /// The buckets hold other than what the whole counts.
    #[error(
        "{found} observations found in buckets, but the Count field is {count}: \
         histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)"
    )]
    CountMismatch {
        /// Observations in the buckets.
        found: u64,
        /// The histogram's count.
        count: u64,
    },
    /// The buckets hold more than the whole counts, though NaNs, which are in no bucket, were observed.
    #[error(
        "{found} observations found in buckets, but the Count field is {count}: \
         histogram's observation count should be at least the number of observations found in the buckets"
    )]
    CountTooSmall {
        /// Observations in the buckets.
        found: u64,
        /// The histogram's count.
        count: u64,
    },
    /// Custom bounds do not ascend.
    #[error(
        "custom buckets: previous bound is {} and current is {}: \
         histogram custom bounds must be in strictly increasing order", six_digits(*previous), six_digits(*current)
    )]
    BoundsOrder {
        /// The bound before.
        previous: f64,
        /// The one that is not greater.
        current: f64,
    },
    /// The bound of the last bucket is written out.
    #[error(
        "custom buckets: last +Inf bound must not be explicitly defined: histogram custom bounds must be finite"
    )]
    BoundsInfinite,
    /// A custom bound is not a number.
    #[error("custom buckets: histogram custom bounds must not be NaN")]
    BoundsNan,
    /// Buckets lie behind the last custom bound.
    #[error(
        "custom buckets: only {bounds} custom bounds defined which is insufficient to cover total span length of {length}: \
         histogram custom bounds are too few"
    )]
    BoundsTooFew {
        /// Number of bounds.
        bounds: usize,
        /// Buckets, gaps included.
        length: u64,
    },
    /// Custom buckets with something in the zero bucket.
    #[error("custom buckets: must have zero count of 0")]
    CustomZeroCount,
    /// Custom buckets with a zero bucket.
    #[error("custom buckets: must have zero threshold of 0")]
    CustomZeroThreshold,
    /// Custom buckets with spans below zero.
    #[error("custom buckets: must not have negative spans")]
    CustomNegativeSpans,
    /// Custom buckets with buckets below zero.
    #[error("custom buckets: must not have negative buckets")]
    CustomNegativeBuckets,
    /// Exponential buckets with listed bounds.
    #[error("histogram with exponential schema must not have custom bounds")]
    ExponentialBounds,
}

/// What both kinds of histograms have, with the counts left out.
struct Shape<'a> {
    schema: i32,
    no_zero_count: bool,
    zero_threshold: f64,
    positive: (&'a [Span], usize),
    negative: (&'a [Span], usize),
    custom_values: &'a [f64],
}

impl Histogram {
    /// Checks everything that Prometheus checks before it takes a histogram in.
    pub fn validate(&self) -> Result<(), HistogramError> {
        let shape = Shape {
            schema: self.schema,
            no_zero_count: self.zero_count == 0,
            zero_threshold: self.zero_threshold,
            positive: (&self.positive_spans, self.positive_buckets.len()),
            negative: (&self.negative_spans, self.negative_buckets.len()),
            custom_values: &self.custom_values,
        };
        shape.check()?;
        let mut found = self.zero_count;
        for (side, buckets) in
            [(BucketSide::Negative, &self.negative_buckets), (BucketSide::Positive, &self.positive_buckets)]
        {
            for (at, bucket) in counts(buckets).enumerate() {
                let Ok(count) = u64::try_from(bucket) else {
                    return Err(HistogramError::NegativeBucket {
                        side,
                        number: at + 1,
                        count: bucket.to_string(),
                    });
                };
                found = found.wrapping_add(count);
            }
        }
        let count = self.count;
        if self.sum.is_nan() && found > count {
            return Err(HistogramError::CountTooSmall { found, count });
        }
        if !self.sum.is_nan() && found != count {
            return Err(HistogramError::CountMismatch { found, count });
        }
        Ok(())
    }
}

impl FloatHistogram {
    /// Checks everything that Prometheus checks before it takes a histogram in. Counts need not add up: floats are rounded.
    pub fn validate(&self) -> Result<(), HistogramError> {
        let shape = Shape {
            schema: self.schema,
            no_zero_count: self.zero_count == 0.0,
            zero_threshold: self.zero_threshold,
            positive: (&self.positive_spans, self.positive_buckets.len()),
            negative: (&self.negative_spans, self.negative_buckets.len()),
            custom_values: &self.custom_values,
        };
        shape.check()?;
        check_counts(BucketSide::Negative, &self.negative_buckets)?;
        if self.zero_count < 0.0 {
            return Err(HistogramError::NegativeZeroCount(self.zero_count));
        }
        if self.count < 0.0 {
            return Err(HistogramError::NegativeCount(self.count));
        }
        check_counts(BucketSide::Positive, &self.positive_buckets)
    }
}

fn check_counts(side: BucketSide, buckets: &[f64]) -> Result<(), HistogramError> {
    match buckets.iter().position(|bucket| *bucket < 0.0) {
        Some(at) => Err(HistogramError::NegativeBucket {
            side,
            number: at + 1,
            count: format_value_json(buckets[at]),
        }),
        None => Ok(()),
    }
}

// === impl Shape ===

impl Shape<'_> {
    fn check(&self) -> Result<(), HistogramError> {
        match self.schema {
            CUSTOM_BUCKETS_SCHEMA => self.check_custom(),
            MIN_SCHEMA..=MAX_SCHEMA => self.check_exponential(),
            other => Err(HistogramError::Schema(other)),
        }
    }

    fn check_exponential(&self) -> Result<(), HistogramError> {
        for (side, (spans, have)) in
            [(BucketSide::Positive, self.positive), (BucketSide::Negative, self.negative)]
        {
            check_offsets(side, spans.get(1..).unwrap_or_default(), 2)?;
            check_length(side, spans, have)?;
        }
        if !self.custom_values.is_empty() {
            return Err(HistogramError::ExponentialBounds);
        }
        Ok(())
    }

    fn check_custom(&self) -> Result<(), HistogramError> {
        let bounds = self.custom_values;
        if bounds.iter().any(|bound| bound.is_nan()) {
            return Err(HistogramError::BoundsNan);
        }
        if let Some(pair) = bounds.windows(2).find(|pair| pair[1] <= pair[0]) {
            return Err(HistogramError::BoundsOrder { previous: pair[0], current: pair[1] });
        }
        if bounds.last() == Some(&f64::INFINITY) {
            return Err(HistogramError::BoundsInfinite);
        }
        let (spans, have) = self.positive;
        check_offsets(BucketSide::Custom, spans, 1)?;
        check_length(BucketSide::Custom, spans, have)?;
        let length: u64 =
            spans.iter().map(|span| u64::from(span.length) + u64::from(span.offset.unsigned_abs())).sum();
        if (bounds.len() as u64) + 1 < length {
            return Err(HistogramError::BoundsTooFew { bounds: bounds.len(), length });
        }
        if !self.no_zero_count {
            return Err(HistogramError::CustomZeroCount);
        }
        if self.zero_threshold != 0.0 {
            return Err(HistogramError::CustomZeroThreshold);
        }
        if !self.negative.0.is_empty() {
            return Err(HistogramError::CustomNegativeSpans);
        }
        if self.negative.1 > 0 {
            return Err(HistogramError::CustomNegativeBuckets);
        }
        Ok(())
    }
}

/// `first` is the number of the first of `spans`, counted from 1.
fn check_offsets(side: BucketSide, spans: &[Span], first: usize) -> Result<(), HistogramError> {
    match spans.iter().position(|span| span.offset < 0) {
        Some(at) => {
            Err(HistogramError::NegativeOffset { side, number: first + at, offset: spans[at].offset })
        }
        None => Ok(()),
    }
}

fn check_length(side: BucketSide, spans: &[Span], have: usize) -> Result<(), HistogramError> {
    let want = bucket_count(spans);
    if want == have { Ok(()) } else { Err(HistogramError::SpansMismatch { side, want, have }) }
}

impl fmt::Display for BucketSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Positive => "positive side",
            Self::Negative => "negative side",
            Self::Custom => "custom buckets",
        })
    }
}

/// A bound as Go's `%f` prints it.
fn six_digits(bound: f64) -> String {
    if bound.is_infinite() { format_value_json(bound) } else { format!("{bound:.6}") }
}

#[cfg(test)]
mod tests;
