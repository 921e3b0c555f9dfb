//! A Prometheus goes on with our out-of-order samples, and we with its. Skipped where `prometheus` is not installed.

mod common;

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use common::{prometheus::Prometheus, *};
use model::{Columns, Labels, Millis};
use prometheus_client::registry::Registry;
use storage::{Appendable, SeriesRef};
use tempfile::TempDir;
use tsdb::{Db, DbOptions};

const INTERVAL: Millis = 15_000;
const SAMPLES: i64 = 400;
const CONFIG: &str = "storage:\n  tsdb:\n    out_of_order_time_window: 3h\n";

/// The step before which all samples of these tests lie: a little ago.
fn last_step() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as Millis;
    now / INTERVAL - 8
}

fn open_late(dir: &Path) -> (Db, Registry) {
    let mut registry = Registry::default();
    let window = Duration::from_secs(3 * 3600);
    let options = DbOptions { out_of_order_time_window: window, ..DbOptions::new(dir) };
    (Db::open(options, &mut registry).unwrap(), registry)
}

/// Steps in the order they come: every fifth in order, then the others backwards.
fn steps(end: i64) -> impl Iterator<Item = i64> {
    let in_order = (end - SAMPLES..=end).filter(move |step| step % 5 == 0 || *step == end);
    let late = (end - SAMPLES..end).rev().filter(|step| step % 5 != 0);
    in_order.chain(late)
}

fn sample(series: usize, step: i64) -> (Millis, f64) {
    (step * INTERVAL, series as f64 / 3.0 + (step % 17) as f64)
}

fn columns(series: usize, steps: impl Iterator<Item = i64>) -> Columns {
    let mut columns = Columns::default();
    for (timestamp, value) in steps.map(|step| sample(series, step)) {
        columns.push(timestamp, value);
    }
    columns
}

fn expected(end: i64) -> Vec<(Labels, Columns)> {
    let mut all: Vec<_> =
        (0..5).map(|series| (labels(series), columns(series, end - SAMPLES..end + 1))).collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all
}

fn log_size(dir: &Path) -> u64 {
    let wbl = dir.join("wbl");
    names_in(&wbl).iter().map(|name| fs::metadata(wbl.join(name)).unwrap().len()).sum()
}

#[test]
fn prometheus_goes_on_with_ours() {
    let dir = TempDir::new().unwrap();
    let end = last_step();
    let (db, registry) = open_late(dir.path());
    for (number, step) in steps(end).enumerate() {
        let mut appender = db.appender();
        for series in 0..5 {
            let (timestamp, value) = sample(series, step);
            appender.append(SeriesRef::UNKNOWN, &labels(series), timestamp, value).unwrap();
        }
        appender.commit().unwrap();
        if number % 50 == 0 {
            db.map_chunks();
        }
    }
    let want = expected(end);
    assert_eq!(query_all(&db), want);
    assert!(metric(&registry, "prometheus_tsdb_mmap_chunks_total") >= 40.0);
    let killed = copy(dir.path());
    drop(db);
    for folder in [dir, killed] {
        let Some(prometheus) = Prometheus::start_with(folder.path(), CONFIG) else {
            return;
        };
        assert_eq!(prometheus.samples(end * INTERVAL), want);
        assert_eq!(prometheus.metric("prometheus_tsdb_mmap_chunk_corruptions_total"), 0.0);
        assert_eq!(prometheus.metric("prometheus_tsdb_wal_corruptions_total"), 0.0);
        let log = prometheus.log();
        assert!(!log.contains("corrupt") && !log.contains("level=error"), "{log}");
        // It takes more out of order, and we have that again.
        prometheus.push(&[(labels(0), columns(0, end - SAMPLES - 10..end - SAMPLES))]);
        prometheus.stop();
        let (db, _) = open_late(folder.path());
        let mut want = want.clone();
        let (_, first) = want.iter_mut().find(|(found, _)| *found == labels(0)).unwrap();
        *first = columns(0, end - SAMPLES - 10..end + 1);
        assert_eq!(query_all(&db), want);
    }
}

#[test]
fn we_go_on_with_those_of_prometheus() {
    let dir = TempDir::new().unwrap();
    let Some(prometheus) = Prometheus::start_with(dir.path(), CONFIG) else {
        return;
    };
    let end = last_step();
    let all: Vec<_> = steps(end).collect();
    for steps in all.chunks(7) {
        for step in steps {
            let series: Vec<_> =
                (0..5).map(|series| (labels(series), columns(series, *step..step + 1))).collect();
            prometheus.push(&series);
        }
    }
    let want = expected(end);
    assert_eq!(prometheus.samples(end * INTERVAL), want);
    let killed = copy(dir.path());
    prometheus.stop();
    for (folder, stopped) in [(dir, true), (killed, false)] {
        assert!(log_size(folder.path()) > 1000);
        let (db, registry) = open_late(folder.path());
        assert_eq!(query_all(&db), want);
        assert_eq!(metric(&registry, "prometheus_tsdb_wal_corruptions_total"), 0.0);
        assert_eq!(metric(&registry, "prometheus_tsdb_mmap_chunk_corruptions_total"), 0.0);
        db.map_chunks();
        let mapped = metric(&registry, "prometheus_tsdb_mmap_chunks_total");
        assert_eq!(
            mapped == 0.0,
            stopped,
            "a killed Prometheus names chunks in its log before they are in files"
        );
    }
}
