//! Running scripts.

use model::Millis;
use prometheus_client::registry::Registry;

use super::{
    Command, CommandKind, Eval, Expectation, Expected, Script, Times,
    compare::{compare_notes, compare_value, matches},
    load::load_into,
    pin::pinned,
};
use crate::{
    Engine, EngineError, EngineOptions, QueryOptions, QueryResult, SampleValue, Value, memory::MemoryStorage,
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
    EngineOptions {
        delayed_name_removal: true,
        use_start_timestamps: true,
        syntax: ParserOptions::all(),
        ..EngineOptions::default()
    }
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
            CommandKind::Load(load) => load_into(&mut self.storage, load),
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
        let checked = checked.and_then(|()| self.check_as_range(eval)).and_then(|()| self.check_pinned(eval));
        match checked {
            Ok(()) => Outcome::Passed,
            Err(text) => Outcome::Failed(text),
        }
    }

    /// An instant query has to give the same as that step of a range.
    fn check_as_range(&self, eval: &Eval) -> Result<(), String> {
        let (Times::Instant(at), Expected::Series(_) | Expected::Scalar(_)) = (eval.times, &eval.expected)
        else {
            return Ok(());
        };
        let depends_on_range =
            ["start()", "end()", "step()", "range()"].iter().any(|word| eval.query.contains(word));
        if eval.fails() || depends_on_range {
            return Ok(());
        }
        let times = (at - AROUND, at + AROUND, AROUND);
        let options = QueryOptions::default();
        let result = self
            .engine
            .range(&self.storage, &eval.query, times, &options)
            .map_err(|error| format!("as part of a range: {error}"))?;
        let samples = at_moment(&result.value, at);
        let value = match (&eval.expected, &samples[..]) {
            (Expected::Scalar(_), [crate::Sample { timestamp, value: SampleValue::Float(value), .. }]) => {
                Value::Scalar { timestamp: *timestamp, value: *value }
            }
            _ => Value::Vector(samples),
        };
        compare_value(&value, &eval.expected, eval.times, false)
            .map_err(|error| format!("as part of a range: {error}"))
    }

    /// With the moment written on every selector an instant query gives the same whenever it is evaluated.
    fn check_pinned(&self, eval: &Eval) -> Result<(), String> {
        let Times::Instant(at) = eval.times else { return Ok(()) };
        let Some(query) = self.engine.parse(&eval.query).ok().and_then(|expr| pinned(expr, at)) else {
            return Ok(());
        };
        if eval.fails() {
            return Ok(());
        }
        let others = match at {
            0 => vec![-1000, 0, 1000],
            at => vec![-10 * at, 0, at / 5, at, 10 * at],
        };
        let ordered = eval.expectations.contains(&Expectation::Ordered);
        for other in others {
            self.engine
                .instant(&self.storage, &query, other, &QueryOptions::default())
                .map_err(|error| error.to_string())
                .and_then(|result| compare_value(&result.value, &eval.expected, eval.times, ordered))
                .map_err(|error| format!("as `{query}` at {other} ms: {error}"))?;
        }
        Ok(())
    }
}

impl Eval {
    /// Whether the query has to fail.
    fn fails(&self) -> bool {
        self.expectations.iter().any(|expectation| matches!(expectation, Expectation::Fail(_)))
    }
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
    if eval.fails() {
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
