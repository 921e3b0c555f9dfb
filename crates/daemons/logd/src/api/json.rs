//! Answers to queries as JSON, written straight from columns.

use std::time::Duration;

use logql::engine::{Point, QueryData, QueryResult, Stats, Streams};
use model::{Labels, Millis, write_json_members, write_json_text, write_value_json};

use super::{
    index::{VolumeName, Volumes},
    stats,
};

/// The answer to a query. `categorize` keeps labels apart by where they come from; `queued` is how long the query waited.
pub(super) fn query_result(result: &QueryResult, categorize: bool, queued: Duration) -> String {
    let mut body = String::with_capacity(4096);
    body.push_str(r#"{"status":"success","#);
    write_warnings(&mut body, &result.warnings);
    body.push_str(r#""data":{"resultType":""#);
    body.push_str(match result.data {
        QueryData::Streams(_) => "streams",
        QueryData::Matrix(_) => "matrix",
        QueryData::Vector(_) => "vector",
        QueryData::Scalar(_) => "scalar",
    });
    body.push('"');
    if categorize && matches!(result.data, QueryData::Streams(_)) {
        body.push_str(r#","encodingFlags":["categorize-labels"]"#);
    }
    body.push_str(r#","result":"#);
    write_data(&mut body, &result.data, categorize);
    body.push_str(r#","stats":"#);
    stats::write(&mut body, &result.stats, queued);
    body.push_str("}}");
    body
}

/// Volumes at one moment.
pub(super) fn volume_vector(volumes: &[Volumes], queued: Duration) -> String {
    volume_result("vector", volumes, queued, |body, points| {
        body.push_str(r#","value":"#);
        write_point(body, points.first().copied().unwrap_or(Point { timestamp: 0, value: 0.0 }));
    })
}

/// Volumes over time.
pub(super) fn volume_matrix(volumes: &[Volumes], queued: Duration) -> String {
    volume_result("matrix", volumes, queued, |body, points| {
        body.push_str(r#","values":"#);
        write_list(body, points, |body, point| write_point(body, *point));
    })
}

fn volume_result(
    kind: &str,
    volumes: &[Volumes],
    queued: Duration,
    write_points: impl Fn(&mut String, &[Point]),
) -> String {
    let mut body = format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":"#);
    write_list(&mut body, volumes, |body, volume| {
        body.push_str(r#"{"metric":"#);
        match &volume.name {
            VolumeName::Series(labels) => write_labels(body, labels, &[]),
            VolumeName::Label(name) => write_labels(body, &Labels::empty(), std::slice::from_ref(name)),
        }
        write_points(body, &volume.points);
        body.push('}');
    });
    body.push_str(r#","stats":"#);
    stats::write(&mut body, &Stats::default(), queued);
    body.push_str("}}");
    body
}

fn write_data(body: &mut String, data: &QueryData, categorize: bool) {
    match data {
        QueryData::Streams(streams) if categorize => write_categorized(body, streams),
        QueryData::Streams(streams) => write_plain(body, streams),
        QueryData::Matrix(series) => write_list(body, series, |body, series| {
            body.push_str(r#"{"metric":"#);
            write_labels(body, &series.labels, &[]);
            body.push_str(r#","values":"#);
            write_list(body, &series.points, |body, point| write_point(body, *point));
            body.push('}');
        }),
        QueryData::Vector(samples) => write_list(body, samples, |body, sample| {
            body.push_str(r#"{"metric":"#);
            write_labels(body, &sample.labels, &[]);
            body.push_str(r#","value":"#);
            write_point(body, Point { timestamp: sample.timestamp, value: sample.value });
            body.push('}');
        }),
        QueryData::Scalar(point) => write_point(body, *point),
    }
}

fn write_plain(body: &mut String, streams: &Streams) {
    write_list(body, &streams.plain(), |body, stream| {
        body.push_str(r#"{"stream":"#);
        write_labels(body, stream.labels, stream.empty);
        body.push_str(r#","values":"#);
        write_list(body, &stream.entries, |body, entry| {
            write_entry(body, entry.timestamp, &entry.line);
            body.push(']');
        });
        body.push('}');
    });
}

fn write_categorized(body: &mut String, streams: &Streams) {
    write_list(body, &streams.categorized(), |body, stream| {
        body.push_str(r#"{"stream":"#);
        write_labels(body, stream.labels, &[]);
        body.push_str(r#","values":"#);
        write_list(body, &stream.entries, |body, entry| {
            write_entry(body, entry.entry.timestamp, &entry.entry.line);
            body.push_str(",{");
            if !entry.metadata.is_empty() {
                body.push_str(r#""structuredMetadata":"#);
                write_labels(body, entry.metadata, &[]);
            }
            if !entry.parsed.is_empty() || !entry.empty.is_empty() {
                separate(body, usize::from(!entry.metadata.is_empty()));
                body.push_str(r#""parsed":"#);
                write_labels(body, entry.parsed, entry.empty);
            }
            body.push_str("}]");
        });
        body.push('}');
    });
}

/// `["<ns>","line"`, without the end.
fn write_entry(body: &mut String, timestamp: i64, line: &str) {
    body.push_str("[\"");
    body.push_str(&timestamp.to_string());
    body.push_str("\",");
    write_json_text(body, line);
}

fn write_list<T>(body: &mut String, items: &[T], mut write: impl FnMut(&mut String, &T)) {
    body.push('[');
    for (at, item) in items.iter().enumerate() {
        separate(body, at);
        write(body, item);
    }
    body.push(']');
}

fn separate(body: &mut String, at: usize) {
    if at > 0 {
        body.push(',');
    }
}

fn write_point(body: &mut String, point: Point) {
    body.push('[');
    write_time(body, point.timestamp);
    body.push_str(",\"");
    let _ = write_value_json(body, point.value);
    body.push_str("\"]");
}

/// Seconds with as many decimals as there are.
fn write_time(body: &mut String, timestamp: Millis) {
    if timestamp < 0 {
        body.push('-');
    }
    let magnitude = timestamp.unsigned_abs();
    body.push_str(&(magnitude / 1000).to_string());
    let fraction = magnitude % 1000;
    if fraction > 0 {
        body.push_str(format!(".{fraction:03}").trim_end_matches('0'));
    }
}

/// Labels, and beside them those whose value is empty.
fn write_labels(body: &mut String, labels: &Labels, empty: &[String]) {
    body.push('{');
    write_json_members(body, labels);
    for (at, name) in empty.iter().enumerate() {
        separate(body, labels.len() + at);
        write_json_text(body, name);
        body.push_str(r#":"""#);
    }
    body.push('}');
}

fn write_warnings(body: &mut String, warnings: &[String]) {
    if warnings.is_empty() {
        return;
    }
    body.push_str(r#""warnings":"#);
    write_list(body, warnings, |body, text| write_json_text(body, text));
    body.push(',');
}

#[cfg(test)]
mod tests {
    use logql::engine::{EntryLabelSet, LogEntry, Sample};
    use serde_json::{Value, json};

    use super::*;

    fn encoded(data: QueryData, categorize: bool) -> Value {
        let result = QueryResult { data, stats: Stats::default(), warnings: Vec::new() };
        let text = query_result(&result, categorize, Duration::ZERO);
        let mut value: Value = serde_json::from_str(&text).expect("JSON");
        value["data"].as_object_mut().expect("data").remove("stats");
        value["data"].take()
    }

    fn streams() -> Streams {
        let labels = |pairs: &[(&str, &str)]| Labels::from_pairs(pairs.iter().copied());
        let set = |all: &[(&str, &str)],
                   metadata: &[(&str, &str)],
                   parsed: &[(&str, &str)],
                   empty: &[&str]| EntryLabelSet {
            all: labels(all),
            stream: labels(&[("a", "b")]),
            metadata: labels(metadata),
            parsed: labels(parsed),
            empty: empty.iter().map(|name| (*name).to_owned()).collect(),
        };
        Streams {
            sets: vec![
                set(&[("a", "b")], &[], &[], &[]),
                set(&[("a", "b"), ("m", "1"), ("p", "2")], &[("m", "1")], &[("p", "2")], &["e"]),
            ],
            entries: vec![
                LogEntry { timestamp: 2, set: 1, line: "two \"x\"\u{1}".into() },
                LogEntry { timestamp: 1, set: 0, line: "one".into() },
            ],
        }
    }

    #[test]
    fn streams_plain_and_categorized() {
        assert_eq!(
            encoded(QueryData::Streams(streams()), false),
            json!({"resultType": "streams", "result": [
                {"stream": {"a": "b"}, "values": [["1", "one"]]},
                {"stream": {"a": "b", "m": "1", "p": "2", "e": ""}, "values": [["2", "two \"x\"\u{1}"]]},
            ]})
        );
        assert_eq!(
            encoded(QueryData::Streams(streams()), true),
            json!({"resultType": "streams", "encodingFlags": ["categorize-labels"], "result": [
                {"stream": {"a": "b"}, "values": [
                    ["2", "two \"x\"\u{1}", {"structuredMetadata": {"m": "1"}, "parsed": {"p": "2", "e": ""}}],
                    ["1", "one", {}],
                ]},
            ]})
        );
    }

    #[test]
    fn values() {
        let sample = Sample { labels: Labels::empty(), timestamp: 1_500, value: 0.25 };
        assert_eq!(
            encoded(QueryData::Vector(vec![sample]), true),
            json!({"resultType": "vector", "result": [{"metric": {}, "value": [1.5, "0.25"]}]})
        );
        let point = Point { timestamp: 2_000, value: f64::INFINITY };
        assert_eq!(
            encoded(QueryData::Scalar(point), false),
            json!({"resultType": "scalar", "result": [2, "+Inf"]})
        );
    }

    #[test]
    fn times() {
        let time = |at: Millis| {
            let mut body = String::new();
            write_time(&mut body, at);
            body
        };
        assert_eq!(
            [time(0), time(1500), time(1_768_471_799_999), time(-1), time(-2000)],
            ["0", "1.5", "1768471799.999", "-0.001", "-2"]
        );
    }
}
