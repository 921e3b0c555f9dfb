//! Native histograms from the append to the block: they survive restarts, as log and as files, and all ways lead to the same answers.

mod common;

use std::{fs, path::Path};

use common::*;
use model::{CUSTOM_BUCKETS_SCHEMA, Columns, Histogram, Millis, STALE_NAN, Span};
use prometheus_client::registry::Registry;
use storage::{Appendable, HistogramSample, SeriesRef};
use tempfile::TempDir;
use tsdb::{Db, DbOptions};

const STEP: Millis = 15_000;
/// Series of each kind.
const SERIES: usize = 5;

/// As a client counts: more observations each step, now and then in a new bucket, and a reset after some time.
fn histogram(series: usize, step: i64) -> Histogram {
    let since_reset = (step % 700) as u64;
    let buckets = 1 + (step / 50 % 5) as u32;
    let first = since_reset as i64 + series as i64;
    let mut positive_buckets = vec![0; buckets as usize];
    positive_buckets[0] = first;
    let count = first as u64 * u64::from(buckets) + 2;
    Histogram {
        schema: 2,
        zero_threshold: 0.001,
        zero_count: 2,
        count,
        sum: since_reset as f64 * 1.5,
        positive_spans: vec![Span { offset: -1, length: buckets }],
        positive_buckets,
        ..Histogram::default()
    }
}

fn custom(step: i64) -> Histogram {
    let positive_buckets = vec![step, 1];
    Histogram {
        schema: CUSTOM_BUCKETS_SCHEMA,
        count: 2 * step as u64 + 1,
        sum: step as f64,
        positive_spans: vec![Span { offset: 0, length: 2 }],
        positive_buckets,
        custom_values: vec![0.5, 2.5],
        ..Histogram::default()
    }
}

/// One batch a step: a series of integers, of floats, of custom buckets, of stale samples now and then, and one that changes its kind.
fn append_histograms(db: &Db, from: i64, to: i64) {
    for step in from..to {
        let mut appender = db.appender();
        let at = step * STEP;
        let mut add = |series: usize, sample: HistogramSample<'_>| {
            appender.append_histogram(SeriesRef::UNKNOWN, &labels(series), at, sample).unwrap();
        };
        let float = histogram(1, step).to_float();
        add(0, HistogramSample::Integer(&histogram(0, step)));
        add(1, HistogramSample::Float(&float));
        add(2, HistogramSample::Integer(&custom(step)));
        if step % 100 != 99 {
            add(3, HistogramSample::Integer(&histogram(3, step)));
        }
        match step / 70 % 3 {
            0 => add(4, HistogramSample::Float(&float)),
            1 => add(4, HistogramSample::Integer(&histogram(4, step))),
            _ => drop(appender.append(SeriesRef::UNKNOWN, &labels(4), at, step as f64).unwrap()),
        }
        if step % 100 == 99 {
            appender.append(SeriesRef::UNKNOWN, &labels(3), at, STALE_NAN).unwrap();
        }
        appender.commit().unwrap();
    }
}

/// Everything, with the NaNs of stale samples as text: they are not equal to themselves.
fn all(db: &Db) -> Vec<String> {
    query_all(db).iter().map(|(labels, columns)| format!("{labels} {columns:?}")).collect()
}

fn check_whole(db: &Db, steps: i64) {
    let all = query_all(db);
    assert_eq!(all.len(), SERIES);
    for (labels, columns) in &all {
        let mut times: Vec<_> = columns.timestamps.clone();
        times.extend(columns.histograms.iter().map(|point| point.timestamp));
        times.sort_unstable();
        assert!(times.iter().copied().eq((0..steps).map(|step| step * STEP)), "{labels}: {}", times.len());
    }
    let of = |series: usize| {
        let wanted = labels(series);
        all.iter().find(|(labels, _)| *labels == wanted).map(|(_, columns)| columns.clone()).unwrap()
    };
    let plain = |series: usize, want: fn(usize, i64) -> Histogram| {
        let columns: Columns = of(series);
        for (point, step) in columns.histograms.iter().zip(0..) {
            let want = want(series, step).to_float();
            assert_eq!(point.histogram.count, want.count, "series {series} at step {step}");
            assert_eq!(point.histogram.sum, want.sum);
        }
        assert!(columns.timestamps.is_empty());
    };
    plain(0, histogram);
    plain(1, histogram);
    plain(2, |_, step| custom(step));
    let stale = of(3).histograms.iter().filter(|point| model::is_stale(point.histogram.sum)).count();
    assert_eq!(stale as i64, steps / 100);
    assert!(!of(4).timestamps.is_empty() && !of(4).histograms.is_empty());
}

fn open_counting(dir: &Path) -> (Db, Registry) {
    let mut registry = Registry::default();
    let db = Db::open(DbOptions::new(dir), &mut registry).unwrap();
    (db, registry)
}

fn mapped(registry: &Registry) -> f64 {
    metric(registry, "prometheus_tsdb_mmap_chunks_total")
}

#[test]
fn a_restart_brings_histograms_back_from_the_log() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    append_histograms(&db, 0, 300);
    check_whole(&db, 300);
    let want = all(&db);
    drop(db);
    let (db, registry) = open_counting(dir.path());
    assert_eq!(all(&db), want);
    assert_eq!(metric(&registry, "prometheus_tsdb_wal_replay_unsupported_records_total"), 0.0);
    append_histograms(&db, 300, 400);
    check_whole(&db, 400);
}

#[test]
fn a_restart_finds_full_chunks_in_files() {
    let dir = TempDir::new().unwrap();
    let (db, registry) = open_counting(dir.path());
    append_histograms(&db, 0, 450);
    db.map_chunks();
    assert!(mapped(&registry) > 10.0, "{}", mapped(&registry));
    check_whole(&db, 450);
    let want = all(&db);
    drop(db);
    let without_files = copy(dir.path());
    for round in 0..2 {
        let (db, registry) = open_counting(dir.path());
        assert_eq!(all(&db), want, "round {round}");
        db.map_chunks();
        assert_eq!(mapped(&registry), 0.0, "all full chunks are in files already");
    }
    fs::remove_dir_all(without_files.path().join("chunks_head")).unwrap();
    check_whole(&open(without_files.path()), 450);
    let db = open(dir.path());
    append_histograms(&db, 450, 500);
    check_whole(&db, 500);
}

#[test]
fn blocks_and_head_answer_together() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    let steps = 9 * HOUR / STEP;
    append_histograms(&db, 0, steps);
    check_whole(&db, steps);
    db.maintain().unwrap();
    assert!(!db.blocks().is_empty());
    let samples: u64 = db.blocks().iter().map(|block| block.stats.num_histogram_samples).sum();
    assert!(samples > 4000, "{samples}");
    check_whole(&db, steps);
    drop(db);
    let db = open(dir.path());
    check_whole(&db, steps);
    append_histograms(&db, steps, steps + 10);
    check_whole(&db, steps + 10);
}

#[test]
fn batches_are_taken_before_the_log_is_read() {
    let dir = TempDir::new().unwrap();
    append_histograms(&open(dir.path()), 0, 200);
    let db = Db::start(DbOptions::new(dir.path()), &mut Registry::default()).unwrap();
    append_histograms(&db, 200, 300);
    db.replay().unwrap();
    let all = query_all(&db);
    assert!(all.iter().all(|(_, columns)| columns.len() == 300));
    append_histograms(&db, 300, 310);
    drop(db);
    assert!(query_all(&open(dir.path())).iter().all(|(_, columns)| columns.len() == 310));
}

#[test]
fn kinds_in_one_batch_are_in_order_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    let mut appender = db.appender();
    for step in 0..60 {
        let at = step * STEP;
        // Series 0 goes through all kinds; the others have one each, so that their records are between.
        let kinds = [step % 4, 0, 1, 2, 3];
        for (series, kind) in kinds.into_iter().enumerate() {
            let (labels, integer) = (labels(series), histogram(series, step));
            let mut add = |sample: HistogramSample<'_>| {
                appender.append_histogram(SeriesRef::UNKNOWN, &labels, at, sample).unwrap()
            };
            match kind {
                0 => add(HistogramSample::Integer(&integer)),
                1 => add(HistogramSample::Integer(&custom(step))),
                2 => add(HistogramSample::Float(&integer.to_float())),
                _ => appender.append(SeriesRef::UNKNOWN, &labels, at, step as f64).unwrap(),
            };
        }
    }
    appender.commit().unwrap();
    let want = all(&db);
    assert!(query_all(&db).iter().all(|(_, columns)| columns.len() == 60));
    drop(db);
    assert_eq!(all(&open(dir.path())), want);
}
