//! Ticks: sealing by age, idleness and size, retention, merging.

use std::{fs, time::Duration};

use streams::Direction;

use crate::test_support::{TestStore, containing, everything, names, read, select};

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 86_400 * SECOND;

#[test]
fn old_entries_are_sealed() {
    let test = TestStore::new();
    let now = 1000 * DAY;
    test.store().tick(now).expect("ticked");
    test.push("a", &[(now, "x")]).expect("pushed");
    for minute in 1..=119 {
        test.push("a", &[(now + minute * MINUTE, "y")]).expect("pushed");
        assert_eq!(test.store().tick(now + minute * MINUTE).expect("ticked").sealed, 0, "{minute}");
    }
    assert_eq!(test.store().tick(now + 120 * MINUTE).expect("ticked").sealed, 1);
    assert_eq!(names(&test.path("wal")), [] as [&str; 0], "the log is not needed any more");
    assert_eq!(test.all().len(), 120);
}

#[test]
fn idle_streams_are_sealed_and_forgotten() {
    let test = TestStore::with(|options| options.max_streams = 1);
    let now = 1000 * DAY;
    test.push("a", &[(now, "x")]).expect("pushed");
    test.store().tick(now).expect("ticked");
    test.push("b", &[(now, "x")]).expect_err("one stream is the limit");
    assert_eq!(test.store().tick(now + 30 * MINUTE).expect("ticked").sealed, 0);
    assert_eq!(test.store().tick(now + 30 * MINUTE + 1).expect("ticked").sealed, 1);
    test.push("b", &[(now, "x")]).expect("the other is forgotten");
    assert_eq!(test.all().len(), 2);
}

#[test]
fn silent_streams_without_entries_are_forgotten_too() {
    let test = TestStore::new();
    let now = 1000 * DAY;
    test.store().tick(now).expect("ticked");
    test.push("a", &[(now, "x")]).expect("pushed");
    test.store().flush().expect("sealed");
    let done = test.store().tick(now + 31 * MINUTE).expect("ticked");
    assert_eq!((done.sealed, done.forgotten), (0, 1));
}

#[test]
fn much_is_sealed() {
    let test = TestStore::with(|options| options.seal_bytes = 10_000);
    test.push("a", &[(1, &"x".repeat(10_000))]).expect("pushed");
    assert_eq!(test.store().tick(1).expect("ticked").sealed, 1);
    assert_eq!(test.store().tick(2).expect("ticked").sealed, 0);
    // Without ticks, the pushers do it.
    for time in 2..20 {
        test.push("a", &[(time, &"x".repeat(5_000))]).expect("pushed");
    }
    assert!(names(&test.path("segments")).len() > 4);
    assert_eq!(test.all().len(), 19);
}

#[test]
fn days_are_sealed_apart_and_deleted_when_too_old() {
    let mut test = TestStore::with(|options| options.retention = Some(Duration::from_secs(2 * 86_400)));
    for day in [1000, 1001, 1002] {
        test.push(&format!("a{day}"), &[(day * DAY, "first"), (day * DAY + MINUTE, "last")]).expect("pushed");
    }
    assert_eq!(test.store().flush().expect("sealed"), 3);
    let old = test.querier();
    assert_eq!(test.store().tick(1002 * DAY + MINUTE).expect("ticked").expired, 0);
    assert_eq!(test.store().tick(1002 * DAY + 2 * MINUTE).expect("ticked").expired, 1);
    assert_eq!(test.all().len(), 4);
    assert_eq!(read(&*old, &select(Direction::Forward)).len(), 6, "a query that runs sees what it saw");
    assert_eq!(names(&test.path("segments")).len(), 6);
    drop(old);
    assert_eq!(names(&test.path("segments")).len(), 4, "the files went with the last reader");
    test.crash();
    assert_eq!(test.all().len(), 4);
}

#[test]
fn entries_of_very_many_days_make_a_bounded_number_of_segments() {
    let test = TestStore::new();
    for day in 0..100 {
        test.push(&format!("a{day}"), &[(day * DAY, "x")]).expect("pushed");
    }
    assert_eq!(test.store().flush().expect("sealed"), 32);
    assert_eq!(test.all().len(), 100);
}

#[test]
fn small_segments_of_a_day_are_merged() {
    let mut test = TestStore::with(|options| options.segment.merge_count = 4);
    for round in 0..4 {
        for app in ["a", "b"] {
            // The same first entry each time.
            test.push(app, &[(1, "same"), (10 + round, "own")]).expect("pushed");
        }
        test.push(&format!("c{round}"), &[(5, "x")]).expect("pushed");
        assert_eq!(test.store().compact().expect("looked"), 0, "not enough yet");
        test.store().flush().expect("sealed");
    }
    let before = test.all();
    assert_eq!(before.len(), 2 * 5 + 4);
    let running = test.querier();
    assert_eq!(test.store().compact().expect("merged"), 4);
    assert_eq!(test.store().compact().expect("looked"), 0);
    assert_eq!(test.all(), before);
    assert_eq!(read(&*running, &select(Direction::Forward)), before);
    assert_eq!(test.querier().volume(&everything()).expect("a volume").entries, before.len() as u64);
    drop(running);
    assert_eq!(names(&test.path("segments")).len(), 2);
    test.crash();
    assert_eq!(test.all(), before);
}

#[test]
fn a_crash_after_a_merge_does_not_bring_the_old_segments_back() {
    let mut test = TestStore::with(|options| options.segment.merge_count = 2);
    for time in [1, 2] {
        test.push("a", &[(time, "x")]).expect("pushed");
        test.store().flush().expect("sealed");
    }
    let old: Vec<_> =
        names(&test.path("segments")).into_iter().map(|name| test.path("segments").join(name)).collect();
    let bytes: Vec<_> = old.iter().map(|path| fs::read(path).expect("a file")).collect();
    assert_eq!(test.store().compact().expect("merged"), 2);
    test.stop();
    old.iter().zip(&bytes).for_each(|(path, bytes)| fs::write(path, bytes).expect("written"));
    test.crash();
    assert_eq!(names(&test.path("segments")).len(), 2);
    assert_eq!(test.all().len(), 2);
}

#[test]
fn flush_on_shutdown_leaves_nothing_to_replay() {
    let mut test = TestStore::with(|options| options.wal.flush_on_shutdown = true);
    test.push("a", &[(1, "x")]).expect("pushed");
    test.store().close().expect("closed");
    test.crash();
    assert_eq!(test.store().replay_report().segments, 0);
    assert_eq!(test.lines(), ["x"]);
}

#[test]
fn without_a_log_a_clean_end_still_keeps_everything() {
    let mut test = TestStore::with(|options| options.wal.enabled = false);
    test.push("a", &[(1, "x")]).expect("pushed");
    test.store().close().expect("closed");
    test.crash();
    assert_eq!(test.lines(), ["x"]);
}

#[test]
fn a_needle_skips_row_groups() {
    let test = TestStore::new();
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    for time in 0..1000 {
        let line = if time == 700 { format!("trace {id}") } else { format!("line {time}") };
        test.push("a", &[(time, &line)]).expect("pushed");
    }
    test.store().flush().expect("sealed");
    let mut query = select(Direction::Forward);
    query.filters = vec![containing(id)];
    let found = test.select(&query);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1, 700);
    assert_eq!(test.metric("logstore_row_groups_read_total"), 1.0);
    assert_eq!(test.metric("logstore_row_groups_skipped_total{reason=\"token\"}"), 15.0);
    let mut query = select(Direction::Backward);
    (query.start, query.end) = (64, 130);
    assert_eq!(test.select(&query).len(), 66);
    assert_eq!(test.metric("logstore_row_groups_skipped_total{reason=\"time\"}"), 14.0);
}

#[test]
fn metrics_tell_what_is_there() {
    let mut test = TestStore::new();
    test.push("a", &[(1, "x"), (1, "x"), (2, "y")]).expect("pushed");
    test.push("b", &[(1, "x")]).expect("pushed");
    test.store().tick(1).expect("ticked");
    let check = |test: &TestStore, name: &str, want: f64| assert_eq!(test.metric(name), want, "{name}");
    check(&test, "loki_ingester_memory_streams{tenant=\"fake\"}", 2.0);
    check(&test, "loki_ingester_streams_created_total{tenant=\"fake\"}", 2.0);
    check(&test, "loki_ingester_memory_chunks", 2.0);
    check(&test, "loki_ingester_duplicate_entries_total", 1.0);
    check(&test, "loki_ingester_wal_records_logged_total", 2.0);
    test.store().flush().expect("sealed");
    check(&test, "loki_ingester_memory_chunks", 0.0);
    check(&test, "loki_ingester_chunks_flushed_total{reason=\"forced\"}", 2.0);
    check(&test, "logstore_segments", 1.0);
    test.push("a", &[(3, "z")]).expect("pushed");
    test.crash();
    check(&test, "loki_ingester_wal_recovered_entries_total", 1.0);
    check(&test, "loki_ingester_memory_streams{tenant=\"fake\"}", 1.0);
    check(&test, "loki_ingester_wal_replay_active", 0.0);
}
