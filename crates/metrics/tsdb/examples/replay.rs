//! What starting again costs: reading the log, and the first queries behind it.
//!
//! ```text
//! cargo run --release -p tsdb --example replay -- write DIR [series] [samples a series]
//! cargo run --release -p tsdb --example replay -- open DIR
//! ```
//!
//! The series are those of a fleet, as in the bench: 250 a target, about twelve labels each. `open` may be called again and again on what
//! `write` left, as nothing is written but an empty segment of the log.

use std::{fs, path::Path, time::Instant};

use model::{Labels, MatchOp, Matcher};
use prometheus_client::registry::Registry;
use storage::{Appendable, Queryable, SelectHints, SeriesRef};
use tsdb::{Db, DbOptions};

const STEP: i64 = 15_000;
const START: i64 = 1_700_000_000_000;
/// Series of a batch, as of a request of remote write.
const BATCH: usize = 2_500;

/// How many services, paths and buckets there are.
const SERVICES: usize = 20;
const PATHS: usize = 10;
const BUCKETS: usize = 12;

/// Name and own labels of each of a target's series, `up` last.
fn shapes() -> Vec<Vec<(&'static str, String)>> {
    let mut shapes = Vec::new();
    let mut add = |name: String, labels: &[(&'static str, &str)]| {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned()));
        shapes.push([("__name__", name)].into_iter().chain(labels).collect());
    };
    for number in 0..33 {
        add(format!("process_some_quantity_of_part_{number}_bytes"), &[]);
    }
    for cpu in ["0", "1", "2", "3"] {
        for mode in ["idle", "user", "system", "iowait"] {
            add("node_cpu_seconds_total".to_owned(), &[("cpu", cpu), ("mode", mode)]);
        }
    }
    for path in (0..PATHS).map(|path| format!("/api/v1/items/{path}")) {
        let path = path.as_str();
        for method in ["GET", "POST"] {
            for status in ["200", "404", "500"] {
                let labels = [("path", path), ("method", method), ("status", status)];
                add("http_requests_total".to_owned(), &labels);
            }
        }
        for bound in (0..BUCKETS).map(|bucket| format!("0.{bucket:03}")) {
            add("http_request_duration_seconds_bucket".to_owned(), &[("path", path), ("le", &bound)]);
        }
        add("http_request_duration_seconds_sum".to_owned(), &[("path", path)]);
        add("http_request_duration_seconds_count".to_owned(), &[("path", path)]);
    }
    add("up".to_owned(), &[]);
    shapes
}

fn target(number: usize) -> [(&'static str, String); 9] {
    let service = format!("service-{:02}", number % SERVICES);
    [
        ("cluster", format!("c{}", number % 3)),
        ("env", if number.is_multiple_of(4) { "staging" } else { "prod" }.to_owned()),
        ("instance", format!("10.{}.{}.{}:9100", number % 8, number / 256 % 256, number % 256)),
        ("job", service.clone()),
        ("namespace", "shop".to_owned()),
        ("node", format!("n{:03}", number / 16 % 1000)),
        ("pod", format!("{service}-{:08x}", (number as u32).wrapping_mul(2_654_435_761))),
        ("team", format!("t{}", number % 7)),
        ("zone", ["a", "b", "c"][number / 3 % 3].to_owned()),
    ]
}

/// Gauges walk, counters grow, some stay as they are.
fn value(series: usize, step: usize) -> f64 {
    let random = (series * 31 + step * 17).wrapping_mul(0x9e37_79b9) >> 7;
    match series % 7 {
        0 => 64.0,
        1 => (random % 1000) as f64,
        2 => (series % 1000) as f64 + (step * 1000 + random % 1000) as f64 * 1e-3,
        _ => (series % 5000 + step * (series % 90) + random % 10) as f64,
    }
}

fn write(dir: &Path, series: usize, samples: usize) -> Result<(), Box<dyn std::error::Error>> {
    let db = Db::open(DbOptions::new(dir), &mut Registry::default())?;
    let shapes = shapes();
    let labels = |number: usize| {
        let own = &shapes[number % shapes.len()];
        Labels::from_pairs(target(number / shapes.len()).iter().chain(own).map(|(n, v)| (*n, v)))
    };
    let mut refs = vec![SeriesRef::UNKNOWN; series];
    for step in 0..samples {
        for (batch, refs) in refs.chunks_mut(BATCH).enumerate() {
            let mut appender = db.appender();
            for (at, series_ref) in refs.iter_mut().enumerate() {
                let number = batch * BATCH + at;
                let labels = if series_ref.is_known() { Labels::empty() } else { labels(number) };
                let timestamp = START + step as i64 * STEP;
                *series_ref = appender.append(*series_ref, &labels, timestamp, value(number, step))?;
            }
            appender.commit()?;
        }
    }
    Ok(())
}

/// A line of `/proc/self/status`, in MiB.
fn memory(key: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.trim_matches([':', ' ', '\t', 'k', 'B']).parse::<u64>().unwrap_or_default() >> 10
}

/// User and system time of the process, seconds.
fn cpu() -> (f64, f64) {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let mut ticks = fields.split(' ').skip(11).map(|field| field.parse::<f64>().unwrap_or_default());
    (ticks.next().unwrap_or_default() / 100.0, ticks.next().unwrap_or_default() / 100.0)
}

/// Prints what `act` took.
fn measured<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let (start, (user, system)) = (Instant::now(), cpu());
    let result = act();
    let (wall, after) = (start.elapsed().as_secs_f64(), cpu());
    println!(
        "{what:>20}: {wall:6.2} s, CPU {:6.2} s (user {:.2}, system {:.2}), RSS {} MiB, peak {} MiB",
        after.0 + after.1 - user - system,
        after.0 - user,
        after.1 - system,
        memory("VmRSS"),
        memory("VmHWM"),
    );
    result
}

fn count(db: &Db, name: Matcher) -> Result<usize, Box<dyn std::error::Error>> {
    let querier = db.querier(i64::MIN, i64::MAX)?;
    let mut count = 0;
    let mut found = querier.select(&SelectHints::default(), &[name])?;
    while found.next().transpose()?.is_some() {
        count += 1;
    }
    Ok(count)
}

fn open(dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let db = measured("start", || Db::start(DbOptions::new(dir), &mut Registry::default()))?;
    measured("replay", || db.replay())?;
    let up = Matcher::new(MatchOp::Equal, "__name__", "up")?;
    let all = Matcher::new(MatchOp::NotEqual, "__name__", "")?;
    let few = measured("first query: up", || count(&db, up))?;
    let many = measured("first query: all", || count(&db, all.clone()))?;
    measured("second query: all", || count(&db, all))?;
    println!("{few} and {many} series");
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let number = |at: usize, default| arguments.get(at).map_or(Ok(default), |text| text.parse::<usize>());
    match (arguments.first().map(String::as_str), arguments.get(1)) {
        (Some("write"), Some(dir)) => write(Path::new(dir), number(2, 1_000_000)?, number(3, 20)?),
        (Some("open"), Some(dir)) => open(Path::new(dir)),
        _ => Err("usage: replay write DIR [series] [samples a series] | replay open DIR".into()),
    }
}
