//! Expressions that people use: of dashboards, rule files and the compliance test. Each one parses, prints itself stably and evaluates.

#[path = "common/corpus.rs"]
mod corpus;

use std::collections::BTreeSet;

use corpus::Expression;
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

fn check_all(expressions: BTreeSet<Expression>) {
    assert!(!expressions.is_empty(), "no expressions");
    let (engine, storage) = (engine(), storage());
    for Expression { query, source } in expressions {
        check(&engine, &storage, &query, &source);
    }
}

#[test]
fn the_stacks_dashboards() {
    if let Some(dir) = testkit::seed_dir("stack/grafana/dashboards") {
        check_all(corpus::dashboards(&dir));
    }
}

#[test]
fn the_stacks_rules() {
    if let Some(dir) = testkit::seed_dir("stack/prometheus/rules") {
        check_all(corpus::rules(&dir));
    }
}

#[test]
fn common_dashboards() {
    if let Some(dir) = testkit::conformance_dir("dashboards") {
        check_all(corpus::dashboards(&dir));
    }
}

#[test]
fn common_rules() {
    if let Some(dir) = testkit::conformance_dir("rules") {
        check_all(corpus::rules(&dir));
    }
}

#[test]
fn compliance_queries() {
    let Some(dir) = testkit::conformance_dir("promql") else { return };
    let (engine, storage) = (engine(), storage());
    let queries = corpus::compliance(&dir);
    assert!(queries.len() > 400, "only {} queries", queries.len());
    for (query, should_fail) in queries {
        // Label names are UTF-8 by now, and so this is one.
        let fails_no_more = query.contains("~invalid");
        if should_fail && !fails_no_more {
            let result = engine.range(&storage, &query, (0, HOUR, 60_000), &QueryOptions::default());
            assert!(result.is_err(), "{query} did not fail");
        } else {
            check(&engine, &storage, &query, "compliance");
        }
    }
}
