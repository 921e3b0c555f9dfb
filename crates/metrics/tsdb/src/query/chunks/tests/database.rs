//! Over the life of a database: chunks have the samples that queries have.

use std::{fs, path::Path, time::Duration};

use disk::remove_dir_atomic;
use model::{Histogram, Labels, Matcher, Span};
use prometheus_client::registry::Registry;
use proptest::prelude::*;
use storage::{
    Appendable, ChunkQuerier, ChunkQueryable, HistogramSample, Querier, Queryable, SelectHints, SeriesRef,
    collect,
};
use tempfile::TempDir;

use super::*;
use crate::{Db, DbOptions, FloatEncoding, MaintainError, blocks::block_dirs, error::chain};

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
const START: Millis = 1000 * HOUR;
const SERIES: usize = 4;

type Views = (Box<dyn Querier>, Box<dyn ChunkQuerier>, (Millis, Millis));

fn open(dir: &Path) -> Db {
    let options = DbOptions {
        out_of_order_time_window: Duration::from_secs(6 * 3600),
        // Of views that are kept open for the comparison.
        patience: Duration::from_millis(1),
        ..DbOptions::new(dir)
    };
    Db::open(options, &mut Registry::default()).unwrap()
}

fn labels(series: usize) -> Labels {
    Labels::from_pairs([("__name__", format!("metric_{series}").as_str()), ("job", "test")])
}

fn histogram(number: u64) -> Histogram {
    let buckets = 1 + number % 5;
    let mut positive_buckets = vec![0; buckets as usize];
    positive_buckets[0] = number as i64;
    Histogram {
        schema: 1,
        count: buckets * number,
        sum: number as f64,
        positive_spans: vec![Span { offset: 2, length: buckets as u32 }],
        positive_buckets,
        ..Histogram::default()
    }
}

/// Appends samples by series and time: of floats, of either kind of histograms, and of all three by turns.
fn append(db: &Db, samples: impl IntoIterator<Item = (usize, Millis)>) {
    let mut appender = db.appender();
    for (series, time) in samples {
        let number = (time - START).unsigned_abs() / 1000;
        let (labels, integers) = (labels(series), histogram(number));
        let kind = if series == 3 { number / 600 % 3 } else { series as u64 };
        // Some are too old.
        let _ = match kind {
            0 => appender.append(SeriesRef::UNKNOWN, &labels, time, number as f64),
            1 => {
                let sample = HistogramSample::Integer(&integers);
                appender.append_histogram(SeriesRef::UNKNOWN, &labels, time, sample)
            }
            _ => {
                let sample = HistogramSample::Float(&integers.to_float());
                appender.append_histogram(SeriesRef::UNKNOWN, &labels, time, sample)
            }
        };
    }
    appender.commit().unwrap();
}

/// A sample of each series a minute.
fn grid(db: &Db, minutes: impl IntoIterator<Item = i64>) {
    minutes
        .into_iter()
        .for_each(|minute| append(db, (0..SERIES).map(|series| (series, START + minute * MINUTE))));
}

fn views(db: &Db, range: (Millis, Millis)) -> Views {
    (db.querier(range.0, range.1).unwrap(), db.chunk_querier(range.0, range.1).unwrap(), range)
}

fn select(querier: &dyn ChunkQuerier, disable_trimming: bool) -> Vec<(Labels, Vec<Chunk>)> {
    let hints = SelectHints { disable_trimming, ..SelectHints::default() };
    let mut set = querier.select_chunks(&hints, &[Matcher::equal("job", "test")]).unwrap();
    let mut all = Vec::new();
    while let Some(series) = set.next() {
        let mut series = series.unwrap();
        all.push((series.labels, read_chunks(&mut *series.chunks)));
    }
    all
}

/// Compares what both views see; returns how many samples that is.
fn check((querier, chunk_querier, range): &Views, when: &str) -> usize {
    let mut set = querier.select(&SelectHints::default(), &[Matcher::equal("job", "test")]).unwrap();
    let want = collect(&mut *set, range.0, range.1).unwrap();
    for disable_trimming in [false, true] {
        let got = select(&**chunk_querier, disable_trimming);
        let names = |all: &[(Labels, _)]| all.iter().map(|(labels, _)| labels.clone()).collect::<Vec<_>>();
        assert_eq!(got.iter().map(|(labels, _)| labels.clone()).collect::<Vec<_>>(), names(&want), "{when}");
        for ((labels, chunks), (_, want)) in got.iter().zip(&want) {
            let all = decoded(chunks);
            let seen = if disable_trimming { within(&all, *range) } else { all };
            assert_eq!(
                plain(&seen),
                plain(want),
                "{when}, {labels} in {range:?}, as they are: {disable_trimming}"
            );
        }
    }
    want.iter().map(|(_, columns)| columns.len()).sum()
}

fn check_all(db: &Db, when: &str) -> usize {
    for (from, to) in [(-100, 100), (0, 0), (37, 38), (90, 260), (200, 1000)] {
        check(&views(db, (START + from * MINUTE, START + to * MINUTE + 1)), when);
    }
    check(&views(db, ALL_TIME), when)
}

#[test]
fn in_head_and_blocks_they_are_what_is_stored() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    grid(&db, 0..400);
    assert_eq!(check_all(&db, "in memory"), SERIES * 400);
    db.map_chunks();
    check_all(&db, "in files");
    db.maintain().unwrap();
    assert!(!db.blocks().is_empty());
    assert_eq!(check_all(&db, "in blocks and head"), SERIES * 400);
    let stored = || {
        let (_, querier, _) = views(&db, ALL_TIME);
        select(&*querier, false).into_iter().flat_map(|(_, chunks)| chunks).collect::<Vec<_>>()
    };
    // The open chunks of the head are copied each time, all others never.
    let (first, second) = (stored(), stored());
    let is_shared = |(a, b): &(&Chunk, &Chunk)| a.data.as_ptr() == b.data.as_ptr();
    assert_eq!(first, second);
    assert_eq!(first.iter().zip(&second).filter(is_shared).count(), first.len() - SERIES);
}

#[test]
fn those_of_a_block_outlive_it() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    grid(&db, 0..400);
    db.maintain().unwrap();
    let range = (START, START + 2 * HOUR - 1);
    let (querier, chunk_querier, _) = views(&db, range);
    let mut set = querier.select(&SelectHints::default(), &[]).unwrap();
    let want = collect(&mut *set, range.0, range.1).unwrap();
    let chunks = select(&*chunk_querier, false);
    let mut late = chunk_querier.select_chunks(&SelectHints::default(), &[]).unwrap();
    for block in block_dirs(dir.path()).unwrap() {
        remove_dir_atomic(&block).unwrap();
    }
    // A set that is read after the block went away, and chunks that were read before, when nothing of the database is left.
    let mut again = Vec::new();
    while let Some(series) = late.next() {
        let mut series = series.unwrap();
        again.push((series.labels, read_chunks(&mut *series.chunks)));
    }
    drop((set, querier, chunk_querier, late, db, dir));
    assert_eq!(chunks.len(), SERIES);
    assert_eq!(again, chunks);
    for ((labels, chunks), (_, want)) in chunks.iter().zip(&want) {
        assert_eq!(plain(&decoded(chunks)), plain(want), "{labels}");
    }
}

#[test]
fn of_overlapping_blocks_they_are_merged() {
    let dir = TempDir::new().unwrap();
    let filled = |keeps: fn(&i64) -> bool| {
        let dir = TempDir::new().unwrap();
        let db = open(dir.path());
        grid(&db, (0..400).filter(keeps));
        db.maintain().unwrap();
        drop(db);
        dir
    };
    let parts =
        [filled(|minute| minute % 3 != 0), filled(|minute| minute % 2 == 0), filled(|minute| *minute < 300)];
    for block in parts.iter().flat_map(|part| block_dirs(part.path()).unwrap()) {
        fs::rename(&block, dir.path().join(block.file_name().unwrap())).unwrap();
    }
    let db = open(dir.path());
    let blocks = db.blocks();
    assert!(blocks.windows(2).any(|pair| pair[0].max_time > pair[1].min_time), "{blocks:?}");
    check_all(&db, "overlapping");
    grid(&db, 400..420);
    check_all(&db, "with a head");
    let from = START + 33 * MINUTE;
    db.delete_series(&[vec![Matcher::equal("job", "test")]], from, from + HOUR).unwrap();
    check_all(&db, "with something deleted");
}

#[test]
fn out_of_order_ones_are_merged() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    let is_in_order = |minute: &i64| minute % 4 == 0;
    grid(&db, (0..300).filter(is_in_order));
    grid(&db, (0..300).rev().filter(|minute| !is_in_order(minute)));
    assert_eq!(check_all(&db, "in memory"), SERIES * 300);
    db.map_chunks();
    check_all(&db, "in files");
    let from = START + 33 * MINUTE;
    db.delete_series(&[vec![Matcher::equal("job", "test")]], from, from + HOUR).unwrap();
    assert!(check_all(&db, "deleted") < SERIES * 300);
    db.maintain().unwrap();
    check_all(&db, "in blocks");
}

#[test]
fn a_batch_is_seen_whole_or_not_at_all() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    grid(&db, 0..50);
    let before = views(&db, ALL_TIME);
    let late = (0..50).map(|minute| (0, START + minute * MINUTE + 1));
    let more = (50..500).map(|minute| (0, START + minute * MINUTE));
    append(&db, late.chain(more).chain((1..SERIES).map(|series| (series, START + HOUR))));
    let seen = |views: &Views| check(views, "a batch");
    assert_eq!(
        (seen(&before), seen(&views(&db, ALL_TIME))),
        (SERIES * 50, SERIES * 50 + 50 + 450 + SERIES - 1)
    );
    db.map_chunks();
    assert_eq!(seen(&before), SERIES * 50, "in files");
    // Nothing is taken away from an open view.
    grid(&db, 500..900);
    assert!(matches!(db.maintain(), Err(MaintainError::ReadersBusy)));
    assert_eq!(seen(&before), SERIES * 50, "in blocks");
}

#[test]
fn damage_is_named() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    grid(&db, 0..400);
    db.maintain().unwrap();
    drop(db);
    let block = block_dirs(dir.path()).unwrap().remove(0);
    let path = block.join("chunks/000001");
    let mut bytes = fs::read(&path).unwrap();
    // The first chunk begins behind the file's header.
    bytes[8 + 20] ^= 1;
    fs::write(&path, bytes).unwrap();
    let db = open(dir.path());
    let (_, querier, _) = views(&db, ALL_TIME);
    let mut set = querier.select_chunks(&SelectHints::default(), &[]).unwrap();
    let mut series = set.next().unwrap().unwrap();
    let error = chain(&series.chunks.next().unwrap().unwrap_err());
    let ulid = block.file_name().unwrap().to_str().unwrap();
    let chunks = block.join("chunks");
    let want = format!(
        "cannot read block {ulid}: chunk 0x8 of `{}`: chunk is corrupt: checksum does not match",
        chunks.display()
    );
    assert_eq!(error, want);
    assert!(series.chunks.next().is_none());
    // Other series are unharmed.
    let mut series = set.next().unwrap().unwrap();
    assert!(!read_chunks(&mut *series.chunks).is_empty());
}

#[derive(Debug, Clone)]
enum Step {
    /// A batch of samples, by series and minutes relative to the newest.
    Append(Vec<(usize, i64)>),
    /// Many samples in order.
    Grid(i64),
    /// From as many minutes before the newest sample, for as many.
    Delete(i64, i64),
    MapChunks,
    /// Chunks of floats begin in another encoding.
    Encoding(FloatEncoding),
    Maintain,
    Restart,
    /// Views to be compared with each other at the end: of as many minutes before the newest sample, for as many.
    View(i64, i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec((0..SERIES, -400i64..40), 1..60).prop_map(Step::Append),
        3 => (1i64..150).prop_map(Step::Grid),
        1 => (0i64..600, 0i64..60).prop_map(|(from, length)| Step::Delete(from, length)),
        1 => Just(Step::MapChunks),
        1 => prop::sample::select(vec![FloatEncoding::Xor, FloatEncoding::Xor2]).prop_map(Step::Encoding),
        1 => Just(Step::Maintain),
        1 => Just(Step::Restart),
        2 => (-10i64..600, 0i64..600).prop_map(|(from, length)| Step::View(from, length)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn chunks_have_the_samples_of_queries(steps in prop::collection::vec(step(), 1..40)) {
        let dir = TempDir::new().unwrap();
        let mut db = open(dir.path());
        let mut kept: Vec<(Views, usize)> = Vec::new();
        let mut newest = 0;
        grid(&db, [0]);
        for step in steps {
            let around = |from: i64, length| {
                let from = START + (newest - from) * MINUTE;
                (from, from + length * MINUTE)
            };
            match step {
                Step::Append(batch) => {
                    append(&db, batch.iter().map(|(series, minute)| (*series, START + (newest + minute) * MINUTE)));
                    newest = batch.iter().map(|(_, minute)| newest + minute).fold(newest, i64::max);
                }
                Step::Grid(minutes) => {
                    grid(&db, newest + 1..=newest + minutes);
                    newest += minutes;
                }
                Step::Delete(from, length) => {
                    let (min_time, max_time) = around(from, length);
                    db.delete_series(&[vec![Matcher::equal("job", "test")]], min_time, max_time).unwrap();
                    // Other than a batch, a deletion shows in views that were there before.
                    kept.clear();
                }
                Step::MapChunks => db.map_chunks(),
                Step::Encoding(encoding) => db.set_float_encoding(encoding),
                Step::Maintain => match db.maintain() {
                    Ok(()) => {}
                    Err(MaintainError::ReadersBusy) => prop_assert!(!kept.is_empty()),
                    Err(error) => panic!("{}", chain(&error)),
                },
                Step::Restart => {
                    kept.clear();
                    drop(db);
                    db = open(dir.path());
                }
                Step::View(from, length) => {
                    let views = views(&db, around(from, length));
                    let count = check(&views, "now");
                    kept.push((views, count));
                }
            }
        }
        for (views, count) in &kept {
            prop_assert_eq!(check(views, "later"), *count);
        }
        check(&views(&db, ALL_TIME), "at the end");
    }
}
