//! Reading the log while the database is in use.

mod common;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use common::{HOUR, append_grid, labels, open, query_all};
use model::Columns;
use prometheus_client::registry::Registry;
use storage::{Appendable, SeriesRef};
use tempfile::TempDir;
use tsdb::{Db, DbOptions};

const STEP: i64 = 15_000;

fn start(dir: &TempDir) -> Db {
    Db::start(DbOptions::new(dir.path()), &mut Registry::default()).unwrap()
}

/// One sample of a series in a batch of its own.
fn append(db: &Db, series: usize, timestamp: i64, value: f64) {
    let mut appender = db.appender();
    appender.append(SeriesRef::UNKNOWN, &labels(series), timestamp, value).unwrap();
    appender.commit().unwrap();
}

fn samples_of(db: &Db, series: usize) -> Columns {
    let wanted = labels(series);
    query_all(db)
        .into_iter()
        .find(|(labels, _)| *labels == wanted)
        .map(|(_, columns)| columns)
        .unwrap_or_default()
}

#[test]
fn samples_are_taken_before_the_log_is_read() {
    let dir = TempDir::new().unwrap();
    append_grid(&open(dir.path()), 3, 0, 200, STEP);
    for run in 0..3 {
        let db = start(&dir);
        assert!(db.is_replaying());
        let now = (200 + run) * STEP;
        append(&db, 0, now, 1.0);
        append(&db, 100 + run as usize, now, 2.0);
        // Not younger than what the log has: nobody can tell yet, and it is left out at the end.
        append(&db, 1, 50 * STEP, -1.0);
        assert!(query_all(&db).is_empty(), "memory has nothing yet that may be shown");
        db.replay().unwrap();
        assert!(!db.is_replaying());
        append(&db, 2, now, 3.0);
        for series in [0, 2] {
            let samples = samples_of(&db, series);
            assert_eq!(samples.len(), 200 + run as usize + 1, "series {series} in run {run}");
            assert_eq!(samples.timestamps.last(), Some(&now));
        }
        assert_eq!(samples_of(&db, 1).len(), 200);
        assert!(!samples_of(&db, 1).values.contains(&-1.0));
        assert_eq!(samples_of(&db, 100 + run as usize).values, [2.0]);
        db.replay().expect("a second call does nothing");
    }
    assert_eq!(query_all(&open(dir.path())).len(), 6);
}

#[test]
fn blocks_are_searched_before_the_log_is_read() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 2, 0, 4 * HOUR / STEP, STEP);
    db.maintain().unwrap();
    assert_eq!(db.blocks().len(), 1);
    drop(db);
    let db = start(&dir);
    let in_blocks = query_all(&db);
    assert_eq!(in_blocks.len(), 2);
    assert!(in_blocks.iter().all(|(_, columns)| columns.len() == (2 * HOUR / STEP) as usize));
    db.replay().unwrap();
    assert!(query_all(&db).iter().all(|(_, columns)| columns.len() == (4 * HOUR / STEP) as usize));
}

#[test]
fn a_log_of_many_hours_becomes_blocks_while_it_is_read() {
    let dir = TempDir::new().unwrap();
    let options = DbOptions { wal_segment_size: 64 << 10, ..DbOptions::new(dir.path()) };
    let db = Db::open(options.clone(), &mut Registry::default()).unwrap();
    append_grid(&db, 20, 0, 9 * HOUR / STEP, STEP);
    drop(db);
    // Nobody has come by to write blocks, and the files of chunks are lost: it is all in the log.
    std::fs::remove_dir_all(dir.path().join("chunks_head")).unwrap();
    let db = Db::open(options, &mut Registry::default()).unwrap();
    assert_eq!(db.blocks().len(), 3);
    assert!(db.time_range().is_some_and(|(first, last)| first == 0 && last == 9 * HOUR - STEP));
    let all = query_all(&db);
    assert_eq!(all.len(), 20);
    assert!(all.iter().all(|(_, columns)| columns.len() == (9 * HOUR / STEP) as usize));
    db.maintain().unwrap();
    drop(db);
    let all = query_all(&open(dir.path()));
    assert!(all.iter().all(|(_, columns)| columns.len() == (9 * HOUR / STEP) as usize));
}

#[test]
fn chunks_in_files_do_not_run_ahead_of_the_log() {
    let dir = TempDir::new().unwrap();
    let options = DbOptions { wal_segment_size: 64 << 10, ..DbOptions::new(dir.path()) };
    let db = Db::open(options.clone(), &mut Registry::default()).unwrap();
    // Some series have full chunks, which go into files, the others hardly a sample in each block.
    for step in 0..9 * HOUR / STEP {
        for series in 0..4 {
            append(&db, series, step * STEP, step as f64);
        }
        if step % 200 == 0 {
            append(&db, 10 + step as usize / 200, step * STEP, 1.0);
            db.map_chunks();
        }
    }
    let before = query_all(&db);
    drop(db);
    let db = Db::open(options, &mut Registry::default()).unwrap();
    assert!(!db.blocks().is_empty());
    assert!(query_all(&db) == before);
}

#[test]
fn whoever_writes_all_the_time_loses_nothing_when_the_head_goes_live() {
    const WRITERS: usize = 4;
    let dir = TempDir::new().unwrap();
    let grid = 400;
    append_grid(&open(dir.path()), 500, 0, grid, STEP);
    let db = start(&dir);
    let stop = AtomicBool::new(false);
    let written: Vec<i64> = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (db, stop) = (&db, &stop);
                scope.spawn(move || {
                    let mut written = 0;
                    while !stop.load(Ordering::Relaxed) {
                        // Close together: whoever lags behind must not get too old.
                        append(db, writer, grid * STEP + written, 0.0);
                        written += 1;
                    }
                    written
                })
            })
            .collect();
        db.replay().unwrap();
        stop.store(true, Ordering::Relaxed);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    for (writer, written) in written.iter().enumerate() {
        let times = samples_of(&db, writer).timestamps;
        let want = (0..grid).map(|step| step * STEP).chain((0..*written).map(|number| grid * STEP + number));
        assert!(
            times.iter().copied().eq(want),
            "writer {writer}: {} of {} are there",
            times.len(),
            grid + written
        );
    }
    let before = query_all(&db);
    drop(db);
    assert!(query_all(&open(dir.path())) == before);
}
