//! Expressions that people use: of dashboards, rule files and the compliance test. Each one parses, prints itself stably and evaluates.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use prometheus_client::registry::Registry;
use promql::{
    Engine, EngineError, EngineOptions, QueryOptions,
    memory::{MemoryStorage, series_labels},
    syntax::{ParserOptions, parse},
};

const HOUR: i64 = 3_600_000;

fn engine() -> Engine {
    let options = EngineOptions { syntax: ParserOptions::all(), ..EngineOptions::default() };
    Engine::new(options, &mut Registry::default())
}

/// A few series of each kind that the compliance queries ask for.
fn storage() -> MemoryStorage {
    let mut storage = MemoryStorage::new();
    for step in 0..240 {
        let (time, x) = (step * 15_000, step as f64);
        for instance in ["a", "b", "c"] {
            let shift = f64::from(instance.as_bytes()[0]);
            for (mode, factor) in [("user", 1.0), ("system", 2.0), ("idle", 7.0)] {
                let labels = series_labels(
                    "demo_cpu_usage_seconds_total",
                    [("instance", instance), ("mode", mode), ("job", "demo")],
                );
                storage.push(&labels, time, x * factor + shift);
            }
            for (kind, value) in [("free", 100.0 - x), ("used", x + shift)] {
                let labels = series_labels(
                    "demo_memory_usage_bytes",
                    [("instance", instance), ("type", kind), ("job", "demo")],
                );
                storage.push(&labels, time, value);
            }
            for (le, factor) in [("0.1", 1.0), ("1", 3.0), ("+Inf", 4.0)] {
                let labels = series_labels(
                    "demo_api_request_duration_seconds_bucket",
                    [("instance", instance), ("le", le), ("job", "demo")],
                );
                storage.push(&labels, time, x * factor);
            }
            storage.push(
                &series_labels("demo_num_cpus", [("instance", instance), ("job", "demo")]),
                time,
                4.0,
            );
            storage.push(&series_labels("up", [("instance", instance), ("job", "demo")]), time, 1.0);
        }
    }
    storage
}

/// Evaluates over a range and at a moment; data may not fit, the query has to be understood.
fn check(engine: &Engine, storage: &MemoryStorage, query: &str, source: &str) {
    let expr =
        parse(query, ParserOptions::all()).unwrap_or_else(|error| panic!("{source}: {query}: {error}"));
    let printed = expr.to_string();
    let again =
        parse(&printed, ParserOptions::all()).unwrap_or_else(|error| panic!("{source}: {printed}: {error}"));
    assert_eq!(again.to_string(), printed, "{source}");
    let options = QueryOptions::default();
    let results = [
        engine.range(storage, query, (HOUR / 2, HOUR, 60_000), &options),
        engine.instant(storage, query, HOUR, &options),
    ];
    for result in results {
        match result {
            Ok(_) | Err(EngineError::Match(_) | EngineError::SameLabelset(_)) => {}
            Err(error) => panic!("{source}: {query}: {error}"),
        }
    }
}

/// Grafana's variables stand for durations in brackets and for texts elsewhere.
fn fill_variables(expr: &str) -> String {
    let mut out = String::new();
    let mut rest = expr;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let braced = rest.starts_with('{');
        let end = match braced {
            true => rest.find('}').map_or(rest.len(), |end| end + 1),
            false => rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len()),
        };
        let name = &rest[..end];
        let duration = name.contains("interval") || name.contains("range") || out.ends_with(['[', ':']);
        out.push_str(if end == 0 {
            "$"
        } else if duration {
            "5m"
        } else {
            "X"
        });
        rest = &rest[end..];
    }
    out + rest
}

/// All `expr` of panels that do not ask Loki.
fn dashboard_expressions(value: &serde_json::Value, loki: bool, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(map) => {
            let source = map.get("datasource").map(ToString::to_string).unwrap_or_default().to_lowercase();
            let loki = if source.is_empty() || source == "null" { loki } else { source.contains("loki") };
            if let Some(serde_json::Value::String(expr)) = map.get("expr")
                && !loki
                && !expr.trim().is_empty()
            {
                found.insert(fill_variables(expr));
            }
            map.values().for_each(|value| dashboard_expressions(value, loki, found));
        }
        serde_json::Value::Array(list) => {
            list.iter().for_each(|value| dashboard_expressions(value, loki, found))
        }
        _ => {}
    }
}

fn rule_expressions(value: &serde_yaml::Value, found: &mut BTreeSet<String>) {
    match value {
        serde_yaml::Value::Mapping(map) => {
            for (key, value) in map {
                match (key.as_str(), value.as_str()) {
                    (Some("expr"), Some(expr)) => {
                        found.insert(expr.to_owned());
                    }
                    _ => rule_expressions(value, found),
                }
            }
        }
        serde_yaml::Value::Sequence(list) => list.iter().for_each(|value| rule_expressions(value, found)),
        _ => {}
    }
}

fn files(dir: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .expect("a readable folder")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|found| extensions.iter().any(|wanted| found == *wanted)))
        .collect();
    files.sort();
    files
}

fn check_dashboards(dir: &Path) {
    let (engine, storage) = (engine(), storage());
    let mut count = 0;
    for file in files(dir, &["json"]) {
        let text = fs::read_to_string(&file).expect("a readable file");
        let value: serde_json::Value = serde_json::from_str(&text).expect("valid JSON");
        let source = file.display().to_string();
        let mut found = BTreeSet::new();
        dashboard_expressions(&value, source.contains("loki"), &mut found);
        count += found.len();
        found.iter().for_each(|query| check(&engine, &storage, query, &source));
    }
    assert!(count > 0, "no expressions in {}", dir.display());
}

fn check_rules(dir: &Path) {
    let (engine, storage) = (engine(), storage());
    let mut count = 0;
    for file in files(dir, &["yml", "yaml"]) {
        let source = file.display().to_string();
        if source.contains("loki") || source.contains("promtail") || source.contains("compliance") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a readable file");
        let value: serde_yaml::Value = serde_yaml::from_str(&text).expect("valid YAML");
        let mut found = BTreeSet::new();
        rule_expressions(&value, &mut found);
        count += found.len();
        found.iter().for_each(|query| check(&engine, &storage, query, &source));
    }
    assert!(count > 0, "no expressions in {}", dir.display());
}

#[test]
fn the_stacks_dashboards() {
    if let Some(dir) = testkit::seed_dir("stack/grafana/dashboards") {
        check_dashboards(&dir);
    }
}

#[test]
fn the_stacks_rules() {
    if let Some(dir) = testkit::seed_dir("stack/prometheus/rules") {
        check_rules(&dir);
    }
}

#[test]
fn common_dashboards() {
    if let Some(dir) = testkit::conformance_dir("dashboards") {
        check_dashboards(&dir);
    }
}

#[test]
fn common_rules() {
    if let Some(dir) = testkit::conformance_dir("rules") {
        check_rules(&dir);
    }
}

/// The values of the compliance test's variables.
const VARIANTS: [(&str, &[&str]); 14] = [
    ("range", &["1s", "15s", "1m", "5m", "15m", "1h"]),
    ("offset", &["1m", "5m", "10m"]),
    ("simpleAggrOp", &["sum", "avg", "max", "min", "count", "stddev", "stdvar"]),
    ("simpleTimeAggrOp", &["sum", "avg", "max", "min", "count", "stddev", "stdvar", "absent", "last"]),
    ("topBottomOp", &["topk", "bottomk"]),
    ("quantile", &["-0.5", "0.1", "0.5", "0.75", "0.95", "0.90", "0.99", "1", "1.5"]),
    ("arithBinOp", &["+", "-", "*", "/", "%", "^"]),
    ("compBinOp", &["==", "!=", "<", ">", "<=", ">="]),
    ("binOp", &["+", "-", "*", "/", "%", "^", "==", "!=", "<", ">", "<=", ">="]),
    ("simpleMathFunc", &["abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10", "round"]),
    ("extrapolatedRateFunc", &["delta", "rate", "increase"]),
    ("clampFunc", &["clamp_min", "clamp_max"]),
    ("instantRateFunc", &["idelta", "irate"]),
    ("dateFunc", &["day_of_month", "day_of_week", "days_in_month", "hour", "minute", "month", "year"]),
];

fn variants(query: String) -> Vec<String> {
    let smoothing =
        [("smoothingFactor", &["0.1", "0.5", "0.8"][..]), ("trendFactor", &["0.1", "0.5", "0.8"][..])];
    let all = VARIANTS.iter().copied().chain(smoothing);
    let mut queries = vec![query];
    for (name, values) in all {
        let placeholder = format!("{{{{.{name}}}}}");
        queries = queries
            .into_iter()
            .flat_map(|query| match query.contains(&placeholder) {
                true => values.iter().map(|value| query.replace(&placeholder, value)).collect(),
                false => vec![query],
            })
            .collect();
    }
    queries
}

#[test]
fn compliance_queries() {
    let Some(dir) = testkit::conformance_dir("promql") else { return };
    let text = fs::read_to_string(dir.join("compliance-queries.yml")).expect("a readable file");
    let value: serde_yaml::Value = serde_yaml::from_str(&text).expect("valid YAML");
    let cases = value.get("test_cases").and_then(serde_yaml::Value::as_sequence).expect("test cases");
    let (engine, storage) = (engine(), storage());
    let mut count = 0;
    for case in cases {
        let query = case.get("query").and_then(serde_yaml::Value::as_str).expect("a query");
        let should_fail = case.get("should_fail").and_then(serde_yaml::Value::as_bool) == Some(true);
        for query in variants(query.replace("{{ .", "{{.").replace(" }}", "}}")) {
            count += 1;
            // Label names are UTF-8 by now, and so this is one.
            let fails_no_more = query.contains("~invalid");
            if should_fail && !fails_no_more {
                let result = engine.range(&storage, &query, (0, HOUR, 60_000), &QueryOptions::default());
                assert!(result.is_err(), "{query} did not fail");
            } else if !query.contains("holt_winters") {
                check(&engine, &storage, &query, "compliance");
            }
        }
    }
    assert!(count > 400, "only {count} queries");
}
