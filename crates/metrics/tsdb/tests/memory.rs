//! How much memory a series takes, measured; run by hand:
//! `cargo test -p tsdb --test memory -- --ignored --nocapture`. `SERIES` and `SAMPLES` change the load.

mod common;

use std::{env, fs, time::Instant};

use common::open;
use model::Labels;
use storage::{Appendable, SeriesRef};
use tempfile::TempDir;

/// Steps between two samples of a series, milliseconds.
const INTERVAL: i64 = 15_000;

fn setting(name: &str, default: usize) -> usize {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Anonymous memory of this process in bytes: mapped files are not in it.
fn anonymous_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

fn labels(number: usize) -> Labels {
    Labels::from_pairs([
        ("__name__", format!("http_requests_{}_total", number % 500)),
        ("instance", format!("10.0.{}.{}:9100", number / 500 / 200, number / 500 % 200)),
        ("job", "node".to_owned()),
        ("cluster", "production-europe-west".to_owned()),
        ("namespace", format!("team-{}", number % 20)),
        ("container", format!("worker-{}", number % 100)),
    ])
}

/// Half the series count up, half go up and down.
fn value(number: usize, step: usize) -> f64 {
    if number.is_multiple_of(2) {
        return (number + step * (number % 50)) as f64;
    }
    let mixed = ((number as u64) << 32 | step as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    (mixed % 10_000) as f64 / 100.0
}

#[test]
#[ignore = "takes minutes and gigabytes; prints figures for people"]
fn memory_of_a_series() {
    let (series, samples) = (setting("SERIES", 200_000), setting("SAMPLES", 480));
    let dir = TempDir::new().unwrap();
    let db = open(dir.path());
    let before = anonymous_bytes();
    let mut refs = vec![SeriesRef::UNKNOWN; series];
    for step in 0..samples {
        for (block, refs) in refs.chunks_mut(10_000).enumerate() {
            let mut appender = db.appender();
            for (at, series_ref) in refs.iter_mut().enumerate() {
                let number = block * 10_000 + at;
                let none = Labels::empty();
                let labels = if series_ref.is_known() { none } else { labels(number) };
                let value = value(number, step);
                *series_ref = appender.append(*series_ref, &labels, step as i64 * INTERVAL, value).unwrap();
            }
            appender.commit().unwrap();
        }
        if step % 4 == 3 {
            db.maintain().unwrap();
        }
        if step == 0 || (step + 1) % 120 == 0 {
            let bytes = (anonymous_bytes() - before) / series;
            println!("{} samples: {bytes} bytes a series", step + 1);
        }
    }
    db.maintain().unwrap();
    println!("at the end: {} bytes a series", (anonymous_bytes() - before) / series);
    drop(db);
    let start = Instant::now();
    let db = open(dir.path());
    assert_eq!(db.series_count(), series as u64);
    println!("opened again in {:?}", start.elapsed());
}
