//! What finding series costs among a million of a fleet; run by hand, one at a time:
//! `cargo test --release -p tsdb --lib cost -- --ignored --nocapture --test-threads=1`. `SERIES` changes their number.

use std::{
    env, fs,
    sync::Arc,
    time::{Duration, Instant},
};

use model::{Labels, MatchOp, Matcher};
use tempfile::TempDir;

use super::block_of;
use crate::{
    head::{HeadIndex, MemSeries},
    query::{PostingsSource, matching},
};

/// Series of a target.
const TARGET: usize = 250;
const JOBS: usize = 20;
const PATHS: usize = 10;
/// A query is asked this many times.
const RUNS: usize = 30;

fn series_count() -> usize {
    env::var("SERIES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000)
}

/// Labels of one of a fleet's series: targets come one after the other, each with its 250.
fn labels(number: usize) -> Labels {
    let (target, shape) = (number / TARGET, number % TARGET);
    let path = format!("/api/v1/{}", shape / 22);
    let job = format!("job-{:02}", target % JOBS);
    let mut labels = vec![
        ("cluster", format!("c{}", target % 3)),
        ("env", if target.is_multiple_of(4) { "staging" } else { "prod" }.to_owned()),
        ("instance", format!("10.{}.{}.{}:9100", target % 8, target / 256 % 256, target % 256)),
        ("namespace", "shop".to_owned()),
        ("node", format!("n{:03}", target / 16 % 1000)),
        ("pod", format!("{job}-{:08x}", (target as u32).wrapping_mul(2_654_435_761))),
        ("team", format!("t{}", target % 7)),
        ("zone", ["a", "b", "c"][target / 3 % 3].to_owned()),
        ("job", job),
    ];
    match (shape / 22, shape % 22) {
        (path, _) if path >= PATHS => labels.push(("__name__", format!("go_metric_{shape}"))),
        (_, bucket @ 0..12) => {
            labels.push(("__name__", "http_request_duration_seconds_bucket".to_owned()));
            labels.push(("path", path));
            labels.push(("le", format!("{}", 1 << bucket)));
        }
        (_, kind) => {
            labels.push(("__name__", "http_requests_total".to_owned()));
            labels.push(("path", path));
            labels.push(("method", ["GET", "POST"][kind % 2].to_owned()));
            labels.push(("status", format!("{}", 200 + kind / 2)));
        }
    }
    Labels::from_pairs(labels)
}

fn selectors() -> Vec<Vec<Matcher>> {
    let matcher = |op, name, value: &str| Matcher::new(op, name, value).unwrap();
    let job = || Matcher::equal("job", "job-05");
    let instance = || Matcher::equal("instance", "10.5.1.69:9100");
    let shop = || Matcher::equal("namespace", "shop");
    let paths = || matcher(MatchOp::Regex, "path", "/api/v1/1|/api/v1/2|/api/v1/7");
    vec![
        vec![job(), paths()],
        vec![shop(), paths()],
        vec![job(), instance()],
        vec![shop(), instance()],
        vec![shop(), instance(), matcher(MatchOp::NotEqual, "le", "")],
        vec![job(), matcher(MatchOp::NotEqual, "path", "/api/v1/1")],
        vec![shop(), matcher(MatchOp::NotEqual, "path", "/api/v1/1")],
        vec![matcher(MatchOp::Regex, "job", ".+"), instance()],
        vec![matcher(MatchOp::Regex, "job", ".+"), paths()],
        vec![job(), paths(), Matcher::equal("status", "203"), Matcher::equal("le", "1")],
        vec![
            Matcher::equal("__name__", "http_requests_total"),
            job(),
            paths(),
            Matcher::equal("method", "GET"),
        ],
        vec![job(), matcher(MatchOp::Regex, "path", "/api/.*")],
        vec![Matcher::equal("__name__", "go_metric_230"), matcher(MatchOp::Regex, "instance", "10[.]1[.].*")],
        vec![Matcher::equal("__name__", "go_metric_230"), matcher(MatchOp::Regex, "pod", ".*[0-9]a[0-9].*")],
        vec![
            job(),
            matcher(MatchOp::NotEqual, "path", ""),
            matcher(MatchOp::NotRegex, "path", "/api/v1/[1-3]"),
        ],
        vec![matcher(MatchOp::Regex, "instance", "10[.]1[.].*")],
        vec![matcher(MatchOp::NotEqual, "path", "")],
    ]
}

fn print_costs<S: PostingsSource>(source: &S)
where
    S::Error: std::fmt::Debug,
{
    for selector in selectors() {
        let ask = || {
            let start = Instant::now();
            let found = matching(source, &selector).unwrap().len();
            (found, start.elapsed())
        };
        let (found, first) = ask();
        // Others use the machine too: the shortest run tells most.
        let shortest = (0..RUNS).map(|_| ask().1).min().unwrap_or(first);
        let micros = |time: Duration| time.as_nanos() as f64 / 1e3;
        let text: Vec<_> = selector.iter().map(Matcher::to_string).collect();
        println!(
            "{:>11.1} µs, first {:>11.1} µs, {found:>7} series: {{{}}}",
            micros(shortest),
            micros(first),
            text.join(",")
        );
    }
}

/// Anonymous memory of this process in bytes.
fn anonymous_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// `order` says as which series each one comes.
fn print_head(what: &str, order: impl Fn(usize) -> usize) -> HeadIndex {
    let count = series_count();
    let make = |number| Arc::new(MemSeries::new(number as u64, labels(order(number))));
    let series: Vec<_> = (0..count).map(make).collect();
    let pairs: usize = series.iter().map(|series| series.labels().iter().count()).sum();
    println!("head, {what}: {count} series, {:.1} labels each", pairs as f64 / count as f64);
    let one_by_one = measured("one by one", count, || {
        let mut index = HeadIndex::default();
        series.iter().for_each(|series| index.insert(Arc::clone(series)));
        index
    });
    let all = series.clone();
    let at_once = measured("at once", count, || {
        let mut index = HeadIndex::default();
        index.insert_all(all);
        index
    });
    drop(at_once);
    one_by_one
}

/// Prints what making an index costs.
fn measured(what: &str, series: usize, make: impl FnOnce() -> HeadIndex) -> HeadIndex {
    let (memory, cpu) = (anonymous_bytes(), cpu_time());
    let index = make();
    let (memory, cpu) = (anonymous_bytes().saturating_sub(memory), cpu_time() - cpu);
    let of_one = |all: f64| all / series as f64;
    let (cpu, memory) = (of_one(cpu.as_nanos() as f64), of_one(memory as f64));
    println!("{what}: {cpu:.0} ns of CPU and {memory:.1} bytes a series");
    index
}

/// CPU time of this process, in hundredths of a second.
fn cpu_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, behind_name) = stat.rsplit_once(')').unwrap();
    let ticks = behind_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

#[test]
#[ignore = "takes gigabytes; prints figures for people"]
fn cost_in_the_head() {
    let index = print_head("target after target", |number| number);
    print_costs(&index);
    drop(index);
    // As many targets send at the same time, in small pieces.
    let size = series_count();
    let index = print_head("mixed", |number| {
        let (window, at) = (number / 5000 * 5000, number % 5000);
        if window + 5000 <= size { window + at % 20 * TARGET + at / 20 } else { number }
    });
    print_costs(&index);
}

#[test]
#[ignore = "takes gigabytes; prints figures for people"]
fn cost_in_a_block() {
    let mut all: Vec<_> = (0..series_count()).map(labels).collect();
    all.sort_unstable();
    let dir = TempDir::new().unwrap();
    let block = block_of(&dir, &all);
    println!("block: {} series, {} bytes of index tables", all.len(), block.table_bytes());
    print_costs(block.index());
}
