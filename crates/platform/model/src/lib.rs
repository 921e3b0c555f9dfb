//! The words every part of the stack shares: labels, matchers, samples, histograms, and how Prometheus writes them down.
//!
//! Times are milliseconds since the Unix epoch ([`Millis`]) everywhere but in logs, where they are nanoseconds ([`Nanos`]).
//! Nothing here does I/O, knows a wire format or evaluates anything.

#![forbid(unsafe_code)]

mod columns;
mod float;
mod histogram;
mod json;
mod labels;
mod matcher;
mod names;
mod quote;

pub use columns::{Columns, HistogramPoint};
pub use float::{
    STALE_NAN, format_value, format_value_json, is_stale, parse_float, write_value, write_value_json,
    write_value_text,
};
pub use histogram::{
    BucketSide, CUSTOM_BUCKETS_SCHEMA, CounterResetHint, FloatHistogram, Histogram, HistogramError,
    MAX_SCHEMA, MAX_STORED_SCHEMA, MIN_SCHEMA, MIN_STORED_SCHEMA, Span, SpanUnion, bucket_count,
    bucket_differences, bucket_indexes, is_stored_schema, shortest_spans,
};
pub use json::{write_json_members, write_json_text};
pub use labels::{Labels, LabelsBuilder, SortedLabels};
pub use matcher::{MatchOp, Matcher, MatcherError};
pub use names::{
    ALERT_NAME, BUCKET, INSTANCE, JOB, METRIC_NAME, QUANTILE, is_legacy_label_name, is_legacy_metric_name,
};
pub use quote::{quote, write_quoted};

/// Milliseconds since the Unix epoch.
pub type Millis = i64;

/// Nanoseconds since the Unix epoch.
pub type Nanos = i64;
