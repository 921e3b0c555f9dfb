//! Pipelines against what Promtail itself made of the same lines (`conformance/promtail/vectors.jsonl`).

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use model::LabelsBuilder;
use pipeline::{
    Builder, Context, CustomMetrics, Entry, LabelSet, Pipeline, PipelineMetrics, Record, TENANT_LABEL,
};
use prometheus_client::registry::Registry;
use serde::Deserialize;

/// Vectors that do not pass yet, or that we answer otherwise on purpose.
const DIFFERENT: &[(&str, &str)] = &[
    ("json-runtime-error", "not supported yet: functions in JMESPath"),
    ("timestamp-location", "a time of day that the clocks skip is read with the offset before, not after"),
    (
        "eventlogmessage-basic",
        "a line whose message is null goes on, where the original loses it without counting",
    ),
];

/// Groups that are about more than stages; the agent's own tests have them.
const ELSEWHERE: &[&str] = &["limits"];

#[derive(Debug, Deserialize)]
struct Vector {
    id: String,
    stage: String,
    config: String,
    labels: BTreeMap<String, String>,
    input: Vec<Input>,
    #[serde(default)]
    order: String,
    expect: Expect,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Input {
    Text(String),
    Bytes { b64: String },
    Pause { pause_ms: u64 },
}

#[derive(Debug, Deserialize)]
struct Expect {
    start: String,
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    metrics: BTreeMap<String, Metric>,
    #[serde(default)]
    dropped: BTreeMap<String, BTreeMap<String, u64>>,
}

#[derive(Debug, Deserialize)]
struct Stream {
    labels: BTreeMap<String, String>,
    tenant: Option<String>,
    entries: Vec<Expected>,
}

#[derive(Debug, Deserialize)]
struct Expected {
    line: Input,
    timestamp: Option<String>,
    #[serde(default)]
    structured_metadata: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Metric {
    samples: Vec<Sample>,
}

#[derive(Debug, Deserialize)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ScrapeConfig {
    pipeline_stages: Option<Vec<serde_yaml::Value>>,
    relabel_configs: Option<Vec<relabel::RelabelConfig>>,
}

type Streams =
    BTreeMap<(BTreeMap<String, String>, Option<String>), Vec<(Vec<u8>, Timestamp, BTreeMap<String, String>)>>;

struct Outcome {
    streams: Streams,
    metrics: String,
    drops: PipelineMetrics,
}

impl Input {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Bytes { b64 } => BASE64_STANDARD.decode(b64).expect("base64"),
            Self::Pause { .. } => Vec::new(),
        }
    }
}

fn run(vector: &Vector) -> Result<Outcome, String> {
    let config: ScrapeConfig = serde_yaml::from_str(&vector.config).map_err(|error| error.to_string())?;
    let drops = PipelineMetrics::register(&mut Registry::default());
    let custom = CustomMetrics::default();
    let builder = Builder::new(drops.clone(), custom.clone());
    let mut pipeline: Pipeline<()> = builder
        .build(&config.pipeline_stages.unwrap_or_default())
        .map_err(|error| service::report(&error))?;
    let rules: Vec<relabel::Rule> = config
        .relabel_configs
        .unwrap_or_default()
        .iter()
        .map(|rule| rule.compile().map_err(|error| error.to_string()))
        .collect::<Result<_, _>>()?;
    let mut out = Vec::new();
    let mut instant = Instant::now();
    let labels = target_labels(vector, &rules);
    for input in vector.input.iter().filter(|_| labels.is_some()) {
        let context = Context { now: Timestamp::now(), instant, wait: &|_| false };
        if let Input::Pause { pause_ms } = input {
            instant += Duration::from_millis(*pause_ms);
            pipeline.flush_due(&Context { instant, ..context }, &mut out);
            continue;
        }
        let labels = labels.clone().unwrap_or_default();
        pipeline.process(
            Entry::new(Record::new(labels, &input.bytes(), context.now), ()),
            &context,
            &mut out,
        );
    }
    pipeline.finish(&Context { now: Timestamp::now(), instant, wait: &|_| false }, &mut out);
    let mut metrics = String::new();
    custom.write(&mut metrics, false, instant);
    Ok(Outcome { streams: streams(out), metrics, drops })
}

/// The labels of the file's lines, if relabelling keeps it.
fn target_labels(vector: &Vector, rules: &[relabel::Rule]) -> Option<LabelSet> {
    let mut labels = LabelsBuilder::new();
    for (name, value) in &vector.labels {
        labels.set(name, value);
    }
    labels.set("__path__", "/input").set("__host__", "host").set("__address__", "localhost");
    if relabel::relabel(rules, &mut labels) == relabel::Verdict::Drop {
        return None;
    }
    let public = labels.iter().filter(|(name, _)| !name.starts_with("__"));
    let mut set = LabelSet::new(public);
    set.set("filename".into(), "/input".into());
    Some(set)
}

fn streams(entries: Vec<Entry<()>>) -> Streams {
    let mut streams = Streams::new();
    for Entry { mut record, .. } in entries {
        let mut labels: BTreeMap<String, String> =
            record.labels.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        labels.remove("filename");
        let tenant = labels.remove(TENANT_LABEL);
        let metadata =
            record.metadata.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let line = record.take_line().to_vec();
        streams.entry((labels, tenant)).or_default().push((line, record.timestamp, metadata));
    }
    streams
}

fn compare(vector: &Vector, outcome: Result<Outcome, String>) -> Result<(), String> {
    let outcome = match (vector.expect.start.as_str(), outcome) {
        ("refused", Err(_)) => return Ok(()),
        ("refused", Ok(_)) => return Err("should be refused".into()),
        (_, Err(error)) => return Err(format!("refused: {error}")),
        (_, Ok(outcome)) => outcome,
    };
    let Outcome { mut streams, metrics, drops } = outcome;
    for stream in &vector.expect.streams {
        let key = (stream.labels.clone(), stream.tenant.clone());
        let mut got =
            streams.remove(&key).ok_or_else(|| format!("no stream {key:?}, but {:?}", streams.keys()))?;
        let mut want: Vec<&Expected> = stream.entries.iter().collect();
        if vector.order == "any" {
            got.sort();
            want.sort_by_key(|expected| expected.line.bytes());
        }
        if got.len() != want.len() {
            return Err(format!("{key:?}: {} entries instead of {}: {got:?}", got.len(), want.len()));
        }
        for ((line, time, metadata), want) in got.iter().zip(want) {
            if *line != want.line.bytes() || *metadata != want.structured_metadata {
                return Err(format!("line {:?} {metadata:?}, want {want:?}", String::from_utf8_lossy(line)));
            }
            check_time(*time, want.timestamp.as_deref())?;
        }
    }
    if let Some((key, _)) = streams.first_key_value() {
        return Err(format!("stream too many: {key:?}"));
    }
    check_metrics(&vector.expect.metrics, &metrics)?;
    if let Some(reasons) = vector.expect.dropped.get("logentry_dropped_lines_total") {
        for (reason, count) in reasons {
            if drops.dropped_lines(reason) != *count {
                return Err(format!("{} dropped for {reason}, want {count}", drops.dropped_lines(reason)));
            }
        }
    }
    Ok(())
}

fn check_time(got: Timestamp, want: Option<&str>) -> Result<(), String> {
    let want = match want {
        None => {
            let age = Timestamp::now().duration_since(got).as_secs();
            return if age < 3600 { Ok(()) } else { Err(format!("time {got} is not recent")) };
        }
        Some(text) if text.starts_with("YYYY") => {
            let year = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year();
            text.replace("YYYY", &year.to_string()).parse().expect("a time")
        }
        Some(text) => Timestamp::from_nanosecond(text.parse().expect("nanoseconds")).expect("in range"),
    };
    if got == want { Ok(()) } else { Err(format!("time {got}, want {want}")) }
}

fn check_metrics(want: &BTreeMap<String, Metric>, text: &str) -> Result<(), String> {
    let mut got: BTreeMap<String, f64> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').expect("a sample");
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let labels: std::collections::BTreeSet<&str> = labels
            .trim_end_matches('}')
            .split_inclusive("\",")
            .map(|label| label.trim_end_matches(','))
            .filter(|label| !label.is_empty() && !label.starts_with("filename="))
            .collect();
        let labels: Vec<&str> = labels.into_iter().collect();
        let braces = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let series = format!("{name}{braces}");
        got.insert(series, model::parse_float(value).expect("a number"));
    }
    for sample in want.values().flat_map(|metric| &metric.samples) {
        let labels: Vec<String> =
            sample.labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let braces = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let key = format!("{}{braces}", sample.name);
        let value = got.remove(&key).ok_or_else(|| format!("no {key} in {text}"))?;
        let want = model::parse_float(&sample.value).expect("a number");
        if value != want && !(value.is_nan() && want.is_nan()) && (value - want).abs() > 1e-9 * want.abs() {
            return Err(format!("{key} is {value}, want {want}"));
        }
    }
    if got.is_empty() { Ok(()) } else { Err(format!("samples too many: {got:?}")) }
}

#[test]
fn promtails_vectors() {
    let Some(dir) = testkit::conformance_dir("promtail") else { return };
    let text = std::fs::read_to_string(dir.join("vectors.jsonl")).expect("readable");
    let (mut failures, mut count) = (Vec::new(), 0);
    for line in text.lines() {
        let vector: Vector = serde_json::from_str(line).expect("a vector");
        if ELSEWHERE.contains(&vector.stage.as_str()) {
            continue;
        }
        count += 1;
        let outcome = compare(&vector, run(&vector));
        let listed = DIFFERENT.iter().find(|(id, _)| *id == vector.id);
        match (outcome, listed) {
            (Err(error), None) => failures.push(format!("{}: {error}", vector.id)),
            (Ok(()), Some(_)) => failures.push(format!("{}: passes now, take it off the list", vector.id)),
            _ => {}
        }
    }
    assert!(count > 200, "only {count} vectors");
    assert!(failures.is_empty(), "{} of {count} differ:\n{}", failures.len(), failures.join("\n"));
}
