//! `metrics`: counts and measures entries, as metrics of the agent.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use config::parse_go;
use serde::Deserialize;
use serde_yaml::Value as Yaml;
use template::gotime;

use super::{Stage, Verdict, decode};
use crate::{
    CustomMetrics, Record, StageError,
    custom::{Change, Kind, MetricHandle},
    extracted::Value,
    run::Context,
};

const DEFAULT_PREFIX: &str = "promtail_custom_";
const DEFAULT_IDLE: Duration = Duration::from_secs(300);
const DEFAULT_BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metric {
    #[serde(rename = "type")]
    kind: String,
    description: String,
    source: Option<String>,
    prefix: String,
    max_idle_duration: Option<String>,
    config: Config,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    match_all: Option<bool>,
    count_entry_bytes: Option<bool>,
    value: Option<String>,
    action: String,
    buckets: Vec<f64>,
}

pub(crate) struct MetricsStage(Vec<Measure>);

struct Measure {
    metric: MetricHandle,
    source: Arc<str>,
    /// Only this value counts.
    value: Option<String>,
    what: What,
    action: Action,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Source,
    EveryEntry,
    EntryBytes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Inc,
    Dec,
    Set,
    Add,
    Sub,
    Observe,
}

impl MetricsStage {
    pub(crate) fn new(config: Yaml, custom: &CustomMetrics) -> Result<Self, StageError> {
        let metrics: BTreeMap<String, Metric> = decode(config)?;
        let measures = metrics.into_iter().map(|(name, metric)| measure(&name, metric, custom));
        measures.collect::<Result<_, _>>().map(Self)
    }
}

fn measure(name: &str, metric: Metric, custom: &CustomMetrics) -> Result<Measure, StageError> {
    let Metric { kind, description, source, prefix, max_idle_duration, config } = metric;
    let invalid = |text: &str| Err(StageError::invalid(format!("metric `{name}`: {text}")));
    let idle = match max_idle_duration {
        None => DEFAULT_IDLE,
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            return invalid("max_idle_duration could not be parsed: a unit is missing");
        }
        Some(text) => parse_go(&text).map_err(|error| {
            StageError::invalid(format!("metric `{name}`: max_idle_duration could not be parsed: {error}"))
        })?,
    };
    if idle < Duration::from_secs(1) {
        return invalid("max_idle_duration less than 1s not allowed");
    }
    let match_all = config.match_all.unwrap_or(false);
    let entry_bytes = config.count_entry_bytes.unwrap_or(false);
    let action_text = config.action.to_ascii_lowercase();
    let action = match action_text.as_str() {
        "inc" => Some(Action::Inc),
        "dec" => Some(Action::Dec),
        "set" => Some(Action::Set),
        "add" => Some(Action::Add),
        "sub" => Some(Action::Sub),
        _ => None,
    };
    let (kind, action) = match kind.to_ascii_lowercase().as_str() {
        "counter" => match action {
            Some(action @ (Action::Inc | Action::Add)) => (Kind::Counter, action),
            _ if action_text.is_empty() => {
                return invalid("counter action must be defined as either `inc` or `add`");
            }
            _ => return invalid("counter action must be either `inc` or `add`"),
        },
        "gauge" => match action {
            Some(action) => (Kind::Gauge, action),
            None => return invalid("gauge action must be `inc`, `dec`, `set`, `add` or `sub`"),
        },
        "histogram" => {
            let buckets = if config.buckets.is_empty() { DEFAULT_BUCKETS.to_vec() } else { config.buckets };
            if !buckets.is_sorted() {
                return invalid("buckets must be in order");
            }
            (Kind::Histogram(buckets), Action::Observe)
        }
        _ => return invalid("invalid metric type, must be one of `counter`, `gauge` or `histogram`"),
    };
    if match_all && config.value.is_some() {
        return invalid(
            "`match_all: true` cannot be combined with `value`, please remove `match_all` or `value`",
        );
    }
    if entry_bytes && (!match_all || action != Action::Add) {
        return invalid("`count_entry_bytes: true` can only be set with `match_all: true` and action `add`");
    }
    let what = match (match_all, entry_bytes) {
        (_, true) => What::EntryBytes,
        (true, false) => What::EveryEntry,
        (false, false) => What::Source,
    };
    let prefix = if prefix.is_empty() { DEFAULT_PREFIX } else { &prefix };
    Ok(Measure {
        metric: custom.register(&format!("{prefix}{name}"), &description, kind, idle)?,
        source: source.filter(|source| !source.is_empty()).unwrap_or_else(|| name.to_owned()).into(),
        value: config.value,
        what,
        action,
    })
}

impl Measure {
    fn change(&self, record: &Record) -> Option<Change> {
        let number = match self.what {
            What::EveryEntry => 1.0,
            What::EntryBytes => record.line.len() as f64,
            What::Source => {
                let value = record.extracted.get(&self.source)?;
                if self.value.as_ref().is_some_and(|wanted| value.text().as_deref() != Some(wanted)) {
                    return None;
                }
                match self.action {
                    Action::Inc | Action::Dec => 1.0,
                    _ => number(value)?,
                }
            }
        };
        Some(match self.action {
            Action::Inc => Change::Add(1.0),
            Action::Dec => Change::Add(-1.0),
            Action::Add => Change::Add(number),
            Action::Sub => Change::Add(-number),
            Action::Set => Change::Set(number),
            Action::Observe => Change::Observe(number),
        })
    }
}

/// A number, or a duration in seconds.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => model::parse_float(text)
            .or_else(|| model::parse_float(&text.replace('_', "")))
            .or_else(|| gotime::Duration::parse(text).ok().map(gotime::Duration::as_seconds)),
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Null => None,
    }
}

impl Stage for MetricsStage {
    fn apply(&mut self, record: &mut Record, context: &Context<'_>) -> Verdict {
        for measure in &self.0 {
            if let Some(change) = measure.change(record) {
                measure.metric.apply(&record.labels, change, context.instant);
            }
        }
        Verdict::Keep
    }
}
