//! Running scripts.

use model::{CounterResetHint, FloatHistogram, Labels, Millis};
use prometheus_client::registry::Registry;

use super::{
    Command, CommandKind, Eval, Expectation, Expected, Load, Point, Script, Times,
    compare::{compare_notes, compare_value, matches},
};
use crate::{
    Engine, EngineError, EngineOptions, QueryOptions, QueryResult, SampleValue, Value,
    histogram::{Native, is_reset},
    memory::MemoryStorage,
    syntax::ParserOptions,
};

/// How far before and after an instant case the range lies that has to agree with it.
const AROUND: Millis = 60_000;

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As expected.
    Passed,
    /// Not as expected; the text says what differs.
    Failed(String),
    /// The engine does not have this part of the language yet.
    NotSupported(String),
}

/// One case of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseReport {
    /// Where its `eval` stands, from one.
    pub line: usize,
    /// Its query.
    pub query: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// The settings that Prometheus' own scripts are written for: everything switched on, names dropped at the end.
pub fn default_options() -> EngineOptions {
    EngineOptions { delayed_name_removal: true, syntax: ParserOptions::all(), ..EngineOptions::default() }
}

/// Runs a script from an empty storage with [`default_options`].
pub fn run(script: &Script) -> Vec<CaseReport> {
    let mut runner = Runner::new(default_options());
    script.commands.iter().filter_map(|command| runner.run(command)).collect()
}

/// An engine and the series loaded so far.
#[derive(Debug)]
pub struct Runner {
    engine: Engine,
    storage: MemoryStorage,
}

impl Runner {
    /// A runner without series.
    pub fn new(options: EngineOptions) -> Self {
        Self { engine: Engine::new(options, &mut Registry::default()), storage: MemoryStorage::new() }
    }

    /// Does what a block says. Only cases have a report.
    pub fn run(&mut self, command: &Command) -> Option<CaseReport> {
        match &command.kind {
            CommandKind::Clear => self.storage.clear(),
            CommandKind::Load(load) => self.load(load),
            CommandKind::Eval(eval) => {
                return Some(CaseReport {
                    line: command.line,
                    query: eval.query.clone(),
                    outcome: self.evaluate(eval),
                });
            }
        }
        None
    }

    fn load(&mut self, load: &Load) {
        for (labels, points) in &load.series {
            let mut previous = None;
            for (at, point) in points.iter().enumerate() {
                let time = load.step * at as Millis;
                match point {
                    Point::Gap => {}
                    Point::Float(value) => self.storage.push(labels, time, *value),
                    Point::Histogram(point) => {
                        let histogram = with_stored_hint(&point.histogram, previous);
                        self.storage.push_histogram(labels, time, histogram);
                        previous = Some(&point.histogram);
                    }
                }
            }
        }
        if load.with_nhcb {
            self.load_custom_buckets(load);
        }
    }

    fn evaluate(&self, eval: &Eval) -> Outcome {
        let options = QueryOptions::default();
        let result = match eval.times {
            Times::Instant(at) => self.engine.instant(&self.storage, &eval.query, at, &options),
            Times::Range(from, to, step) => {
                self.engine.range(&self.storage, &eval.query, (from, to, step), &options)
            }
        };
        let checked = match result {
            Err(EngineError::NotSupported(what)) => return Outcome::NotSupported(what),
            Err(error) => check_failure(&error, &eval.expectations),
            Ok(result) => check_result(&result, eval),
        };
        match checked.and_then(|()| self.check_as_range(eval)) {
            Ok(()) => Outcome::Passed,
            Err(text) => Outcome::Failed(text),
        }
    }

    /// An instant query has to give the same as that step of a range.
    fn check_as_range(&self, eval: &Eval) -> Result<(), String> {
        let (Times::Instant(at), Expected::Series(want)) = (eval.times, &eval.expected) else {
            return Ok(());
        };
        let fails = eval.expectations.iter().any(|expectation| matches!(expectation, Expectation::Fail(_)));
        let depends_on_range =
            ["start()", "end()", "step()", "range()"].iter().any(|word| eval.query.contains(word));
        if fails || depends_on_range {
            return Ok(());
        }
        let times = (at - AROUND, at + AROUND, AROUND);
        let options = QueryOptions::default();
        let result = self
            .engine
            .range(&self.storage, &eval.query, times, &options)
            .map_err(|error| format!("as part of a range: {error}"))?;
        let samples = at_moment(&result.value, at);
        compare_value(&Value::Vector(samples), &Expected::Series(want.clone()), eval.times, false)
            .map_err(|error| format!("as part of a range: {error}"))
    }

    /// Classic histograms as native ones with custom buckets, under the name without `_bucket`.
    fn load_custom_buckets(&mut self, load: &Load) {
        for (labels, histograms) in custom_buckets(load) {
            for (at, histogram) in histograms {
                self.storage.push_histogram(&labels, load.step * at as Millis, histogram);
            }
        }
    }
}

/// The histogram as a time series database gives it back: with what it found out about resets.
fn with_stored_hint(histogram: &FloatHistogram, previous: Option<&FloatHistogram>) -> FloatHistogram {
    let mut stored = histogram.clone();
    if stored.counter_reset_hint == CounterResetHint::Unknown
        && let Some(previous) = previous
    {
        let reset = is_reset(&Native::from(histogram), &Native::from(previous));
        stored.counter_reset_hint = if reset { CounterResetHint::Reset } else { CounterResetHint::NotReset };
    }
    stored
}

fn check_failure(error: &EngineError, expectations: &[Expectation]) -> Result<(), String> {
    let text = error.to_string();
    let expected = expectations.iter().find_map(|expectation| match expectation {
        Expectation::Fail(wanted) => Some(wanted),
        _ => None,
    });
    match expected {
        None => Err(format!("failed: {text}")),
        Some(wanted) if matches(wanted, &text) => Ok(()),
        Some(wanted) => Err(format!("failed with {text:?}, want {wanted:?}")),
    }
}

fn check_result(result: &QueryResult, eval: &Eval) -> Result<(), String> {
    if eval.expectations.iter().any(|expectation| matches!(expectation, Expectation::Fail(_))) {
        return Err("did not fail".to_owned());
    }
    let ordered = eval.expectations.contains(&Expectation::Ordered);
    compare_value(&result.value, &eval.expected, eval.times, ordered)?;
    compare_notes(result, &eval.expectations)
}

/// The samples that a range has at one moment.
fn at_moment(value: &Value, at: Millis) -> Vec<crate::Sample> {
    let Value::Matrix(series) = value else {
        return Vec::new();
    };
    series
        .iter()
        .filter_map(|series| {
            let samples = &series.samples;
            let float = samples
                .timestamps
                .binary_search(&at)
                .ok()
                .map(|index| SampleValue::Float(samples.values[index]));
            let histogram = samples.histograms.iter().find(|point| point.timestamp == at);
            let value =
                float.or_else(|| Some(SampleValue::Histogram(histogram?.histogram.clone().into())))?;
            Some(crate::Sample { labels: series.labels.clone(), timestamp: at, value })
        })
        .collect()
}

type CustomHistograms = Vec<(Labels, Vec<(usize, FloatHistogram)>)>;

fn custom_buckets(load: &Load) -> CustomHistograms {
    let value = |points: &[Point], at: usize| match points.get(at) {
        Some(Point::Float(value)) => Some(*value),
        _ => None,
    };
    // Buckets, sum and count by the histogram's own labels.
    let mut parts: Vec<(Labels, Parts<'_>)> = Vec::new();
    for (labels, points) in &load.series {
        let name = labels.metric_name();
        let Some((base, part)) =
            ["_bucket", "_sum", "_count"].iter().find_map(|part| Some((name.strip_suffix(part)?, *part)))
        else {
            continue;
        };
        let mut builder = labels.to_builder();
        builder.set(model::METRIC_NAME, base);
        let bound = model::parse_float(labels.value(model::BUCKET));
        builder.remove(model::BUCKET);
        let key = builder.build();
        let at = parts.iter().position(|(labels, _)| *labels == key).unwrap_or_else(|| {
            parts.push((key, Parts::default()));
            parts.len() - 1
        });
        match (part, bound) {
            ("_bucket", Some(bound)) => parts[at].1.buckets.push((bound, points)),
            ("_sum", _) => parts[at].1.sum = Some(points),
            ("_count", _) => parts[at].1.count = Some(points),
            _ => {}
        }
    }
    parts
        .into_iter()
        .filter(|(_, parts)| !parts.buckets.is_empty())
        .map(|(labels, mut parts)| {
            parts.buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            let steps = parts.buckets.iter().map(|(_, points)| points.len()).max().unwrap_or(0);
            let histograms = (0..steps)
                .filter_map(|at| {
                    let counts =
                        parts.buckets.iter().map(|(bound, points)| Some((*bound, value(points, at)?)));
                    let counts: Vec<(f64, f64)> = counts.collect::<Option<_>>()?;
                    let sum = parts.sum.and_then(|points| value(points, at));
                    let count = parts.count.and_then(|points| value(points, at));
                    Some((at, custom_histogram(counts, sum, count)))
                })
                .collect();
            (labels, histograms)
        })
        .collect()
}

#[derive(Default)]
struct Parts<'a> {
    buckets: Vec<(f64, &'a [Point])>,
    sum: Option<&'a [Point]>,
    count: Option<&'a [Point]>,
}

/// Cumulative counts by bound, ascending, as a native histogram.
fn custom_histogram(mut counts: Vec<(f64, f64)>, sum: Option<f64>, count: Option<f64>) -> FloatHistogram {
    counts.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 = kept.1.max(next.1);
        }
        same
    });
    let total = counts.last().map_or(0.0, |(_, count)| *count);
    let count = count.unwrap_or(total);
    let mut buckets = Vec::new();
    let mut previous = 0.0;
    for (_, cumulative) in counts.iter().filter(|(bound, _)| bound.is_finite()) {
        buckets.push(cumulative - previous);
        previous = *cumulative;
    }
    buckets.push(count - previous);
    FloatHistogram {
        schema: model::CUSTOM_BUCKETS_SCHEMA,
        count,
        sum: sum.unwrap_or(0.0),
        positive_spans: vec![model::Span {
            offset: 0,
            length: u32::try_from(buckets.len()).unwrap_or(u32::MAX),
        }],
        positive_buckets: buckets,
        custom_values: counts.iter().map(|(bound, _)| *bound).filter(|bound| bound.is_finite()).collect(),
        ..FloatHistogram::default()
    }
}
