use std::time::{Duration, Instant};

use model::Labels;
use proptest::prelude::*;
use streams::Direction;

use super::memory_source::MemorySource;
use super::*;

const SECOND: i64 = 1_000_000_000;

fn params(start: i64, end: i64) -> QueryParams {
    QueryParams {
        start: start * SECOND,
        end: end * SECOND,
        step: SECOND,
        interval: 0,
        direction: Direction::Backward,
        limit: 100,
    }
}

fn engine() -> Engine {
    Engine::new(EngineOptions::default())
}

fn run(source: &MemorySource, query: &str, params: &QueryParams) -> Result<QueryResult, EngineError> {
    engine().query_range(source, query, params, &Cancel::new())
}

fn streams_of(result: QueryResult) -> Streams {
    match result.data {
        QueryData::Streams(streams) => streams,
        other => panic!("lines expected: {other:?}"),
    }
}

fn lines(source: &MemorySource, query: &str, params: &QueryParams) -> Vec<String> {
    let streams = streams_of(run(source, query, params).expect("an answer"));
    streams.entries.into_iter().map(|entry| entry.line).collect()
}

/// `labels: value@second …`, one text a series.
fn matrix(source: &MemorySource, query: &str, params: &QueryParams) -> Vec<String> {
    match run(source, query, params).unwrap_or_else(|error| panic!("{query}: {error}")).data {
        QueryData::Matrix(series) => {
            let text = |series: &Series| {
                let points: Vec<_> = series
                    .points
                    .iter()
                    .map(|point| format!("{}@{}", point.value, point.timestamp / 1000))
                    .collect();
                format!("{}: {}", series.labels, points.join(" "))
            };
            series.iter().map(text).collect()
        }
        other => panic!("series expected: {other:?}"),
    }
}

fn two_streams() -> MemorySource {
    let stream = |name: &str, times: &[i64]| {
        let labels = Labels::from_pairs([("app", name)]);
        let entries =
            times.iter().map(|time| (time * SECOND, format!("{name} {time}"), Labels::empty())).collect();
        (labels, entries)
    };
    MemorySource::new([stream("a", &[1, 3, 5, 7]), stream("b", &[2, 4, 6, 8])])
}

#[test]
fn lines_are_merged_over_streams_up_to_the_limit() {
    let source = two_streams();
    let query = r#"{app=~".+"}"#;
    let mut wanted = params(0, 100);
    wanted.limit = 3;
    assert_eq!(lines(&source, query, &wanted), ["b 8", "a 7", "b 6"]);
    wanted.direction = Direction::Forward;
    assert_eq!(lines(&source, query, &wanted), ["a 1", "b 2", "a 3"]);
    wanted.limit = 100;
    assert_eq!(lines(&source, query, &wanted).len(), 8);
    wanted.limit = 0;
    assert!(lines(&source, query, &wanted).is_empty());
}

#[test]
fn the_range_of_lines_excludes_its_end() {
    assert_eq!(lines(&two_streams(), r#"{app=~".+"}"#, &params(3, 6)), ["a 5", "b 4", "a 3"]);
}

#[test]
fn lines_may_be_spaced_out() {
    let mut wanted = params(0, 100);
    wanted.interval = 3 * SECOND;
    wanted.direction = Direction::Forward;
    assert_eq!(lines(&two_streams(), r#"{app=~".+"}"#, &wanted), ["a 1", "b 4", "a 7"]);
}

#[test]
fn enough_lines_end_the_search() {
    let source = two_streams();
    let mut wanted = params(-1_000_000, 100);
    wanted.limit = 2;
    assert_eq!(lines(&source, r#"{app=~".+"}"#, &wanted), ["b 8", "a 7"]);
    let selects = source.selects.lock().expect("the selects");
    assert!(selects.iter().all(|select| select.start > -500_000 * SECOND), "{selects:?}");
}

#[test]
fn the_store_is_told_what_it_can_skip() {
    let source = two_streams();
    let _ = lines(&source, r#"{app="a"} |= "x" | json != "y" |~ "z""#, &params(0, 10));
    let _ = matrix(&source, r#"count_over_time({app="a"}[1s])"#, &params(0, 10));
    let selects = source.selects.lock().expect("the selects");
    assert_eq!(selects[0].filters.len(), 3);
    assert!(selects[0].wanted.lines);
    let counted = selects.last().expect("a select");
    assert!(!counted.wanted.lines);
    assert_eq!(counted.matchers.len(), 1);
}

#[test]
fn labels_are_kept_by_category() {
    let metadata = Labels::from_pairs([("user", "u")]);
    let stream = Labels::from_pairs([("app", "a")]);
    let source = MemorySource::new([(
        stream.clone(),
        vec![(SECOND, "x=1".to_owned(), metadata.clone()), (2 * SECOND, "x=2".to_owned(), metadata.clone())],
    )]);
    let streams = streams_of(run(&source, r#"{app="a"} | logfmt"#, &params(0, 10)).expect("an answer"));
    let plain = streams.plain();
    assert_eq!(plain.len(), 2);
    assert_eq!(*plain[0].labels, Labels::from_pairs([("app", "a"), ("user", "u"), ("x", "1")]));
    let categorized = streams.categorized();
    assert_eq!(categorized.len(), 1);
    assert_eq!(*categorized[0].labels, stream);
    assert_eq!(*categorized[0].entries[0].metadata, metadata);
    assert_eq!(*categorized[0].entries[0].parsed, Labels::from_pairs([("x", "2")]));
}

#[test]
fn counting_over_overlapping_windows() {
    let source = two_streams();
    let check =
        |query: &str, want: &[&str]| assert_eq!(matrix(&source, query, &params(2, 5)), want, "{query}");
    check(r#"count_over_time({app="a"}[2s])"#, &[r#"{app="a"}: 1@2 1@3 1@4 1@5"#]);
    check(r#"sum(count_over_time({app=~".+"}[3s]))"#, &["{}: 2@2 3@3 3@4 3@5"]);
    check(
        r#"sum by (app) (rate({app=~".+"}[2s]))"#,
        &[r#"{app="a"}: 0.5@2 0.5@3 0.5@4 0.5@5"#, r#"{app="b"}: 0.5@2 0.5@3 0.5@4 0.5@5"#],
    );
    check(r#"bytes_over_time({app="b"}[1s])"#, &[r#"{app="b"}: 3@2 3@4"#]);
    check(r#"count_over_time({app="a"} |= "3" [4s])"#, &[r#"{app="a"}: 1@3 1@4 1@5"#]);
    check(r#"count_over_time({app="a"}[1s] offset 1s)"#, &[r#"{app="a"}: 1@2 1@4"#]);
    check(r#"absent_over_time({app="a"}[1s])"#, &[r#"{app="a"}: 1@2 1@4"#]);
    check(r#"count_over_time({app="none"}[1s])"#, &[]);
}

#[test]
fn operators_between_series() {
    let source = two_streams();
    let check =
        |query: &str, want: &[&str]| assert_eq!(matrix(&source, query, &params(2, 3)), want, "{query}");
    check(
        r#"sum by (app) (count_over_time({app=~".+"}[2s])) * 2 > 1"#,
        &[r#"{app="a"}: 2@2 2@3"#, r#"{app="b"}: 2@2 2@3"#],
    );
    check(r#"3 > sum(count_over_time({app="a"}[2s]))"#, &["{}: 1@2 1@3"]);
    check(r#"sum(count_over_time({app="a"}[2s])) > bool 3"#, &["{}: 0@2 0@3"]);
    check(r#"sum(count_over_time({app="a"}[2s])) / 0"#, &["{}: NaN@2 NaN@3"]);
    check(r#"count_over_time({app="a"}[1s]) or on() vector(0)"#, &["{}: 0@2", r#"{app="a"}: 1@3"#]);
    check(
        r#"count_over_time({app=~".+"}[2s]) unless count_over_time({app="a"}[2s])"#,
        &[r#"{app="b"}: 1@2 1@3"#],
    );
    check(
        r#"label_replace(count_over_time({app="a"}[2s]), "x", "<$1>", "app", "(.*)")"#,
        &[r#"{app="a", x="<a>"}: 1@2 1@3"#],
    );
    check("1 + 2", &["{}: 3@2 3@3"]);
    let error = run(
        &source,
        r#"count_over_time({app=~".+"}[2s]) * on() sum(count_over_time({app="a"}[2s]))"#,
        &params(2, 3),
    )
    .expect_err("ambiguous");
    assert!(error.to_string().contains("many-to-one matching must be explicit"), "{error}");
}

#[test]
fn instant_queries() {
    let source = two_streams();
    let instant = |query: &str| engine().query_instant(&source, query, 4 * SECOND, &Cancel::new());
    let values = |query: &str| match instant(query).expect("an answer").data {
        QueryData::Vector(samples) => samples
            .iter()
            .map(|sample| format!("{}={}", sample.labels.value("app"), sample.value))
            .collect::<Vec<_>>(),
        other => panic!("a vector expected: {other:?}"),
    };
    assert_eq!(values(r#"count_over_time({app=~".+"}[10s])"#), ["a=2", "b=2"]);
    assert_eq!(values(r#"topk(1, bytes_over_time({app=~".+"}[3s]))"#), ["b=6"]);
    assert_eq!(values(r#"sort(bytes_over_time({app=~".+"}[3s]))"#), ["a=3", "b=6"]);
    assert_eq!(values(r#"sort_desc(bytes_over_time({app=~".+"}[3s]))"#), ["b=6", "a=3"]);
    assert!(matches!(
        instant("1 + 1").expect("an answer").data,
        QueryData::Scalar(Point { timestamp: 4000, value: 2.0 })
    ));
    let error = instant(r#"{app="a"}"#).expect_err("lines");
    assert_eq!(
        error.to_string(),
        "log queries are not supported as an instant query type, please change your query to a range query type"
    );
}

#[test]
fn errors_of_lines_fail_metric_queries_unless_filtered() {
    let source = MemorySource::of_lines(&[("app", "a")], &[r#"{"n":1}"#, "broken", r#"{"n":"x"}"#]);
    let fails = |query: &str| run(&source, query, &params(0, 10)).expect_err(query);
    let error = fails(r#"count_over_time({app="a"} | json [10s])"#);
    assert_eq!(error.kind, EngineErrorKind::Pipeline);
    assert!(
        error
            .to_string()
            .starts_with("pipeline error: 'JSONParserErr' for series: '{__error__=\"JSONParserErr\","),
        "{error}"
    );
    let error = fails(r#"sum_over_time({app="a"} | json | unwrap n [10s])"#);
    assert!(error.to_string().starts_with("pipeline error: 'SampleExtractionErr'"), "{error}");
    let works = |query: &str| matrix(&source, query, &params(10, 10));
    assert_eq!(works(r#"sum(count_over_time({app="a"} | json | __error__="" [20s]))"#), ["{}: 2@10"]);
    assert_eq!(works(r#"sum(count_over_time({app="a"} | json | drop __error__ [20s]))"#), ["{}: 3@10"]);
    assert_eq!(
        works(r#"sum(sum_over_time({app="a"} | json | unwrap n | __error__="" [20s]))"#),
        ["{}: 1@10"]
    );
    assert_eq!(works(r#"sum(count_over_time({app="a"} | json [20s]))"#), ["{}: 3@10"]);
}

#[test]
fn samples_from_labels() {
    let source = MemorySource::of_lines(&[("app", "a")], &["v=1 k=x", "v=5 k=x", "v=3 k=x", "v=7 k=y"]);
    let check =
        |query: &str, want: &[&str]| assert_eq!(matrix(&source, query, &params(4, 4)), want, "{query}");
    check(
        r#"sum_over_time({app="a"} | logfmt | unwrap v [10s])"#,
        &[r#"{app="a", k="x"}: 9@4"#, r#"{app="a", k="y"}: 7@4"#],
    );
    check(r#"max_over_time({app="a"} | logfmt | unwrap v [10s]) by (app)"#, &[r#"{app="a"}: 7@4"#]);
    check(r#"quantile_over_time(0.5, {app="a"} | logfmt | unwrap v [10s]) by ()"#, &["{}: 4@4"]);
    check(r#"last_over_time({app="a"} | logfmt | unwrap v [3s]) without (k)"#, &[r#"{app="a"}: 7@4"#]);
    check(
        r#"rate({app="a"} | logfmt | unwrap v [8s])"#,
        &[r#"{app="a", k="x"}: 1.125@4"#, r#"{app="a", k="y"}: 0.875@4"#],
    );
}

#[test]
fn limits_have_lokis_texts() {
    let source = two_streams();
    let limited = Engine::new(EngineOptions {
        max_entries_limit: 10,
        max_series: 1,
        max_range: 60 * SECOND,
        ..EngineOptions::default()
    });
    let error = |query: &str, params: &QueryParams| {
        limited.query_range(&source, query, params, &Cancel::new()).expect_err(query).to_string()
    };
    assert_eq!(
        error(r#"{app="a"}"#, &params(0, 10)),
        "max entries limit per query exceeded, limit > max_entries_limit_per_query (100 > 10)"
    );
    assert!(
        error(r#"count_over_time({app=~".+"}[5s])"#, &params(0, 10))
            .starts_with("maximum number of series (1) reached for a single query; consider")
    );
    assert_eq!(
        error(r#"count_over_time({app="a"}[1h])"#, &params(0, 10)),
        "[interval] value exceeds limit: [1h] > [1m]"
    );
    assert_eq!(
        error("vector(1)", &params(0, 20_000)),
        "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter"
    );
    assert_eq!(error("vector(1)", &params(10, 0)), "end timestamp must not be before or equal to start time");
    let variants = r#"variants(count_over_time({app="a"}[1m])) of ({app="a"}[1m])"#;
    assert_eq!(error(variants, &params(0, 10)), "multi variant queries are disabled for this instance");
    let small = Engine::new(EngineOptions { max_memory_bytes: 100, ..EngineOptions::default() });
    let long = "x".repeat(200);
    let long = MemorySource::of_lines(&[("app", "a")], &[&long, &long]);
    for (source, query) in [(&source, r#"count_over_time({app=~".+"}[5s])"#), (&long, r#"{app="a"}"#)] {
        let error =
            small.query_range(source, query, &params(0, 100), &Cancel::new()).expect_err("too much memory");
        assert_eq!(error.kind, EngineErrorKind::Limit, "{error}");
    }
}

#[test]
fn queries_stop_when_told() {
    let source = two_streams();
    for query in [r#"{app="a"}"#, r#"count_over_time({app="a"}[5s])"#] {
        let cancel = Cancel::new();
        cancel.stop();
        let error = engine().query_range(&source, query, &params(0, 10), &cancel).expect_err("stopped");
        assert_eq!(error.kind, EngineErrorKind::Cancelled);
        let cancel = Cancel::at(Instant::now() - Duration::from_secs(1));
        let error = engine().query_range(&source, query, &params(0, 10), &cancel).expect_err("too late");
        assert_eq!(error.kind, EngineErrorKind::Timeout);
    }
}

#[test]
fn the_queries_of_a_real_stack_run() {
    let Some(dir) = testkit::seed_dir("stack/grafana/dashboards") else { return };
    let source = MemorySource::of_lines(
        &[("service", "registry-proxy"), ("level", "error")],
        &[r#"{"endpoint":"/x","error":"boom"}"#],
    );
    let mut run_queries = 0;
    for file in std::fs::read_dir(dir).expect("the dashboards") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("a dashboard");
        let dashboard: serde_json::Value = serde_json::from_str(&text).expect("json");
        for query in expressions(&dashboard) {
            let is_logql = query.starts_with('{') || query.contains("_over_time({");
            if is_logql {
                let result = run(&source, &query, &params(0, 100));
                assert!(result.is_ok(), "{query}: {result:?}");
                run_queries += 1;
            }
        }
    }
    assert!(run_queries >= 6, "{run_queries} queries are too few");
    let readme = [
        r#"{service="pluggedin-app"}"#,
        r#"{service="pluggedin-app"} |= "error""#,
        r#"{service="pluggedin-app"} | json | trace_id="abc123""#,
        r#"sum(rate({service="pluggedin-app"} |= "error" [5m]))"#,
    ];
    for query in readme {
        assert!(run(&source, query, &params(0, 100)).is_ok(), "{query}");
    }
}

fn expressions(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Object(fields) => {
            let own = fields.get("expr").and_then(|expr| expr.as_str()).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(expressions)).collect()
        }
        serde_json::Value::Array(items) => items.iter().flat_map(expressions).collect(),
        _ => Vec::new(),
    }
}

/// Parts of queries that parse more often than not.
const SELECTIONS: &[&str] = &[
    r#"{app="a"}"#,
    r#"{app=~".+"} |= "a""#,
    r#"{app=~".+"} | logfmt | n > 1"#,
    r#"{app="b"} | json"#,
    r#"{app="a"} | label_format x="{{.n}}""#,
    r#"{app="a"} | line_format "{{.n}}" | drop app"#,
];
const RANGES: &[&str] = &[
    "count_over_time(%[5s])",
    "rate(%[1m] offset 3s)",
    "bytes_rate(%[2s])",
    "absent_over_time(%[1s])",
    "sum_over_time(% | unwrap n [9s])",
    "quantile_over_time(0.5, % | unwrap n | __error__=\"\" [9s]) by (app)",
    "rate_counter(% | unwrap n [9s])",
    "max_over_time(% | unwrap duration(n) [9s]) without (n)",
];
const AROUND: &[&str] = &[
    "sum by (app) (%)",
    "topk(1, %)",
    "sort(%)",
    "stddev(%)",
    "% * 2 > 1",
    "1 - %",
    "% or vector(0)",
    "% / on(app) group_left() %",
    "% unless %",
    r#"label_replace(%, "a", "$1", "app", "(.)")"#,
    "avg without (app) (%)",
    "-1 ^ %",
];

proptest! {
    /// Whatever is asked, the engine answers or refuses.
    #[test]
    fn any_query_is_answered_or_refused(
        selection in 0..SELECTIONS.len(),
        range in 0..RANGES.len(),
        around in prop::collection::vec(0..AROUND.len(), 0..4),
        (start, length, step) in (-5i64..15, -1i64..30, 0i64..7),
    ) {
        let source = two_streams();
        let mut query = RANGES[range].replace('%', SELECTIONS[selection]);
        for at in around {
            query = AROUND[at].replace('%', &query);
        }
        let mut wanted = params(start, start + length);
        wanted.step = step * SECOND;
        for query in [SELECTIONS[selection], query.as_str()] {
            if let Err(error) = run(&source, query, &wanted) {
                prop_assert!(error.is_clients_fault(), "{}: {}", query, error);
            }
            let _ = engine().query_instant(&source, query, start * SECOND, &Cancel::new());
        }
    }

    /// The first lines in the query's direction, whatever the streams, the batches and the slices.
    #[test]
    fn log_queries_return_what_sorting_everything_returns(
        times in prop::collection::vec((0i64..400, 0usize..4), 0..150),
        limit in 0usize..40,
        backward in any::<bool>(),
    ) {
        let mut streams: Vec<Vec<_>> = vec![Vec::new(); 4];
        for (time, stream) in &times {
            streams[*stream].push((time * SECOND, format!("line at {time}"), Labels::empty()));
        }
        let labels = |at: usize| Labels::from_pairs([("app", format!("s{at}"))]);
        let source = MemorySource::new(streams.into_iter().enumerate().map(|(at, entries)| (labels(at), entries)));
        let mut wanted = params(0, 400);
        wanted.limit = limit;
        wanted.direction = if backward { Direction::Backward } else { Direction::Forward };
        let mut want: Vec<i64> = times.iter().map(|(time, _)| *time).collect();
        want.sort_unstable();
        if backward {
            want.reverse();
        }
        want.truncate(limit);
        let want: Vec<_> = want.iter().map(|time| format!("line at {time}")).collect();
        prop_assert_eq!(lines(&source, r#"{app=~".+"}"#, &wanted), want);
    }

    #[test]
    fn counts_agree_with_counting_each_window(
        times in prop::collection::vec(0i64..100, 0..80),
        step in 1i64..20,
        interval in 1i64..40,
        offset in -20i64..20,
    ) {
        let entries = times.iter().map(|time| (time * SECOND, "x".to_owned(), Labels::empty())).collect();
        let source = MemorySource::new([(Labels::from_pairs([("app", "a")]), entries)]);
        let mut wanted = params(0, 100 - 100 % step);
        wanted.step = step * SECOND;
        let offset_text = if offset == 0 { String::new() } else { format!(" offset {offset}s") };
        let got = matrix(&source, &format!(r#"count_over_time({{app="a"}}[{interval}s]{offset_text})"#), &wanted);
        let points: Vec<_> = (0..=100 / step)
            .map(|at| at * step)
            .filter_map(|end| {
                let at = end - offset;
                let count = times.iter().filter(|time| at - interval < **time && **time <= at).count();
                (count > 0).then(|| format!("{count}@{end}"))
            })
            .collect();
        let want: Vec<_> = if points.is_empty() { Vec::new() } else { vec![format!(r#"{{app="a"}}: {}"#, points.join(" "))] };
        prop_assert_eq!(got, want);
    }
}
