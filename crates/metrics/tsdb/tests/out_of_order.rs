//! Samples out of order, over the life of a database: appended, moved to files, killed, replayed, compacted.

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, OpenOptions},
    path::Path,
    sync::Arc,
    time::Duration,
};

use common::*;
use disk::fault::{Fault, FaultyFs};
use model::{Columns, Labels, Matcher, Millis};
use prometheus_client::registry::Registry;
use proptest::prelude::*;
use storage::{AppendError, Appendable, CommitError, Queryable, SelectHints, SeriesRef, collect};
use tempfile::TempDir;
use tsdb::{Db, DbOptions};

const MINUTE: Millis = 60_000;
const START: Millis = 1000 * HOUR;
const WINDOW: Duration = Duration::from_secs(6 * 3600);

/// Series by number, samples by time.
type Model = BTreeMap<usize, BTreeMap<Millis, f64>>;

fn open_with(dir: &Path, window: Duration) -> (Db, Registry) {
    let mut registry = Registry::default();
    let options = DbOptions { out_of_order_time_window: window, ..DbOptions::new(dir) };
    let db = Db::open(options, &mut registry).unwrap();
    (db, registry)
}

fn open_late(dir: &Path) -> Db {
    open_with(dir, WINDOW).0
}

fn value(series: usize, timestamp: Millis) -> f64 {
    (series as i64 * 1_000_000 + (timestamp - START) / 1000) as f64
}

fn append(db: &Db, series: usize, timestamp: Millis) -> Result<(), AppendError> {
    let mut appender = db.appender();
    appender.append(SeriesRef::UNKNOWN, &labels(series), timestamp, value(series, timestamp))?;
    appender.commit().unwrap();
    Ok(())
}

fn append_all(db: &Db, model: &mut Model, series: usize, times: impl IntoIterator<Item = Millis>) {
    for timestamp in times {
        append(db, series, timestamp).unwrap();
        model.entry(series).or_default().insert(timestamp, value(series, timestamp));
    }
}

fn expected(model: &Model) -> Vec<(Labels, Columns)> {
    let mut all: Vec<_> = model
        .iter()
        .map(|(series, samples)| {
            let mut columns = Columns::default();
            samples.iter().for_each(|(timestamp, value)| columns.push(*timestamp, *value));
            (labels(*series), columns)
        })
        .collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all
}

/// Samples that are not what they should be: series, minutes, what is there, what should be.
fn difference(db: &Db, model: &Model) -> Vec<(String, Millis, Option<f64>, Option<f64>)> {
    let flat = |all: Vec<(Labels, Columns)>| {
        let samples = all.into_iter().flat_map(|(labels, columns)| {
            let name = labels.value("instance").to_owned();
            let samples = columns.timestamps.into_iter().zip(columns.values);
            samples.map(move |(timestamp, value)| ((name.clone(), (timestamp - START) / MINUTE), value))
        });
        samples.collect::<BTreeMap<_, _>>()
    };
    let (found, wanted) = (flat(query_all(db)), flat(expected(model)));
    let keys: BTreeSet<_> = found.keys().chain(wanted.keys()).collect();
    let differs = keys.into_iter().filter(|key| found.get(key) != wanted.get(key));
    differs.map(|key| (key.0.clone(), key.1, found.get(key).copied(), wanted.get(key).copied())).collect()
}

/// Some hours in order, then as many samples between them.
fn filled(db: &Db, hours: i64) -> Model {
    let mut model = Model::new();
    for step in 0..hours * 6 {
        for series in 0..3 {
            append_all(db, &mut model, series, [START + step * 10 * MINUTE]);
        }
    }
    let end = START + hours * HOUR;
    for series in 0..2 {
        let between = (1..hours.min(5) * 60).filter(|minute| minute % 10 != 0);
        append_all(db, &mut model, series, between.map(|minute| end - minute * MINUTE));
    }
    model
}

#[test]
fn are_decided_about_as_prometheus_does() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append(&db, 0, START).unwrap();
    append(&db, 1, START - HOUR / 2).unwrap();
    let new = |window: u64, timestamp, value| {
        db.set_out_of_order_window(Duration::from_secs(window)).unwrap();
        let mut appender = db.appender();
        appender.append(SeriesRef::UNKNOWN, &labels(0), timestamp, value).map(|_| ())
    };
    let first = value(0, START);
    let duplicate = Err(AppendError::Duplicate { timestamp: START, existing: first, new: 7.0 });
    // Seconds of the window, time before the newest sample, value, what is said to it.
    let table = [
        (0, -1, 1.0, Ok(())),
        (0, 0, first, Ok(())),
        (0, 0, 7.0, duplicate.clone()),
        (0, 1, 1.0, Err(AppendError::OutOfOrder)),
        (0, HOUR, 1.0, Err(AppendError::OutOfOrder)),
        (0, HOUR + 1, 1.0, Err(AppendError::OutOfBounds)),
        (600, -1, 1.0, Ok(())),
        (600, 0, first, Ok(())),
        (600, 0, 7.0, duplicate),
        (600, 1, 1.0, Ok(())),
        (600, 600_000, 1.0, Ok(())),
        (600, 600_001, 1.0, Err(AppendError::TooOld)),
        (600, HOUR, 1.0, Err(AppendError::TooOld)),
        (600, HOUR + 1, 1.0, Err(AppendError::TooOld)),
        (7200, HOUR + 1, 1.0, Ok(())),
        (7200, 2 * HOUR, 1.0, Ok(())),
        (7200, 2 * HOUR + 1, 1.0, Err(AppendError::TooOld)),
    ];
    for (window, before, value, want) in table {
        assert_eq!(new(window, START - before, value), want, "window {window}, {before} ms before");
    }
    // In order for a series that is behind the others, whatever the window.
    db.set_out_of_order_window(Duration::from_secs(60)).unwrap();
    append(&db, 1, START - HOUR / 4).unwrap();
    // A new series with old samples only.
    db.set_out_of_order_window(WINDOW).unwrap();
    append(&db, 2, START - 5 * HOUR).unwrap();
    assert_eq!(query_all(&db).len(), 3);
}

#[test]
fn are_found_wherever_they_are() {
    let dir = TempDir::new().unwrap();
    let (db, registry) = open_with(dir.path(), WINDOW);
    let model = filled(&db, 4);
    let want = expected(&model);
    // All but those in order, one of them the last minute of each of two series.
    let late = model.values().map(BTreeMap::len).sum::<usize>() - 3 * 24 - 2;
    let text = |registry: &Registry| {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, registry).unwrap();
        text
    };
    let count =
        format!("prometheus_tsdb_head_out_of_order_samples_appended_total{{type=\"float\"}} {late}\n");
    assert!(text(&registry).contains(&count), "{count} is not in {}", text(&registry));
    assert_eq!(query_all(&db), want, "in memory");
    assert_eq!(query_all(&open_late(copy(dir.path()).path())), want, "killed before anything is in files");
    db.map_chunks();
    assert!(metric(&registry, "prometheus_tsdb_mmap_chunks_total") > 10.0);
    assert_eq!(query_all(&db), want, "in files");
    let killed = copy(dir.path());
    let (again, registry) = open_with(killed.path(), WINDOW);
    assert_eq!(query_all(&again), want, "killed with chunks in files");
    again.map_chunks();
    assert_eq!(metric(&registry, "prometheus_tsdb_mmap_chunks_total"), 0.0, "no sample is kept twice");
    drop(db);
    // Whoever has no window any more still has the samples.
    assert_eq!(query_all(&open(dir.path())), want, "closed, without a window");
}

#[test]
fn become_blocks_beside_the_others() {
    let dir = TempDir::new().unwrap();
    let db = open_late(dir.path());
    let model = filled(&db, 4);
    let want = expected(&model);
    let before = copy(dir.path());
    db.maintain().unwrap();
    assert_eq!(query_all(&db), want);
    let late: Vec<_> = db
        .blocks()
        .into_iter()
        .filter(|block| block.compaction.hints == ["from-out-of-order"])
        .map(|block| (block.min_time, block.max_time))
        .collect();
    // That before is merged with the block of samples in order; this one waits for it.
    assert_eq!(late, [(START + 2 * HOUR, START + 4 * HOUR)]);
    assert_eq!(names_in(&dir.path().join("wbl")).len(), 1);
    assert_eq!(fs::metadata(dir.path().join("wbl/00000001")).unwrap().len(), 0);
    // Killed before log and chunks were shortened: both have all of it.
    let killed = copy(dir.path());
    for folder in ["wbl", "chunks_head", "wal"] {
        fs::remove_dir_all(killed.path().join(folder)).unwrap();
        fs::rename(before.path().join(folder), killed.path().join(folder)).unwrap();
    }
    assert_eq!(query_all(&open_late(killed.path())), want, "killed before the log was shortened");
    drop(db);
    let db = open_late(dir.path());
    assert_eq!(query_all(&db), want, "the log still has the samples in order of the last block's time");
    let mut model = model;
    append_all(&db, &mut model, 0, (0..30).map(|step| START + 4 * HOUR + step * 10 * MINUTE));
    db.maintain().unwrap();
    assert_eq!(query_all(&db), expected(&model));
    assert!(db.blocks().iter().all(|block| block.compaction.hints.is_empty()), "{:?}", db.blocks());
}

#[test]
fn a_torn_log_loses_its_last_record() {
    let dir = TempDir::new().unwrap();
    let db = open_late(dir.path());
    let mut model = filled(&db, 2);
    let want = expected(&model);
    append_all(&db, &mut model, 2, [START + 1]);
    // Closing it would write to the log once more.
    let dir = copy(dir.path());
    drop(db);
    let log = dir.path().join("wbl/00000000");
    let size = fs::metadata(&log).unwrap().len();
    OpenOptions::new().write(true).open(&log).unwrap().set_len(size - 1).unwrap();
    let (db, registry) = open_with(dir.path(), WINDOW);
    assert_eq!(query_all(&db), want);
    assert_eq!(metric(&registry, "prometheus_tsdb_wal_corruptions_total"), 1.0);
    drop(db);
    let (db, registry) = open_with(dir.path(), WINDOW);
    assert_eq!(query_all(&db), want);
    assert_eq!(metric(&registry, "prometheus_tsdb_wal_corruptions_total"), 0.0, "it was cut");
    drop(db);
    // Without its log a chunk in a file is enough, and without the file the log.
    let folder = copy(dir.path());
    fs::remove_dir_all(folder.path().join("chunks_head")).unwrap();
    assert_eq!(query_all(&open_late(folder.path())), want);
}

#[test]
fn a_batch_with_both_kinds_is_seen_whole_or_not_at_all() {
    let dir = TempDir::new().unwrap();
    let db = open_late(dir.path());
    append(&db, 0, START).unwrap();
    let before = db.querier(Millis::MIN, Millis::MAX).unwrap();
    let mut appender = db.appender();
    for step in 1..100 {
        appender.append(SeriesRef::UNKNOWN, &labels(0), START - step, 1.0).unwrap();
        appender.append(SeriesRef::UNKNOWN, &labels(0), START + step, 1.0).unwrap();
        // In order when it is appended, and out of order when it is applied.
        appender.append(SeriesRef::UNKNOWN, &labels(1), START - step, 1.0).unwrap();
    }
    assert_eq!(query_all(&db)[0].1.len(), 1);
    appender.commit().unwrap();
    db.map_chunks();
    let mut set = before.select(&SelectHints::default(), &[Matcher::equal("job", "test")]).unwrap();
    let seen = collect(&mut *set, Millis::MIN, Millis::MAX).unwrap();
    assert_eq!(seen.iter().map(|(_, columns)| columns.len()).sum::<usize>(), 1);
    let lengths = |db: &Db| query_all(db).iter().map(|(_, columns)| columns.len()).collect::<Vec<_>>();
    assert_eq!(lengths(&db), [199, 99]);
    assert_eq!(lengths(&open_late(copy(dir.path()).path())), [199, 99]);
}

#[test]
fn are_taken_while_the_log_is_read() {
    let dir = TempDir::new().unwrap();
    let mut model = filled(&open_late(dir.path()), 4);
    let options = DbOptions { out_of_order_time_window: WINDOW, ..DbOptions::new(dir.path()) };
    let db = Db::start(options, &mut Registry::default()).unwrap();
    let end = START + 4 * HOUR;
    append_all(&db, &mut model, 2, (1..100).map(|step| end - step * 61_000));
    append_all(&db, &mut model, 2, [end + 1, START - 1]);
    append_all(&db, &mut model, 9, [START + 5]);
    let want = expected(&model);
    let killed = copy(dir.path());
    db.replay().unwrap();
    assert_eq!(query_all(&db), want);
    assert_eq!(query_all(&open_late(killed.path())), want, "killed while it loaded");
    assert_eq!(query_all(&open_late(copy(dir.path()).path())), want, "killed after");
}

#[test]
fn deleted_ones_stay_away() {
    let dir = TempDir::new().unwrap();
    let db = open_late(dir.path());
    let mut model = filled(&db, 4);
    append_all(&db, &mut model, 7, [START + 1, START + 3 * HOUR + 1]);
    let (from, to) = (START + HOUR, START + 2 * HOUR + 30 * MINUTE);
    db.delete_series(&[vec![Matcher::equal("job", "test")]], from, to).unwrap();
    model.values_mut().for_each(|samples| samples.retain(|time, _| !(from..=to).contains(time)));
    let want = expected(&model);
    assert_eq!(query_all(&db), want);
    assert_eq!(query_all(&open_late(copy(dir.path()).path())), want, "killed");
    db.maintain().unwrap();
    assert_eq!(query_all(&db), want, "in blocks");
    drop(db);
    assert_eq!(query_all(&open_late(dir.path())), want);
}

#[test]
fn are_in_snapshots() {
    let dir = TempDir::new().unwrap();
    let db = open_late(dir.path());
    let model = filled(&db, 4);
    append(&db, 2, START - 30 * MINUTE).unwrap();
    assert_eq!(db.time_range().unwrap().0, START - 30 * MINUTE);
    let want = query_all(&db);
    let target = dir.path().join("snapshots/one");
    db.snapshot(&target, true).unwrap();
    assert_eq!(query_all(&open(&target)), want);
    // What was closed for it is still on its way into blocks, and more comes.
    append(&db, 2, START - 31 * MINUTE).unwrap();
    let want = query_all(&db);
    assert_ne!(want, expected(&model));
    db.maintain().unwrap();
    assert_eq!(query_all(&db), want);
    drop(db);
    assert_eq!(query_all(&open_late(dir.path())), want);
}

#[test]
fn a_full_disk_refuses_them_and_loses_nothing() {
    let dir = TempDir::new().unwrap();
    let faulty = FaultyFs::default();
    let mut options = DbOptions { out_of_order_time_window: WINDOW, ..DbOptions::new(dir.path()) };
    options.fs = Arc::new(faulty.clone());
    let db = Db::open(options, &mut Registry::default()).unwrap();
    let model = filled(&db, 4);
    let want = expected(&model);
    faulty.inject(Fault::Full { after: 10 });
    let mut appender = db.appender();
    appender.append(SeriesRef::UNKNOWN, &labels(0), START + 1, 1.0).unwrap();
    assert!(matches!(appender.commit(), Err(CommitError::DiskFull(_))));
    db.maintain().expect_err("no room for a block");
    db.map_chunks();
    assert_eq!(query_all(&db), want);
    assert!(db.write_failure().is_none());
    assert_eq!(query_all(&open_late(copy(dir.path()).path())), want);
    faulty.heal();
    db.map_chunks();
    db.maintain().unwrap();
    append(&db, 0, START + 1).unwrap();
    assert_eq!(query_all(&db)[0].1.len(), want[0].1.len() + 1);
}

#[test]
fn a_crash_or_a_fault_at_any_step_of_housekeeping_loses_nothing() {
    let dir = TempDir::new().unwrap();
    let options = DbOptions { out_of_order_time_window: WINDOW, ..DbOptions::new(dir.path()) };
    let fill = |db: &Db, round: i64| {
        let end = (round + 1) * 150;
        append_grid(db, 3, end - 150, end, MINUTE);
        let late = (1..200).map(|back| end * MINUTE - back * MINUTE - 30_000).filter(|time| *time > 0);
        append_all(db, &mut Model::new(), 1, late);
    };
    let keep_house = |db: &Db| {
        db.map_chunks();
        db.maintain()
    };
    let failures = faults::survive_faults(dir.path(), options, 24, fill, keep_house);
    assert!(failures > 15, "{failures} faults showed");
}

#[derive(Debug, Clone)]
enum Step {
    /// A batch of samples, by series and minutes relative to the newest.
    Append(Vec<(usize, i64)>),
    MapChunks,
    Maintain,
    Restart,
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => prop::collection::vec((0..4usize, -400i64..40), 1..40).prop_map(Step::Append),
        1 => Just(Step::MapChunks),
        2 => Just(Step::Maintain),
        1 => Just(Step::Restart),
        1 => Just(Step::Kill),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn what_was_taken_is_there(steps in prop::collection::vec(step(), 1..60)) {
        let mut dir = TempDir::new().unwrap();
        let mut db = open_late(dir.path());
        let mut model = Model::new();
        let mut newest = START;
        append_all(&db, &mut model, 0, [START]);
        for step in steps {
            match step {
                Step::Append(batch) => {
                    let since = newest - 6 * HOUR;
                    let mut appender = db.appender();
                    let mut end = newest;
                    for (series, minutes) in batch {
                        let timestamp = newest + minutes * MINUTE;
                        let value = value(series, timestamp);
                        let taken = appender.append(SeriesRef::UNKNOWN, &labels(series), timestamp, value);
                        if timestamp < since {
                            prop_assert_eq!(taken, Err(AppendError::TooOld));
                        } else {
                            prop_assert!(taken.is_ok(), "{:?}", taken);
                            model.entry(series).or_default().insert(timestamp, value);
                            end = end.max(timestamp);
                        }
                    }
                    appender.commit().unwrap();
                    newest = end;
                }
                Step::MapChunks => db.map_chunks(),
                Step::Maintain => db.maintain().unwrap(),
                Step::Restart => {
                    drop(db);
                    db = open_late(dir.path());
                }
                Step::Kill => {
                    let killed = copy(dir.path());
                    drop(db);
                    dir = killed;
                    db = open_late(dir.path());
                }
            }
            let wrong = difference(&db, &model);
            prop_assert!(wrong.is_empty(), "{:?}", wrong);
        }
        db.maintain().unwrap();
        let wrong = difference(&db, &model);
        prop_assert!(wrong.is_empty(), "{:?}", wrong);
    }
}
