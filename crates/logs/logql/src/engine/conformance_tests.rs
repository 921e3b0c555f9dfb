//! The recorded answers of Loki 3.7.6.

use std::path::Path;
use std::process::Command;

use model::{Labels, format_value_json};
use serde_json::{Value, json};
use streams::Direction;

use super::memory_source::MemorySource;
use super::*;
use crate::units::parse_prometheus_duration;

/// Vectors that are not this crate's to answer, or not yet, and why.
const SKIPPED: &[(&str, &str)] = &[
    ("log-055", "the daemon reads `limit`"),
    ("log-056", "the daemon reads `limit`"),
    ("log-057", "the daemon reads `direction`"),
    (
        "log-097",
        "Loki takes the label filter `=~\"0.*\"` for `contains 0`; here it is anchored, as documented",
    ),
    ("log-149", "the same"),
    (
        "range-277",
        "Loki's sharding of avg drops `unwrap` and the filter behind it while counting, and so fails",
    ),
    ("instant-278", "the same"),
    ("instant-362", "Loki answers with the year 1893"),
];

/// The data set, as the script beside the vectors makes it.
fn data_set(dir: &Path) -> Option<MemorySource> {
    let output = Command::new("python3").arg(dir.join("dataset.py")).output().ok()?;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8(output.stdout).ok()?;
    let mut streams: std::collections::BTreeMap<Labels, Vec<_>> = std::collections::BTreeMap::new();
    for body in text.lines() {
        let body: Value = serde_json::from_str(body).ok()?;
        for stream in body["streams"].as_array()? {
            let entries = streams.entry(labels(&stream["stream"])).or_default();
            for value in stream["values"].as_array()? {
                let timestamp = value[0].as_str()?.parse().ok()?;
                entries.push((timestamp, value[1].as_str()?.to_owned(), labels(&value[2])));
            }
        }
    }
    Some(MemorySource::new(streams))
}

fn labels(object: &Value) -> Labels {
    let pairs = object.as_object().into_iter().flatten();
    Labels::from_pairs(pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default())))
}

struct Params<'a>(&'a Value);

impl Params<'_> {
    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_default()
    }

    fn nanos(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or_else(|_| panic!("{name} of {}", self.0))
    }

    fn duration(&self, name: &str) -> i64 {
        match self.text(name) {
            "" => 0,
            text => parse_prometheus_duration(text).expect("a duration"),
        }
    }

    fn range(&self) -> QueryParams {
        let (start, end) = (self.nanos("start"), self.nanos("end"));
        let step = self.duration("step");
        QueryParams {
            start,
            end,
            step: if step > 0 { step } else { ((end - start) / 250).max(1_000_000_000) },
            interval: self.duration("interval"),
            direction: if self.text("direction") == "forward" {
                Direction::Forward
            } else {
                Direction::Backward
            },
            limit: self.text("limit").parse().unwrap_or(100),
        }
    }
}

fn answer(
    engine: &Engine,
    source: &MemorySource,
    path: &str,
    params: &Params<'_>,
) -> Option<Result<Value, EngineError>> {
    let cancel = Cancel::new();
    let query = params.text("query");
    let result = match path {
        "/loki/api/v1/query" => engine.query_instant(source, query, params.nanos("time"), &cancel),
        "/loki/api/v1/query_range" => engine.query_range(source, query, &params.range(), &cancel),
        "/loki/api/v1/format_query" => {
            return Some(
                crate::syntax::parse(query)
                    .map(|expr| json!({"data": crate::syntax::format_query(&expr), "status": "success"}))
                    .map_err(EngineError::from),
            );
        }
        _ => return None,
    };
    Some(result.map(|result| encode(&result.data)))
}

fn encode(data: &QueryData) -> Value {
    let point = |point: &Point| json!([point.timestamp as f64 / 1000.0, format_value_json(point.value)]);
    match data {
        QueryData::Streams(streams) => {
            let streams = streams.plain().into_iter().map(|stream| {
                let values: Vec<_> = stream
                    .entries
                    .iter()
                    .map(|entry| json!([entry.timestamp.to_string(), entry.line]))
                    .collect();
                let mut labels = json!(stream.labels);
                for name in stream.empty {
                    labels[name] = json!("");
                }
                json!({"stream": labels, "values": values})
            });
            json!({"resultType": "streams", "result": streams.collect::<Vec<_>>()})
        }
        QueryData::Matrix(series) => {
            let series = series.iter().map(|series| json!({"metric": series.labels, "values": series.points.iter().map(point).collect::<Vec<_>>()}));
            json!({"resultType": "matrix", "result": series.collect::<Vec<_>>()})
        }
        QueryData::Vector(samples) => {
            let samples = samples.iter().map(|sample| {
                let value = point(&Point { timestamp: sample.timestamp, value: sample.value });
                json!({"metric": sample.labels, "value": value})
            });
            json!({"resultType": "vector", "result": samples.collect::<Vec<_>>()})
        }
        QueryData::Scalar(scalar) => json!({"resultType": "scalar", "result": point(scalar)}),
    }
}

/// Sorts results as the recorder did: by the text of their labels.
fn normal(mut answer: Value) -> Value {
    if let Some(result) = answer["result"].as_array_mut() {
        result.sort_by_key(|one| {
            let labels = if one["stream"].is_null() { &one["metric"] } else { &one["stream"] };
            labels.to_string()
        });
    }
    answer
}

/// Equal, numbers and numbers in texts nearly so.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| same(value, other)))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        _ if left == right => true,
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => {
                (left.is_nan() && right.is_nan())
                    || (left - right).abs() <= 1e-9 * left.abs().max(right.abs()) + 1e-12
            }
            _ => false,
        },
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => model::parse_float(text),
        _ => None,
    }
}

#[test]
fn answers_are_lokis() {
    let Some(dir) = testkit::conformance_dir("logql") else { return };
    let Some(source) = data_set(&dir) else {
        eprintln!("skipped: no python3 to make the data set");
        return;
    };
    let engine = Engine::new(EngineOptions { variants: true, ..EngineOptions::default() });
    let vectors = std::fs::read_to_string(dir.join("vectors.jsonl")).expect("the vectors");
    let mut failures = Vec::new();
    let mut passed = 0;
    for line in vectors.lines() {
        let vector: Value = serde_json::from_str(line).expect("a vector");
        let id = vector["id"].as_str().expect("an id");
        let path = vector["path"].as_str().expect("a path");
        if SKIPPED.iter().any(|(skipped, _)| *skipped == id) {
            continue;
        }
        let params = Params(&vector["params"]);
        let Some(got) = answer(&engine, &source, path, &params) else {
            continue;
        };
        let want_status = vector["status"].as_u64().expect("a status");
        let result = match (&got, want_status) {
            (Ok(got), 200) if same(&normal(got.clone()), &normal(vector["answer"].clone())) => Ok(()),
            (Ok(got), 200) => Err(format!(
                "want {}\n  got  {}",
                cut(&normal(vector["answer"].clone())),
                cut(&normal(got.clone()))
            )),
            (Err(error), 400) if error.is_clients_fault() && error.kind != EngineErrorKind::NotSupported => {
                Ok(())
            }
            (Ok(got), _) => Err(format!("want {want_status} {}\n  got  {}", vector["answer"], cut(got))),
            (Err(error), _) => Err(format!("want {want_status}\n  got  {error}")),
        };
        match result {
            Ok(()) => passed += 1,
            Err(text) => failures.push(format!("{id} {}\n  {text}", params.text("query"))),
        }
    }
    assert!(failures.is_empty(), "{passed} passed, {} failed:\n{}", failures.len(), failures.join("\n"));
    assert!(passed > 200, "{passed} vectors are too few");
}

fn cut(value: &Value) -> String {
    value.to_string().chars().take(1800).collect()
}
