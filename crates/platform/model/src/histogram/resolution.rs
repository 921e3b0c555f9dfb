//! Fewer buckets for the same observations.

use std::ops::AddAssign;

use super::{
    CUSTOM_BUCKETS_SCHEMA, FloatHistogram, Histogram, Span,
    integer::{bucket_differences, counts},
    spans::{SpanBuilder, bucket_indexes},
};

impl Histogram {
    /// Merges buckets until the resolution is `schema`. One that is as coarse already, or has custom buckets, stays as it is.
    pub fn reduce_resolution(&mut self, schema: i32) {
        let Some(shift) = shift(self.schema, schema) else {
            return;
        };
        self.schema = schema;
        for (spans, buckets) in [
            (&mut self.positive_spans, &mut self.positive_buckets),
            (&mut self.negative_spans, &mut self.negative_buckets),
        ] {
            let merged = merge(spans, counts(buckets), shift);
            (*spans, *buckets) = (merged.0, bucket_differences(merged.1));
        }
    }
}

impl FloatHistogram {
    /// Merges buckets until the resolution is `schema`. One that is as coarse already, or has custom buckets, stays as it is.
    pub fn reduce_resolution(&mut self, schema: i32) {
        let Some(shift) = shift(self.schema, schema) else {
            return;
        };
        self.schema = schema;
        for (spans, buckets) in [
            (&mut self.positive_spans, &mut self.positive_buckets),
            (&mut self.negative_spans, &mut self.negative_buckets),
        ] {
            (*spans, *buckets) = merge(spans, buckets.iter().copied(), shift);
        }
    }
}

/// A step of the schema halves the number of buckets: 2^shift of them become one.
fn shift(from: i32, to: i32) -> Option<u32> {
    let custom = from == CUSTOM_BUCKETS_SCHEMA || to == CUSTOM_BUCKETS_SCHEMA;
    u32::try_from(from.saturating_sub(to)).ok().filter(|shift| !custom && (1..64).contains(shift))
}

/// Bucket `i` reaches up to `base^i`, so that buckets `(k-1)·2^shift + 1 … k·2^shift` become bucket `k`.
fn merge<T: Copy + AddAssign>(
    spans: &[Span],
    counts: impl Iterator<Item = T>,
    shift: u32,
) -> (Vec<Span>, Vec<T>) {
    let mut builder = SpanBuilder::default();
    let mut merged: Vec<T> = Vec::new();
    let mut last = None;
    for (index, count) in bucket_indexes(spans).zip(counts) {
        let index = ((index - 1) >> shift) + 1;
        match merged.last_mut() {
            Some(sum) if last == Some(index) => *sum += count,
            _ => {
                builder.push(index);
                merged.push(count);
                last = Some(index);
            }
        }
    }
    (builder.spans, merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(list: &[(i32, u32)]) -> Vec<Span> {
        list.iter().map(|(offset, length)| Span { offset: *offset, length: *length }).collect()
    }

    #[test]
    fn neighbours_become_one_bucket() {
        // Buckets 0 … 3, 5, 6, 10: two at a time they are 0, 1, 2, 3, 5.
        let mut histogram = Histogram {
            schema: 1,
            positive_spans: spans(&[(0, 4), (1, 2), (3, 1)]),
            positive_buckets: vec![1, 2, -2, 1, -1, 3, 0],
            ..Histogram::default()
        };
        let mut float = histogram.to_float();
        assert_eq!(float.positive_buckets, [1.0, 3.0, 1.0, 2.0, 1.0, 4.0, 4.0]);
        histogram.reduce_resolution(0);
        float.reduce_resolution(0);
        assert_eq!(histogram.positive_spans, spans(&[(0, 4), (1, 1)]));
        assert_eq!(float.positive_buckets, [1.0, 4.0, 2.0, 5.0, 4.0]);
        assert_eq!(histogram.to_float(), float);
    }

    #[test]
    fn negative_indexes_are_rounded_up_too() {
        let mut float = FloatHistogram {
            schema: 3,
            negative_spans: spans(&[(-5, 6)]),
            negative_buckets: vec![1.0; 6],
            ..FloatHistogram::default()
        };
        float.reduce_resolution(1);
        // -5 and -4 belong to -1, -3 … 0 to 0.
        assert_eq!(float.negative_spans, spans(&[(-1, 2)]));
        assert_eq!(float.negative_buckets, [2.0, 4.0]);
    }

    #[test]
    fn what_is_coarse_or_custom_stays() {
        let mut float = FloatHistogram { schema: 2, ..FloatHistogram::default() };
        float.reduce_resolution(3);
        assert_eq!(float.schema, 2);
        float.schema = CUSTOM_BUCKETS_SCHEMA;
        float.reduce_resolution(-60);
        assert_eq!(float.schema, CUSTOM_BUCKETS_SCHEMA);
    }
}
