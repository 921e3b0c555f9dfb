//! Facts of the format, the rules for what follows what, round trips, and garbage.

use std::collections::BTreeMap;

use model::{
    CUSTOM_BUCKETS_SCHEMA, Columns, FloatHistogram, Histogram, STALE_NAN, Span, bucket_differences,
    bucket_indexes,
};
use proptest::prelude::*;

use super::*;
use crate::chunk::{ChunkError, Encoding, decode, tests::packed};

type IntegerEncoder = HistogramEncoder<Integers>;
type FloatEncoder = HistogramEncoder<Floats>;

fn spans(list: &[(i32, u32)]) -> Vec<Span> {
    list.iter().map(|(offset, length)| Span { offset: *offset, length: *length }).collect()
}

fn read(encoding: Encoding, chunk: &[u8]) -> Result<Columns, ChunkError> {
    let mut columns = Columns::default();
    decode(encoding, chunk, usize::MAX, (i64::MIN, i64::MAX), &mut columns)?;
    Ok(columns)
}

fn floats(chunk: &IntegerEncoder) -> Vec<FloatHistogram> {
    let columns = read(Encoding::Histogram, chunk.bytes()).unwrap();
    columns.histograms.into_iter().map(|point| point.histogram).collect()
}

#[track_caller]
fn new_chunk<E>(appended: Appended<E>) -> E {
    match appended {
        Appended::NewChunk(encoder) => encoder,
        Appended::Same | Appended::Recoded => panic!("it fits"),
    }
}

fn flags(chunk: &IntegerEncoder) -> u8 {
    chunk.bytes()[2] >> 6
}

/// Buckets 0 and 1 with the given counts.
fn two(first: u64, second: u64) -> Histogram {
    Histogram {
        count: first + second,
        sum: 1.0,
        positive_spans: spans(&[(0, 2)]),
        positive_buckets: vec![first as i64, second as i64 - first as i64],
        ..Histogram::default()
    }
}

// === the bits ===

#[test]
fn the_first_histogram_stands_behind_the_layout() {
    let histogram = Histogram {
        count: 11,
        zero_count: 2,
        sum: 18.4,
        zero_threshold: 1e-125,
        schema: 1,
        positive_spans: spans(&[(0, 2), (3, 1)]),
        positive_buckets: vec![2, 1, -2],
        negative_spans: spans(&[(-2, 1)]),
        negative_buckets: vec![3],
        ..Histogram::default()
    };
    let chunk = IntegerEncoder::begin(None, 300, &histogram);
    let layout = format!(
        "11111111 {:064b} 10 001   10 010  10 010 0  10 001 10 011   10 001  10 001 10 110",
        1e-125f64.to_bits()
    );
    let sample = format!(
        "11110 000100101100 110 001011 10 010 {:064b} 10 010 10 001 10 110 10 011",
        18.4f64.to_bits()
    );
    let want = packed(&[0, 1, 0], &format!("{layout} {sample}"));
    assert_eq!(chunk.bytes(), want);
    assert_eq!(floats(&chunk), [histogram.to_float()]);
}

#[test]
fn counts_change_by_the_change_of_their_change() {
    let mut chunk = IntegerEncoder::begin(None, 0, &two(1, 1));
    chunk.append(10, &two(2, 3));
    chunk.append(20, &two(3, 5));
    let one = 1f64.to_bits();
    let first = format!("00000000 0 10 001 10 010 0 0  0 10 010 0 {one:064b} 10 001 0");
    // Time 10, count 3, bucket differences 1 and 1 more; then the same steps again.
    let second = "110 001010 10 011 0 0 10 001 10 001";
    let third = "0 0 0 0 0 0";
    assert_eq!(chunk.bytes(), packed(&[0, 3, 0], &format!("{first} {second} {third}")));
}

#[test]
fn floats_change_by_their_bits() {
    let histogram = two(1, 1).to_float();
    let mut chunk = FloatEncoder::begin(None, 0, &histogram);
    let changed = FloatHistogram { sum: 2.0, positive_buckets: vec![1.0, 2.0], count: 3.0, ..histogram };
    chunk.append(1, &changed);
    let (one, two) = (1f64.to_bits(), 2f64.to_bits());
    let first =
        format!("00000000 0 10 001 10 010 0 0  0 {two:064b} {:064b} {one:064b} {one:064b} {one:064b}", 0);
    let window = |change: u64| {
        let significant = 64 - change.leading_zeros() - change.trailing_zeros();
        format!("11 {:05b} {significant:06b} {:b}", change.leading_zeros(), change >> change.trailing_zeros())
    };
    let second =
        format!("10 001 {} 0 {} 0 {}", window(two ^ 3f64.to_bits()), window(one ^ two), window(one ^ two));
    assert_eq!(chunk.bytes(), packed(&[0, 2, 0], &format!("{first} {second}")));
}

#[test]
fn stale_samples_have_no_buckets() {
    let stale = Histogram { sum: STALE_NAN, ..two(7, 7) };
    let mut chunk = IntegerEncoder::begin(None, 0, &two(1, 1));
    assert!(matches!(chunk.append(10, &stale), Appended::Same));
    assert!(matches!(chunk.append(20, &stale), Appended::Same));
    let read = floats(&chunk);
    assert_eq!(read[0], two(1, 1).to_float());
    for histogram in &read[1..] {
        assert_eq!(histogram.sum.to_bits(), STALE_NAN.to_bits());
        assert_eq!(FloatHistogram { sum: 0.0, ..histogram.clone() }, FloatHistogram::default());
    }
    // A chunk that begins with one has an empty layout.
    let chunk = IntegerEncoder::begin(None, 0, &stale);
    assert_eq!(
        chunk.bytes(),
        packed(&[0, 1, 0], &format!("00000000 0 0 0 0 0 0 {:064b}", STALE_NAN.to_bits()))
    );
}

// === what follows what ===

#[test]
fn only_the_first_sample_of_a_chunk_has_an_unknown_hint() {
    let mut chunk = IntegerEncoder::begin(None, 0, &two(1, 1));
    chunk.append(10, &two(2, 2));
    let hints =
        |chunk: &IntegerEncoder| floats(chunk).iter().map(|h| h.counter_reset_hint).collect::<Vec<_>>();
    assert_eq!(hints(&chunk), [CounterResetHint::Unknown, CounterResetHint::NotReset]);
    let gauge = Histogram { counter_reset_hint: CounterResetHint::Gauge, ..two(1, 1) };
    let mut chunk = IntegerEncoder::begin(None, 0, &gauge);
    chunk.append(10, &gauge);
    assert_eq!(hints(&chunk), [CounterResetHint::Gauge; 2]);
}

#[test]
fn what_does_not_fit_begins_a_chunk_with_what_is_known() {
    let check = |change: &dyn Fn(&mut Histogram), want: u8| {
        let mut chunk = IntegerEncoder::begin(None, 0, &two(5, 5));
        let mut next = two(6, 6);
        change(&mut next);
        let before = chunk.bytes().to_vec();
        assert_eq!(flags(&new_chunk(chunk.append(10, &next))), want);
        assert_eq!(chunk.bytes(), before, "the chunk before stays");
    };
    check(&|h| *h = two(4, 6), 0b10);
    check(&|h| *h = two(1, 1), 0b10);
    check(&|h| h.positive_spans = spans(&[(0, 1), (1, 1)]), 0b10);
    check(&|h| h.counter_reset_hint = CounterResetHint::Reset, 0b10);
    check(&|h| h.schema = 1, 0b00);
    check(&|h| h.zero_threshold = 0.5, 0b00);
    check(&|h| h.counter_reset_hint = CounterResetHint::Gauge, 0b11);

    let mut gauges = IntegerEncoder::begin(
        None,
        0,
        &Histogram { counter_reset_hint: CounterResetHint::Gauge, ..two(5, 5) },
    );
    assert_eq!(flags(&new_chunk(gauges.append(10, &two(6, 6)))), 0b01);
    let mut stale = IntegerEncoder::begin(None, 0, &Histogram { sum: STALE_NAN, ..Histogram::default() });
    assert_eq!(flags(&new_chunk(stale.append(10, &two(6, 6)))), 0b00);
    let mut zero = IntegerEncoder::begin(None, 0, &Histogram { zero_count: 3, count: 13, ..two(5, 5) });
    assert_eq!(
        flags(&new_chunk(zero.append(10, &Histogram { zero_count: 2, count: 20, ..two(9, 9) }))),
        0b10
    );
}

#[test]
fn other_bounds_count_as_a_reset() {
    let custom = |bounds: &[f64]| Histogram {
        schema: CUSTOM_BUCKETS_SCHEMA,
        custom_values: bounds.to_vec(),
        ..two(5, 5)
    };
    let mut chunk = IntegerEncoder::begin(None, 0, &custom(&[1.0, 2.0]));
    assert!(matches!(chunk.append(10, &custom(&[1.0, 2.0])), Appended::Same));
    let next = new_chunk(chunk.append(20, &custom(&[1.0, 2.5])));
    assert_eq!(flags(&next), 0b10);
    assert_eq!(floats(&next)[0].custom_values, [1.0, 2.5]);
}

#[test]
fn a_full_chunk_tells_the_next_what_is_known() {
    let chunk = IntegerEncoder::begin(None, 0, &two(5, 5));
    let begin = |histogram: &Histogram| flags(&IntegerEncoder::begin(Some(&chunk), 10, histogram));
    assert_eq!(begin(&two(6, 6)), 0b01);
    assert_eq!(begin(&two(4, 6)), 0b10);
    assert_eq!(begin(&Histogram { schema: 1, ..two(6, 6) }), 0b00);
    assert_eq!(flags(&IntegerEncoder::begin(None, 10, &two(6, 6))), 0b00);
    // Of floats, all that is no reset is none.
    let chunk = FloatEncoder::begin(None, 0, &two(5, 5).to_float());
    let next = FloatEncoder::begin(Some(&chunk), 10, &Histogram { schema: 1, ..two(6, 6) }.to_float());
    assert_eq!(next.bytes()[2] >> 6, 0b01);
}

#[test]
fn new_buckets_are_put_into_the_whole_chunk() {
    // The example in Prometheus' source: 6 3 _ _ 3 _ _ _ 2 4 _ _ _ 5 _ 1.
    let old = Histogram {
        count: 24,
        positive_spans: spans(&[(0, 2), (2, 1), (3, 2), (3, 1), (1, 1)]),
        positive_buckets: vec![6, -3, 0, -1, 2, 1, -4],
        ..Histogram::default()
    };
    let new = Histogram {
        count: 32,
        positive_spans: spans(&[(0, 3), (1, 1), (1, 4), (3, 3)]),
        positive_buckets: vec![7, -3, -3, 3, -3, 0, 2, 2, 2, -6, 2],
        ..Histogram::default()
    };
    let mut chunk = IntegerEncoder::begin(None, 0, &old);
    assert!(matches!(chunk.append(10, &new), Appended::Recoded));
    assert_eq!(chunk.len(), 2);
    let mut want = IntegerEncoder::begin(
        None,
        0,
        &Histogram {
            positive_spans: new.positive_spans.clone(),
            positive_buckets: vec![6, -3, -3, 3, -3, 0, 2, 2, 1, -5, 1],
            ..old
        },
    );
    assert!(matches!(want.append(10, &new), Appended::Same));
    assert_eq!(chunk.bytes(), want.bytes());
}

#[test]
fn buckets_that_are_empty_may_go() {
    let wide = Histogram {
        count: 2,
        positive_spans: spans(&[(0, 4)]),
        positive_buckets: vec![0, 1, -1, 1],
        ..Histogram::default()
    };
    let short = Histogram {
        positive_spans: spans(&[(1, 1), (1, 1)]),
        positive_buckets: vec![1, 1],
        count: 3,
        ..wide.clone()
    };
    let mut chunk = IntegerEncoder::begin(None, 0, &wide);
    assert!(matches!(chunk.append(10, &short), Appended::Same), "the sample is widened, not the chunk");
    let read = floats(&chunk);
    assert_eq!(read[1].positive_spans, wide.positive_spans);
    assert_eq!(read[1].positive_buckets, [0.0, 1.0, 0.0, 2.0]);
}

// === round trips ===

/// A histogram by the number of observations in each bucket.
fn histogram(positive: &BTreeMap<i32, u64>, negative: &BTreeMap<i32, u64>, gauge: bool) -> Histogram {
    let side = |buckets: &BTreeMap<i32, u64>| {
        let mut end = 0;
        let mut list: Vec<Span> = Vec::new();
        for index in buckets.keys() {
            match list.last_mut() {
                Some(last) if *index == end => last.length += 1,
                _ => list.push(Span { offset: index - end, length: 1 }),
            }
            end = index + 1;
        }
        (list, bucket_differences(buckets.values().map(|count| *count as i64).collect()))
    };
    let (positive_spans, positive_buckets) = side(positive);
    let (negative_spans, negative_buckets) = side(negative);
    Histogram {
        counter_reset_hint: if gauge { CounterResetHint::Gauge } else { CounterResetHint::Unknown },
        schema: 2,
        zero_threshold: 0.001,
        count: positive.values().sum::<u64>() + negative.values().sum::<u64>(),
        sum: positive.len() as f64,
        positive_spans,
        positive_buckets,
        negative_spans,
        negative_buckets,
        ..Histogram::default()
    }
}

fn buckets() -> impl Strategy<Value = BTreeMap<i32, u64>> {
    prop::collection::btree_map(-12i32..12, prop_oneof![Just(0u64), 1u64..1000, 1u64..1 << 40], 0..10)
}

fn samples() -> impl Strategy<Value = Vec<(i64, Histogram)>> {
    let delta = prop_oneof![3 => Just(15_000i64), 1 => 1i64..1 << 40];
    let sample = (delta, buckets(), buckets(), prop::bool::weighted(0.05));
    (any::<bool>(), prop::collection::vec(sample, 1..30)).prop_map(|(gauge, steps)| {
        let mut timestamp = -20_000;
        let (mut positive, mut negative) = (BTreeMap::new(), BTreeMap::new());
        let grow = |total: &mut BTreeMap<i32, u64>, more: BTreeMap<i32, u64>| {
            for (index, count) in more {
                *total.entry(index).or_insert(0u64) += count;
            }
        };
        steps
            .into_iter()
            .map(|(delta, more, below, reset)| {
                timestamp += delta;
                if gauge || reset {
                    (positive, negative) = (more, below);
                } else {
                    grow(&mut positive, more);
                    grow(&mut negative, below);
                }
                (timestamp, histogram(&positive, &negative, gauge))
            })
            .collect()
    })
}

fn used(spans: &[Span], buckets: &[f64]) -> Vec<(i64, f64)> {
    bucket_indexes(spans).zip(buckets.iter().copied()).filter(|(_, count)| *count != 0.0).collect()
}

fn encode<F: Flavor>(samples: &[(i64, F::Histogram)]) -> Vec<Vec<u8>> {
    let mut chunks = Vec::new();
    let (first, rest) = samples.split_first().unwrap();
    let mut open = HistogramEncoder::<F>::begin(None, first.0, &first.1);
    for (timestamp, histogram) in rest {
        if let Appended::NewChunk(next) = open.append(*timestamp, histogram) {
            chunks.push(open.bytes().to_vec());
            open = next;
        }
    }
    chunks.push(open.bytes().to_vec());
    chunks
}

fn check_round_trip<F: Flavor>(
    samples: &[(i64, F::Histogram)],
    float: impl Fn(&F::Histogram) -> FloatHistogram,
) {
    let mut columns = Columns::default();
    for chunk in encode::<F>(samples) {
        decode(F::ENCODING, &chunk, usize::MAX, (i64::MIN, i64::MAX), &mut columns).unwrap();
    }
    assert_eq!(columns.histograms.len(), samples.len());
    for ((timestamp, want), got) in samples.iter().zip(columns.histograms) {
        let (want, got_time, got) = (float(want), got.timestamp, got.histogram);
        assert_eq!((got_time, got.count, got.sum), (*timestamp, want.count, want.sum));
        assert_eq!(
            used(&got.positive_spans, &got.positive_buckets),
            used(&want.positive_spans, &want.positive_buckets)
        );
        assert_eq!(
            used(&got.negative_spans, &got.negative_buckets),
            used(&want.negative_spans, &want.negative_buckets)
        );
        got.validate().unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_goes_in_comes_out(samples in samples()) {
        check_round_trip::<Integers>(&samples, Histogram::to_float);
        let floats: Vec<_> = samples.iter().map(|(timestamp, h)| (*timestamp, h.to_float())).collect();
        check_round_trip::<Floats>(&floats, Clone::clone);
    }

    #[test]
    fn a_chunk_and_a_wider_one_hold_the_same(samples in samples()) {
        // Appending one sample with every bucket recodes the chunk: nothing else of it changes.
        let (first, rest) = samples.split_first().unwrap();
        let mut chunk = IntegerEncoder::begin(None, first.0, &first.1);
        for (timestamp, histogram) in rest {
            if let Appended::NewChunk(next) = chunk.append(*timestamp, histogram) {
                chunk = next;
            }
        }
        let before = floats(&chunk);
        let all: BTreeMap<_, _> = (-14..14).map(|index| (index, 1 << 50)).collect();
        let gauge = samples[0].1.counter_reset_hint == CounterResetHint::Gauge;
        let wide = histogram(&all, &all, gauge);
        prop_assert!(matches!(chunk.append(i64::MAX / 2, &wide), Appended::Recoded));
        let after = floats(&chunk);
        prop_assert_eq!(after.len(), before.len() + 1);
        for (before, after) in before.iter().zip(&after) {
            prop_assert_eq!(&after.positive_spans, &wide.positive_spans);
            prop_assert_eq!(used(&before.positive_spans, &before.positive_buckets), used(&after.positive_spans, &after.positive_buckets));
            prop_assert_eq!(used(&before.negative_spans, &before.negative_buckets), used(&after.negative_spans, &after.negative_buckets));
            prop_assert_eq!((before.count, before.sum, before.counter_reset_hint), (after.count, after.sum, after.counter_reset_hint));
        }
    }

    #[test]
    fn a_cut_chunk_is_an_error(samples in samples(), keep in any::<prop::sample::Index>()) {
        let chunk = encode::<Integers>(&samples).remove(0);
        prop_assert!(read(Encoding::Histogram, &chunk[..keep.index(chunk.len())]).is_err());
    }

    #[test]
    fn garbage_is_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), encoding in 1u8..7) {
        if let Ok(columns) = read(Encoding::from_byte(encoding).unwrap(), &bytes) {
            prop_assert!(columns.histograms.windows(2).all(|pair| pair[0].timestamp < pair[1].timestamp));
        }
    }

    #[test]
    fn damaged_chunks_are_no_panic(samples in samples(), flips in prop::collection::vec(any::<prop::sample::Index>(), 1..4)) {
        for encoding in [Encoding::Histogram, Encoding::FloatHistogram, Encoding::HistogramSt, Encoding::FloatHistogramSt] {
            let mut chunk = encode::<Integers>(&samples).remove(0);
            for flip in &flips {
                let bit = flip.index(chunk.len() * 8);
                chunk[bit / 8] ^= 1 << (bit % 8);
            }
            let _ = read(encoding, &chunk);
        }
    }
}

// === bounds ===

#[test]
fn counts_that_cannot_be_there_reserve_nothing() {
    // Four billion buckets in a span, and as many spans.
    let layout = format!("00000000 0 10 001 11111110 {:056b} 0 0", u32::MAX);
    assert!(read(Encoding::Histogram, &packed(&[0, 1, 0], &layout)).is_err());
    let spans = format!("00000000 0 11111110 {:056b}", u64::MAX >> 8);
    assert!(read(Encoding::Histogram, &packed(&[0, 1, 0], &spans)).is_err());
}

#[test]
fn a_small_chunk_does_not_grow_without_bound() {
    // A hundred thousand empty spans, which every one of 65,535 unchanged samples would repeat.
    let count = 100_000;
    let spans = format!("11111110 {count:056b} {}", "0 0 ".repeat(count));
    let bits = format!(
        "00000000 0 {spans} 0  0 0 0 {:064b} {}",
        0,
        "10 001 0 0 0".to_owned() + &" 0 0 0 0".repeat(65_533)
    );
    let error = read(Encoding::Histogram, &packed(&[0xff, 0xff, 0], &bits)).unwrap_err();
    assert_eq!(error.to_string(), "chunk is corrupt: its histograms would take more than 256 MiB");
}

#[test]
fn schemas_of_other_versions() {
    let with_schema = |bits: &str| {
        let bits = format!("00000000 {bits} 10 001 10 010 0 0  0 10 010 0 {:064b} 10 001 0", 1f64.to_bits());
        read(Encoding::Histogram, &packed(&[0, 1, 0], &bits))
    };
    // 9 is reduced to 8: buckets 0 and 1 are those of the next coarser schema as well.
    let columns = with_schema("110 001001").unwrap();
    assert_eq!(columns.histograms[0].histogram.schema, 8);
    assert_eq!(columns.histograms[0].histogram.positive_buckets, [1.0, 1.0]);
    assert_eq!(with_schema("1110 000110101").unwrap_err(), ChunkError::UnknownSchema(53));
}
