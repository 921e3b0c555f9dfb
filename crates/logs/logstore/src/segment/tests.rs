//! Segments as others see them, and what happens to damaged ones.

use std::{fs, path::PathBuf};

use model::Labels;
use parquet::{
    basic::{LogicalType, TimeUnit},
    file::reader::{FileReader, SerializedFileReader},
    record::RowAccessor,
};
use proptest::prelude::*;
use streams::{Direction, LogAppender, Stream};

use super::{Layout, sidecar};
use crate::test_support::{TestStore, containing, entry, labels, names, select};

/// A store with one segment of several row groups; and the segment's files.
fn sealed() -> (TestStore, PathBuf, PathBuf) {
    let test = TestStore::new();
    for app in ["b", "a"] {
        for time in 0..100 {
            test.push(app, &[(time, &format!("line {time} of {app}"))]).expect("pushed");
        }
    }
    let mut with_metadata = entry(200, "ünïcode \"quoted\" \u{1F980}");
    with_metadata.metadata = Labels::from_pairs([("detected_level", "warn"), ("trace \"id\"", "x\ny")]);
    let entries = vec![with_metadata];
    test.store().push(vec![Stream { labels: labels("a"), entries }]).expect("pushed");
    test.store().flush().expect("sealed");
    let files = names(&test.path("segments"));
    assert_eq!(files.len(), 2, "{files:?}");
    let path = |at: usize| test.path("segments").join(&files[at]);
    let (index, parquet) = (path(0), path(1));
    (test, parquet, index)
}

#[test]
fn others_can_read_a_segment() {
    let (_test, parquet, _) = sealed();
    let reader =
        SerializedFileReader::new(fs::File::open(parquet).expect("the file")).expect("a Parquet file");
    let metadata = reader.metadata();
    assert_eq!(metadata.num_row_groups(), 4);
    let columns: Vec<_> = metadata
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    assert_eq!(columns, ["timestamp", "stream", "labels", "level", "line", "structured_metadata"]);
    match metadata.file_metadata().schema_descr().column(0).logical_type_ref() {
        Some(LogicalType::Timestamp(timestamp)) => {
            assert!(timestamp.is_adjusted_to_u_t_c && timestamp.unit == TimeUnit::NANOS);
        }
        other => panic!("{other:?}"),
    }
    let rows: Vec<_> = reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 201);
    assert_eq!(rows[0].get_string(4).expect("a line"), "line 0 of a");
    assert_eq!(rows[0].get_string(2).expect("labels"), r#"{"app":"a"}"#);
    assert_eq!(rows[0].get_ulong(1).expect("a fingerprint"), labels("a").fingerprint());
    assert!(rows[0].get_string(3).is_err() && rows[0].get_string(5).is_err(), "no level, no metadata");
    let special = &rows[100];
    assert_eq!(special.get_string(4).expect("a line"), "ünïcode \"quoted\" \u{1F980}");
    assert_eq!(special.get_string(3).expect("a level"), "warn");
    let metadata: std::collections::BTreeMap<String, String> =
        serde_json::from_str(special.get_string(5).expect("metadata")).expect("JSON");
    assert_eq!(metadata["trace \"id\""], "x\ny");
    assert_eq!(rows[200].get_string(4).expect("a line"), "line 99 of b");
}

#[test]
fn a_lost_or_damaged_sidecar_is_made_again() {
    let (mut test, _, index) = sealed();
    let before = test.all();
    let bytes = fs::read(&index).expect("the index");
    let mut flipped = bytes.clone();
    flipped[30] ^= 1;
    for damage in [None, Some(Vec::new()), Some(bytes[..bytes.len() / 4].to_vec()), Some(flipped)] {
        test.stop();
        match damage {
            None => fs::remove_file(&index).expect("removed"),
            Some(damaged) => fs::write(&index, damaged).expect("written"),
        }
        test.crash();
        assert_eq!(test.all(), before);
        assert_eq!(fs::read(&index).expect("the index"), bytes, "the same as it was written first");
    }
}

#[test]
fn a_damaged_filter_only_costs_time() {
    let (mut test, _, index) = sealed();
    test.stop();
    let mut bytes = fs::read(&index).expect("the index");
    let last = bytes.len() - 10;
    bytes[last..].fill(0);
    fs::write(&index, bytes).expect("written");
    test.crash();
    let mut query = select(Direction::Forward);
    query.filters = vec![containing("line 99 of b")];
    assert_eq!(test.select(&query).len(), 1);
}

#[test]
fn a_damaged_segment_is_set_aside_and_the_others_are_served() {
    let (mut test, parquet, _) = sealed();
    test.push("c", &[(1, "other")]).expect("pushed");
    test.store().flush().expect("sealed");
    test.stop();
    let bytes = fs::read(&parquet).expect("the segment");
    fs::write(&parquet, &bytes[..bytes.len() / 2]).expect("written");
    test.crash();
    assert_eq!(test.lines(), ["other"]);
    assert_eq!(test.metric("logstore_segments_damaged_total"), 1.0);
    let files = names(&test.path("segments"));
    assert_eq!(files.len(), 3);
    assert!(files[0].ends_with(".parquet.damaged"), "{files:?}");
}

#[test]
fn damage_in_a_page_is_an_error_that_names_the_file() {
    let (test, parquet, _) = sealed();
    let mut bytes = fs::read(&parquet).expect("the segment");
    let half = bytes.len() / 2;
    bytes[4..half].fill(0xaa);
    fs::write(&parquet, bytes).expect("written");
    let querier = test.querier();
    let error = querier.select(&select(Direction::Forward)).expect("a selection").find_map(Result::err);
    let text = error.expect("it cannot be read").to_string();
    assert!(text.contains(&parquet.display().to_string()), "{text}");
}

#[test]
fn lines_that_are_not_unicode_are_repaired() {
    let test = TestStore::new();
    let mut broken = entry(1, "");
    broken.line = bytes::Bytes::from_static(b"a\xffb");
    test.store().push(vec![Stream { labels: labels("a"), entries: vec![broken] }]).expect("pushed");
    test.store().flush().expect("sealed");
    assert_eq!(test.lines(), ["a\u{fffd}b"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_segment_with_flipped_bytes_never_panics(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let (mut test, parquet, index) = FLIPPED.with(|cell| cell.borrow_mut().take()).unwrap_or_else(sealed);
        test.stop();
        let original = fs::read(&parquet).expect("the segment");
        let mut bytes = original.clone();
        for (at, value) in &flips {
            bytes[at.index(original.len())] = *value;
        }
        fs::write(&parquet, &bytes).expect("written");
        let with_index = fs::read(&index).expect("the index");
        // With the index, so that pages are read; and without, so that all is read at the start.
        for keep_index in [true, false] {
            if !keep_index {
                fs::remove_file(&index).expect("removed");
            }
            test.crash();
            for batch in test.querier().select(&select(Direction::Forward)).expect("a selection") {
                let _ = batch;
            }
            test.stop();
            let aside = parquet.with_extension("parquet.damaged");
            if aside.exists() {
                fs::remove_file(aside).expect("removed");
            }
            fs::write(&parquet, if keep_index { &bytes } else { &original }).expect("written");
            fs::write(&index, &with_index).expect("written");
        }
        FLIPPED.with(|cell| *cell.borrow_mut() = Some((test, parquet, index)));
    }

    #[test]
    fn a_sidecar_of_garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), flip in any::<prop::sample::Index>()) {
        prop_assert_eq!(sidecar::decode(&bytes, 0), None);
        // Behind a good header and checksum.
        let mut valid = sidecar::encode(&mut Layout::default(), &[], 0);
        let at = flip.index(valid.len());
        valid.truncate(at);
        valid.extend_from_slice(&bytes);
        let _ = sidecar::decode(&valid, 0);
        let _ = sidecar::decode(&sidecar::with_header(&bytes), 0);
    }
}

thread_local! {
    /// The store that the cases of a property share: making one takes longer than the test.
    static FLIPPED: std::cell::RefCell<Option<(TestStore, PathBuf, PathBuf)>> = const { std::cell::RefCell::new(None) };
}
