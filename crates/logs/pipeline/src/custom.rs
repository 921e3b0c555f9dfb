//! The metrics that `metrics` stages define, and their exposition.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tracing::warn;

use crate::{LabelSet, StageError, TENANT_LABEL};

/// Label sets one metric may have; entries with more are not measured.
const MAX_SERIES: usize = 10_000;

/// All metrics of the stages of one configuration. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct CustomMetrics(Arc<Mutex<BTreeMap<String, MetricHandle>>>);

/// One metric, shared by the stages that name it.
#[derive(Debug, Clone)]
pub(crate) struct MetricHandle(Arc<Metric>);

#[derive(Debug)]
struct Metric {
    name: String,
    help: String,
    kind: Kind,
    max_idle: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    series: FxHashMap<LabelSet, Series>,
    is_full: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    /// With upper bounds of buckets, in order.
    Histogram(Vec<f64>),
}

#[derive(Debug)]
struct Series {
    /// The value; of a histogram the sum.
    value: f64,
    count: u64,
    /// Observations at or below each bound, not cumulated.
    buckets: Vec<u64>,
    changed: Instant,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    Add(f64),
    Set(f64),
    Observe(f64),
}

impl CustomMetrics {
    /// The metric of that name. Two stages may share one if they agree on what it is.
    pub(crate) fn register(
        &self,
        name: &str,
        help: &str,
        kind: Kind,
        max_idle: Duration,
    ) -> Result<MetricHandle, StageError> {
        if !model::is_legacy_metric_name(name) {
            return Err(StageError::invalid(format!("{name:?} is not a valid metric name")));
        }
        let mut metrics = self.0.lock();
        if let Some(known) = metrics.get(name) {
            if known.0.kind != kind {
                return Err(StageError::invalid(format!(
                    "metric {name} is defined twice, with different types or buckets"
                )));
            }
            return Ok(known.clone());
        }
        let metric =
            Metric { name: name.to_owned(), help: help.to_owned(), kind, max_idle, state: Mutex::default() };
        let handle = MetricHandle(Arc::new(metric));
        metrics.insert(name.to_owned(), handle.clone());
        Ok(handle)
    }

    /// Appends all metrics in the text format 0.0.4, or without its end mark in OpenMetrics. Series that were idle for too long go.
    pub fn write(&self, out: &mut String, openmetrics: bool, now: Instant) {
        for MetricHandle(metric) in self.0.lock().values() {
            metric.write(out, openmetrics, now);
        }
    }
}

impl MetricHandle {
    pub(crate) fn apply(&self, labels: &LabelSet, change: Change, now: Instant) {
        let metric = &*self.0;
        let mut labels = labels.clone();
        if labels.get(TENANT_LABEL).is_some() {
            labels.remove(TENANT_LABEL);
        }
        let mut state = metric.state.lock();
        if state.series.len() >= MAX_SERIES && !state.series.contains_key(&labels) {
            if !std::mem::replace(&mut state.is_full, true) {
                warn!(
                    metric = metric.name,
                    limit = MAX_SERIES,
                    "metric has too many label sets, more are not measured"
                );
            }
            return;
        }
        let bounds = if let Kind::Histogram(bounds) = &metric.kind { bounds.as_slice() } else { &[] };
        let series = state.series.entry(labels).or_insert_with(|| Series {
            value: 0.0,
            count: 0,
            buckets: vec![0; bounds.len()],
            changed: now,
        });
        series.changed = now;
        match change {
            // A counter never goes down; the original ends here.
            Change::Add(number) if metric.kind == Kind::Counter && (number < 0.0 || number.is_nan()) => {}
            Change::Add(number) => series.value += number,
            Change::Set(number) => series.value = number,
            Change::Observe(number) => {
                series.value += number;
                series.count += 1;
                let at = bounds.partition_point(|bound| *bound < number);
                if let Some(bucket) = series.buckets.get_mut(at) {
                    *bucket += 1;
                }
            }
        }
    }
}

impl Metric {
    fn write(&self, out: &mut String, openmetrics: bool, now: Instant) {
        let mut state = self.state.lock();
        let idle = |series: &Series| now.saturating_duration_since(series.changed) > self.max_idle;
        state.series.retain(|_, series| !idle(series));
        if state.series.len() < MAX_SERIES {
            state.is_full = false;
        }
        if state.series.is_empty() {
            return;
        }
        // OpenMetrics has no counters without `_total`, but names are the user's.
        let kind = match (&self.kind, openmetrics) {
            (Kind::Counter, true) if !self.name.ends_with("_total") => "unknown",
            (Kind::Counter, _) => "counter",
            (Kind::Gauge, _) => "gauge",
            (Kind::Histogram(_), _) => "histogram",
        };
        let family = match (openmetrics, kind) {
            (true, "counter") => self.name.strip_suffix("_total").unwrap_or(&self.name),
            _ => &self.name,
        };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "# HELP {family} {}", self.help.replace('\\', "\\\\").replace('\n', "\\n"));
        let _ = writeln!(out, "# TYPE {family} {kind}");
        let mut series: Vec<_> = state.series.iter().collect();
        series.sort_unstable_by(|a, b| a.0.cmp(b.0));
        for (labels, series) in series {
            let Kind::Histogram(bounds) = &self.kind else {
                write_sample(out, &self.name, labels, None, series.value);
                continue;
            };
            let name = &self.name;
            let mut below = 0;
            for (bound, count) in bounds.iter().zip(&series.buckets) {
                below += count;
                write_sample(out, &format!("{name}_bucket"), labels, Some(*bound), below as f64);
            }
            write_sample(out, &format!("{name}_bucket"), labels, Some(f64::INFINITY), series.count as f64);
            write_sample(out, &format!("{name}_sum"), labels, None, series.value);
            write_sample(out, &format!("{name}_count"), labels, None, series.count as f64);
        }
    }
}

fn write_sample(out: &mut String, name: &str, labels: &LabelSet, bound: Option<f64>, value: f64) {
    out.push_str(name);
    let bound = bound.map(model::format_value_json);
    let labels =
        labels.iter().map(|(name, value)| (&**name, &**value)).chain(bound.as_deref().map(|le| ("le", le)));
    let mut separator = '{';
    for (name, value) in labels {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(out, "{separator}{name}=\"{value}\"");
        separator = ',';
    }
    if separator == ',' {
        out.push('}');
    }
    let _ = writeln!(out, " {}", model::format_value_json(value));
}
