//! When two histograms are the same sample, as Prometheus decides it for samples that come twice.

use super::{FloatHistogram, Histogram, Span, bucket_indexes};

impl Histogram {
    /// Whether both say the same, bit by bit; what is known about resets does not matter. Spans may be divided in other ways, but empty
    /// buckets count.
    pub fn is_same(&self, other: &Self) -> bool {
        self.schema == other.schema
            && self.count == other.count
            && self.zero_count == other.zero_count
            && self.sum.to_bits() == other.sum.to_bits()
            && self.zero_threshold.to_bits() == other.zero_threshold.to_bits()
            && self.positive_buckets == other.positive_buckets
            && self.negative_buckets == other.negative_buckets
            && same_place(&self.positive_spans, &other.positive_spans)
            && same_place(&self.negative_spans, &other.negative_spans)
            && same_bits(&self.custom_values, &other.custom_values)
    }
}

impl FloatHistogram {
    /// Whether both say the same, bit by bit; what is known about resets does not matter. Spans may be divided in other ways, but empty
    /// buckets count.
    pub fn is_same(&self, other: &Self) -> bool {
        self.schema == other.schema
            && self.count.to_bits() == other.count.to_bits()
            && self.zero_count.to_bits() == other.zero_count.to_bits()
            && self.sum.to_bits() == other.sum.to_bits()
            && self.zero_threshold.to_bits() == other.zero_threshold.to_bits()
            && same_bits(&self.positive_buckets, &other.positive_buckets)
            && same_bits(&self.negative_buckets, &other.negative_buckets)
            && same_place(&self.positive_spans, &other.positive_spans)
            && same_place(&self.negative_spans, &other.negative_spans)
            && same_bits(&self.custom_values, &other.custom_values)
    }
}

fn same_place(spans: &[Span], other: &[Span]) -> bool {
    spans == other || bucket_indexes(spans).eq(bucket_indexes(other))
}

fn same_bits(floats: &[f64], other: &[f64]) -> bool {
    floats.iter().map(|float| float.to_bits()).eq(other.iter().map(|float| float.to_bits()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CounterResetHint, STALE_NAN};

    fn spans(list: &[(i32, u32)]) -> Vec<Span> {
        list.iter().map(|(offset, length)| Span { offset: *offset, length: *length }).collect()
    }

    #[test]
    fn spans_and_hints_may_differ() {
        let integer = Histogram {
            count: 3,
            sum: STALE_NAN,
            positive_spans: spans(&[(1, 1), (0, 1)]),
            positive_buckets: vec![1, 1],
            ..Histogram::default()
        };
        let other = Histogram {
            positive_spans: spans(&[(1, 2)]),
            counter_reset_hint: CounterResetHint::Reset,
            ..integer.clone()
        };
        assert!(integer.is_same(&other) && integer.to_float().is_same(&other.to_float()));
        let moved = Histogram { positive_spans: spans(&[(2, 2)]), ..integer.clone() };
        assert!(!integer.is_same(&moved) && !integer.to_float().is_same(&moved.to_float()));
        let value = Histogram { sum: f64::NAN, ..integer.clone() };
        assert!(!integer.is_same(&value) && !integer.to_float().is_same(&value.to_float()));
    }
}
