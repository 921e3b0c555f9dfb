//! The same queries over the same samples, asked of this engine and of an installed Prometheus: the answers are the same, but for what
//! changed between its version and the one whose language this is.

#[path = "../common/corpus.rs"]
mod corpus;
mod data;
mod differences;
#[path = "../common/grammar.rs"]
mod grammar;
mod server;

use std::collections::BTreeMap;

use data::BEGIN;
use differences::{Difference, known};
use grammar::Dialect;
use model::{Labels, Millis};
use prometheus_client::registry::Registry;
use promql::{
    Engine, EngineOptions, QueryOptions, QueryResult, SampleValue, Value,
    memory::MemoryStorage,
    syntax::{ParserOptions, parse},
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use server::Prometheus;

const MINUTE: Millis = 60_000;
/// Half a second beside every grid: no sample and no step of a subquery lies on a border.
const AT: Millis = BEGIN + 55 * MINUTE + 7_500;
/// From, to, step of range queries.
const TIMES: (Millis, Millis, Millis) = (AT - 20 * MINUTE, AT, 4 * MINUTE);
const RANDOM_QUERIES: usize = 3000;
/// Numbers may differ by this share.
const TOLERANCE: f64 = 1e-9;

/// What a query gives: samples by series and time, an error, or a text.
#[derive(Debug, Clone, PartialEq)]
enum Answer {
    Series(BTreeMap<Labels, Vec<(Millis, f64)>>),
    Text(String),
    Error(String),
}

/// One question to both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Instant,
    Range,
}

#[test]
fn answers_to_common_queries_are_those_of_prometheus() {
    let mut queries = Vec::new();
    for (part, collect) in [("dashboards", corpus::dashboards as fn(&_) -> _), ("rules", corpus::rules)] {
        let Some(dir) = testkit::conformance_dir(part) else { return };
        queries.extend(collect(&dir).into_iter().map(|expression| expression.query));
    }
    let Some(dir) = testkit::conformance_dir("promql") else { return };
    queries.extend(corpus::compliance(&dir).into_iter().map(|(query, _)| query));
    queries.sort();
    queries.dedup();
    compare_all(&queries, 0.8);
}

#[test]
fn answers_to_random_queries_are_those_of_prometheus() {
    let grammar = grammar::vector(Dialect::Settled);
    let mut runner = TestRunner::deterministic();
    let queries = (0..RANDOM_QUERIES).map(|_| grammar.new_tree(&mut runner).unwrap().current());
    compare_all(&queries.collect::<Vec<_>>(), 0.4);
}

/// Asks both all queries; at least this share of the answers has samples in it.
fn compare_all(queries: &[String], least: f64) {
    let parsed: Vec<_> = queries.iter().filter_map(|query| parse(query, ParserOptions::all()).ok()).collect();
    let data = data::generate(&parsed);
    let Some(prometheus) = Prometheus::start(&data.text) else { return };
    let engine = Engine::new(EngineOptions::default(), &mut Registry::default());

    let mut tally = Tally::default();
    for query in queries {
        for kind in [Kind::Instant, Kind::Range] {
            let ours = ours(&engine, &data.storage, query, kind);
            let theirs = theirs(&prometheus, query, kind);
            tally.add(query, kind, &ours, &theirs);
        }
    }
    tally.check(queries.len(), data.series, least);
}

#[derive(Default)]
struct Tally {
    same: usize,
    filled: usize,
    empty: usize,
    failed: usize,
    explained: BTreeMap<&'static str, usize>,
    problems: Vec<String>,
}

impl Tally {
    fn add(&mut self, query: &str, kind: Kind, ours: &Answer, theirs: &Answer) {
        match theirs {
            Answer::Series(series) if series.is_empty() => self.empty += 1,
            Answer::Error(_) => self.failed += 1,
            _ => self.filled += 1,
        }
        match compare(ours, theirs) {
            Ok(()) => self.same += 1,
            Err(text) => match known(&Difference { query, ours, theirs }) {
                Some(reason) => *self.explained.entry(reason).or_default() += 1,
                None => self.problems.push(format!("{kind:?} {query}\n    {text}")),
            },
        }
    }

    fn check(self, queries: usize, series: usize, least: f64) {
        let Self { same, filled, empty, failed, explained, problems } = self;
        println!(
            "{queries} queries over {series} series: {filled} answers with samples, {empty} without, {failed} errors"
        );
        explained.iter().for_each(|(reason, count)| println!("{count} differ: {reason}"));
        println!("{} passed, {} failed", same + explained.values().sum::<usize>(), problems.len());
        assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
        let share = filled as f64 / (filled + empty + failed) as f64;
        assert!(share >= least, "only {share:.2} of the answers have samples");
    }
}

fn compare(ours: &Answer, theirs: &Answer) -> Result<(), String> {
    match (ours, theirs) {
        (Answer::Error(_), Answer::Error(_)) => Ok(()),
        (Answer::Text(ours), Answer::Text(theirs)) if ours == theirs => Ok(()),
        (Answer::Series(ours), Answer::Series(theirs)) => compare_series(ours, theirs),
        (ours, theirs) => Err(format!("ours {}, theirs {}", short(ours), short(theirs))),
    }
}

fn short(answer: &Answer) -> String {
    format!("{answer:?}").chars().take(400).collect()
}

fn compare_series(
    ours: &BTreeMap<Labels, Vec<(Millis, f64)>>,
    theirs: &BTreeMap<Labels, Vec<(Millis, f64)>>,
) -> Result<(), String> {
    for (labels, theirs) in theirs {
        let Some(ours) = ours.get(labels) else { return Err(format!("{labels} is missing")) };
        for (own, other) in ours.iter().zip(theirs) {
            if own.0 != other.0 || !equal(own.1, other.1) {
                return Err(format!("{labels}: ours {own:?}, theirs {other:?}"));
            }
        }
        if ours.len() != theirs.len() {
            return Err(format!("{labels}: {} samples, theirs are {}", ours.len(), theirs.len()));
        }
    }
    match ours.keys().find(|labels| !theirs.contains_key(labels)) {
        Some(labels) => Err(format!("{labels} is ours alone")),
        None => Ok(()),
    }
}

fn equal(ours: f64, theirs: f64) -> bool {
    ours == theirs
        || ours.is_nan() && theirs.is_nan()
        || (ours - theirs).abs() <= TOLERANCE * ours.abs().max(theirs.abs())
}

fn ours(engine: &Engine, storage: &MemoryStorage, query: &str, kind: Kind) -> Answer {
    let options = QueryOptions::default();
    let result = match kind {
        Kind::Instant => engine.instant(storage, query, AT, &options),
        Kind::Range => engine.range(storage, query, TIMES, &options),
    };
    let QueryResult { value, .. } = match result {
        Ok(result) => result,
        Err(error) => return Answer::Error(error.to_string()),
    };
    let mut series: BTreeMap<Labels, Vec<(Millis, f64)>> = BTreeMap::new();
    match value {
        Value::String { value, .. } => return Answer::Text(value),
        Value::Scalar { timestamp, value } => {
            series.insert(Labels::empty(), vec![(timestamp, value)]);
        }
        Value::Vector(samples) => {
            for sample in samples {
                let SampleValue::Float(value) = sample.value else { panic!("{query}: a histogram") };
                series.entry(sample.labels).or_default().push((sample.timestamp, value));
            }
        }
        Value::Matrix(all) => {
            for one in all {
                let samples = one.samples.timestamps.into_iter().zip(one.samples.values);
                series.entry(one.labels).or_default().extend(samples);
            }
        }
    }
    Answer::Series(series)
}

fn theirs(prometheus: &Prometheus, query: &str, kind: Kind) -> Answer {
    let seconds = |millis: Millis| format!("{}.{:03}", millis / 1000, millis % 1000);
    let (from, to, step) = TIMES;
    let answer = match kind {
        Kind::Instant => prometheus.post("/api/v1/query", &[("query", query), ("time", &seconds(AT))]),
        Kind::Range => {
            let (start, end, step) = (seconds(from), seconds(to), seconds(step));
            let form = [("query", query), ("start", &start), ("end", &end), ("step", &step)];
            prometheus.post("/api/v1/query_range", &form)
        }
    };
    let answer = answer.unwrap_or_else(|| panic!("no answer to {query}"));
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"));
    if answer["status"] != "success" {
        return Answer::Error(answer["error"].to_string());
    }
    let result = &answer["data"]["result"];
    let sample = |pair: &serde_json::Value| {
        let time = (pair[0].as_f64().unwrap() * 1000.0).round() as Millis;
        (time, model::parse_float(pair[1].as_str().unwrap()).unwrap())
    };
    let labels = |series: &serde_json::Value| {
        let pairs = series["metric"].as_object().unwrap().iter();
        Labels::from_pairs(pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap())))
    };
    let list = || result.as_array().unwrap().iter();
    Answer::Series(match answer["data"]["resultType"].as_str().unwrap() {
        "scalar" => BTreeMap::from([(Labels::empty(), vec![sample(result)])]),
        "vector" => list().map(|series| (labels(series), vec![sample(&series["value"])])).collect(),
        "matrix" => list()
            .map(|series| (labels(series), series["values"].as_array().unwrap().iter().map(sample).collect()))
            .collect(),
        _ => return Answer::Text(result[1].as_str().unwrap().to_owned()),
    })
}
