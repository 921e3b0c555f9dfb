//! Steps, variables, ranges, names, frames.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    request::{Query, QueryRequest},
    time_range::TimeRange,
    *,
};
use crate::model::DataSource;

fn source(kind: &str, json_data: Value) -> DataSource {
    DataSource {
        id: 1,
        uid: "u".into(),
        name: "n".into(),
        kind: kind.into(),
        access: "proxy".into(),
        url: "http://localhost".into(),
        user: String::new(),
        database: String::new(),
        basic_auth: false,
        basic_auth_user: String::new(),
        with_credentials: false,
        is_default: true,
        json_data: json_data.as_object().cloned().unwrap_or_else(Map::new),
        secure_json_data: BTreeMap::new(),
        version: 1,
        read_only: false,
    }
}

const NOW_MS: i64 = 1_700_000_000_000;

fn query(mut model: Value) -> Query {
    if model.get("from").is_none() {
        model["from"] = json!("now-1h");
    }
    let body = json!({"from": model["from"], "to": "now", "queries": [model]});
    let request = QueryRequest::parse(body.to_string().as_bytes(), NOW_MS).expect("a request");
    request.queries.into_iter().next().expect("a query")
}

fn frames_json(frames: &[frame::Frame]) -> Value {
    serde_json::to_value(frames).expect("frames are JSON")
}

#[test]
fn steps_of_prometheus_queries() {
    let check = |model: Value, data: Value, step_ms: i64, expr: &str| {
        let plan = prometheus::plan(&query(model.clone()), &source("prometheus", data));
        assert_eq!((plan.step_ms, plan.expr.as_str()), (step_ms, expr), "{model}");
    };
    let fifteen = json!({"timeInterval": "15s"});
    let expr = "rate(a[$__rate_interval])";
    check(
        json!({"expr": expr, "intervalMs": 15000, "maxDataPoints": 1000}),
        fifteen.clone(),
        15_000,
        "rate(a[1m0s])",
    );
    check(
        json!({"expr": expr, "intervalMs": 15000, "maxDataPoints": 10, "from": "now-6h"}),
        fifteen.clone(),
        1_800_000,
        "rate(a[30m15s])",
    );
    check(
        json!({"expr": expr, "interval": "1m", "intervalMs": 15000, "maxDataPoints": 1000}),
        fifteen.clone(),
        60_000,
        "rate(a[4m0s])",
    );
    check(
        json!({"expr": expr, "interval": "$__rate_interval", "intervalMs": 15000, "maxDataPoints": 1000}),
        fifteen.clone(),
        60_000,
        "rate(a[1m0s])",
    );
    check(
        json!({"expr": "a[${__interval}] $__interval_ms $__range $__range_s ${__range_ms} $other $", "intervalMs": 30000, "intervalFactor": 2}),
        json!({}),
        60_000,
        "a[1m] 60000 3600s 3600 3600000 $other $",
    );
    // A year at 11,000 points at most.
    check(
        json!({"expr": "a", "intervalMs": 1000, "maxDataPoints": 11000, "from": "now-365d"}),
        json!({}),
        3_600_000,
        "a",
    );
}

#[test]
fn times_are_aligned_to_the_step() {
    let plan = |model| prometheus::plan(&query(model), &source("prometheus", json!({})));
    let by_minute = plan(json!({"expr": "a", "intervalMs": 60000, "maxDataPoints": 1000}));
    assert_eq!(by_minute.end_ms, 1_699_999_980_000);
    assert_eq!(by_minute.start_ms, 1_699_996_380_000);
    assert_eq!(by_minute.at_ms, NOW_MS);
    let by_day = plan(
        json!({"expr": "a", "interval": "1d", "utcOffsetSec": 7200, "from": "now-7d", "intervalMs": 60000}),
    );
    assert_eq!(by_day.step_ms, 86_400_000);
    // 22:00 UTC is midnight two hours east.
    assert_eq!(by_day.end_ms.rem_euclid(86_400_000), 22 * 3_600_000);
}

#[test]
fn steps_of_loki_queries() {
    let check = |model: Value, data: Value, want: (i64, &str, i64)| {
        let plan = loki::plan(&query(model.clone()), &source("loki", data));
        assert_eq!((plan.step_ms, plan.expr.as_str(), plan.limit), want, "{model}");
    };
    let expr = "rate({a=\"b\"}[$__auto])";
    check(json!({"expr": expr, "intervalMs": 30000}), json!({}), (30_000, "rate({a=\"b\"}[30s])", 1000));
    check(
        json!({"expr": expr, "intervalMs": 30000, "step": "1m"}),
        json!({"maxLines": "50"}),
        (60_000, "rate({a=\"b\"}[1m])", 50),
    );
    check(
        json!({"expr": expr, "intervalMs": 30000, "queryType": "instant", "maxLines": 7}),
        json!({"maxLines": 50}),
        (30_000, "rate({a=\"b\"}[1h])", 7),
    );
}

#[test]
fn ranges() {
    let check = |from: Value, to: Value, want: Option<(i64, i64)>| {
        let range = TimeRange::parse(&from, &to, NOW_MS).map(|range| (range.from_ms, range.to_ms));
        assert_eq!(range, want, "{from} {to}");
    };
    let day = 86_400_000;
    let midnight = NOW_MS - NOW_MS % day;
    check(json!("1000"), json!(2000), Some((1000, 2000)));
    check(json!("now-5m"), json!("now"), Some((NOW_MS - 300_000, NOW_MS)));
    check(json!("now/d"), json!("now/d"), Some((midnight, midnight + day - 1)));
    check(json!("now-1d/d"), json!("now-1d/d"), Some((midnight - day, midnight - 1)));
    // 14 November 2023 was a Tuesday.
    check(json!("now/w"), json!("now"), Some((midnight - day, NOW_MS)));
    check(json!("now-1M/M"), json!("now/y"), Some((1_696_118_400_000, 1_704_067_199_999)));
    check(json!("2023-11-14T22:00:00Z"), json!("now"), Some((1_699_999_200_000, NOW_MS)));
    for bad in
        ["", "now-", "now-1", "now-1x", "now/", "yesterday", "now-99999999999999999999d", "nów", "now-1é"]
    {
        check(json!(bad), json!("now"), None);
    }
    check(json!(5), json!(4), None);
    check(json!(1e300), json!(2e300), None);
    check(Value::Null, json!("now"), None);
}

#[test]
fn names() {
    let labels: BTreeMap<String, String> =
        [("__name__", "up"), ("job", "a"), ("instance", "b:1")].map(|(k, v)| (k.into(), v.into())).into();
    let check =
        |format: &str, want: &str| assert_eq!(legend::name(format, &labels, "expr"), want, "{format}");
    check("", "up{instance=\"b:1\", job=\"a\"}");
    check("{{job}} on {{ instance }}{{none}}", "a on b:1");
    check("__auto", "");
    check("{{unclosed", "{{unclosed");
    assert_eq!(legend::name("__auto", &BTreeMap::new(), "expr"), "expr");
    assert_eq!(legend::name("", &BTreeMap::new(), "expr"), "expr");
}

#[test]
fn refused_requests() {
    let check = |body: &str, want: &str| {
        assert_eq!(QueryRequest::parse(body.as_bytes(), NOW_MS).expect_err(body).to_string(), want);
    };
    check("", "bad request data");
    check("{}", "No queries found in query");
    check(
        r#"{"queries":[{"expr":"up"}]}"#,
        "from and to must be milliseconds or like now-6h, and from not after to",
    );
    let many = json!({"from": "1", "to": "2", "queries": vec![json!({}); 101]}).to_string();
    check(&many, "101 queries are over the limit of 100");
}

const MATRIX: &str = r#"{"status":"success","warnings":["half"],"data":{"resultType":"matrix","result":[
 {"metric":{"__name__":"up","job":"a"},"values":[[1700000000,"1"],[1700000015.5,"NaN"],[1700000030,"+Inf"],[1700000045,"-Inf"],[1700000060,"0.25"]]}]}}"#;

#[test]
fn a_matrix_is_a_frame_for_each_series() {
    let query = query(json!({"refId": "B", "expr": "up", "legendFormat": "{{job}}", "intervalMs": 15000}));
    let plan = prometheus::plan(&query, &source("prometheus", json!({})));
    let frames = prometheus::frames(&query, &plan, series::read(MATRIX.as_bytes()).unwrap(), "B", "Value");
    assert_eq!(
        frames_json(&frames),
        json!([{
            "schema": {
                "name": "a", "refId": "B",
                "meta": {
                    "type": "timeseries-multi", "typeVersion": [0, 1], "custom": {"resultType": "matrix"},
                    "executedQueryString": "Expr: up\nStep: 30s",
                    "notices": [{"severity": "warning", "text": "half"}]
                },
                "fields": [
                    {"name": "Time", "type": "time", "typeInfo": {"frame": "time.Time"}, "config": {"interval": 30000}},
                    {"name": "Value", "type": "number", "typeInfo": {"frame": "float64"},
                     "labels": {"__name__": "up", "job": "a"}, "config": {"displayNameFromDS": "a"}}
                ]
            },
            "data": {
                "values": [
                    [1700000000000i64, 1700000015500i64, 1700000030000i64, 1700000045000i64, 1700000060000i64],
                    [1, null, null, null, 0.25]
                ],
                "entities": [null, {"NaN": [1], "Inf": [2], "NegInf": [3]}]
            }
        }])
    );
}

const VECTOR: &str = r#"{"status":"success","data":{"resultType":"vector","result":[
 {"metric":{"job":"a"},"value":[1700000000,"1"]},{"metric":{"zone":"x"},"value":[1700000000,"2.5"]}]}}"#;

#[test]
fn a_vector_is_a_table_with_label_columns() {
    let query = query(json!({"expr": "up", "instant": true, "format": "table"}));
    let plan = prometheus::plan(&query, &source("prometheus", json!({})));
    let frames = prometheus::frames(&query, &plan, series::read(VECTOR.as_bytes()).unwrap(), "A", "Value #A");
    let json = frames_json(&frames);
    let names: Vec<_> =
        json[0]["schema"]["fields"].as_array().unwrap().iter().map(|field| field["name"].clone()).collect();
    assert_eq!(json.as_array().unwrap().len(), 1);
    assert_eq!(names, ["Time", "job", "zone", "Value #A"]);
    assert_eq!(
        json[0]["data"]["values"],
        json!([[1700000000000i64, 1700000000000i64], ["a", ""], ["", "x"], [1, 2.5]])
    );
}

#[test]
fn a_vector_is_a_frame_for_each_series() {
    let query = query(json!({"expr": "up", "instant": true, "legendFormat": "__auto"}));
    let plan = prometheus::plan(&query, &source("prometheus", json!({})));
    let frames = prometheus::frames(&query, &plan, series::read(VECTOR.as_bytes()).unwrap(), "A", "Value");
    let json = frames_json(&frames);
    assert_eq!(json.as_array().unwrap().len(), 2);
    assert_eq!(json[0]["schema"]["meta"]["type"], "numeric-multi");
    assert_eq!(json[0]["schema"]["fields"][1].get("config"), None, "the browser names it");
    assert_eq!(json[1]["data"]["values"], json!([[1700000000000i64], [2.5]]));
}

#[test]
fn a_heatmap_has_the_buckets_own_counts() {
    let answer = |le: &str, values: [&str; 2]| json!({"metric": {"le": le}, "values": [[10, values[0]], [20, values[1]]]});
    let body = json!({"status": "success", "data": {"resultType": "matrix", "result": [
        answer("+Inf", ["9", "9"]), answer("10", ["5", "NaN"]), answer("2.5", ["2", "4"]),
    ]}});
    let query = query(json!({"expr": "b", "format": "heatmap"}));
    let plan = prometheus::plan(&query, &source("prometheus", json!({})));
    let answered = series::read(body.to_string().as_bytes()).unwrap();
    let json = frames_json(&prometheus::frames(&query, &plan, answered, "A", "Value"));
    let names: Vec<_> =
        json[0]["schema"]["fields"].as_array().unwrap().iter().map(|field| field["name"].clone()).collect();
    assert_eq!(names, ["Time", "2.5", "10", "+Inf"]);
    assert_eq!(json[0]["data"]["values"], json!([[10000, 20000], [2, 4], [3, null], [4, 5]]));
    assert_eq!(json[0]["schema"]["meta"]["type"], "heatmap-rows");
}

const STREAMS: &str = r#"{"status":"success","data":{"resultType":"streams","result":[
 {"stream":{"app":"a"},"values":[["1700000000000000001","one"],["1700000002000000000","three"]]},
 {"stream":{"app":"b"},"values":[["1700000001000000000","two \"quoted\"",{"extra":"x"}]]}],"stats":{}}}"#;

#[test]
fn streams_are_one_frame_of_lines() {
    let query = query(json!({"expr": "{app=~\".+\"}"}));
    let plan = loki::plan(&query, &source("loki", json!({})));
    let json = frames_json(&loki::frames(&query, &plan, series::read(STREAMS.as_bytes()).unwrap(), "Value"));
    assert_eq!(json.as_array().unwrap().len(), 1);
    let ids = json[0]["data"]["values"][4].clone();
    assert_eq!(
        json[0]["data"]["values"],
        json!([
            [{"app": "a"}, {"app": "b"}, {"app": "a"}],
            [1700000002000i64, 1700000001000i64, 1700000000000i64],
            ["three", "two \"quoted\"", "one"],
            ["1700000002000000000", "1700000001000000000", "1700000000000000001"],
            ids
        ])
    );
    assert_eq!(json[0]["data"]["nanos"], json!([null, [0, 0, 1], null, null, null]));
    assert_eq!(
        json[0]["schema"]["meta"],
        json!({
            "typeVersion": [0, 0], "preferredVisualisationType": "logs",
            "custom": {"frameType": "LabeledTimeValues"}, "executedQueryString": "Expr: {app=~\".+\"}"
        })
    );
    let names: Vec<_> =
        json[0]["schema"]["fields"].as_array().unwrap().iter().map(|field| field["type"].clone()).collect();
    assert_eq!(names, ["other", "time", "string", "string", "string"]);
    let mut unique: Vec<_> = ids.as_array().unwrap().iter().map(ToString::to_string).collect();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), 3);
}

#[test]
fn broken_answers_are_errors() {
    for cut in 0..MATRIX.len() {
        if MATRIX.is_char_boundary(cut) {
            assert!(series::read(&MATRIX.as_bytes()[..cut]).is_err(), "{cut}");
        }
    }
    let refused = br#"{"status":"error","errorType":"bad_data","error":"1:5: parse error"}"#;
    assert_eq!(
        series::read(refused).unwrap_err(),
        series::AnswerError::Refused("bad_data: 1:5: parse error".into())
    );
    for body in [
        "null",
        "[]",
        "{}",
        r#"{"status":"success"}"#,
        r#"{"status":"success","data":{"resultType":"x","result":1}}"#,
    ] {
        assert!(matches!(series::read(body.as_bytes()), Err(series::AnswerError::Unreadable(_))), "{body}");
    }
}

proptest::proptest! {
    /// Nothing that a client or a data source sends makes a parser panic.
    #[test]
    fn parsers_take_anything(text in ".{0,80}", number in proptest::num::i64::ANY) {
        let labels = BTreeMap::from([("a".to_owned(), text.clone())]);
        legend::name(&text, &labels, &text);
        let variables = variables::Variables {
            interval_ms: number, rate_interval_ms: number, range_ms: number / 2, rate_interval: text.clone(), auto: None,
        };
        variables.fill(&format!("${text} ${{{text}}} ${{__range"));
        TimeRange::parse(&json!(text), &json!(number), NOW_MS);
        TimeRange::parse(&json!(format!("now{text}")), &json!("now"), NOW_MS);
        let _ = interval::parse(&text);
        let _ = series::read(text.as_bytes());
        let body = json!({"from": "1", "to": number, "queries": [{
            "expr": text, "interval": text, "step": text, "intervalMs": number, "maxDataPoints": number,
            "intervalFactor": number, "maxLines": number, "utcOffsetSec": number, "datasource": text,
        }]});
        if let Ok(request) = QueryRequest::parse(body.to_string().as_bytes(), NOW_MS) {
            for query in &request.queries {
                let plan = prometheus::plan(query, &source("prometheus", json!({"timeInterval": text})));
                proptest::prop_assert!((plan.end_ms - plan.start_ms) / plan.step_ms <= 11_001, "{plan:?}");
                loki::plan(query, &source("loki", json!({"maxLines": text})));
            }
        }
    }

    #[test]
    fn ranges_end_on_the_step(from in 0i64..4_000_000_000_000, step in 1i64..100_000_000, offset in -86_400_000i64..86_400_000) {
        let aligned = interval::align(from, step, offset);
        proptest::prop_assert_eq!((aligned + offset).rem_euclid(step), 0);
        proptest::prop_assert!(aligned <= from && from - aligned < step);
    }
}
