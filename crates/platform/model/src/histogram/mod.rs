//! Native histograms: sparse buckets, with the integer counts that clients send or with the float counts that queries compute with.

mod integer;
mod resolution;
mod same;
mod spans;
mod validate;

pub use integer::{Histogram, bucket_differences};
pub use spans::{Span, SpanUnion, bucket_count, bucket_indexes, shortest_spans};
pub use validate::{BucketSide, HistogramError};

/// The schema that marks custom bucket boundaries instead of exponential ones.
pub const CUSTOM_BUCKETS_SCHEMA: i32 = -53;
/// The finest resolution that anything computes with.
pub const MAX_SCHEMA: i32 = 8;
/// The coarsest resolution that is taken in.
pub const MIN_SCHEMA: i32 = -4;
/// The finest resolution that may be met in files: finer than [`MAX_SCHEMA`] is reduced to it when it is read.
pub const MAX_STORED_SCHEMA: i32 = 52;
/// The coarsest resolution that may be met in files.
pub const MIN_STORED_SCHEMA: i32 = -9;

/// Whether files may hold histograms of this schema.
pub fn is_stored_schema(schema: i32) -> bool {
    schema == CUSTOM_BUCKETS_SCHEMA || (MIN_STORED_SCHEMA..=MAX_STORED_SCHEMA).contains(&schema)
}

/// What is known about a counter reset between this histogram and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CounterResetHint {
    /// Nothing: compare the two to find out.
    #[default]
    Unknown,
    /// A reset happened just before this sample.
    Reset,
    /// No reset happened.
    NotReset,
    /// This is a gauge histogram: resets have no meaning.
    Gauge,
}

/// A native histogram with float counts. An integer histogram is converted to this before anything computes with it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FloatHistogram {
    /// What is known about a preceding reset.
    pub counter_reset_hint: CounterResetHint,
    /// Resolution, −4 … 8, or [`CUSTOM_BUCKETS_SCHEMA`].
    pub schema: i32,
    /// Width of the zero bucket: it takes observations in `[-zero_threshold, zero_threshold]`.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// All observations.
    pub count: f64,
    /// Sum of all observed values; the staleness marker here marks the whole sample as stale.
    pub sum: f64,
    /// Where the positive buckets lie.
    pub positive_spans: Vec<Span>,
    /// Absolute counts of the positive buckets, in the order of their spans.
    pub positive_buckets: Vec<f64>,
    /// Where the negative buckets lie.
    pub negative_spans: Vec<Span>,
    /// Absolute counts of the negative buckets, in the order of their spans.
    pub negative_buckets: Vec<f64>,
    /// Upper bounds of custom buckets, ascending, without `+Inf`; empty for exponential schemas.
    pub custom_values: Vec<f64>,
}
