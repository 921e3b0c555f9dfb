//! Arithmetic, resets and quantiles of native histograms.

use model::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint};

use super::{arithmetic::IncompatibleSchemas, *};

fn exponential(schema: i32, positive: &[(i32, f64)]) -> Native {
    let count = positive.iter().map(|(_, count)| count).sum();
    Native {
        hint: CounterResetHint::Unknown,
        schema,
        zero_threshold: 0.0,
        zero_count: 0.0,
        count,
        sum: count,
        positive: positive.to_vec(),
        negative: Vec::new(),
        custom_values: Vec::new(),
    }
}

fn custom(bounds: &[f64], buckets: &[(i32, f64)]) -> Native {
    Native { schema: CUSTOM_BUCKETS_SCHEMA, custom_values: bounds.to_vec(), ..exponential(0, buckets) }
}

#[test]
fn converts_there_and_back_without_empty_buckets() {
    let stored = FloatHistogram {
        positive_spans: vec![Span { offset: -2, length: 2 }, Span { offset: 1, length: 2 }],
        positive_buckets: vec![1.0, 0.0, 3.0, 4.0],
        ..FloatHistogram::default()
    };
    let native = Native::from(&stored);
    assert_eq!(native.positive, [(-2, 1.0), (1, 3.0), (2, 4.0)]);
    let back = FloatHistogram::from(native);
    assert_eq!(back.positive_spans, [Span { offset: -2, length: 1 }, Span { offset: 2, length: 2 }]);
    assert_eq!(back.positive_buckets, [1.0, 3.0, 4.0]);
}

#[test]
fn sums_lower_the_resolution() {
    let mut sum = exponential(1, &[(1, 1.0), (2, 2.0), (3, 4.0)]);
    sum.add(&exponential(0, &[(1, 10.0)]), 1.0).unwrap();
    assert_eq!((sum.schema, sum.positive.as_slice()), (0, &[(1, 13.0), (2, 4.0)][..]));
    assert_eq!(sum.add(&custom(&[1.0], &[]), 1.0), Err(IncompatibleSchemas));
}

#[test]
fn zero_buckets_grow_to_the_wider_one() {
    let mut narrow = exponential(0, &[(0, 1.0), (1, 2.0)]);
    let wide = Native { zero_threshold: 0.75, zero_count: 5.0, ..exponential(0, &[]) };
    narrow.add(&wide, 1.0).unwrap();
    // The bucket (0.5, 1] is populated, so the zero bucket takes all of it in.
    assert_eq!((narrow.zero_threshold, narrow.zero_count), (1.0, 6.0));
    assert_eq!(narrow.positive, [(1, 2.0)]);
}

#[test]
fn custom_bounds_are_reconciled() {
    let mut sum = custom(&[1.0, 5.0], &[(0, 1.0), (1, 2.0), (2, 3.0)]);
    let notes = sum.add(&custom(&[5.0, 10.0], &[(0, 10.0), (1, 20.0)]), 1.0).unwrap();
    assert!(notes.bounds_reconciled);
    assert_eq!(sum.custom_values, [5.0]);
    assert_eq!(sum.positive, [(0, 13.0), (1, 23.0)]);
}

#[test]
fn resets_are_found_by_buckets_and_hints() {
    let before = exponential(0, &[(1, 2.0), (2, 2.0)]);
    assert!(!is_reset(&exponential(0, &[(1, 2.0), (2, 3.0)]), &before));
    assert!(is_reset(&exponential(0, &[(1, 1.0), (2, 9.0)]), &before));
    assert!(is_reset(&exponential(0, &[(1, 1.0)]), &before));
    assert!(is_reset(&exponential(1, &[(1, 9.0), (2, 9.0), (3, 9.0)]), &before));
    let hinted = Native { hint: CounterResetHint::NotReset, ..exponential(0, &[]) };
    assert!(!is_reset(&hinted, &before));
}

#[test]
fn quantiles_and_shares() {
    let histogram = custom(&[1.0, 2.0, 4.0], &[(0, 1.0), (1, 1.0), (2, 2.0)]);
    assert_eq!(quantile(0.25, &histogram).0, 1.0);
    assert_eq!(quantile(0.75, &histogram).0, 3.0);
    assert_eq!(quantile(1.0, &histogram).0, 4.0);
    assert_eq!(fraction(0.0, 2.0, &histogram).0, 0.5);
    let histogram = exponential(0, &[(1, 4.0)]);
    assert_eq!(quantile(0.5, &histogram).0, 2f64.sqrt());
    assert!(quantile(0.5, &exponential(0, &[])).0.is_nan());
    assert_eq!(
        histogram_text(&exponential(0, &[(0, 1.0), (1, 2.0)])),
        "{count:3, sum:3, (0.5,1]:1, (1,2]:2}"
    );
}
