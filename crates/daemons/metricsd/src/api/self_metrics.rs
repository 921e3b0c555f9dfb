//! `/status/self_metrics`: the daemon's own metrics as JSON, in Protobuf's mapping of `io.prometheus.client.MetricFamily`: 64-bit integers
//! are strings, and what is no number has a name.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::HeaderMap;
use model::{BUCKET, Labels, LabelsBuilder, METRIC_NAME, MatchOp, Matcher, QUANTILE, parse_float};
use scrape::exposition::{Format, Item, Lines, labels};
use serde_json::{Map, Value, json};
use storage::MetricType;

use super::{ApiError, ApiState, json as answer, params::Params};

/// One metric that is being read: what is left of its labels, and its value so far.
struct Metric {
    labels: Labels,
    value: Map<String, Value>,
}

#[derive(Default)]
struct Family {
    name: String,
    help: String,
    kind: Option<MetricType>,
    metrics: Vec<Metric>,
}

pub(super) async fn self_metrics(
    State(state): State<Arc<ApiState>>,
    params: Params,
) -> Result<Response, ApiError> {
    let wanted = match params.get("metric_name_pattern") {
        "" => None,
        pattern => Some(
            Matcher::new(MatchOp::Regex, METRIC_NAME, pattern)
                .map_err(|error| ApiError::BadData(format!("invalid metric_name_pattern: {error}")))?,
        ),
    };
    let (_, text) = state.metrics.encode(&HeaderMap::new());
    let families = families(&text)
        .map_err(|error| ApiError::Internal(format!("error gathering self metrics: {error}")))?;
    let shown: Vec<Value> = families
        .into_iter()
        .filter(|family| wanted.as_ref().is_none_or(|wanted| wanted.matches(&family.name)))
        .map(Family::into_json)
        .collect();
    answer::success(shown)
}

fn families(text: &str) -> Result<Vec<Family>, scrape::exposition::ParseError> {
    let mut families: Vec<Family> = Vec::new();
    let mut builder = LabelsBuilder::new();
    for item in Lines::new(text, Format::Text) {
        match item? {
            Item::Help { family, text } => current(&mut families, &family).help = text.into_owned(),
            Item::Type { family, metric_type } => current(&mut families, &family).kind = Some(metric_type),
            Item::Unit { .. } => {}
            Item::Sample(sample) => {
                if labels(sample.series, &mut builder).is_none() {
                    continue;
                }
                let labels = builder.build();
                let name = labels.metric_name();
                match families.last_mut().filter(|family| family.has(name)) {
                    Some(family) => family.add(&labels, sample.value),
                    None => current(&mut families, name).add(&labels, sample.value),
                }
            }
        }
    }
    families.retain(|family| !family.metrics.is_empty());
    families.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(families)
}

/// The family that the lines are about now.
fn current<'a>(families: &'a mut Vec<Family>, name: &str) -> &'a mut Family {
    if families.last().is_none_or(|last| last.name != name) {
        families.push(Family { name: name.to_owned(), ..Family::default() });
    }
    families.last_mut().expect("BUG: pushed above")
}

impl Family {
    /// Whether a sample of this name is the family's.
    fn has(&self, name: &str) -> bool {
        match name.strip_prefix(self.name.as_str()) {
            Some("") => true,
            Some("_bucket") => self.kind == Some(MetricType::Histogram),
            Some("_sum" | "_count") => {
                matches!(self.kind, Some(MetricType::Histogram | MetricType::Summary))
            }
            _ => false,
        }
    }

    fn add(&mut self, labels: &Labels, value: f64) {
        let suffix = labels.metric_name().strip_prefix(self.name.as_str()).unwrap_or_default();
        let is_composed = matches!(self.kind, Some(MetricType::Histogram | MetricType::Summary));
        let part = |name: &str| is_composed && (name == BUCKET || name == QUANTILE);
        let own = labels.filter(|name| name != METRIC_NAME && !part(name));
        if self.metrics.last().is_none_or(|last| !is_composed || last.labels != own) {
            self.metrics.push(Metric { labels: own, value: Map::new() });
        }
        let metric = &mut self.metrics.last_mut().expect("BUG: pushed above").value;
        match suffix {
            "_sum" => set(metric, "sampleSum", number(value)),
            "_count" => set(metric, "sampleCount", integer(value)),
            "_bucket" => {
                let upper = parse_float(labels.value(BUCKET)).unwrap_or(f64::NAN);
                // The last one says what the count says.
                if upper != f64::INFINITY {
                    let mut bucket = Map::new();
                    set(&mut bucket, "cumulativeCount", integer(value));
                    set(&mut bucket, "upperBound", number(upper));
                    push(metric, "bucket", bucket);
                }
            }
            _ if is_composed => {
                let mut quantile = Map::new();
                set(
                    &mut quantile,
                    "quantile",
                    number(parse_float(labels.value(QUANTILE)).unwrap_or(f64::NAN)),
                );
                set(&mut quantile, "value", number(value));
                push(metric, "quantile", quantile);
            }
            // A plain number is an optional field of a message: it is there also where it is zero.
            _ => {
                metric.insert("value".into(), number(value));
            }
        }
    }

    fn into_json(self) -> Value {
        let (kind, field) = match self.kind {
            Some(MetricType::Counter) => ("COUNTER", "counter"),
            Some(MetricType::Gauge) => ("GAUGE", "gauge"),
            Some(MetricType::Histogram) => ("HISTOGRAM", "histogram"),
            Some(MetricType::Summary) => ("SUMMARY", "summary"),
            _ => ("UNTYPED", "untyped"),
        };
        let metrics = self.metrics.into_iter().map(|metric| {
            let labels: Vec<Value> =
                metric.labels.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
            let mut shown = Map::new();
            if !labels.is_empty() {
                shown.insert("label".into(), labels.into());
            }
            shown.insert(field.into(), metric.value.into());
            Value::Object(shown)
        });
        json!({"name": self.name, "help": self.help, "type": kind, "metric": metrics.collect::<Vec<_>>()})
    }
}

fn set(message: &mut Map<String, Value>, field: &str, value: Value) {
    message.insert(field.to_owned(), value);
}

fn push(message: &mut Map<String, Value>, field: &str, element: Map<String, Value>) {
    let list = message.entry(field).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        list.push(element.into());
    }
}

fn number(value: f64) -> Value {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else {
        value.into()
    }
}

fn integer(value: f64) -> Value {
    format!("{value:.0}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_of_every_kind() {
        let text = "# HELP a_total Things.\n# TYPE a_total counter\na_total{code=\"200\"} 3\na_total{code=\"500\"} 0\n\
                    # HELP b Size.\n# TYPE b gauge\nb NaN\n\
                    # HELP c Time.\n# TYPE c histogram\nc_sum{x=\"1\"} 2.5\nc_count{x=\"1\"} 3\n\
                    c_bucket{x=\"1\",le=\"0.5\"} 1\nc_bucket{x=\"1\",le=\"+Inf\"} 3\nc_sum{x=\"2\"} 0\nc_count{x=\"2\"} 0\n";
        let shown: Vec<Value> = families(text).expect("parses").into_iter().map(Family::into_json).collect();
        assert_eq!(
            Value::from(shown),
            json!([
                {"name": "a_total", "help": "Things.", "type": "COUNTER", "metric": [
                    {"label": [{"name": "code", "value": "200"}], "counter": {"value": 3.0}},
                    {"label": [{"name": "code", "value": "500"}], "counter": {"value": 0.0}},
                ]},
                {"name": "b", "help": "Size.", "type": "GAUGE", "metric": [{"gauge": {"value": "NaN"}}]},
                {"name": "c", "help": "Time.", "type": "HISTOGRAM", "metric": [
                    {"label": [{"name": "x", "value": "1"}], "histogram": {
                        "sampleSum": 2.5, "sampleCount": "3",
                        "bucket": [{"cumulativeCount": "1", "upperBound": 0.5}],
                    }},
                    {"label": [{"name": "x", "value": "2"}], "histogram": {"sampleSum": 0.0, "sampleCount": "0"}},
                ]},
            ])
        );
    }
}
