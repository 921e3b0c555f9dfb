//! Damage, wrong clocks and full disks: nothing panics, what is not affected is served, and what is left out is named.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use common::*;
use disk::fault::{Fault, FaultyFs};
use model::{Columns, Labels, Matcher, Millis};
use prometheus_client::{encoding::text::encode, registry::Registry};
use storage::{Appendable, Queryable, SelectHints, SeriesRef, collect};
use tempfile::TempDir;
use tsdb::{Db, DbOptions};

/// Three blocks of two hours, and the seven hours' rest in memory.
fn three_blocks() -> TempDir {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_grid(&db, 4, 0, 9 * 60, 60_000);
    db.maintain().unwrap();
    assert_eq!(db.blocks().len(), 3);
    dir
}

/// The folder of each block, by time.
fn folders(dir: &Path) -> Vec<PathBuf> {
    open(dir).blocks().iter().map(|block| dir.join(&block.ulid)).collect()
}

fn query(
    db: &Db,
    (from, to): (Millis, Millis),
    matchers: &[Matcher],
) -> Result<Vec<(Labels, Columns)>, storage::QueryError> {
    let querier = db.querier(from, to)?;
    let mut set = querier.select(&SelectHints::default(), matchers)?;
    collect(&mut *set, from, to)
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

fn metrics(registry: &Registry) -> String {
    let mut text = String::new();
    encode(&mut text, registry).unwrap();
    text
}

/// Damages the middle one of three blocks. Expects that it is left out, named, and kept, and that everything else is served.
fn check_left_out(name: &str, damage: impl FnOnce(&Path)) {
    let dir = three_blocks();
    let blocks = folders(dir.path());
    let want = query_all(&open(dir.path()));
    damage(&blocks[1]);
    let mut registry = Registry::default();
    let db = Db::open(DbOptions::new(dir.path()), &mut registry).unwrap();
    assert_eq!(db.blocks().len(), 2, "{name}");
    let ulid = blocks[1].file_name().unwrap().to_string_lossy().into_owned();
    let text = metrics(&registry);
    assert!(text.contains("prometheus_tsdb_blocks_unreadable 1\n"), "{name}: {text}");
    assert!(
        text.contains(&format!("prometheus_tsdb_unreadable_block_info{{block=\"{ulid}\"}} 1\n")),
        "{name}"
    );
    let unreadable = db.unreadable_blocks();
    assert_eq!(unreadable[0].dir, blocks[1], "{name}");
    assert!(!unreadable[0].reason.is_empty(), "{name}");
    assert!(blocks[1].is_dir(), "{name}: it is kept");
    let served = query_all(&db);
    for ((labels, found), (_, all)) in served.iter().zip(&want) {
        let others: Vec<_> =
            all.timestamps.iter().filter(|t| !(2 * HOUR..4 * HOUR).contains(*t)).copied().collect();
        assert_eq!(found.timestamps, others, "{name}: {labels}");
    }
    db.maintain().unwrap();
    append_grid(&db, 4, 9 * 60, 10 * 60, 60_000);
    assert!(blocks[1].is_dir(), "{name}: housekeeping leaves it alone");
}

/// Offsets of the sections of an index: symbols, series, label indices, their table, lists, their table.
fn sections(index: &[u8]) -> Vec<usize> {
    let toc = &index[index.len() - 52..index.len() - 4];
    toc.as_chunks::<8>().0.iter().map(|offset| u64::from_be_bytes(*offset) as usize).collect()
}

#[test]
fn a_block_whose_tables_are_damaged_is_left_out() {
    let flip = |place: fn(&[u8]) -> usize| {
        move |block: &Path| {
            change(&block.join("index"), |index| {
                let at = place(index);
                index[at] ^= 1;
            });
        }
    };
    check_left_out("symbols", flip(|index| sections(index)[0] + 12));
    check_left_out("table of lists", flip(|index| sections(index)[5] + 12));
    check_left_out("table of contents", flip(|index| index.len() - 20));
    check_left_out("magic", |block| change(&block.join("index"), |index| index[1] ^= 1));
    check_left_out("version", |block| change(&block.join("index"), |index| index[4] = 7));
}

#[test]
fn a_block_with_a_truncated_or_missing_file_is_left_out() {
    for size in [0, 3, 5, 100, 400] {
        check_left_out("truncated index", |block| change(&block.join("index"), |index| index.truncate(size)));
    }
    check_left_out("index without its last byte", |block| {
        change(&block.join("index"), |index| {
            index.pop();
        });
    });
    check_left_out("chunks without header", |block| {
        change(&block.join("chunks/000001"), |chunks| chunks.truncate(4))
    });
    check_left_out("no index", |block| fs::remove_file(block.join("index")).unwrap());
    check_left_out("no chunks", |block| fs::remove_dir_all(block.join("chunks")).unwrap());
    check_left_out("damaged deletions", |block| change(&block.join("tombstones"), |stones| stones[3] ^= 1));
}

#[test]
fn a_block_with_a_bad_description_is_left_out() {
    let write = |text: &'static str| move |block: &Path| fs::write(block.join("meta.json"), text).unwrap();
    check_left_out("empty", write(""));
    check_left_out("no JSON", write("\0\0\0\0"));
    check_left_out("nothing in it", write("{}"));
    check_left_out("cut", |block| change(&block.join("meta.json"), |meta| meta.truncate(meta.len() / 2)));
    check_left_out("missing", |block| fs::remove_file(block.join("meta.json")).unwrap());
    check_left_out("version of the future", |block| {
        let text = fs::read_to_string(block.join("meta.json")).unwrap();
        fs::write(block.join("meta.json"), text.replace("\"version\": 1", "\"version\": 3")).unwrap();
    });
}

/// Damages a part of the middle block that not every query reads. Expects that those that do fail and name it, and others do not.
fn check_partly_read(name: &str, series: &str, damage: impl FnOnce(&Path)) {
    let dir = three_blocks();
    let blocks = folders(dir.path());
    damage(&blocks[1]);
    let db = open(dir.path());
    assert_eq!(db.blocks().len(), 3, "{name}: it can be opened");
    let error = query(&db, (0, 9 * HOUR), &[]).expect_err(name);
    let ulid = blocks[1].file_name().unwrap().to_string_lossy().into_owned();
    assert!(error.to_string().contains(&ulid), "{name}: {error} names the block");
    for (from, to) in [(0, 2 * HOUR - 1), (4 * HOUR, 9 * HOUR)] {
        assert_eq!(query(&db, (from, to), &[]).unwrap().len(), 4, "{name}: other blocks");
    }
    for number in 0..4 {
        let host = format!("host-{number}");
        let found = query(&db, (0, 9 * HOUR), &[Matcher::equal("instance", &host)]);
        if host == series {
            found.expect_err(name);
        } else {
            assert_eq!(found.unwrap()[0].1.len(), 9 * 60, "{name}: {host}");
        }
    }
}

#[test]
fn damage_to_one_series_is_no_damage_to_others() {
    // Series are in order of their labels: metric_0 has host-0 and host-2.
    check_partly_read("a series", "host-0", |block| {
        change(&block.join("index"), |index| {
            let at = sections(index)[1].next_multiple_of(16) + 3;
            index[at] ^= 1;
        });
    });
    check_partly_read("a chunk", "host-0", |block| {
        change(&block.join("chunks/000001"), |chunks| chunks[30] ^= 1)
    });
    check_partly_read("truncated chunks", "host-3", |block| {
        change(&block.join("chunks/000001"), |chunks| chunks.truncate(chunks.len() - 10));
    });
    check_partly_read("the list of all series", "none", |block| {
        change(&block.join("index"), |index| {
            let at = sections(index)[4] + 10;
            index[at] ^= 1;
        });
    });
}

#[test]
fn a_damaged_block_that_was_replaced_is_removed_at_the_start() {
    let dir = three_blocks();
    let blocks = folders(dir.path());
    let text = fs::read_to_string(blocks[2].join("meta.json")).unwrap();
    let parents: Vec<_> = blocks[..2]
        .iter()
        .map(|block| {
            let ulid = block.file_name().unwrap().to_string_lossy();
            format!("{{\"ulid\": \"{ulid}\", \"minTime\": 0, \"maxTime\": 1}}")
        })
        .collect();
    let with_parents =
        text.replace("\"level\": 1", &format!("\"level\": 2, \"parents\": [{}]", parents.join(",")));
    assert_ne!(text, with_parents);
    fs::write(blocks[2].join("meta.json"), with_parents).unwrap();
    fs::write(blocks[0].join("index"), b"damaged").unwrap();
    let mut registry = Registry::default();
    let db = Db::open(DbOptions::new(dir.path()), &mut registry).unwrap();
    assert_eq!(db.blocks().len(), 1);
    assert!(!blocks[0].exists() && !blocks[1].exists());
    assert_eq!(metric(&registry, "prometheus_tsdb_blocks_unreadable"), 0.0);
}

#[test]
fn blocks_that_come_and_go_are_noticed() {
    let dir = three_blocks();
    let blocks = folders(dir.path());
    let away = TempDir::new().unwrap();
    let aside = away.path().join(blocks[0].file_name().unwrap());
    fs::rename(&blocks[0], &aside).unwrap();
    let mut registry = Registry::default();
    let db = Db::open(DbOptions::new(dir.path()), &mut registry).unwrap();
    assert_eq!(db.blocks().len(), 2);
    // Backfilled: someone puts a block there, at first half of it.
    fs::create_dir(&blocks[0]).unwrap();
    db.maintain().unwrap();
    assert_eq!(metric(&registry, "prometheus_tsdb_blocks_unreadable"), 1.0);
    fs::remove_dir(&blocks[0]).unwrap();
    fs::rename(&aside, &blocks[0]).unwrap();
    db.maintain().unwrap();
    assert_eq!(metric(&registry, "prometheus_tsdb_blocks_unreadable"), 0.0);
    assert!(!metrics(&registry).contains("unreadable_block_info{"));
    assert_eq!(db.blocks().len(), 3);
    assert!(query_all(&db).iter().all(|(_, columns)| columns.len() == 9 * 60));
    fs::rename(&blocks[0], &aside).unwrap();
    db.maintain().unwrap();
    assert_eq!(db.blocks().len(), 2);
}

#[test]
fn overlapping_blocks_are_merged_sample_by_sample() {
    let (dir, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    // The same time twice: once each minute, once each half minute in between, of series in common and not.
    let mut registry = Registry::default();
    let db = Db::open(DbOptions::new(dir.path()), &mut registry).unwrap();
    append_grid(&db, 4, 0, 7 * 60, 60_000);
    db.maintain().unwrap();
    let second = open(other.path());
    append_grid(&second, 6, 0, 14 * 60, 30_000);
    second.maintain().unwrap();
    let block = &second.blocks()[0];
    fs::rename(other.path().join(&block.ulid), dir.path().join(&block.ulid)).unwrap();
    db.maintain().unwrap();
    let ranges: Vec<_> =
        db.blocks().iter().map(|block| (block.min_time / HOUR, block.max_time / HOUR)).collect();
    assert_eq!(ranges, [(0, 2), (2, 4)]);
    assert_eq!(metric(&registry, "prometheus_tsdb_vertical_compactions_total"), 1.0);
    let all = query(&db, (0, 2 * HOUR - 1), &[]).unwrap();
    assert_eq!(all.len(), 6);
    for (labels, columns) in all {
        assert_eq!(columns.timestamps, (0..240).map(|half| half * 30_000).collect::<Vec<_>>(), "{labels}");
    }
}

/// Lets each step of housekeeping fail in turn; after each failure everything is there, running on and opened anew. `append_more` is
/// called on the running database: what makes a block due must come then, for opening writes the blocks that are due.
fn check_full_disk(name: &str, prepare: impl Fn(&Db), append_more: impl Fn(&Db)) {
    let template = TempDir::new().unwrap();
    prepare(&open(template.path()));
    let want = {
        let all = copy(template.path());
        let db = open(all.path());
        append_more(&db);
        query_all(&db)
    };
    let mut steps = 0;
    loop {
        let dir = copy(template.path());
        let faulty = FaultyFs::default();
        let mut options = DbOptions::new(dir.path());
        options.fs = Arc::new(faulty.clone());
        let db = Db::open(options, &mut Registry::default()).unwrap();
        append_more(&db);
        faulty.inject(Fault::FullAfter { steps });
        let outcome = db.maintain();
        faulty.heal();
        assert_eq!(query_all(&db), want, "{name}: still running, failed at step {steps}");
        let crashed = copy(dir.path());
        let reopened = open(crashed.path());
        assert_eq!(query_all(&reopened), want, "{name}: opened again, failed at step {steps}");
        assert!(!names_in(crashed.path()).iter().any(|name| name.contains(".tmp")), "{name}: step {steps}");
        reopened.maintain().unwrap();
        assert_eq!(query_all(&reopened), want, "{name}: housekeeping done, failed at step {steps}");
        if outcome.is_ok() {
            break;
        }
        assert!(reopened.blocks().iter().all(|block| !block.compaction.failed), "{name}: no block is blamed");
        steps += 1;
    }
    assert!(steps > 15, "{name}: {steps} steps");
}

#[test]
fn a_full_disk_at_each_step_of_writing_a_block_loses_nothing() {
    check_full_disk(
        "writing",
        |db| append_grid(db, 3, 0, 60, 60_000),
        |db| append_grid(db, 3, 60, 7 * 60, 60_000),
    );
}

#[test]
fn a_full_disk_at_each_step_of_merging_blocks_loses_nothing() {
    check_full_disk(
        "merging",
        |db| {
            append_grid(db, 3, 0, 7 * 60, 60_000);
            db.maintain().unwrap();
        },
        |db| append_grid(db, 3, 7 * 60, 10 * 60, 60_000),
    );
}

#[test]
fn unfinished_blocks_are_removed_at_the_start() {
    let dir = three_blocks();
    let blocks = folders(dir.path());
    let want = query_all(&open(dir.path()));
    // One was being written, one was being removed: both with some of their files.
    let half = copy(&blocks[0]);
    fs::remove_file(half.path().join("meta.json")).unwrap();
    for (name, suffix) in [
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV", ".tmp-for-creation"),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAW", ".tmp-for-deletion"),
    ] {
        let unfinished = dir.path().join(format!("{name}{suffix}"));
        fs::rename(copy(half.path()).keep(), &unfinished).unwrap();
        assert!(unfinished.join("index").is_file());
    }
    let mut registry = Registry::default();
    let db = Db::open(DbOptions::new(dir.path()), &mut registry).unwrap();
    assert!(!names_in(dir.path()).iter().any(|name| name.contains(".tmp")));
    assert_eq!(metric(&registry, "prometheus_tsdb_blocks_unreadable"), 0.0);
    assert_eq!(query_all(&db), want);
}

fn append(db: &Db, series: usize, timestamp: Millis) -> Result<(), storage::AppendError> {
    let mut appender = db.appender();
    appender.append(SeriesRef::UNKNOWN, &labels(series), timestamp, 1.0)?;
    appender.commit().unwrap();
    Ok(())
}

/// 2026-01-01, 1970-01-01 and 2200-01-01.
const NOW: Millis = 1_767_225_600_000;
const PAST: Millis = 0;
const FUTURE: Millis = 7_258_118_400_000;

/// Seven hours of samples from `start` on, and the blocks that are due.
fn seven_hours(db: &Db, start: Millis) {
    append_grid(db, 2, start / 60_000, start / 60_000 + 7 * 60, 60_000);
    db.maintain().unwrap();
}

#[test]
fn a_sample_of_2200_removes_nothing_by_itself() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    seven_hours(&db, NOW);
    assert_eq!(db.blocks().len(), 2);
    append(&db, 0, FUTURE).unwrap();
    db.maintain().unwrap();
    // All of the present is in blocks now: only the sample of the future is in memory.
    assert_eq!(db.blocks().last().unwrap().max_time, NOW + 8 * HOUR);
    assert_eq!(query(&db, (NOW, NOW + 7 * HOUR), &[]).unwrap()[0].1.len(), 7 * 60);
    append(&db, 0, NOW + 7 * HOUR).expect_err("out of bounds, as in Prometheus");
    drop(db);
    let db = open(dir.path());
    db.maintain().unwrap();
    assert_eq!(query(&db, (NOW, FUTURE), &[]).unwrap()[0].1.len(), 7 * 60 + 1);
}

/// Prometheus' rule: a block is as old as the newest block says. A clock that stays wrong for hours makes such a block.
#[test]
fn blocks_of_2200_make_those_of_today_old() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    seven_hours(&db, NOW);
    seven_hours(&db, FUTURE);
    assert!(db.blocks().iter().all(|block| block.min_time >= FUTURE));
    let mut options = DbOptions::new(dir.path());
    options.retention_time = std::time::Duration::ZERO;
    drop(db);
    // Without a limit on time nothing goes.
    let db = Db::open(options, &mut Registry::default()).unwrap();
    let count = db.blocks().len();
    db.maintain().unwrap();
    assert_eq!(db.blocks().len(), count);
}

#[test]
fn samples_of_1970_go_first() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append(&db, 0, PAST).unwrap();
    seven_hours(&db, NOW);
    let oldest = db.blocks()[0].min_time;
    assert!(
        oldest >= NOW,
        "the block of 1970 is beyond retention as soon as there is one of today: {oldest}"
    );
    assert_eq!(query(&db, (NOW, NOW + 7 * HOUR), &[]).unwrap()[0].1.len(), 7 * 60);
    append(&db, 0, PAST + 1).expect_err("out of bounds");
}

#[test]
fn the_ends_of_time_are_no_panic() {
    let times = [Millis::MIN, Millis::MIN + 1, -HOUR, -1, 0, 1, NOW, FUTURE, Millis::MAX - 1, Millis::MAX];
    for first in 0..times.len() {
        let dir = TempDir::new().unwrap();
        let db = open(dir.path());
        for (at, timestamp) in times[first..].iter().enumerate() {
            let appended = append(&db, 0, *timestamp);
            // No sample can be of the moment that stands for "none yet".
            let may_be_refused = at > 0 || *timestamp == Millis::MIN;
            assert!(may_be_refused || appended.is_ok(), "the first one says which time it is");
            // Whether it succeeds at the ends of time is not the point.
            let _ = db.maintain();
            let _ = query(&db, (Millis::MIN, Millis::MAX), &[]);
        }
        drop(db);
        let db = open(dir.path());
        let _ = db.maintain();
        let _ = query(&db, (Millis::MIN, Millis::MAX), &[]);
    }
}

#[test]
fn a_share_of_the_disk_limits_blocks() {
    let dir = three_blocks();
    let mut options = DbOptions::new(dir.path());
    // A few bytes of any disk.
    options.retention_percentage = 1e-7;
    let mut registry = Registry::default();
    let db = Db::open(options.clone(), &mut registry).unwrap();
    assert_eq!(metric(&registry, "prometheus_tsdb_retention_limit_percentage"), 1e-7);
    db.maintain().unwrap();
    assert_eq!(db.blocks(), []);
    assert_eq!(metric(&registry, "prometheus_tsdb_size_retentions_total"), 1.0);
    drop(db);
    options.retention_percentage = 100.1;
    assert!(Db::open(options, &mut Registry::default()).is_err());
}
