//! Records that Prometheus 3.14 wrote, records written out by hand, and garbage.
//!
//! `testdata/histogram_records.txt` has the samples, one a line: `i` or `f` for integer or float counts, the series' reference, and what
//! `chunk::peer_tests` describes; then `record` and the bytes of each record that all of them became.

use model::STALE_NAN;
use proptest::prelude::*;

use super::*;
use crate::{
    chunk::peer_tests::{float_histogram, integer_histogram},
    wal::record::RecordType,
};

struct Peer {
    integers: Vec<RefHistogram<Histogram>>,
    floats: Vec<RefHistogram<FloatHistogram>>,
    records: Vec<Vec<u8>>,
}

fn peer() -> Peer {
    let mut peer = Peer { integers: Vec::new(), floats: Vec::new(), records: Vec::new() };
    for line in include_str!("../testdata/histogram_records.txt").lines() {
        let fields: Vec<_> = line.split_whitespace().collect();
        match *fields {
            ["i", series, timestamp, ref rest @ ..] => peer.integers.push(RefHistogram {
                series_ref: series.parse().unwrap(),
                timestamp: timestamp.parse().unwrap(),
                histogram: integer_histogram(rest),
            }),
            ["f", series, timestamp, ref rest @ ..] => peer.floats.push(RefHistogram {
                series_ref: series.parse().unwrap(),
                timestamp: timestamp.parse().unwrap(),
                histogram: float_histogram(rest),
            }),
            ["record", bytes] => {
                let byte = |at| u8::from_str_radix(&bytes[at..at + 2], 16).unwrap();
                peer.records.push((0..bytes.len()).step_by(2).map(byte).collect());
            }
            _ => panic!("{line}"),
        }
    }
    peer
}

fn kind(record: &[u8]) -> HistogramRecord {
    match RecordType::of(record) {
        Some(RecordType::Histograms(kind)) => kind,
        other => panic!("{other:?}"),
    }
}

fn times(record: &[u8]) -> Vec<Millis> {
    let mut times = Vec::new();
    histogram_times(record, kind(record), |timestamp| times.push(timestamp)).unwrap();
    times
}

/// What a stale sample's NaN is compared by.
fn printed<H: std::fmt::Debug>(samples: &[RefHistogram<H>]) -> Vec<String> {
    samples.iter().map(|sample| format!("{sample:?}")).collect()
}

#[test]
fn records_have_prometheus_bytes() {
    let peer = peer();
    let [exponential, custom] = encode_histograms(&peer.integers);
    let [float_exponential, float_custom] = encode_histograms(&peer.floats);
    assert_eq!([exponential, custom, float_exponential, float_custom], peer.records[..4]);
}

#[test]
fn prometheus_records_read_back() {
    let Peer { integers, floats, records } = peer();
    let types: Vec<_> = records.iter().map(|record| record[0]).collect();
    assert_eq!(types, [7, 9, 8, 10, 12, 13]);
    let is_custom = |schema| schema == CUSTOM_BUCKETS_SCHEMA;
    for record in &records {
        let kind = kind(record);
        let (mut got, mut got_floats): (Vec<RefHistogram<Histogram>>, Vec<RefHistogram<FloatHistogram>>) =
            Default::default();
        let left_out = if kind.float {
            decode_histograms(record, kind, |sample| got_floats.push(sample)).unwrap()
        } else {
            decode_histograms(record, kind, |sample| got.push(sample)).unwrap()
        };
        assert_eq!(left_out, 0);
        let wanted = |schema: i32| match record[0] {
            7 | 8 => !is_custom(schema),
            9 | 10 => is_custom(schema),
            _ => true,
        };
        let (mut want, mut want_floats) = (Vec::new(), Vec::new());
        if kind.float {
            want_floats = floats.clone();
            want_floats.retain(|sample| wanted(sample.histogram.schema));
        } else {
            want = integers.clone();
            want.retain(|sample| wanted(sample.histogram.schema));
        }
        assert_eq!(printed(&got), printed(&want), "type {}", record[0]);
        assert_eq!(printed(&got_floats), printed(&want_floats), "type {}", record[0]);
        let want_times = want.iter().map(|s| s.timestamp).chain(want_floats.iter().map(|s| s.timestamp));
        assert_eq!(times(record), want_times.collect::<Vec<_>>());
    }
}

/// One sample with buckets 0 and 1, behind the base.
fn by_hand(schema: u8, spans: &[u8], buckets: &[u8]) -> Vec<u8> {
    let mut record = vec![7];
    record.extend_from_slice(&3u64.to_be_bytes());
    record.extend_from_slice(&1000u64.to_be_bytes());
    record.extend_from_slice(&[1, 40, 3, schema]);
    record.extend_from_slice(&0.5f64.to_be_bytes());
    record.extend_from_slice(&[1, 9]);
    record.extend_from_slice(&STALE_NAN.to_be_bytes());
    record.extend_from_slice(spans);
    record.push(0);
    record.extend_from_slice(buckets);
    record.push(0);
    record
}

fn read(record: &[u8]) -> Result<(Vec<RefHistogram<Histogram>>, usize), Malformed> {
    let mut samples = Vec::new();
    let left_out = decode_histograms(record, kind(record), |sample| samples.push(sample))?;
    Ok((samples, left_out))
}

#[test]
fn a_histogram_field_by_field() {
    let (samples, _) = read(&by_hand(6, &[1, 0, 2], &[2, 4, 2])).unwrap();
    let want = Histogram {
        counter_reset_hint: CounterResetHint::Gauge,
        schema: 3,
        zero_threshold: 0.5,
        zero_count: 1,
        count: 9,
        sum: STALE_NAN,
        positive_spans: vec![Span { offset: 0, length: 2 }],
        positive_buckets: vec![2, 1],
        ..Histogram::default()
    };
    assert_eq!(
        printed(&samples),
        printed(&[RefHistogram { series_ref: 2, timestamp: 1020, histogram: want }])
    );
}

#[test]
fn what_cannot_be_used_is_left_out_and_counted() {
    let left_out = |record: &[u8]| read(record).map(|(samples, left_out)| (samples.len(), left_out)).unwrap();
    assert_eq!(left_out(&by_hand(6, &[1, 0, 3], &[2, 4, 2])), (0, 1), "three buckets, two counts");
    assert_eq!(left_out(&by_hand(108, &[1, 0, 2], &[2, 4, 2])), (0, 1), "schema 54");
    // Schema 9 is computed with as 8.
    let (samples, left_out) = read(&by_hand(18, &[1, 0, 2], &[2, 4, 2])).unwrap();
    assert_eq!((samples[0].histogram.schema, left_out), (8, 0));
}

#[test]
fn counts_are_bounded_by_what_follows() {
    assert!(read(&by_hand(6, &[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 2], &[0])).is_err());
    assert!(read(&by_hand(6, &[0], &[0xff, 0xff, 0xff, 0xff, 0x0f])).is_err());
    assert!(read(&by_hand(6, &[1, 0, 0xff, 0xff, 0xff, 0xff, 0x7f], &[0])).is_err(), "a length of 35 bits");
}

#[test]
fn no_samples_are_no_records() {
    assert_eq!(encode_histograms::<Histogram>(&[]), [const { Vec::<u8>::new() }; 2]);
    assert_eq!(read(&[7]).unwrap(), (Vec::new(), 0));
    assert_eq!(read(&[12]).unwrap(), (Vec::new(), 0));
}

proptest! {
    #[test]
    fn cut_records_are_errors_or_shorter(record in 0usize..6, keep in any::<prop::sample::Index>()) {
        let record = &peer().records[record];
        let cut = &record[..keep.index(record.len() - 1) + 1];
        let kind = kind(record);
        let mut count = 0;
        if kind.float {
            let _ = decode_histograms::<FloatHistogram>(cut, kind, |_| count += 1);
        } else {
            let _ = decode_histograms::<Histogram>(cut, kind, |_| count += 1);
        }
        prop_assert!(count < times(record).len());
    }

    #[test]
    fn garbage_is_no_panic(mut bytes in prop::collection::vec(any::<u8>(), 1..300), record_type in 7u8..14) {
        bytes[0] = record_type;
        for (float, start_times) in [(false, false), (true, false), (false, true), (true, true)] {
            let kind = HistogramRecord { float, start_times };
            let _ = decode_histograms::<Histogram>(&bytes, kind, |_| {});
            let _ = decode_histograms::<FloatHistogram>(&bytes, kind, |_| {});
        }
    }
}
