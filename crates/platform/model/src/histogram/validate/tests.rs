//! One contradiction each, and the text for it.

use super::*;

fn spans(list: &[(i32, u32)]) -> Vec<Span> {
    list.iter().map(|(offset, length)| Span { offset: *offset, length: *length }).collect()
}

/// Buckets 1 2 0 1 above zero, 3 below, 1 at zero: 8 observations.
fn exponential() -> Histogram {
    Histogram {
        count: 8,
        zero_count: 1,
        zero_threshold: 0.001,
        sum: 1.5,
        schema: 3,
        positive_spans: spans(&[(-1, 2), (3, 2)]),
        positive_buckets: vec![1, 1, -2, 1],
        negative_spans: spans(&[(0, 1)]),
        negative_buckets: vec![3],
        ..Histogram::default()
    }
}

fn custom() -> Histogram {
    Histogram {
        count: 3,
        sum: 4.5,
        schema: CUSTOM_BUCKETS_SCHEMA,
        positive_spans: spans(&[(0, 1), (1, 1)]),
        positive_buckets: vec![1, 1],
        custom_values: vec![1.0, 2.0],
        ..Histogram::default()
    }
}

#[track_caller]
fn check(mut histogram: Histogram, change: impl FnOnce(&mut Histogram), want: &str) {
    change(&mut histogram);
    assert_eq!(histogram.validate().unwrap_err().to_string(), want);
}

#[track_caller]
fn check_float(histogram: &Histogram, change: impl FnOnce(&mut FloatHistogram), want: &str) {
    let mut float = histogram.to_float();
    change(&mut float);
    assert_eq!(float.validate().unwrap_err().to_string(), want);
}

#[test]
fn what_holds_is_taken() {
    for histogram in [exponential(), custom(), Histogram::default()] {
        histogram.validate().unwrap();
        histogram.to_float().validate().unwrap();
    }
    // NaN observations are counted, but in no bucket.
    Histogram { count: 9, sum: f64::NAN, ..exponential() }.validate().unwrap();
}

#[test]
fn exponential_buckets() {
    check(
        exponential(),
        |h| h.schema = 9,
        "histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, or -53 for custom buckets, got schema 9",
    );
    check(
        exponential(),
        |h| h.positive_spans[1].offset = -1,
        "positive side: span number 2 with offset -1: histogram has a span whose offset is negative",
    );
    check(
        exponential(),
        |h| h.negative_buckets.clear(),
        "negative side: spans need 1 buckets, have 0 buckets: histogram spans specify different number of buckets than provided",
    );
    check(
        exponential(),
        |h| h.positive_buckets[2] = -3,
        "positive side: bucket number 3 has observation count of -1: histogram has a bucket whose observation count is negative",
    );
    check(
        exponential(),
        |h| h.count = 7,
        "8 observations found in buckets, but the Count field is 7: histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)",
    );
    check(
        exponential(),
        |h| (h.count, h.sum) = (7, f64::NAN),
        "8 observations found in buckets, but the Count field is 7: histogram's observation count should be at least the number of observations found in the buckets",
    );
    check(
        exponential(),
        |h| h.custom_values.push(1.0),
        "histogram with exponential schema must not have custom bounds",
    );
}

#[test]
fn float_counts() {
    check_float(
        &exponential(),
        |h| h.negative_buckets[0] = -0.5,
        "negative side: bucket number 1 has observation count of -0.5: histogram has a bucket whose observation count is negative",
    );
    check_float(
        &exponential(),
        |h| h.zero_count = -2.0,
        "zero bucket has observation count of -2: histogram has a bucket whose observation count is negative",
    );
    check_float(
        &exponential(),
        |h| h.count = -2.0,
        "observation count is  -2: histogram's observation count is negative",
    );
}

#[test]
fn custom_buckets() {
    check(
        custom(),
        |h| h.custom_values = vec![1.0, 1.0],
        "custom buckets: previous bound is 1.000000 and current is 1.000000: histogram custom bounds must be in strictly increasing order",
    );
    check(
        custom(),
        |h| h.custom_values = vec![1.0, f64::NAN],
        "custom buckets: histogram custom bounds must not be NaN",
    );
    check(
        custom(),
        |h| h.custom_values = vec![1.0, f64::INFINITY],
        "custom buckets: last +Inf bound must not be explicitly defined: histogram custom bounds must be finite",
    );
    check(
        custom(),
        |h| h.custom_values = vec![1.0],
        "custom buckets: only 1 custom bounds defined which is insufficient to cover total span length of 3: histogram custom bounds are too few",
    );
    check(
        custom(),
        |h| h.positive_spans[0].offset = -1,
        "custom buckets: span number 1 with offset -1: histogram has a span whose offset is negative",
    );
    check(custom(), |h| h.zero_count = 1, "custom buckets: must have zero count of 0");
    check(custom(), |h| h.zero_threshold = 0.1, "custom buckets: must have zero threshold of 0");
    check(custom(), |h| h.negative_spans = spans(&[(0, 0)]), "custom buckets: must not have negative spans");
    check(custom(), |h| h.negative_buckets.push(1), "custom buckets: must not have negative buckets");
}
