//! Crashes: at every byte of the log's end, between the steps of sealing, with damage in the middle.

use std::{fs, sync::Arc};

use disk::fault::{Fault, FaultyFs};

use crate::test_support::{TestStore, names};

/// A store with five entries in the log, stopped; and the name of its one log segment.
fn stopped() -> (TestStore, std::path::PathBuf) {
    let mut test = TestStore::new();
    for time in 0..5 {
        test.push("a", &[(time, &format!("line {time}"))]).expect("pushed");
    }
    test.stop();
    let path = test.path("wal/0000000001.wal");
    (test, path)
}

#[test]
fn a_log_cut_at_any_byte_keeps_all_whole_records() {
    let (mut test, path) = stopped();
    let whole = fs::read(&path).expect("the log");
    let frames: Vec<usize> = memchr::memmem::find_iter(&whole, b"LGFR").chain([whole.len()]).collect();
    assert_eq!(frames.len(), 6);
    for size in 0..=whole.len() {
        for name in names(&test.path("wal")) {
            fs::remove_file(test.path("wal").join(name)).expect("removed");
        }
        fs::write(&path, &whole[..size]).expect("written");
        test.crash();
        let want = frames.iter().skip(1).filter(|end| **end <= size).count();
        assert_eq!(test.lines().len(), want, "{size} bytes");
        let report = test.store().replay_report();
        assert!(report.damaged.is_empty(), "{report:?}");
        let torn = size > 0 && !frames.contains(&size);
        assert_eq!(report.torn_tails, u64::from(torn), "{size} bytes");
        test.push("a", &[(9, "after")]).expect("pushed");
        test.crash();
        assert_eq!(test.lines().len(), want + 1, "{size} bytes");
        assert_eq!(test.store().replay_report().torn_tails, 0, "the tail was cut");
        test.stop();
    }
}

#[test]
fn a_flipped_bit_costs_one_record() {
    let (mut test, path) = stopped();
    let whole = fs::read(&path).expect("the log");
    let frames: Vec<usize> = memchr::memmem::find_iter(&whole, b"LGFR").collect();
    // In each byte of the third record, header and payload.
    for at in frames[2]..frames[3] {
        for name in names(&test.path("wal")) {
            fs::remove_file(test.path("wal").join(name)).expect("removed");
        }
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(&path, &damaged).expect("written");
        test.crash();
        assert_eq!(test.lines(), ["line 0", "line 1", "line 3", "line 4"], "byte {at}");
        let report = test.store().replay_report();
        assert_eq!((report.damaged.len(), report.torn_tails), (1, 0), "byte {at}");
        assert_eq!(
            (report.damaged[0].offset, report.damaged[0].bytes),
            (frames[2] as u64, (frames[3] - frames[2]) as u64)
        );
        let copy = test.path("wal").join(format!("0000000001-{}.damaged", frames[2]));
        assert_eq!(fs::read(copy).expect("a copy"), &damaged[frames[2]..frames[3]]);
        test.stop();
    }
}

#[test]
fn a_lost_header_costs_nothing() {
    let (mut test, path) = stopped();
    let mut bytes = fs::read(&path).expect("the log");
    bytes[3] = 0;
    fs::write(&path, bytes).expect("written");
    test.crash();
    assert_eq!(test.lines().len(), 5);
}

#[test]
fn garbage_for_a_log_is_survived() {
    let (mut test, path) = stopped();
    fs::write(&path, b"LGFR".repeat(1000)).expect("written");
    test.crash();
    assert!(test.all().is_empty());
    assert_eq!(test.store().replay_report().torn_tails, 1);
}

#[test]
fn leftovers_are_removed() {
    let mut test = TestStore::new();
    test.push("a", &[(1, "x")]).expect("pushed");
    test.store().flush().expect("sealed");
    test.stop();
    let segments = test.path("segments");
    let kept = names(&segments);
    fs::write(segments.join("01ARZ3NDEKTSV4RRFFQ69G5FAV.parquet.tmp"), "half").expect("written");
    fs::write(segments.join("01ARZ3NDEKTSV4RRFFQ69G5FAV.index"), "orphan").expect("written");
    test.crash();
    assert_eq!(names(&segments), kept);
    assert_eq!(test.lines(), ["x"]);
}

#[test]
fn sealing_that_fails_at_any_step_loses_nothing() {
    let faults = [
        vec![Fault::Create],
        vec![Fault::Full { after: 0 }],
        vec![Fault::Full { after: 500 }],
        vec![Fault::Full { after: 3000 }],
        vec![Fault::Sync],
        vec![Fault::Rename],
    ];
    for faults in faults {
        let fs = FaultyFs::default();
        let mut test = TestStore::with(|options| options.fs = Arc::new(fs.clone()));
        let day = 86_400_000_000_000;
        for time in 0..5 {
            // Two days, so two segments.
            test.push("a", &[(time, "x"), (time, "y")]).expect("pushed");
            test.push("b", &[(time + day, "z")]).expect("pushed");
        }
        let before = test.all();
        faults.iter().for_each(|fault| fs.inject(*fault));
        test.store().flush().expect_err("it cannot be written");
        assert_eq!(test.all(), before, "{faults:?}");
        test.crash_keeping_faults(&fs);
        assert_eq!(test.all(), before, "{faults:?}");
        test.store().flush().expect("it can be written now");
        assert_eq!(test.all(), before, "{faults:?}");
        test.crash();
        assert_eq!(test.all(), before, "{faults:?}");
        assert_eq!(test.store().replay_report().records, 0, "everything is sealed");
    }
}

#[test]
fn a_failed_seal_is_made_good_by_the_next() {
    let fs = FaultyFs::default();
    let mut test = TestStore::with(|options| options.fs = Arc::new(fs.clone()));
    test.push("a", &[(1, "x")]).expect("pushed");
    fs.inject(Fault::Rename);
    test.store().flush().expect_err("it cannot be written");
    fs.heal();
    test.push("a", &[(2, "y")]).expect("pushed");
    assert_eq!(test.lines(), ["x", "y"]);
    assert_eq!(test.store().flush().expect("sealed"), 2);
    assert_eq!(test.lines(), ["x", "y"]);
    assert_eq!(names(&test.path("wal")), [] as [&str; 0]);
    test.crash();
    assert_eq!(test.lines(), ["x", "y"]);
}

#[test]
fn a_crash_between_publishing_and_cutting_the_log_repeats_nothing() {
    let mut test = TestStore::new();
    test.push("a", &[(1, "x")]).expect("pushed");
    let log = fs::read(test.path("wal/0000000001.wal")).expect("the log");
    test.store().flush().expect("sealed");
    test.stop();
    fs::write(test.path("wal/0000000001.wal"), log).expect("written");
    test.crash();
    assert_eq!(test.lines(), ["x"]);
    assert_eq!(test.store().replay_report().records, 0, "the segment says what it holds");
    // A segment of another store says nothing about our log.
    test.push("b", &[(1, "y")]).expect("pushed");
    test.stop();
    fs::remove_file(test.path("store.json")).expect("removed");
    test.crash();
    assert_eq!(test.lines(), ["x", "y"]);
}

#[test]
fn two_stores_in_one_folder_are_refused() {
    let test = TestStore::new();
    let again =
        crate::Store::open(test.options.clone(), &mut prometheus_client::registry::Registry::default());
    assert!(matches!(again.err(), Some(crate::OpenError::Locked(_))));
}

#[test]
fn a_store_of_the_future_is_refused() {
    let mut test = TestStore::new();
    test.stop();
    fs::write(test.path("store.json"), r#"{"format":2,"id":"x"}"#).expect("written");
    let error =
        crate::Store::open(test.options.clone(), &mut prometheus_client::registry::Registry::default()).err();
    let text = error.expect("it cannot be opened").to_string();
    assert!(text.contains("not supported yet: store format 2"), "{text}");
    fs::write(test.path("store.json"), r#"{"format":1,"id":"x"}"#).expect("written");
    test.crash();
}

#[test]
fn replay_seals_when_memory_is_full() {
    let mut test = TestStore::new();
    for time in 0..50 {
        test.push("a", &[(time, &"x".repeat(1000))]).expect("pushed");
    }
    test.options.seal_bytes = 10_000;
    test.crash();
    assert_eq!(test.all().len(), 50);
    assert!(names(&test.path("segments")).len() >= 8, "several segments were written");
    test.crash();
    assert_eq!(test.all().len(), 50);
}
