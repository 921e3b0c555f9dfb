//! A Prometheus goes on with our folder, and we with its: chunks of the head included. Skipped where `prometheus` is not installed.

mod common;

use std::{
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use common::{prometheus::Prometheus, *};
use model::{Columns, Millis};
use prometheus_client::registry::Registry;
use tempfile::TempDir;
use tsdb::{Db, DbOptions};

const INTERVAL: Millis = 15_000;
const SAMPLES: i64 = 480;

/// The step before which all samples of these tests lie: a little ago.
fn last_step() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as Millis;
    now / INTERVAL - 8
}

fn open_counting(dir: &Path) -> (Db, Registry) {
    let mut registry = Registry::default();
    let db = Db::open(DbOptions::new(dir), &mut registry).unwrap();
    (db, registry)
}

#[test]
fn prometheus_goes_on_with_our_folder() {
    let dir = TempDir::new().unwrap();
    let end = last_step();
    let db = open(dir.path());
    append_grid(&db, 7, end - SAMPLES, end, INTERVAL);
    db.map_chunks();
    let want = query_all(&db);
    db.close().unwrap();
    drop(db);
    let damaged = copy(dir.path());
    assert!(fs::metadata(dir.path().join("chunks_head/000001")).unwrap().len() > 1000);

    let Some(prometheus) = Prometheus::start(dir.path()) else {
        return;
    };
    assert_eq!(prometheus.samples(end * INTERVAL), want);
    assert_eq!(prometheus.metric("prometheus_tsdb_mmap_chunk_corruptions_total"), 0.0);
    let log = prometheus.log();
    assert!(!log.contains("corrupt") && !log.contains("level=error"), "{log}");
    let more: Vec<_> = want.iter().map(|(labels, _)| (labels.clone(), grid(end, end + 4, 1.5))).collect();
    prometheus.push(&more);
    let want = prometheus.samples((end + 4) * INTERVAL);
    prometheus.stop();
    let (db, registry) = open_counting(dir.path());
    assert_eq!(query_all(&db), want, "and we with its");
    assert_eq!(metric(&registry, "prometheus_tsdb_mmap_chunk_corruptions_total"), 0.0);

    // That it reads our files at all shows where they are damaged.
    let file = damaged.path().join("chunks_head/000001");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let prometheus = Prometheus::start(damaged.path()).unwrap();
    assert_eq!(prometheus.metric("prometheus_tsdb_mmap_chunk_corruptions_total"), 1.0);
    assert_eq!(prometheus.samples((end - 1) * INTERVAL).len(), want.len());
    prometheus.stop();
}

#[test]
fn we_go_on_with_prometheus_folder() {
    let dir = TempDir::new().unwrap();
    let Some(prometheus) = Prometheus::start(dir.path()) else {
        return;
    };
    let end = last_step();
    let all = |from, to| (0..7).map(|n| (labels(n), grid(from, to, n as f64 / 3.0))).collect::<Vec<_>>();
    for start in (end - SAMPLES..end).step_by(60) {
        prometheus.push(&all(start, start + 60));
    }
    let want = prometheus.samples(end * INTERVAL);
    assert!(want.iter().all(|(_, columns)| columns.len() == SAMPLES as usize));
    let killed = copy(dir.path());
    prometheus.stop();
    assert!(names_in(&dir.path().join("chunks_head")).contains(&"000001".to_owned()));

    let (db, registry) = open_counting(dir.path());
    assert_eq!(query_all(&db), want);
    assert_eq!(metric(&registry, "prometheus_tsdb_mmap_chunk_corruptions_total"), 0.0);
    db.map_chunks();
    assert_eq!(
        metric(&registry, "prometheus_tsdb_mmap_chunks_total"),
        0.0,
        "all full chunks were in its files"
    );
    append_grid(&db, 7, end, end + 4, INTERVAL);
    let want_more = query_all(&db);
    drop(db);
    let prometheus = Prometheus::start(dir.path()).unwrap();
    assert_eq!(prometheus.samples((end + 4) * INTERVAL), want_more, "and it with ours");
    prometheus.stop();

    let (db, _) = open_counting(killed.path());
    assert_eq!(query_all(&db), want, "what it had when it was killed");
}

/// Samples at the steps `from..to`.
fn grid(from: i64, to: i64, first: f64) -> Columns {
    let mut columns = Columns::default();
    for step in from..to {
        columns.timestamps.push(step * INTERVAL);
        columns.values.push(first + (step % 17) as f64);
    }
    columns
}
