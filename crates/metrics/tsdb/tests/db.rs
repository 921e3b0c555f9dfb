//! The database as a daemon sees it: appended, queried, compacted, crashed, opened again.

mod common;

use std::{fs, sync::Arc, time::Duration};

use common::*;
use disk::fault::{Fault, FaultyFs};
use model::{Labels, MatchOp, Matcher, Millis};
use prometheus_client::registry::Registry;
use proptest::prelude::*;
use storage::{Appendable, CommitError, LabelQuery, Queryable, SelectHints, SeriesRef, collect};
use tempfile::TempDir;
use tsdb::{Compression, Db, DbOptions, FloatEncoding, MaintainError, OpenError};

#[test]
fn a_restart_loses_nothing() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 5, 0, 50, 15_000);
    let want = query_all(&db);
    assert_eq!(want.len(), 5);
    db.close().unwrap();
    drop(db);
    let db = open(dir.path());
    assert_eq!(query_all(&db), want);
    append_grid(&db, 6, 50, 60, 15_000);
    drop(db);
    let db = open(dir.path());
    let all = query_all(&db);
    assert_eq!(all.len(), 6);
    assert_eq!(all.iter().map(|(_, columns)| columns.len()).sum::<usize>(), 5 * 60 + 10);
}

#[test]
fn a_killed_process_loses_nothing_acknowledged() {
    for compression in [Compression::None, Compression::Snappy, Compression::Zstd] {
        let dir = TempDir::new().unwrap();
        let mut options = DbOptions::new(dir.path());
        options.wal_compression = compression;
        options.wal_segment_size = 64 << 10;
        let db = Db::open(options, &mut Registry::default()).unwrap();
        append_grid(&db, 50, 0, 100, 15_000);
        // What is in the files at this moment is what a killed process leaves.
        let crashed = copy(dir.path());
        let reopened = open(crashed.path());
        assert_eq!(query_all(&reopened), query_all(&db), "{compression:?}");
    }
}

#[test]
fn a_torn_log_keeps_every_whole_batch() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 3, 0, 20, 15_000);
    drop(db);
    let segment = dir.path().join("wal/00000000");
    let whole = fs::read(&segment).unwrap();
    let mut lengths = Vec::new();
    for size in (0..=whole.len()).rev().step_by(3) {
        let torn = copy(dir.path());
        fs::write(torn.path().join("wal/00000000"), &whole[..size]).unwrap();
        let mut registry = Registry::default();
        let db = Db::open(DbOptions::new(torn.path()), &mut registry).unwrap();
        let all = query_all(&db);
        let length = all.first().map_or(0, |(_, columns)| columns.len());
        assert!(
            all.iter().all(|(_, columns)| columns.len() == length),
            "a batch is whole or gone, cut at {size}"
        );
        lengths.push(length);
        append_grid(&db, 3, 30, 31, 15_000);
        drop(db);
        let db = open(torn.path());
        assert!(
            query_all(&db).iter().all(|(_, columns)| columns.len() == length + 1),
            "the log goes on, cut at {size}"
        );
    }
    assert_eq!(lengths.first(), Some(&20));
    assert_eq!(lengths.last(), Some(&0));
    assert!(lengths.is_sorted_by(|a, b| a >= b));
}

#[test]
fn damage_in_the_middle_of_the_log_is_cut_counted_and_set_aside() {
    let dir = TempDir::new().unwrap();
    for round in 0..3 {
        append_grid(&open(dir.path()), 2, round * 10, round * 10 + 10, 15_000);
    }
    let segment = dir.path().join("wal/00000001");
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(&segment, bytes).unwrap();
    let mut registry = Registry::default();
    let db = Db::open(DbOptions::new(dir.path()), &mut registry).unwrap();
    assert!(metric(&registry, "prometheus_tsdb_wal_corruptions_total") == 1.0);
    let times = &query_all(&db)[0].1.timestamps;
    assert_eq!(times[..10], (0..10).map(|i| i * 15_000).collect::<Vec<_>>());
    assert_eq!(times[times.len() - 10..], (20..30).map(|i| i * 15_000).collect::<Vec<_>>());
    assert!(dir.path().join("wal/00000001.corrupt").is_file());
}

/// The time ranges of the blocks.
fn hours(db: &Db) -> Vec<(Millis, Millis)> {
    db.blocks().iter().map(|block| (block.min_time / HOUR, block.max_time / HOUR)).collect()
}

#[test]
fn blocks_are_merged_into_larger_ones() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 5, 0, 10 * 60, 60_000);
    append_grid(&db, 4, 10 * 60, 24 * 60, 60_000);
    let want = query_all(&db);
    let view = db.querier(Millis::MIN, Millis::MAX).unwrap();
    drop(view);
    db.maintain().unwrap();
    assert_eq!(hours(&db), [(0, 18), (18, 20), (20, 22)]);
    assert_eq!(query_all(&db), want);
    let merged = &db.blocks()[0];
    assert_eq!(
        (merged.compaction.level, merged.compaction.parents.len(), merged.compaction.sources.len()),
        (3, 3, 9)
    );
    assert_eq!((merged.stats.num_series, merged.stats.num_samples), (5, 4 * 18 * 60 + 600));
    assert_eq!(names_in(dir.path()).len(), 3 + 3, "blocks, lock, log and head chunks: the parents are gone");
    drop(db);
    assert_eq!(query_all(&open(dir.path())), want);
}

#[test]
fn parents_that_a_crash_left_are_removed() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 3, 0, 8 * 60, 60_000);
    db.maintain().unwrap();
    assert_eq!(hours(&db).len(), 3);
    let before = copy(dir.path());
    append_grid(&db, 3, 8 * 60, 10 * 60, 60_000);
    db.maintain().unwrap();
    assert_eq!(hours(&db), [(0, 6), (6, 8)]);
    let want = query_all(&db);
    drop(db);
    // The crash came between the new block and the removal of the old ones.
    for name in names_in(before.path()).iter().filter(|name| name.len() == 26) {
        fs::rename(before.path().join(name), dir.path().join(name)).unwrap();
    }
    let db = open(dir.path());
    assert_eq!(query_all(&db), want, "overlapping blocks give each sample once");
    db.maintain().unwrap();
    assert_eq!(hours(&db), [(0, 6), (6, 8)]);
    assert_eq!(query_all(&db), want);
}

#[test]
fn a_block_that_cannot_be_merged_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 3, 0, 8 * 60, 60_000);
    db.maintain().unwrap();
    let chunks = dir.path().join(&db.blocks()[1].ulid).join("chunks/000001");
    drop(db);
    let mut bytes = fs::read(&chunks).unwrap();
    bytes[40] ^= 0xff;
    fs::write(&chunks, bytes).unwrap();
    let db = open(dir.path());
    append_grid(&db, 3, 8 * 60, 10 * 60, 60_000);
    db.maintain().expect_err("a chunk is damaged");
    assert!(db.blocks()[..3].iter().all(|block| block.compaction.failed));
    db.maintain().unwrap();
    assert_eq!(hours(&db), [(0, 2), (2, 4), (4, 6), (6, 8)]);
    let querier = db.querier(5 * HOUR, 10 * HOUR).unwrap();
    let mut set = querier.select(&SelectHints::default(), &[]).unwrap();
    assert_eq!(collect(&mut *set, 5 * HOUR, 10 * HOUR).unwrap().len(), 3, "the others are served");
}

#[test]
fn samples_move_into_blocks_and_stay_readable() {
    let dir = TempDir::new().unwrap();
    let mut registry = Registry::default();
    let db = Db::open(DbOptions::new(dir.path()), &mut registry).unwrap();
    // Seven hours, a sample a minute.
    append_grid(&db, 40, 0, 7 * 60, 60_000);
    let want = query_all(&db);
    let querier = db.querier(Millis::MIN, 0).unwrap();
    drop(querier);
    db.maintain().unwrap();
    let blocks = db.blocks();
    assert_eq!(hours(&db), [(0, 2), (2, 4)], "a block is due when the head spans one and a half");
    assert_eq!(blocks[0].stats.num_samples, 40 * 120);
    assert_eq!(query_all(&db), want);
    assert_eq!(metric(&registry, "prometheus_tsdb_head_min_time"), (4 * HOUR) as f64);
    assert_eq!(metric(&registry, "prometheus_tsdb_blocks_loaded"), 2.0);
    assert_eq!(db.time_range(), Some((0, (7 * 60 - 1) * 60_000)));
    // Old samples are in blocks now and no longer taken.
    let mut appender = db.appender();
    appender.append(SeriesRef::UNKNOWN, &labels(0), 4 * HOUR - 1, 1.0).unwrap_err();
    appender.rollback();
    drop(db);
    let db = open(dir.path());
    assert_eq!(query_all(&db), want, "after a restart");
    let some = db.querier(HOUR, 5 * HOUR).unwrap();
    let matchers = [Matcher::equal("instance", "host-7")];
    let mut set = some.select(&SelectHints::default(), &matchers).unwrap();
    let found = collect(&mut *set, HOUR, 5 * HOUR).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1.timestamps, (60..=300).map(|i| i * 60_000).collect::<Vec<_>>());
}

#[test]
fn the_log_gets_shorter_and_still_holds_what_is_needed() {
    let dir = TempDir::new().unwrap();
    let mut options = DbOptions::new(dir.path());
    options.wal_segment_size = 64 << 10;
    options.wal_compression = Compression::None;
    let db = Db::open(options.clone(), &mut Registry::default()).unwrap();
    for hour in 0..14 {
        // One series lives for a while only.
        append_grid(&db, if hour < 5 { 31 } else { 30 }, hour * 120, (hour + 1) * 120, 30_000);
        db.maintain().unwrap();
    }
    assert_eq!(db.series_count(), 30, "a series without samples leaves memory");
    let names: Vec<_> = names_in(&dir.path().join("wal"));
    assert!(*names[0] > *"00000000" && names.iter().any(|name| name.starts_with("checkpoint.")), "{names:?}");
    assert_eq!(names.iter().filter(|name| name.starts_with("checkpoint.")).count(), 1, "{names:?}");
    let want = query_all(&db);
    assert_eq!(want.len(), 31);
    let crashed = copy(dir.path());
    options.dir = crashed.path().to_owned();
    let db = Db::open(options, &mut Registry::default()).unwrap();
    assert_eq!(query_all(&db), want);
    assert_eq!(db.series_count(), 30);
}

#[test]
fn a_series_that_comes_again_survives_restarts_and_checkpoints() {
    let dir = TempDir::new().unwrap();
    let mut options = DbOptions::new(dir.path());
    options.wal_segment_size = 32 << 10;
    let reopen = || Db::open(options.clone(), &mut Registry::default()).unwrap();
    let mut db = reopen();
    for hour in 0..20 {
        append_grid(&db, 10, hour * 60, (hour + 1) * 60, 60_000);
        if hour % 4 == 0 {
            append_grid(&db, 11, (hour + 1) * 60 - 1, (hour + 1) * 60, 60_000);
        }
        db.maintain().unwrap();
        if hour % 3 == 0 {
            drop(db);
            db = reopen();
        }
    }
    let all = query_all(&db);
    assert_eq!(all.len(), 11);
    let rare = all.iter().find(|(labels, _)| labels.value("instance") == "host-10").unwrap();
    assert_eq!(rare.1.len(), 5);
}

#[test]
fn retention_removes_the_oldest_blocks() {
    let dir = TempDir::new().unwrap();
    let mut options = DbOptions::new(dir.path());
    options.retention_time = Duration::from_secs(5 * 3600);
    let db = Db::open(options.clone(), &mut Registry::default()).unwrap();
    append_grid(&db, 3, 0, 20 * 60, 60_000);
    db.maintain().unwrap();
    let starts: Vec<_> = db.blocks().iter().map(|block| block.min_time / HOUR).collect();
    assert_eq!(starts, [12, 14, 16], "five hours before the newest block's end");
    drop(db);
    options.retention_time = Duration::ZERO;
    options.retention_size = 1;
    let db = Db::open(options, &mut Registry::default()).unwrap();
    let querier = db.querier(12 * HOUR, 14 * HOUR - 1).unwrap();
    db.maintain().unwrap();
    assert!(db.blocks().is_empty());
    assert_eq!(names_in(dir.path()), ["chunks_head", "lock", "wal"]);
    let mut set = querier.select(&SelectHints::default(), &[]).unwrap();
    let found = collect(&mut *set, 12 * HOUR, 14 * HOUR - 1).unwrap();
    assert_eq!(found[0].1.len(), 120, "a query that came before still reads the removed block");
}

#[test]
fn a_crash_or_a_fault_at_any_step_of_housekeeping_loses_nothing() {
    let dir = TempDir::new().unwrap();
    let fill = |db: &Db, round: i64| append_grid(db, 6, round * 150, (round + 1) * 150, 60_000);
    let failures = faults::survive_faults(dir.path(), DbOptions::new(dir.path()), 12, fill, Db::maintain);
    assert!(failures > 10, "{failures} faults showed");
}

#[test]
fn a_long_query_delays_housekeeping_and_loses_nothing() {
    let dir = TempDir::new().unwrap();
    let mut options = DbOptions::new(dir.path());
    options.patience = Duration::from_millis(5);
    let db = Db::open(options, &mut Registry::default()).unwrap();
    append_grid(&db, 3, 0, 7 * 60, 60_000);
    let want = query_all(&db);
    let view = db.querier(HOUR, 7 * HOUR).unwrap();
    assert!(matches!(db.maintain(), Err(MaintainError::ReadersBusy)));
    assert!(matches!(db.maintain(), Err(MaintainError::ReadersBusy)));
    assert_eq!(hours(&db), [(0, 2)], "the block is not written twice");
    assert_eq!(query_all(&db), want);
    let mut set = view.select(&SelectHints::default(), &[]).unwrap();
    assert_eq!(collect(&mut *set, HOUR, 7 * HOUR).unwrap()[0].1.len(), 6 * 60);
    drop((set, view));
    let mut batch = db.raw_batch();
    let series = batch.series(b"old", || Ok(labels(0))).unwrap();
    batch.append(series, 7 * HOUR, 1.0).unwrap();
    drop(batch);
    db.maintain().unwrap();
    assert_eq!(hours(&db), [(0, 2), (2, 4)]);
    assert_eq!(query_all(&db), want);
}

#[test]
fn leftovers_are_removed_and_broken_blocks_left_out() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 3, 0, 7 * 60, 60_000);
    db.maintain().unwrap();
    let blocks = db.blocks();
    drop(db);
    fs::create_dir_all(dir.path().join("01ARZ3NDEKTSV4RRFFQ69G5FAV.tmp-for-creation/chunks")).unwrap();
    fs::create_dir_all(dir.path().join("01ARZ3NDEKTSV4RRFFQ69G5FAV.tmp-for-deletion")).unwrap();
    fs::create_dir_all(dir.path().join("wal/checkpoint.00000007.tmp")).unwrap();
    fs::write(dir.path().join(&blocks[0].ulid).join("index"), b"not an index").unwrap();
    let mut registry = Registry::default();
    let db = Db::open(DbOptions::new(dir.path()), &mut registry).unwrap();
    assert_eq!(db.blocks(), blocks[1..]);
    assert_eq!(metric(&registry, "prometheus_tsdb_blocks_unreadable"), 1.0);
    assert!(!names_in(dir.path()).iter().any(|name| name.contains(".tmp")));
    assert!(!names_in(&dir.path().join("wal")).iter().any(|name| name.contains(".tmp")));
    assert_eq!(query_all(&db)[0].1.timestamps[0], 2 * HOUR, "everything else is served");
}

#[test]
fn a_full_disk_refuses_writes_and_keeps_reads_up() {
    let dir = TempDir::new().unwrap();
    let faulty = FaultyFs::default();
    let mut options = DbOptions::new(dir.path());
    options.fs = Arc::new(faulty.clone());
    let db = Db::open(options, &mut Registry::default()).unwrap();
    append_grid(&db, 3, 0, 7 * 60, 60_000);
    let want = query_all(&db);
    faulty.inject(Fault::Full { after: 10 });
    let mut appender = db.appender();
    appender.append(SeriesRef::UNKNOWN, &labels(0), 7 * HOUR, 1.0).unwrap();
    assert!(matches!(appender.commit(), Err(CommitError::DiskFull(_))));
    db.maintain().expect_err("no room for a block");
    assert_eq!(query_all(&db), want);
    assert!(db.write_failure().is_none());
    faulty.heal();
    db.maintain().unwrap();
    append_grid(&db, 3, 7 * 60, 7 * 60 + 1, 60_000);
    assert_eq!(db.blocks().len(), 2);
    assert!(query_all(&db).iter().all(|(_, columns)| columns.len() == 7 * 60 + 1));
}

#[test]
fn queries_and_writes_go_on_while_blocks_are_written() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 20, 0, 60, 60_000);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| append_grid(&db, 20, 60, 12 * 60, 60_000));
        let reader = scope.spawn(|| {
            let mut longest = 0;
            for _ in 0..60 {
                let all = query_all(&db);
                let lengths: Vec<_> = all.iter().map(|(_, columns)| columns.len()).collect();
                assert!(lengths.iter().all(|length| *length == lengths[0]), "{lengths:?}");
                assert!(lengths[0] >= longest, "nothing vanishes");
                longest = lengths[0];
            }
        });
        while !writer.is_finished() {
            db.maintain().unwrap();
        }
        writer.join().unwrap();
        reader.join().unwrap();
    });
    db.maintain().unwrap();
    assert_eq!(hours(&db), [(0, 6), (6, 8), (8, 10)]);
    assert!(query_all(&db).iter().all(|(_, columns)| columns.len() == 12 * 60));
}

#[test]
fn deleted_series_are_gone_at_once_and_for_good() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 6, 0, 10 * 60, 60_000);
    db.maintain().unwrap();
    let view = db.querier(Millis::MIN, Millis::MAX).unwrap();
    let selectors = [vec![Matcher::equal("instance", "host-2")], vec![Matcher::equal("instance", "host-4")]];
    // All of one block, a part of the next, and a part of what is in memory.
    let deleted = db.delete_series(&selectors, 0, 7 * HOUR).unwrap();
    assert_eq!(deleted, tsdb::Deleted { head_series: 0, block_series: 4 });
    let deleted = db.delete_series(&selectors[..1], 9 * HOUR, 9 * HOUR + 600_000).unwrap();
    assert_eq!(deleted, tsdb::Deleted { head_series: 1, block_series: 0 });
    let check = |db: &Db| {
        for (labels, columns) in query_all(db) {
            let host = labels.value("instance");
            let gone = |minute: i64| match host {
                "host-2" => minute <= 420 || (540..=550).contains(&minute),
                "host-4" => minute <= 420,
                _ => false,
            };
            let want: Vec<_> =
                (0..600).filter(|minute| !gone(*minute)).map(|minute| minute * 60_000).collect();
            assert_eq!(columns.timestamps, want, "{host}");
        }
    };
    check(&db);
    let mut set = view.select(&SelectHints::default(), &selectors[0]).unwrap();
    let before = collect(&mut *set, 0, 6 * HOUR - 1).unwrap();
    assert_eq!(before[0].1.len(), 360, "a query that came before still sees what was in its blocks");
    drop(db);
    let db = open(dir.path());
    check(&db);
    db.clean_tombstones().unwrap();
    check(&db);
    assert_eq!(db.blocks()[0].stats.num_series, 4);
    assert!(db.blocks().iter().all(|block| block.stats.num_tombstones == 0));
    // The deletion in memory goes into the block.
    append_grid(&db, 6, 10 * 60, 14 * 60, 60_000);
    db.maintain().unwrap();
    let querier = db.querier(9 * HOUR, 9 * HOUR + 600_000).unwrap();
    let mut set = querier.select(&SelectHints::default(), &selectors[0]).unwrap();
    let found = collect(&mut *set, 9 * HOUR, 9 * HOUR + 600_000).unwrap();
    assert!(found.iter().all(|(_, columns)| columns.is_empty()));
    let none = [vec![Matcher::equal("instance", "nobody")]];
    assert_eq!(db.delete_series(&none, Millis::MIN, Millis::MAX).unwrap(), tsdb::Deleted::default());
}

#[test]
fn a_snapshot_is_a_database() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 4, 0, 7 * 60, 60_000);
    db.maintain().unwrap();
    let target = dir.path().join("snapshots/one");
    db.snapshot(&target, true).unwrap();
    db.snapshot(&dir.path().join("snapshots/two"), false).unwrap();
    db.snapshot(&target, true).expect_err("it exists");
    let want = query_all(&db);
    append_grid(&db, 4, 7 * 60, 8 * 60, 60_000);
    let copy = open(&target);
    assert_eq!(query_all(&copy), want);
    assert_eq!(copy.blocks().len(), 3);
    assert_eq!(open(&dir.path().join("snapshots/two")).blocks().len(), 2);
}

#[test]
fn one_folder_has_one_owner_and_bad_options_are_named() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    let second = Db::open(DbOptions::new(dir.path()), &mut Registry::default());
    assert!(matches!(second, Err(OpenError::Lock(_))));
    drop(db);
    let mut options = DbOptions::new(dir.path());
    options.retention_percentage = 101.0;
    let error = Db::open(options, &mut Registry::default()).err().unwrap();
    assert!(error.to_string().contains("retention percentage must be between 0 and 100"), "{error}");
}

#[test]
fn a_closed_database_takes_nothing() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 1, 0, 2, 15_000);
    db.close().unwrap();
    db.close().unwrap();
    let mut appender = db.appender();
    appender.append(SeriesRef::UNKNOWN, &labels(0), HOUR, 1.0).unwrap();
    assert!(matches!(appender.commit(), Err(CommitError::Closed)));
    assert_eq!(query_all(&db)[0].1.len(), 2);
}

#[test]
fn status_names_the_culprits() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 8, 0, 2, 15_000);
    let status = db.status(2);
    assert_eq!((status.series, status.chunks), (8, 8));
    assert_eq!((status.min_time, status.max_time), (0, 15_000));
    let lists = [&status.series_by_metric_name, &status.values_by_label_name, &status.series_by_label_pair];
    let first: Vec<_> = lists.iter().map(|list| (list[0].name.as_str(), list[0].value)).collect();
    assert_eq!(first, [("metric_0", 4), ("instance", 8), ("job=test", 8)]);
    assert!(lists.iter().all(|list| list.len() == 2));
    // __name__: 2, instance: 8, job: 1.
    assert_eq!(status.label_pairs, 11);
}

#[test]
fn names_and_values_come_from_head_and_blocks() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 12, 0, 120, 60_000);
    append_grid(&db, 3, 120, 7 * 60, 60_000);
    db.maintain().unwrap();
    assert_eq!(db.series_count(), 3);
    let querier = db.querier(Millis::MIN, Millis::MAX).unwrap();
    let all = LabelQuery::default();
    assert_eq!(querier.label_names(&all).unwrap(), ["__name__", "instance", "job"]);
    assert_eq!(querier.label_values("instance", &all).unwrap().len(), 12);
    let odd = LabelQuery { selectors: vec![vec![Matcher::equal("__name__", "metric_1")]], limit: 3 };
    assert_eq!(querier.label_values("instance", &odd).unwrap(), ["host-1", "host-11", "host-3"]);
    let late = db.querier(6 * HOUR, 7 * HOUR).unwrap();
    assert_eq!(late.label_values("instance", &all).unwrap().len(), 3);
    let limited = SelectHints { limit: 2, ..SelectHints::default() };
    let mut set = querier.select(&limited, &[]).unwrap();
    assert_eq!(collect(&mut *set, 0, Millis::MAX).unwrap().len(), 2);
}

/// Does the same to a database and to a map.
#[derive(Debug, Clone)]
enum Step {
    /// Samples of some series, `delta` milliseconds after the last.
    Append {
        delta: Millis,
        series: Vec<u8>,
    },
    Maintain,
    MapChunks,
    Restart,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let append = (1i64..40 * 60_000, prop::collection::vec(0u8..6, 0..8));
    prop_oneof![
        12 => append.prop_map(|(delta, series)| Step::Append { delta, series }),
        2 => Just(Step::Maintain),
        3 => Just(Step::MapChunks),
        1 => Just(Step::Restart),
        1 => Just(Step::Crash),
    ]
}

fn matcher() -> impl Strategy<Value = Matcher> {
    let op = prop::sample::select(vec![MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex]);
    let name = prop::sample::select(vec!["__name__", "instance", "absent"]);
    let text = prop::sample::select(vec![
        "",
        "host-1",
        "host-[0-3]",
        "metric_0|metric_1",
        ".+",
        "host.*",
        "metric_1",
    ]);
    (op, name, text).prop_map(|(op, name, text)| Matcher::new(op, name, text).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn behaves_as_a_map_does(
        steps in prop::collection::vec(step(), 1..60),
        matchers in prop::collection::vec(matcher(), 0..3),
        from in 0i64..20 * HOUR,
        length in 0i64..20 * HOUR,
    ) {
        let mut dir = TempDir::new().unwrap();
        let mut db = open(dir.path());
        let mut model: std::collections::BTreeMap<Labels, Vec<(Millis, f64)>> = Default::default();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Append { delta, series } => {
                    now += delta;
                    let mut appender = db.appender();
                    for number in series {
                        let labels = labels(usize::from(number));
                        let value = f64::from(number) + now as f64;
                        appender.append(SeriesRef::UNKNOWN, &labels, now, value).unwrap();
                        let samples = model.entry(labels).or_default();
                        if samples.last().is_none_or(|(last, _)| *last < now) {
                            samples.push((now, value));
                        }
                    }
                    appender.commit().unwrap();
                }
                Step::Maintain => db.maintain().unwrap(),
                Step::MapChunks => db.map_chunks(),
                Step::Restart => {
                    drop(db);
                    db = open(dir.path());
                }
                Step::Crash => {
                    let crashed = copy(dir.path());
                    drop(db);
                    dir = crashed;
                    db = open(dir.path());
                }
            }
        }
        let to = from + length;
        let querier = db.querier(from, to).unwrap();
        let mut set = querier.select(&SelectHints::default(), &matchers).unwrap();
        let found: Vec<_> = collect(&mut *set, from, to)
            .unwrap()
            .into_iter()
            .map(|(labels, columns)| (labels, columns.timestamps.into_iter().zip(columns.values).collect::<Vec<_>>()))
            .filter(|(_, samples)| !samples.is_empty())
            .collect();
        let want: Vec<_> = model
            .into_iter()
            .filter(|(labels, _)| matchers.iter().all(|m| m.matches(labels.value(m.name()))))
            .map(|(labels, samples)| (labels, samples.into_iter().filter(|(t, _)| (from..=to).contains(t)).collect::<Vec<_>>()))
            .filter(|(_, samples)| !samples.is_empty())
            .collect();
        prop_assert_eq!(found, want);
    }
}

#[test]
fn chunks_of_the_newer_encoding_live_with_the_others() {
    let dir = TempDir::new().unwrap();
    let mut options = DbOptions::new(dir.path());
    // Behind the file's header and the chunk's length.
    let first_encoding = |db: &Db, block: usize| {
        let chunks = db.dir().join(&db.blocks()[block].ulid).join("chunks/000001");
        let bytes = fs::read(chunks).unwrap();
        let length = bytes[8..].iter().take_while(|byte| **byte >= 0x80).count() + 1;
        bytes[8 + length]
    };
    let db = Db::open(options.clone(), &mut Registry::default()).unwrap();
    append_grid(&db, 10, 0, 2 * 60 + 30, 60_000);
    // The open chunk ends here.
    db.set_float_encoding(FloatEncoding::Xor2);
    append_grid(&db, 10, 2 * 60 + 30, 5 * 60, 60_000);
    let want = query_all(&db);
    options.float_encoding = FloatEncoding::Xor2;
    let mut killed = options.clone();
    let copied = copy(dir.path());
    killed.dir = copied.path().to_owned();
    assert_eq!(query_all(&Db::open(killed, &mut Registry::default()).unwrap()), want, "from the log");
    db.map_chunks();
    assert_eq!(query_all(&db), want, "in files");
    drop(db);
    let db = Db::open(options, &mut Registry::default()).unwrap();
    assert_eq!(query_all(&db), want, "found in files");
    append_grid(&db, 10, 5 * 60, 9 * 60, 60_000);
    let want = query_all(&db);
    db.maintain().unwrap();
    assert_eq!(hours(&db), [(0, 2), (2, 4), (4, 6)]);
    assert_eq!(query_all(&db), want, "in blocks");
    assert_eq!((0..3).map(|block| first_encoding(&db, block)).collect::<Vec<_>>(), [1, 1, 4]);
    db.set_float_encoding(FloatEncoding::Xor);
    append_grid(&db, 10, 9 * 60, 11 * 60, 60_000);
    assert!(query_all(&db).iter().all(|(_, columns)| columns.len() == 11 * 60));
}
