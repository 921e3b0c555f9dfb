//! What the scripts do not cover: limits, cancelling, kinds of errors, what is kept in memory, what is told about a query.

use std::time::Duration;

use model::STALE_NAN;
use prometheus_client::registry::Registry;

use super::*;
use crate::{
    memory::{MemoryStorage, series_labels},
    syntax::MAX_DEPTH,
};

const MINUTE: Millis = 60_000;

fn engine(change: impl FnOnce(&mut EngineOptions)) -> Engine {
    let mut options = EngineOptions { syntax: ParserOptions::all(), ..EngineOptions::default() };
    change(&mut options);
    Engine::new(options, &mut Registry::default())
}

/// `count` series of `m_total`, a sample a minute for an hour, growing by one.
fn storage(count: usize) -> MemoryStorage {
    let mut storage = MemoryStorage::new();
    for series in 0..count {
        let labels = series_labels("m_total", [("i", series.to_string().as_str()), ("job", "a")]);
        for step in 0..=60 {
            storage.push(&labels, step * MINUTE, step as f64);
        }
    }
    storage
}

fn instant(
    engine: &Engine,
    storage: &MemoryStorage,
    query: &str,
    at: Millis,
) -> Result<QueryResult, EngineError> {
    engine.instant(storage, query, at, &QueryOptions::default())
}

fn range(engine: &Engine, storage: &MemoryStorage, query: &str) -> Result<QueryResult, EngineError> {
    engine.range(storage, query, (0, 60 * MINUTE, MINUTE), &QueryOptions::default())
}

fn single(result: QueryResult) -> f64 {
    match result.value {
        Value::Vector(samples) => match samples.as_slice() {
            [Sample { value: SampleValue::Float(value), .. }] => *value,
            other => panic!("{other:?}"),
        },
        Value::Scalar { value, .. } => value,
        other => panic!("{other:?}"),
    }
}

#[test]
fn errors_have_kinds() {
    let (engine, storage) = (engine(|_| {}), storage(2));
    let kind = |result: Result<QueryResult, EngineError>| result.unwrap_err().kind();
    assert_eq!(kind(instant(&engine, &storage, "m_total +", 0)), ErrorKind::BadData);
    assert_eq!(kind(range(&engine, &storage, "m_total[5m]")), ErrorKind::BadData);
    assert_eq!(kind(range(&engine, &storage, "\"text\"")), ErrorKind::BadData);
    assert_eq!(kind(instant(&engine, &storage, "m_total * on(job) m_total", MINUTE)), ErrorKind::Execution);
    let options = QueryOptions::default();
    assert_eq!(kind(engine.range(&storage, "1", (0, 1, 0), &options)), ErrorKind::BadData);
    assert_eq!(kind(engine.range(&storage, "1", (1, 0, 1), &options)), ErrorKind::BadData);
}

#[test]
fn a_parse_error_says_where() {
    let error = instant(&engine(|_| {}), &storage(0), "sum(m_total", 0).unwrap_err();
    assert_eq!(error.to_string(), "1:12: parse error: unclosed left parenthesis");
}

#[test]
fn an_aggregation_keeps_group_rows_only() {
    // 61 steps of 200 series do not fit, their sum does.
    let (engine, storage) = (engine(|options| options.max_samples = 1000), storage(200));
    let error = range(&engine, &storage, "m_total").unwrap_err();
    assert_eq!(
        error.to_string(),
        "query processing would load too many samples into memory in query execution"
    );
    let result = range(&engine, &storage, "sum(rate(m_total[5m]))").unwrap();
    assert!(result.stats.peak_samples < 300, "{:?}", result.stats);
    assert_eq!(result.stats.samples_read, 200 * 61);
}

#[test]
fn small_queries_are_known() {
    let (engine, storage) = (engine(|_| {}), storage(200));
    let small = |query: &str, times: (Millis, Millis, Millis)| {
        engine.is_small(&storage, &engine.parse(query).unwrap(), times, &QueryOptions::default())
    };
    let (instant, hour) = ((60 * MINUTE, 60 * MINUTE, 0), (0, 60 * MINUTE, MINUTE));
    for (query, at_once, over_time) in [
        ("1 + 2", true, true),
        ("absent(nope)", true, true),
        (r#"m_total{i="1"}"#, true, true),
        (r#"sum(m_total{i="1"} / m_total{i="2"})"#, true, true),
        (r#"rate(m_total{i="1"}[5m])"#, true, false),
        ("m_total", false, false),
        (r#"m_total{i="1"} offset 1d"#, false, false),
        (r#"max_over_time(m_total{i="1"}[5m:1m])"#, false, false),
        (r#"info(m_total{i="1"})"#, false, false),
    ] {
        assert_eq!((small(query, instant), small(query, hour)), (at_once, over_time), "{query}");
    }
    assert!(!small(r#"m_total{i="1"}"#, (0, i64::MAX, 1)));
    let options =
        QueryOptions { lookback_delta: Some(Duration::from_secs(86_400)), ..QueryOptions::default() };
    assert!(!engine.is_small(&storage, &engine.parse(r#"m_total{i="1"}"#).unwrap(), instant, &options));
}

#[test]
fn bytes_are_bounded_with_labels() {
    // A number of each series, but its labels, too.
    let (engine, storage) = (engine(|options| options.max_bytes = 20_000), storage(200));
    let now = 60 * MINUTE;
    let error = instant(&engine, &storage, "m_total", now).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Execution);
    assert!(error.to_string().contains("more than 20000 bytes of memory"), "{error}");
    for query in ["sum by (i) (m_total)", "topk(100, m_total)", "m_total + m_total", "m_total[30m]"] {
        let error = instant(&engine, &storage, query, now).unwrap_err();
        assert!(matches!(error, EngineError::TooManyBytes(20_000)), "{query}: {error}");
    }
    instant(&engine, &storage, "sum(m_total)", now).unwrap();
}

#[test]
fn subqueries_with_absurd_resolution_are_refused() {
    let (engine, storage) = (engine(|_| {}), storage(1));
    let error = instant(&engine, &storage, "max_over_time(m_total[100y:1ms])", 60 * MINUTE).unwrap_err();
    assert!(matches!(error, EngineError::TooManySamples));
    let error = engine.range(&storage, "m_total", (0, i64::MAX, 1), &QueryOptions::default()).unwrap_err();
    assert!(matches!(error, EngineError::TooManySamples));
}

#[test]
fn times_at_the_ends_of_time_do_no_harm() {
    let (engine, storage) = (engine(|_| {}), storage(1));
    for at in [i64::MIN, i64::MAX] {
        for query in [
            "m_total",
            "rate(m_total[1h])",
            "m_total offset 100y",
            "sum_over_time(m_total[1h:1m])",
            "timestamp(m_total)",
        ] {
            let result = instant(&engine, &storage, query, at).unwrap();
            assert_eq!(result.value, Value::Vector(Vec::new()), "{query} at {at}");
        }
    }
}

#[test]
fn queries_stop_when_told() {
    let (engine, storage) = (engine(|_| {}), storage(3));
    let options = QueryOptions::default();
    options.cancel.cancel();
    let error = engine.instant(&storage, "m_total", MINUTE, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Canceled);

    let options = QueryOptions { timeout: Some(Duration::ZERO), ..QueryOptions::default() };
    let error = engine.instant(&storage, "m_total", MINUTE, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.to_string(), "query timed out in expression evaluation");
}

#[test]
fn a_running_query_can_be_stopped() {
    /// A storage that stops the query which reads it.
    struct Stopping(CancelToken);
    impl Queryable for Stopping {
        fn querier(&self, _: Millis, _: Millis) -> Result<Box<dyn storage::Querier>, storage::QueryError> {
            self.0.cancel();
            Ok(Box::new(MemoryStorage::new()))
        }
    }
    let options = QueryOptions::default();
    let storage = Stopping(options.cancel.clone());
    let error = engine(|_| {}).instant(&storage, "m_total", 0, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Canceled);
}

#[test]
fn names_go_with_the_function_by_default() {
    let mut storage = storage(1);
    storage.push(&series_labels("n_total", [("i", "0"), ("job", "a")]), 59 * MINUTE, 5.0);
    storage.push(&series_labels("n_total", [("i", "0"), ("job", "a")]), 60 * MINUTE, 6.0);
    let engine = engine(|_| {});
    let at = 60 * MINUTE;
    for query in [
        "abs({job=\"a\"})",
        "rate({job=\"a\"}[5m])",
        "-{job=\"a\"}",
        "{job=\"a\"} * 2",
        "sum(rate({job=\"a\"}[5m]))",
    ] {
        let error = instant(&engine, &storage, query, at).unwrap_err();
        assert!(matches!(error, EngineError::SameLabelset(_)), "{query}: {error}");
    }
    assert_eq!(single(instant(&engine, &storage, "sum({job=\"a\"})", at).unwrap()), 66.0);
    assert_eq!(
        single(instant(&engine, &storage, "count(last_over_time({job=\"a\"}[5m]))", at).unwrap()),
        2.0
    );
}

#[test]
fn a_float_and_a_histogram_at_one_step_are_not_one_series() {
    let mut storage = MemoryStorage::new();
    storage.push(&series_labels("m", [("pod", "a")]), MINUTE, 1.0);
    storage.push_histogram(&series_labels("m", [("pod", "b")]), MINUTE, model::FloatHistogram::default());
    let query = r#"label_replace(m, "pod", "", "", "")"#;
    for delayed in [false, true] {
        let engine = engine(|options| options.delayed_name_removal = delayed);
        for error in [
            instant(&engine, &storage, query, MINUTE).unwrap_err(),
            range(&engine, &storage, query).unwrap_err(),
        ] {
            assert!(matches!(error, EngineError::SameLabelset(_)), "{error}");
        }
    }
}

#[test]
fn lookback_is_open_on_the_left_and_ends_at_staleness() {
    let mut storage = MemoryStorage::new();
    let labels = series_labels("m", []);
    storage.push(&labels, 0, 1.0);
    storage.push(&labels, 10 * MINUTE, 2.0);
    storage.push(&labels, 11 * MINUTE, STALE_NAN);
    let engine = engine(|_| {});
    let found = |at: Millis| match instant(&engine, &storage, "m", at).unwrap().value {
        Value::Vector(samples) => samples.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(found(5 * MINUTE - 1), 1);
    assert_eq!(found(5 * MINUTE), 0);
    assert_eq!(found(11 * MINUTE - 1), 1);
    assert_eq!(found(11 * MINUTE), 0);
    let options = QueryOptions { lookback_delta: Some(Duration::from_secs(600)), ..QueryOptions::default() };
    let result = engine.instant(&storage, "m", 9 * MINUTE, &options).unwrap();
    assert_eq!(result.value.type_name(), "vector");
    assert_eq!(single(result), 1.0);
}

#[test]
fn ranges_come_sorted_and_vectors_as_they_are() {
    let (engine, storage) = (engine(|_| {}), storage(12));
    let Value::Matrix(series) = range(&engine, &storage, "sort_desc(m_total)").unwrap().value else {
        panic!()
    };
    assert!(series.windows(2).all(|pair| pair[0].labels < pair[1].labels));
    let result = instant(&engine, &storage, "topk(2, m_total)", 60 * MINUTE).unwrap();
    assert!(matches!(&result.value, Value::Vector(samples) if samples.len() == 2));
}

#[test]
fn what_is_the_same_at_each_step_is_computed_once() {
    let (engine, storage) = (engine(|_| {}), storage(3));
    let fixed = range(&engine, &storage, "sum(rate(m_total[5m] @ 600))").unwrap();
    let Value::Matrix(series) = &fixed.value else { panic!() };
    assert_eq!(series[0].samples.len(), 61);
    // Three windows of five samples are read, and used at each step.
    assert_eq!((fixed.stats.samples_read, fixed.stats.total_queryable_samples), (15, 15 * 61));
}

#[test]
fn steps_tell_what_they_use() {
    let (engine, storage) = (engine(|_| {}), storage(2));
    let options = QueryOptions { per_step_stats: true, ..QueryOptions::default() };
    let used = |query: &str, (start, end): (Millis, Millis)| {
        let times = (start * MINUTE, end * MINUTE, MINUTE);
        let result = engine.range(&storage, query, times, &options).unwrap();
        let (times, used): (Vec<_>, Vec<_>) = result.samples_per_step.into_iter().unzip();
        assert_eq!(times, (start..=end).map(|minute| minute * MINUTE).collect::<Vec<_>>(), "{query}");
        assert_eq!(used.iter().sum::<u64>(), result.stats.total_queryable_samples, "{query}");
        used
    };
    assert_eq!(used("m_total", (59, 62)), [2; 4]);
    assert_eq!(used("m_total offset 10m", (8, 11)), [0, 0, 2, 2]);
    assert_eq!(used("timestamp(m_total)", (59, 60)), [2, 2]);
    // Of several functions that evaluate all windows of a series at once, each window at a time, and at its borders.
    for query in [
        "rate(m_total[3m])",
        "deriv(m_total[3m])",
        "sum_over_time(m_total[3m])",
        "max_over_time(m_total[3m])",
    ] {
        assert_eq!(used(query, (0, 4)), [2, 4, 6, 6, 6], "{query}");
    }
    assert_eq!(used("increase(m_total[1m] anchored)", (10, 11)), [12, 12]);
    assert_eq!(used("1 + 1", (0, 1)), [0, 0]);
    // The same at each step, or as often as it stands there.
    assert_eq!(used("sum(rate(m_total[5m] @ 600))", (1, 3)), [10; 3]);
    assert_eq!(used("sum(m_total) + sum(m_total)", (1, 2)), [4, 4]);
    // A window of a subquery has a sample of each series a minute.
    assert_eq!(used("max_over_time(sum(m_total)[3m:1m])", (5, 6)), [3, 3]);
    let whole = engine.instant(&storage, "rate(m_total[5m])[3m:1m]", 20 * MINUTE, &options).unwrap();
    assert_eq!(whole.samples_per_step, [(20 * MINUTE, 2 * 3 * 5)]);
    let untold = engine.instant(&storage, "m_total", MINUTE, &QueryOptions::default()).unwrap();
    assert!(untold.samples_per_step.is_empty());
}

#[test]
fn histograms_count_by_their_size() {
    let mut storage = MemoryStorage::new();
    let histogram = model::FloatHistogram {
        schema: 1,
        positive_spans: vec![model::Span { offset: 0, length: 4 }],
        positive_buckets: vec![1.0, 2.0, 1.0, 1.0],
        ..model::FloatHistogram::default()
    };
    for step in 0..=100 {
        storage.push_histogram(&series_labels("h", []), step * MINUTE / 6, histogram.clone());
    }
    let counting = engine(|_| {});
    // Prometheus' numbers for the same histograms.
    for (query, samples) in [
        ("h", 13),
        ("timestamp(h)", 1),
        ("h[1m]", 78),
        ("histogram_count(max_over_time(h[20s:10s]))", 26),
        ("avg_over_time(h[2m:1m])", 26),
    ] {
        let result = instant(&counting, &storage, query, 4 * MINUTE).unwrap();
        assert_eq!(result.stats.total_queryable_samples, samples, "{query}");
    }
    let limited = engine(|options| options.max_samples = 200);
    assert!(instant(&limited, &storage, "h[1m]", 4 * MINUTE).is_ok());
    let error = instant(&limited, &storage, "h[2m]", 4 * MINUTE).unwrap_err();
    assert!(matches!(error, EngineError::TooManySamples), "{error}");
}

#[test]
fn scalars_and_strings() {
    let (engine, storage) = (engine(|_| {}), storage(0));
    assert_eq!(single(instant(&engine, &storage, "1 + 2 * 3", 5).unwrap()), 7.0);
    assert_eq!(
        instant(&engine, &storage, "\"x\"", 5).unwrap().value,
        Value::String { timestamp: 5, value: "x".to_owned() }
    );
    let Value::Matrix(series) = range(&engine, &storage, "time()").unwrap().value else { panic!() };
    assert_eq!(series[0].labels, Labels::empty());
    assert_eq!(series[0].samples.values[60], 3600.0);
}

#[test]
fn the_deepest_query_evaluates() {
    let engine = engine(|_| {});
    let storage = storage(1);
    let depth = MAX_DEPTH as usize - 2;
    let queries = [
        format!("{}m_total{}", "abs(".repeat(depth / 2), ")".repeat(depth / 2)),
        format!("m_total{}", " + m_total".repeat(depth)),
        format!("{}m_total{}", "(1 + ".repeat(depth / 2), ")".repeat(depth / 2)),
    ];
    for query in queries {
        range(&engine, &storage, &query).unwrap();
    }
}

#[test]
fn metrics_have_the_peers_names() {
    let mut registry = Registry::default();
    let engine = Engine::new(EngineOptions::default(), &mut registry);
    instant(&engine, &storage(2), "m_total", MINUTE).unwrap();
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(text.contains("prometheus_engine_queries 0"), "{text}");
    assert!(text.contains("prometheus_engine_query_samples_total 2"), "{text}");
    assert!(
        text.contains("prometheus_engine_query_duration_histogram_seconds_count{slice=\"inner_eval\"} 1"),
        "{text}"
    );
}

#[test]
fn operators_tell_what_they_did() {
    let (engine, storage) = (engine(|_| {}), storage(3));
    let options = QueryOptions { explain: true, ..QueryOptions::default() };
    let query = "sum(rate(m_total[5m])) / on () count(m_total offset 1m)";
    let result = engine.range(&storage, query, (10 * MINUTE, 19 * MINUTE, MINUTE), &options).unwrap();
    let explained = result.explained.unwrap();
    assert_eq!((explained.operator, explained.expr.as_str()), ("query", query));
    let [join] = explained.inputs.as_slice() else { panic!("{explained:?}") };
    // Ten numbers in a row, and the series around them.
    let bytes = (10 * 8 + size_of::<Series>() + Labels::empty().heap_bytes()) as u64;
    assert_eq!((join.operator, join.series, join.samples, join.bytes), ("join", 1, 10, bytes));
    let [sum, count] = join.inputs.as_slice() else { panic!("{join:?}") };
    assert_eq!((sum.operator, sum.expr.as_str(), sum.series), ("sum", "sum(rate(m_total[5m]))", 1));
    let [rate] = sum.inputs.as_slice() else { panic!("{sum:?}") };
    assert_eq!((rate.operator, rate.series, rate.samples, rate.samples_read), ("rate", 3, 30, 3 * 14));
    let [selector] = count.inputs.as_slice() else { panic!("{count:?}") };
    assert_eq!((selector.operator, selector.expr.as_str()), ("selector", "m_total offset 1m"));
    assert!(rate.inputs.is_empty() && selector.inputs.is_empty());
    assert_eq!(result.stats.samples_read, rate.samples_read + selector.samples_read);

    // An operator of a subquery is one, however often it runs.
    let query = "max_over_time(sum(m_total)[5m:1m])";
    let explained = engine.instant(&storage, query, 10 * MINUTE, &options).unwrap().explained.unwrap();
    let [over] = explained.inputs.as_slice() else { panic!("{explained:?}") };
    assert_eq!((over.operator, over.inputs.len(), over.inputs[0].samples), ("function over subquery", 1, 5));
    assert!(engine.instant(&storage, query, 0, &QueryOptions::default()).unwrap().explained.is_none());
}

#[test]
fn what_occurs_twice_is_computed_once() {
    let (engine, storage) = (engine(|_| {}), storage(3));
    let read = |query: &str| {
        let result = range(&engine, &storage, query).unwrap();
        (result.value, result.stats.samples_read, result.stats.total_queryable_samples)
    };
    let (sum, once, used) = read("sum(m_total)");
    let (twice, read_of_twice, used_of_twice) = read("sum(m_total) + sum (m_total) - sum(m_total)");
    assert_eq!((&twice, read_of_twice, used_of_twice), (&sum, once, 3 * used));
    // At other steps it is another one, and so it is where it is the same at each step.
    for query in [
        "sum(m_total) + max_over_time(sum(m_total)[1m:1m]) - max_over_time(sum(m_total)[1m:1m])",
        "sum(m_total @ 60) + sum(m_total) - scalar(sum(m_total @ 60))",
    ] {
        assert_eq!(read(query).0, sum, "{query}");
    }
}

#[test]
fn the_newest_sample_is_never_after_the_step() {
    let (engine, storage) = (engine(|_| {}), storage(1));
    let query = "timestamp(m_total smoothed)";
    assert_eq!(single(instant(&engine, &storage, query, 5 * MINUTE + 1).unwrap()), 300.0);
}
