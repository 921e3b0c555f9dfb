//! Full chunks of the head leave memory for files: nobody who asks for samples notices, whatever happens to the files.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use common::*;
use disk::fault::{Fault, FaultyFs};
use model::{Columns, Labels, Matcher, Millis};
use prometheus_client::registry::Registry;
use storage::{Appendable, Queryable, SelectHints, SeriesRef, collect};
use tempfile::TempDir;
use tsdb::{Compression, Db, DbOptions};

const MINUTE: Millis = 60_000;

type All = Vec<(Labels, Columns)>;

fn open_counting(dir: &Path) -> (Db, Registry) {
    let mut registry = Registry::default();
    let db = Db::open(DbOptions::new(dir), &mut registry).unwrap();
    (db, registry)
}

fn chunk_files(dir: &Path) -> Vec<PathBuf> {
    let dir = dir.join("chunks_head");
    names_in(&dir).into_iter().map(|name| dir.join(name)).collect()
}

fn mapped(registry: &Registry) -> f64 {
    metric(registry, "prometheus_tsdb_mmap_chunks_total")
}

fn corruptions(registry: &Registry) -> f64 {
    metric(registry, "prometheus_tsdb_mmap_chunk_corruptions_total")
}

fn read(db: &Db, matchers: &[Matcher], from: Millis, to: Millis) -> All {
    let querier = db.querier(from, to).unwrap();
    let mut set = querier.select(&SelectHints::default(), matchers).unwrap();
    collect(&mut *set, from, to).unwrap()
}

/// Five series of 500 samples in two hours and five minutes: each has three chunks in a file and one open.
fn database(dir: &Path) -> All {
    let (db, registry) = open_counting(dir);
    append_grid(&db, 5, 0, 500, 15_000);
    let want = query_all(&db);
    db.map_chunks();
    assert_eq!(mapped(&registry), 5.0 * 4.0);
    assert_eq!(query_all(&db), want, "from files");
    want
}

#[test]
fn samples_are_read_from_files_as_from_memory() {
    let dir = TempDir::new().unwrap();
    let want = database(dir.path());
    let (db, registry) = open_counting(dir.path());
    assert_eq!(query_all(&db), want, "after a restart");
    assert_eq!(metric(&registry, "prometheus_tsdb_head_chunks"), 25.0);
    let bytes = fs::metadata(&chunk_files(dir.path())[0]).unwrap().len();
    assert_eq!(metric(&registry, "prometheus_tsdb_head_chunks_storage_size_bytes"), bytes as f64);
    for (from, to) in
        [(0, 0), (29 * MINUTE, 31 * MINUTE), (60 * MINUTE, 90 * MINUTE), (124 * MINUTE, HOUR * 9)]
    {
        let some = read(&db, &[], from, to);
        assert_eq!(some.len(), 5);
        for ((_, columns), (_, all)) in some.iter().zip(&want) {
            let inside = |at: &&Millis| (from..=to).contains(*at);
            let times: Vec<_> = all.timestamps.iter().filter(inside).copied().collect();
            assert_eq!(columns.timestamps, times);
        }
    }
    append_grid(&db, 5, 500, 800, 15_000);
    db.map_chunks();
    let want = query_all(&db);
    assert!(want.iter().all(|(_, columns)| columns.len() == 800));
    assert_eq!(chunk_files(dir.path()).len(), 2, "a new file for each start");
    drop(db);
    assert_eq!(query_all(&open(dir.path())), want);
}

/// The log's segments behind the first and before the last can go when all that is in them is in files of chunks.
#[test]
fn what_is_in_files_is_not_taken_from_the_log() {
    let dir = TempDir::new().unwrap();
    let mut options = DbOptions::new(dir.path());
    options.wal_segment_size = 32 << 10;
    options.wal_compression = Compression::None;
    let db = Db::open(options.clone(), &mut Registry::default()).unwrap();
    append_grid(&db, 100, 0, 479, 15_000);
    db.map_chunks();
    let want = query_all(&db);
    drop(db);
    let segments = names_in(&dir.path().join("wal"));
    assert!(segments.len() > 5, "{segments:?}");
    for segment in &segments[1..segments.len() / 2] {
        fs::remove_file(dir.path().join("wal").join(segment)).unwrap();
    }
    assert_eq!(query_all(&Db::open(options, &mut Registry::default()).unwrap()), want);
}

#[test]
fn whatever_is_lost_of_the_files_is_in_the_log() {
    let dir = TempDir::new().unwrap();
    let want = database(dir.path());
    let file = chunk_files(dir.path())[0].clone();
    let whole = fs::read(&file).unwrap();
    let check = |bytes: &[u8], what: &str| {
        let copy = copy(dir.path());
        fs::write(&chunk_files(copy.path())[0], bytes).unwrap();
        let (db, registry) = open_counting(copy.path());
        assert_eq!(query_all(&db), want, "{what}");
        let damaged = corruptions(&registry);
        append_grid(&db, 5, 500, 530, 15_000);
        db.map_chunks();
        let more = query_all(&db);
        drop(db);
        let (db, registry) = open_counting(copy.path());
        assert_eq!(query_all(&db), more, "{what}, once more");
        assert_eq!(corruptions(&registry), 0.0, "{what}: it is repaired");
        damaged
    };
    for size in whole.len() - 200..whole.len() {
        assert!(check(&whole[..size], &format!("cut at {size}")) <= 1.0);
    }
    for at in (0..whole.len()).step_by(23) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        check(&flipped, &format!("flipped at {at}"));
    }
    assert_eq!(check(b"", "empty"), 0.0);
    assert_eq!(check(b"nothing of the kind", "something else"), 1.0);
}

#[test]
fn a_kill_at_any_moment_loses_nothing() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    for step in 0..60 {
        append_grid(&db, 4, step * 20, (step + 1) * 20, 15_000);
        if step % 3 != 0 {
            db.map_chunks();
        }
        if step % 20 == 19 {
            db.maintain().unwrap();
        }
        let killed = copy(dir.path());
        let want = query_all(&db);
        let db = open(killed.path());
        assert_eq!(query_all(&db), want, "killed at {step}");
        append_grid(&db, 4, (step + 1) * 20, (step + 2) * 20, 15_000);
        db.map_chunks();
        let want = query_all(&db);
        let killed = copy(killed.path());
        drop(db);
        assert_eq!(query_all(&open(killed.path())), want, "killed at {step}, and again");
    }
}

#[test]
fn files_go_when_their_samples_are_in_a_block() {
    let dir = TempDir::new().unwrap();
    let (db, registry) = open_counting(dir.path());
    let mut most = 0;
    for hour in 0..12 {
        append_grid(&db, 30, hour * 60, (hour + 1) * 60, MINUTE);
        db.map_chunks();
        db.maintain().unwrap();
        most = most.max(chunk_files(dir.path()).len());
    }
    assert!(db.blocks().len() > 1);
    assert!(most <= 3, "{most} files");
    assert_eq!(corruptions(&registry), 0.0);
    let want = query_all(&db);
    assert!(want.iter().all(|(_, columns)| columns.len() == 12 * 60));
    let killed = copy(dir.path());
    assert_eq!(query_all(&open(killed.path())), want);
}

#[test]
fn queries_under_way_keep_what_they_read() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 20, 0, 120, MINUTE);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let mapper = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                db.map_chunks();
            }
        });
        let reader = scope.spawn(|| {
            let mut longest = 0;
            while !over.load(Ordering::Relaxed) {
                let all = query_all(&db);
                let lengths: Vec<_> = all.iter().map(|(_, columns)| columns.len()).collect();
                assert!(lengths.iter().all(|length| *length == lengths[0]), "{lengths:?}");
                assert!(lengths[0] >= longest, "nothing vanishes");
                longest = lengths[0];
            }
        });
        for hour in 2..14 {
            append_grid(&db, 20, hour * 60, (hour + 1) * 60, MINUTE);
            db.maintain().unwrap();
        }
        over.store(true, Ordering::Relaxed);
        mapper.join().unwrap();
        reader.join().unwrap();
    });
    assert!(query_all(&db).iter().all(|(_, columns)| columns.len() == 14 * 60));
}

#[test]
fn a_view_does_not_see_more_because_chunks_moved() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 1, 0, 10, 15_000);
    let view = db.querier(Millis::MIN, Millis::MAX).unwrap();
    append_grid(&db, 1, 10, 700, 15_000);
    db.map_chunks();
    let mut set = view.select(&SelectHints::default(), &[]).unwrap();
    let seen = collect(&mut *set, Millis::MIN, Millis::MAX).unwrap();
    assert_eq!(seen[0].1.len(), 10);
}

#[test]
fn a_deletion_hides_what_was_there_and_no_more() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 2, 0, 100, 15_000);
    let selectors = [vec![Matcher::equal("instance", "host-1")]];
    db.delete_series(&selectors, Millis::MIN, Millis::MAX).unwrap();
    // The chunk that the deleted samples are in gets younger ones, and is in a file when the log is read again.
    append_grid(&db, 2, 100, 700, 15_000);
    db.map_chunks();
    let want = query_all(&db);
    assert_eq!(want.iter().map(|(_, columns)| columns.len()).collect::<Vec<_>>(), [700, 600]);
    drop(db);
    assert_eq!(query_all(&open(dir.path())), want);
}

#[test]
fn a_series_that_comes_again_keeps_the_chunks_of_all_its_numbers() {
    let dir = TempDir::new().unwrap();
    let mut options = DbOptions::new(dir.path());
    options.wal_segment_size = 4 << 20;
    let mut registry = Registry::default();
    let mut db = Db::open(options.clone(), &mut registry).unwrap();
    // The second series is gone for hours, and so leaves memory.
    append_grid(&db, 2, 0, 60, MINUTE);
    append_grid(&db, 1, 60, 8 * 60, MINUTE);
    db.map_chunks();
    db.maintain().unwrap();
    assert_eq!(db.series_count(), 1);
    for round in 0..4 {
        let start = 8 * 60 + round * 40;
        append_grid(&db, 2, start, start + 40, MINUTE);
        db.map_chunks();
        let want = query_all(&db);
        drop(db);
        registry = Registry::default();
        db = Db::open(options.clone(), &mut registry).unwrap();
        assert_eq!(query_all(&db), want, "round {round}");
        assert_eq!(corruptions(&registry), 0.0);
    }
}

#[test]
fn chunks_whose_series_the_log_has_lost_are_nobodys() {
    let dir = TempDir::new().unwrap();
    database(dir.path());
    fs::remove_dir_all(dir.path().join("wal")).unwrap();
    let db = open(dir.path());
    assert!(query_all(&db).is_empty());
    let mut appender = db.appender();
    for number in 10..15 {
        appender.append(SeriesRef::UNKNOWN, &labels(number), 9 * HOUR, 1.0).unwrap();
    }
    appender.commit().unwrap();
    drop(db);
    let all = query_all(&open(dir.path()));
    assert!(all.len() == 5 && all.iter().all(|(_, columns)| columns.len() == 1), "{all:?}");
}

#[test]
fn a_full_disk_leaves_chunks_in_memory() {
    let dir = TempDir::new().unwrap();
    let faulty = FaultyFs::default();
    let mut options = DbOptions::new(dir.path());
    options.fs = Arc::new(faulty.clone());
    let mut registry = Registry::default();
    let db = Db::open(options, &mut registry).unwrap();
    append_grid(&db, 5, 0, 400, 15_000);
    let want = query_all(&db);
    for after in [0, 10, 500, 2000] {
        faulty.inject(Fault::Full { after });
        db.map_chunks();
        db.map_chunks();
        assert_eq!(query_all(&db), want);
        faulty.heal();
    }
    assert_eq!(metric(&registry, "prometheus_tsdb_head_chunk_writes_failed_total"), 8.0);
    assert_eq!(mapped(&registry), 0.0);
    db.map_chunks();
    assert_eq!(mapped(&registry), 15.0);
    assert_eq!(query_all(&db), want);
    let (killed, registry) = open_counting(copy(dir.path()).path());
    assert_eq!(query_all(&killed), want);
    assert_eq!(corruptions(&registry), 0.0);
}

#[test]
fn files_of_chunks_count_towards_the_size_that_is_kept() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 5, 0, 7 * 60, MINUTE);
    db.maintain().unwrap();
    assert_eq!(db.blocks().len(), 2);
    drop(db);
    assert!(!chunk_files(dir.path()).is_empty());
    let bytes = disk::dir_size(dir.path()).unwrap() - fs::metadata(dir.path().join("lock")).unwrap().len();
    for (limit, kept) in [(bytes, 2), (bytes - 1, 1)] {
        let mut options = DbOptions::new(dir.path());
        options.retention_size = limit;
        let db = Db::open(options, &mut Registry::default()).unwrap();
        db.maintain().unwrap();
        assert_eq!(db.blocks().len(), kept, "at most {limit} bytes");
    }
}
