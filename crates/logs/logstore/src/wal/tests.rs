//! Records, frames and replay on their own. Crashes of a whole store are tested with the store.

use std::convert::Infallible;

use bytes::Bytes;
use model::Labels;
use proptest::prelude::*;
use streams::{Entry, Stream};

use super::{WalCompression, frame, record, replay::replay};
use crate::{files::wal_name, test_support::stream};

fn streams() -> impl Strategy<Value = Vec<Stream>> {
    let labels = prop::collection::vec(("[a-z]{1,4}", ".{0,6}"), 0..4).prop_map(Labels::from_pairs);
    let entry = (any::<i64>(), ".{0,40}", labels.clone()).prop_map(|(timestamp, line, metadata)| Entry {
        timestamp,
        line: line.into(),
        metadata,
    });
    let stream =
        (labels, prop::collection::vec(entry, 1..6)).prop_map(|(labels, entries)| Stream { labels, entries });
    prop::collection::vec(stream, 0..5)
}

fn decode_all(payloads: Vec<Vec<u8>>) -> Vec<Stream> {
    let decode = |payload: Vec<u8>| record::decode(&payload.into()).expect("it was just encoded");
    payloads.into_iter().flat_map(decode).collect()
}

fn same(a: &[Stream], b: &[Stream]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.labels == b.labels && a.entries == b.entries)
}

/// Replays one log segment of these bytes; returns the lines found.
fn replayed(bytes: &[u8]) -> Vec<Bytes> {
    let dir = tempfile::tempdir().expect("a folder for the test");
    std::fs::write(dir.path().join(wal_name(1)), bytes).expect("written");
    let mut lines = Vec::new();
    let result = replay::<Infallible>(dir.path(), 0, |_, streams| {
        lines.extend(streams.into_iter().flat_map(|stream| stream.entries).map(|entry| entry.line));
        Ok(())
    });
    assert_eq!(result.expect("it can be read").1, 2, "the next segment's number");
    lines
}

#[test]
fn large_pushes_become_several_records() {
    let line = "x".repeat(3 << 20);
    let entries: Vec<_> = (0..10).map(|time| (time, line.as_str())).collect();
    let pushed = [stream("a", &entries), stream("b", &entries[..1])];
    let payloads = record::encode(&pushed);
    assert!(payloads.len() > 2 && payloads.iter().all(|payload| payload.len() < 20 << 20));
    let decoded = decode_all(payloads);
    let lines: usize = decoded.iter().map(|stream| stream.entries.len()).sum();
    assert_eq!(lines, 11);
}

#[test]
fn records_from_elsewhere_are_damage() {
    let mut bytes = frame::segment_header(1).to_vec();
    assert!(frame::append_frame(&mut bytes, b"\xff\xff no record", WalCompression::None));
    let good = record::encode(&[stream("a", &[(1, "kept")])]);
    assert!(frame::append_frame(&mut bytes, &good[0], WalCompression::None));
    assert_eq!(replayed(&bytes), ["kept"]);
}

#[test]
fn segments_of_another_number_are_still_searched() {
    let mut bytes = frame::segment_header(7).to_vec();
    let good = record::encode(&[stream("a", &[(1, "kept")])]);
    assert!(frame::append_frame(&mut bytes, &good[0], WalCompression::Zstd));
    assert_eq!(replayed(&bytes), ["kept"]);
}

#[test]
fn a_marker_inside_a_line_confuses_nobody() {
    let mut bytes = frame::segment_header(1).to_vec();
    for number in 0..3 {
        let line = format!("LGFR {number} LGFR");
        let payload = record::encode(&[stream("a", &[(1, &line)])]);
        assert!(frame::append_frame(&mut bytes, &payload[0], WalCompression::None));
    }
    let second = memchr::memmem::find_iter(&bytes, b"LGFR").nth(3).expect("the second frame");
    bytes[second + 5] ^= 1;
    assert_eq!(replayed(&bytes), ["LGFR 0 LGFR", "LGFR 2 LGFR"]);
}

proptest! {
    #[test]
    fn records_read_back(pushed in streams()) {
        prop_assert!(same(&decode_all(record::encode(&pushed)), &pushed));
    }

    #[test]
    fn frames_read_back(payload in prop::collection::vec(any::<u8>(), 0..300), code in 0..3) {
        let compression = [WalCompression::None, WalCompression::Snappy, WalCompression::Zstd][code as usize];
        let payload = payload.repeat(3);
        let mut bytes = Vec::new();
        prop_assert!(frame::append_frame(&mut bytes, &payload, compression));
        match frame::parse_frame(&Bytes::from(bytes), 0) {
            frame::Parsed::Frame { payload: read, .. } => prop_assert_eq!(read, payload),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = record::decode(&bytes.clone().into());
        let _ = frame::parse_frame(&bytes.clone().into(), 0);
        let mut framed = frame::segment_header(1).to_vec();
        framed.extend_from_slice(&bytes);
        prop_assert!(frame::append_frame(&mut framed, &bytes, WalCompression::None));
        framed.extend_from_slice(&bytes);
        replayed(&framed);
    }
}
