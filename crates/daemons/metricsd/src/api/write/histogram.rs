//! Native histograms as remote write sends them (`prometheus.Histogram`).

use model::{CounterResetHint, FloatHistogram, Histogram, MAX_SCHEMA, MAX_STORED_SCHEMA, Millis, Span};
use prost::Message;
use storage::HistogramSample;
use wire::prometheus::{
    self as proto, BucketSpan,
    histogram::{Count, ResetHint, ZeroCount},
};

/// A histogram as it came. Whether it makes sense is for the storage to say.
pub(super) struct ReceivedHistogram {
    pub(super) timestamp: Millis,
    kind: Kind,
}

enum Kind {
    Integer(Histogram),
    Float(FloatHistogram),
}

// === impl ReceivedHistogram ===

impl ReceivedHistogram {
    /// Reads the message; its count says whether it has integer or float counts.
    pub(super) fn decode(message: &[u8]) -> Result<Self, prost::DecodeError> {
        let message = proto::Histogram::decode(message)?;
        let timestamp = message.timestamp;
        let kind = match message.count {
            Some(Count::CountFloat(count)) => Kind::Float(float(message, count)),
            Some(Count::CountInt(count)) => Kind::Integer(integer(message, count)),
            None => Kind::Integer(integer(message, 0)),
        };
        Ok(Self { timestamp, kind })
    }

    pub(super) fn sample(&self) -> HistogramSample<'_> {
        match &self.kind {
            Kind::Integer(histogram) => HistogramSample::Integer(histogram),
            Kind::Float(histogram) => HistogramSample::Float(histogram),
        }
    }
}

fn integer(message: proto::Histogram, count: u64) -> Histogram {
    let mut histogram = Histogram {
        counter_reset_hint: hint(message.reset_hint()),
        schema: message.schema,
        zero_threshold: message.zero_threshold,
        zero_count: match message.zero_count {
            Some(ZeroCount::ZeroCountInt(count)) => count,
            Some(ZeroCount::ZeroCountFloat(_)) | None => 0,
        },
        count,
        sum: message.sum,
        positive_spans: spans(&message.positive_spans),
        positive_buckets: message.positive_deltas,
        negative_spans: spans(&message.negative_spans),
        negative_buckets: message.negative_deltas,
        custom_values: message.custom_values,
    };
    if is_finer(histogram.schema) {
        histogram.reduce_resolution(MAX_SCHEMA);
    }
    histogram
}

fn float(message: proto::Histogram, count: f64) -> FloatHistogram {
    let mut histogram = FloatHistogram {
        counter_reset_hint: hint(message.reset_hint()),
        schema: message.schema,
        zero_threshold: message.zero_threshold,
        zero_count: match message.zero_count {
            Some(ZeroCount::ZeroCountFloat(count)) => count,
            Some(ZeroCount::ZeroCountInt(_)) | None => 0.0,
        },
        count,
        sum: message.sum,
        positive_spans: spans(&message.positive_spans),
        positive_buckets: message.positive_counts,
        negative_spans: spans(&message.negative_spans),
        negative_buckets: message.negative_counts,
        custom_values: message.custom_values,
    };
    if is_finer(histogram.schema) {
        histogram.reduce_resolution(MAX_SCHEMA);
    }
    histogram
}

/// Whether a resolution is known, but finer than anything computes with.
fn is_finer(schema: i32) -> bool {
    (MAX_SCHEMA + 1..=MAX_STORED_SCHEMA).contains(&schema)
}

fn hint(hint: ResetHint) -> CounterResetHint {
    match hint {
        ResetHint::Unknown => CounterResetHint::Unknown,
        ResetHint::Yes => CounterResetHint::Reset,
        ResetHint::No => CounterResetHint::NotReset,
        ResetHint::Gauge => CounterResetHint::Gauge,
    }
}

fn spans(spans: &[BucketSpan]) -> Vec<Span> {
    spans.iter().map(|span| Span { offset: span.offset, length: span.length }).collect()
}
