//! Histograms in blocks: written, merged, deleted in part, and read by Prometheus itself where it is installed.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use disk::RealFs;
use model::{Columns, CounterResetHint, FloatHistogram, Labels, Matcher, STALE_NAN, Span};
use tempfile::TempDir;

use super::*;
use crate::{
    block::{Block, BlockCompaction, BlockMeta, BlockQuerier, BlockStats, BlockWriter, new_ulid},
    merge_blocks::merge_blocks,
    query::Part,
};

const HOUR: Millis = 3_600_000;

/// A counter's histogram after `step` steps; every tenth step it has a new bucket.
fn counter(step: i64) -> Histogram {
    let buckets = 2 + step as u32 / 10;
    let mut counts: Vec<i64> =
        (0..i64::from(buckets)).map(|bucket| 1 + (step - 10 * (bucket - 2).max(-1)).max(0)).collect();
    counts.truncate(buckets as usize);
    Histogram {
        schema: 1,
        zero_threshold: 0.001,
        zero_count: 2,
        count: 2 + counts.iter().sum::<i64>() as u64,
        sum: 1.5 * step as f64,
        positive_spans: vec![Span { offset: -1, length: buckets }],
        positive_buckets: model::bucket_differences(counts),
        ..Histogram::default()
    }
}

fn series() -> BTreeMap<Labels, Vec<(Millis, Sample)>> {
    let named = |name| Labels::from_pairs([("__name__", name), ("job", "x")]);
    let at = |step: i64| step * 60_000;
    let integers = (0..90).map(|step| (at(step), Sample::Histogram(Box::new(counter(step)))));
    let floats = (0..90).map(|step| {
        let histogram = FloatHistogram { sum: 0.25, ..counter(step).to_float() };
        (at(step), Sample::FloatHistogram(Box::new(histogram)))
    });
    let gauges = (0..90).map(|step| {
        let hint = CounterResetHint::Gauge;
        (at(step), Sample::Histogram(Box::new(Histogram { counter_reset_hint: hint, ..counter(89 - step) })))
    });
    // A float first, a reset, and a stale end.
    let mixed = (0..60).map(|step| match step {
        0..10 => (at(step), Sample::Float(step as f64)),
        59 => (at(step), Sample::Histogram(Box::new(Histogram { sum: STALE_NAN, ..Histogram::default() }))),
        _ => (at(step), Sample::Histogram(Box::new(counter(step % 30)))),
    });
    BTreeMap::from([
        (named("float_counts"), floats.collect()),
        (named("gauges"), gauges.collect()),
        (named("integers"), integers.collect()),
        (named("mixed"), mixed.collect()),
    ])
}

fn write(dir: &Path, all: &BTreeMap<Labels, Vec<(Millis, Sample)>>) -> Block {
    let ulid = new_ulid();
    let meta = BlockMeta {
        ulid: ulid.clone(),
        min_time: 0,
        max_time: 2 * HOUR,
        stats: BlockStats::default(),
        compaction: BlockCompaction { level: 1, sources: vec![ulid], ..BlockCompaction::default() },
        version: 1,
    };
    let texts = all.keys().flat_map(|labels| labels.iter()).flat_map(|(name, value)| [name, value]).collect();
    let mut writer = BlockWriter::create(Arc::new(RealFs), dir, meta, texts).unwrap();
    for (labels, samples) in all {
        writer.add_series(labels, &encode_samples(samples)).unwrap();
    }
    writer.finish().unwrap()
}

fn read(block: &Arc<Block>) -> BTreeMap<Labels, Columns> {
    let querier = BlockQuerier::new(Arc::clone(block), Millis::MIN, Millis::MAX);
    let set = querier.select(&[], None).unwrap();
    set.map(|series| {
        let mut series = series.unwrap();
        let mut columns = Columns::default();
        series.samples.read(Millis::MIN, Millis::MAX, &mut columns).unwrap();
        (series.labels, columns)
    })
    .collect()
}

/// Time, count and sum of each histogram. The sum by its bits: a stale one is a NaN.
fn numbers(columns: &Columns) -> Vec<(Millis, f64, u64)> {
    let numbers = |point: &model::HistogramPoint| {
        (point.timestamp, point.histogram.count, point.histogram.sum.to_bits())
    };
    columns.histograms.iter().map(numbers).collect()
}

fn wanted(samples: &[(Millis, Sample)]) -> Vec<(Millis, f64, u64)> {
    let numbers = |(timestamp, sample): &(Millis, Sample)| match sample {
        Sample::Float(_) => None,
        Sample::Histogram(h) => Some((*timestamp, h.count as f64, h.sum.to_bits())),
        Sample::FloatHistogram(h) => Some((*timestamp, h.count, h.sum.to_bits())),
    };
    samples.iter().filter_map(numbers).collect()
}

#[test]
fn blocks_hold_histograms() {
    let dir = TempDir::new().unwrap();
    let all = series();
    let block = Arc::new(write(dir.path(), &all));
    let stats = &block.meta().stats;
    assert_eq!((stats.num_samples, stats.num_float_samples, stats.num_histogram_samples), (330, 10, 320));
    for (labels, columns) in read(&block) {
        assert_eq!(numbers(&columns), wanted(&all[&labels]), "{labels}");
    }
    // A range within a chunk.
    let querier = BlockQuerier::new(Arc::clone(&block), 10 * 60_000, 20 * 60_000);
    let mut set = querier.select(&[Matcher::equal("__name__", "integers")], None).unwrap();
    let mut columns = Columns::default();
    set.next().unwrap().unwrap().samples.read(10 * 60_000, 20 * 60_000, &mut columns).unwrap();
    assert_eq!(columns.histograms.len(), 11);
}

#[test]
fn chunks_that_share_time_are_merged_and_stay_integers() {
    let dir = TempDir::new().unwrap();
    let all = series();
    let part = |keep: &dyn Fn(i64) -> bool| {
        let pick = |samples: &Vec<(Millis, Sample)>| {
            samples.iter().filter(|(timestamp, _)| keep(timestamp / 60_000)).cloned().collect()
        };
        all.iter().map(|(labels, samples)| (labels.clone(), pick(samples))).collect()
    };
    let blocks = [
        write(dir.path(), &part(&|step| step % 3 == 0)),
        write(dir.path(), &part(&|step| step % 3 != 1)),
        write(dir.path(), &part(&|step| step % 3 == 1)),
    ]
    .map(Arc::new);
    let fs: Arc<dyn disk::Fs> = Arc::new(RealFs);
    let merged = Arc::new(merge_blocks(&blocks, &fs, dir.path()).unwrap().unwrap());
    assert_eq!(merged.meta().stats.num_histogram_samples, 320);
    for (labels, columns) in read(&merged) {
        assert_eq!(numbers(&columns), wanted(&all[&labels]), "{labels}");
    }
    let mut cursor = merged.cursor().unwrap();
    for (labels, samples) in &all {
        let chunks = cursor.take_if(labels).unwrap().unwrap().chunks.clone();
        let mut back = Vec::new();
        for chunk in chunks {
            let (encoding, data) = merged.chunk(chunk.reference).unwrap();
            read_samples(encoding, data, &mut back, |_| true).unwrap();
        }
        let kinds = |samples: &[(Millis, Sample)]| {
            samples.iter().map(|(_, s)| mem::discriminant(s)).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&back), kinds(samples), "{labels}");
    }
}

#[test]
fn large_histograms_are_cut_by_bytes() {
    let wide = |step: i64| {
        let counts = (0..300).map(|bucket| step * 1000 + bucket * 7 % 13).collect();
        Histogram {
            positive_spans: vec![Span { offset: 0, length: 300 }],
            positive_buckets: model::bucket_differences(counts),
            ..Histogram::default()
        }
    };
    let samples: Vec<_> = (0..40).map(|step| (step, Sample::Histogram(Box::new(wide(step))))).collect();
    let chunks = encode_samples(&samples);
    let counts: Vec<_> = chunks.iter().map(|chunk| chunk.sample_count()).collect();
    assert!(counts.len() > 1 && counts[..counts.len() - 1].iter().all(|count| *count >= 11), "{counts:?}");
}

// === the peer ===

struct Prometheus {
    process: Child,
    address: String,
}

impl Prometheus {
    /// A server over a folder; none where it is not installed.
    fn start(dir: &Path) -> Option<Self> {
        let config = dir.join("prometheus.yml");
        std::fs::write(&config, "").unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", dir.display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--storage.tsdb.retention.time=100y")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(process) = process else {
            eprintln!("skipped: prometheus is not installed");
            return None;
        };
        let server = Self { process, address };
        let deadline = Instant::now() + Duration::from_secs(60);
        while !server.get("/-/ready").is_ok_and(|answer| answer.starts_with("HTTP/1.0 200")) {
            assert!(Instant::now() < deadline, "prometheus did not get ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    fn get(&self, path: &str) -> std::io::Result<String> {
        let mut connection = TcpStream::connect(&self.address)?;
        write!(connection, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address)?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Samples of a series: time, count, sum and the sum of all buckets.
    fn histograms(&self, name: &str) -> Vec<(Millis, f64, f64, f64)> {
        let answer = self.get(&format!("/api/v1/query?query={name}%5B2h%5D&time=7200")).unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        let json: serde_json::Value = serde_json::from_str(body).unwrap();
        let number = |value: &serde_json::Value| value.as_str().unwrap().parse::<f64>().unwrap();
        let points = json["data"]["result"][0]["histograms"].as_array().unwrap();
        let parsed = |point: &serde_json::Value| {
            let histogram = &point[1];
            let buckets = histogram["buckets"].as_array().unwrap().iter().map(|bucket| number(&bucket[3]));
            let time = (point[0].as_f64().unwrap() * 1000.0) as Millis;
            (time, number(&histogram["count"]), number(&histogram["sum"]), buckets.sum())
        };
        points.iter().map(parsed).collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn prometheus_reads_our_histograms() {
    let dir = TempDir::new().unwrap();
    let block = Arc::new(write(dir.path(), &series()));
    let all = read(&block);
    let Some(server) = Prometheus::start(dir.path()) else {
        return;
    };
    for (labels, columns) in &all {
        let want: Vec<_> = columns
            .histograms
            .iter()
            .filter(|point| !model::is_stale(point.histogram.sum))
            .map(|point| {
                let histogram = &point.histogram;
                let buckets = histogram.zero_count + histogram.positive_buckets.iter().sum::<f64>();
                (point.timestamp, histogram.count, histogram.sum, buckets)
            })
            .collect();
        assert!(want.iter().all(|(_, count, _, buckets)| count == buckets));
        assert_eq!(server.histograms(labels.value("__name__")), want, "{labels}");
    }
}
