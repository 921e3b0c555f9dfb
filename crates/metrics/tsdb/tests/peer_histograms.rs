//! Native histograms between a Prometheus and us: it goes on with our folder and we with its, and both tell the same of the same samples.
//! Skipped where `prometheus` is not installed.

mod common;

use std::time::{SystemTime, UNIX_EPOCH};

use common::{
    prometheus::{AnyHistogram, Prometheus, Seen},
    *,
};
use model::{Histogram, Labels, Millis, STALE_NAN, Span};
use prometheus_client::registry::Registry;
use storage::{Appendable, HistogramSample, SeriesRef};
use tempfile::TempDir;
use tsdb::{Db, DbOptions};

const INTERVAL: Millis = 15_000;
const SAMPLES: i64 = 400;

type Pushed = Vec<(Labels, Vec<(Millis, AnyHistogram)>)>;

/// The step before which all samples of these tests lie: a little ago.
fn last_step() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as Millis;
    now / INTERVAL - 8
}

/// A counter with both sides, which gets buckets now and then and is reset after some time.
fn histogram(step: i64) -> Histogram {
    let since_reset = step % 130 + 1;
    let wide = (step % 60 / 20) as u32;
    let mut positive_buckets = vec![since_reset, since_reset, -since_reset];
    positive_buckets.extend(vec![0; wide as usize]);
    let positive: i64 = since_reset * (4 + i64::from(wide));
    Histogram {
        schema: 1,
        zero_threshold: 0.01,
        zero_count: 3,
        count: (positive + since_reset + 3) as u64,
        sum: since_reset as f64 / 3.0,
        positive_spans: vec![Span { offset: -2, length: 1 }, Span { offset: 2, length: 2 + wide }],
        positive_buckets,
        negative_spans: vec![Span { offset: 0, length: 1 }],
        negative_buckets: vec![since_reset],
        ..Histogram::default()
    }
}

/// A series of integers, one of floats, and one that goes from the one to the other and has stale samples.
fn grid(from: i64, to: i64) -> Pushed {
    let integer = |step| AnyHistogram::Integer(histogram(step));
    let float = |step| AnyHistogram::Float(histogram(step).to_float());
    let changing = |step: i64| match step % 90 {
        89 => AnyHistogram::Integer(Histogram { sum: STALE_NAN, ..Histogram::default() }),
        0..45 => integer(step),
        _ => float(step),
    };
    let series = |number: usize, sample: &dyn Fn(i64) -> AnyHistogram| {
        (labels(number), (from..to).map(|step| (step * INTERVAL, sample(step))).collect())
    };
    vec![series(0, &integer), series(1, &float), series(2, &changing)]
}

fn append(db: &Db, pushed: &Pushed) {
    for (labels, histograms) in pushed {
        let mut appender = db.appender();
        for (timestamp, histogram) in histograms {
            let histogram = match histogram {
                AnyHistogram::Integer(histogram) => HistogramSample::Integer(histogram),
                AnyHistogram::Float(histogram) => HistogramSample::Float(histogram),
            };
            appender.append_histogram(SeriesRef::UNKNOWN, labels, *timestamp, histogram).unwrap();
        }
        appender.commit().unwrap();
    }
}

/// What an answer would tell, in order of labels: stale samples are not shown.
fn seen(db: &Db) -> Vec<(Labels, Vec<Seen>)> {
    let all = query_all(db).into_iter().map(|(labels, columns)| {
        let shown = columns.histograms.iter().filter(|point| !model::is_stale(point.histogram.sum));
        (labels, shown.map(Seen::of).collect())
    });
    let mut all: Vec<_> = all.collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all
}

/// Without the series that changes its kind: Prometheus 2.42 shows one of its histograms again and again.
fn steady(mut all: Vec<(Labels, Vec<Seen>)>) -> Vec<(Labels, Vec<Seen>)> {
    all.retain(|(of, _)| *of != labels(2));
    assert_eq!(all.len(), 2);
    all
}

fn open_counting(dir: &std::path::Path) -> (Db, Registry) {
    let mut registry = Registry::default();
    let db = Db::open(DbOptions::new(dir), &mut registry).unwrap();
    (db, registry)
}

#[test]
fn prometheus_goes_on_with_our_histograms() {
    let dir = TempDir::new().unwrap();
    let end = last_step();
    let db = open(dir.path());
    for step in end - SAMPLES..end {
        append(&db, &grid(step, step + 1));
    }
    db.map_chunks();
    let want = steady(seen(&db));
    db.close().unwrap();
    drop(db);
    let Some(prometheus) = Prometheus::start(dir.path()) else {
        return;
    };
    assert_eq!(steady(prometheus.histograms(end * INTERVAL)), want);
    assert_eq!(prometheus.metric("prometheus_tsdb_mmap_chunk_corruptions_total"), 0.0);
    let log = prometheus.log();
    assert!(!log.contains("corrupt") && !log.contains("level=error"), "{log}");
    assert_eq!(prometheus.push_histograms(&grid(end, end + 4)).0, 204);
    let want = steady(prometheus.histograms((end + 4) * INTERVAL));
    prometheus.stop();
    let (db, registry) = open_counting(dir.path());
    assert_eq!(steady(seen(&db)), want, "and we with its");
    assert_eq!(metric(&registry, "prometheus_tsdb_mmap_chunk_corruptions_total"), 0.0);
}

#[test]
fn we_go_on_with_prometheus_histograms() {
    let dir = TempDir::new().unwrap();
    let Some(prometheus) = Prometheus::start(dir.path()) else {
        return;
    };
    let ours = TempDir::new().unwrap();
    let our_db = open(ours.path());
    let end = last_step();
    // It keeps the order of time for no series that changes its kind within a request.
    for step in end - SAMPLES..end {
        let pushed = grid(step, step + 1);
        assert_eq!(prometheus.push_histograms(&pushed).0, 204);
        append(&our_db, &pushed);
    }
    let want = steady(prometheus.histograms(end * INTERVAL));
    assert_eq!(want[0].1.len(), SAMPLES as usize);
    let all = seen(&our_db);
    assert_eq!(steady(all.clone()), want, "the same samples become the same answers");
    let killed = copy(dir.path());
    prometheus.stop();
    for dir in [&dir, &killed] {
        let (db, registry) = open_counting(dir.path());
        assert_eq!(seen(&db), all, "its folder holds what ours does, kinds that change included");
        assert_eq!(metric(&registry, "prometheus_tsdb_mmap_chunk_corruptions_total"), 0.0);
        assert_eq!(metric(&registry, "prometheus_tsdb_wal_replay_unsupported_records_total"), 0.0);
    }
}
