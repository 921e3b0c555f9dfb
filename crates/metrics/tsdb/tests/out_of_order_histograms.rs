//! Native histograms out of order, over the life of a database.

mod common;

use std::{path::Path, time::Duration};

use common::*;
use model::{Histogram, Millis, Span};
use prometheus_client::registry::Registry;
use storage::{AppendError, Appendable, HistogramSample, SeriesRef};
use tempfile::TempDir;
use tsdb::{Db, DbOptions};

const STEP: Millis = 60_000;
const START: Millis = 1000 * HOUR;
const STEPS: i64 = 230;

fn open_late(dir: &Path) -> (Db, Registry) {
    let mut registry = Registry::default();
    let window = Duration::from_secs(6 * 3600);
    let options = DbOptions { out_of_order_time_window: window, ..DbOptions::new(dir) };
    (Db::open(options, &mut registry).unwrap(), registry)
}

fn histogram(step: i64) -> Histogram {
    // New buckets now and then, which chunks have to be made anew for; all have as much in them.
    let buckets = 1 + step.rem_euclid(230) / 30;
    let step = step.unsigned_abs() as i64 + 1;
    let mut positive_buckets = vec![0; buckets as usize];
    positive_buckets[0] = step;
    Histogram {
        schema: 1,
        count: (buckets * step) as u64,
        sum: step as f64,
        positive_spans: vec![Span { offset: 2, length: buckets as u32 }],
        positive_buckets,
        ..Histogram::default()
    }
}

/// Series of integers, of floats, and of all kinds by turns, floats too.
fn append(db: &Db, step: i64) -> Result<(), AppendError> {
    let at = START + step * STEP;
    let integers = histogram(step);
    let floats = integers.to_float();
    let mut appender = db.appender();
    let mut add = |series: usize, sample: HistogramSample<'_>| {
        appender.append_histogram(SeriesRef::UNKNOWN, &labels(series), at, sample).map(drop)
    };
    add(0, HistogramSample::Integer(&integers))?;
    add(1, HistogramSample::Float(&floats))?;
    match step / 7 % 3 {
        0 => add(2, HistogramSample::Float(&floats))?,
        1 => add(2, HistogramSample::Integer(&integers))?,
        _ => drop(appender.append(SeriesRef::UNKNOWN, &labels(2), at, step as f64)?),
    }
    appender.commit().unwrap();
    Ok(())
}

fn check(db: &Db, when: &str) {
    for (series, columns) in query_all(db) {
        let mixed = series == labels(2);
        let is_float = |step: &i64| mixed && step / 7 % 3 == 2;
        let wanted: Vec<_> = (0..STEPS).filter(|step| !is_float(step)).collect();
        let times: Vec<_> = columns.histograms.iter().map(|point| (point.timestamp - START) / STEP).collect();
        assert_eq!(times, wanted, "{when}: {series}");
        for (point, step) in columns.histograms.into_iter().zip(wanted) {
            let (found, want) = (point.histogram, histogram(step).to_float());
            assert_eq!((found.count, found.sum), (want.count, want.sum), "{when}: {series} at {step}");
            // Chunks have the empty buckets of their neighbours, too.
            let filled: Vec<_> = found.positive_buckets.into_iter().filter(|count| *count != 0.0).collect();
            assert_eq!(filled, want.positive_buckets, "{when}: {series} at {step}");
        }
        let floats: Vec<_> = (0..STEPS).filter(is_float).collect();
        assert!(columns.timestamps.iter().copied().eq(floats.iter().map(|step| START + step * STEP)));
        assert!(columns.values.iter().copied().eq(floats.iter().map(|step| *step as f64)), "{when}");
    }
    assert_eq!(query_all(db).len(), 3, "{when}");
}

fn filled(dir: &Path) -> (Db, Registry) {
    let (db, registry) = open_late(dir);
    let (in_order, late): (Vec<_>, Vec<_>) = (0..STEPS).partition(|step| step % 8 == 0 || *step == STEPS - 1);
    in_order.into_iter().for_each(|step| append(&db, step).unwrap());
    late.into_iter().rev().for_each(|step| append(&db, step).unwrap());
    (db, registry)
}

#[test]
fn are_found_wherever_they_are() {
    let dir = TempDir::new().unwrap();
    let (db, registry) = filled(dir.path());
    check(&db, "in memory");
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    let late = (0..STEPS).filter(|step| step % 8 != 0 && *step != STEPS - 1);
    let floats = late.clone().filter(|step| step / 7 % 3 == 2).count();
    for (kind, count) in [("float", floats), ("histogram", 3 * late.count() - floats)] {
        let line =
            format!("prometheus_tsdb_head_out_of_order_samples_appended_total{{type=\"{kind}\"}} {count}\n");
        assert!(text.contains(&line), "{line} is not in {text}");
    }
    check(&open_late(copy(dir.path()).path()).0, "killed before anything is in files");
    db.map_chunks();
    check(&db, "in files");
    let killed = copy(dir.path());
    let (again, registry) = open_late(killed.path());
    check(&again, "killed with chunks in files");
    again.map_chunks();
    assert_eq!(metric(&registry, "prometheus_tsdb_mmap_chunks_total"), 0.0, "no sample is kept twice");
    db.maintain().unwrap();
    check(&db, "in blocks");
    assert!(db.blocks().iter().any(|block| !block.compaction.hints.is_empty()));
    drop(db);
    let (db, _) = open_late(dir.path());
    check(&db, "in blocks after a restart");
}

#[test]
fn are_decided_about_as_floats_are() {
    let dir = TempDir::new().unwrap();
    let (db, registry) = open_late(dir.path());
    append(&db, 10).unwrap();
    append(&db, 9).unwrap();
    assert_eq!(append(&db, 10 - 6 * 60 - 1), Err(AppendError::TooOld));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(text.contains("prometheus_tsdb_too_old_samples_total{type=\"histogram\"} 1\n"), "{text}");
    let mut appender = db.appender();
    let other = histogram(50);
    let again = appender.append_histogram(
        SeriesRef::UNKNOWN,
        &labels(0),
        START + 10 * STEP,
        HistogramSample::Integer(&other),
    );
    assert_eq!(again, Err(AppendError::DuplicateHistogram));
    db.set_out_of_order_window(Duration::ZERO).unwrap();
    assert_eq!(append(&db, 8), Err(AppendError::OutOfOrder));
    assert_eq!(append(&db, 10 - 61), Err(AppendError::OutOfBounds));
}
