//! Answers queries.
//!
//! A query is parsed, planned for its time range and computed; an instant query is a range query with one step. Everything is synchronous:
//! callers use blocking threads, which others help where many series are to be read. A running query can be stopped
//! ([`CancelToken`]); it stops by itself when its time or its budget of samples is used up.

pub(crate) mod annotations;
pub(crate) mod budget;
mod error;
pub(crate) mod explain;
pub(crate) mod helpers;
mod metrics;
mod small;
pub(crate) mod tally;
mod value;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use model::{Columns, Labels, Millis};
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use storage::Queryable;
use vector::Steps;

pub use budget::CancelToken;
pub use error::{EngineError, ErrorKind};
pub use explain::ExplainedOperator;
pub use value::{QueryResult, QueryStats, RangeSeries, Sample, SampleValue, Value};

use tally::Tally;

use crate::{
    exec::{Column, Context, Executor, Series, matrix_value, vector_value},
    plan::{self, Plan, PlanContext},
    syntax::{self, Expr, ParserOptions, ValueType},
};

/// How an engine works.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// How far back an instant selector looks for a sample; 5 minutes.
    pub lookback_delta: Duration,
    /// The most samples a query may keep in memory; 50 million.
    pub max_samples: usize,
    /// About how many bytes of memory a query may keep at once, labels included; `usize::MAX` for no bound.
    pub max_bytes: usize,
    /// The longest a query may run; 2 minutes.
    pub timeout: Duration,
    /// The step of subqueries that name none: the evaluation interval, 1 minute.
    pub default_subquery_step: Duration,
    /// Whether metric names are dropped at the end instead of by each function (`promql-delayed-name-removal`).
    pub delayed_name_removal: bool,
    /// Whether `rate` and its kin look at when the counting of samples began, and `start_timestamp` tells it (`use-start-timestamps`).
    /// Matters only over a storage that keeps it.
    pub use_start_timestamps: bool,
    /// What of the language is switched on.
    pub syntax: ParserOptions,
    /// How many threads there are beside the ones that queries are called on, for all queries together: one less than there are
    /// processors. Only queries that read many series use any.
    pub helper_threads: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            lookback_delta: Duration::from_secs(5 * 60),
            max_samples: 50_000_000,
            max_bytes: usize::MAX,
            timeout: Duration::from_secs(2 * 60),
            default_subquery_step: Duration::from_secs(60),
            delayed_name_removal: false,
            use_start_timestamps: false,
            syntax: ParserOptions::default(),
            helper_threads: std::thread::available_parallelism().map_or(0, |count| count.get() - 1),
        }
    }
}

/// What one query may have otherwise than its engine.
#[derive(Debug, Clone, Default)]
pub struct QueryOptions {
    /// How far back instant selectors look.
    pub lookback_delta: Option<Duration>,
    /// The longest it may run; never longer than the engine's limit.
    pub timeout: Option<Duration>,
    /// Stops it.
    pub cancel: CancelToken,
    /// Whether its operators are to be explained, which takes some time of its own.
    pub explain: bool,
    /// Whether the samples that each step uses are told (`promql-per-step-stats`).
    pub per_step_stats: bool,
}

/// Answers queries over any storage. Shared by all threads.
#[derive(Debug)]
pub struct Engine {
    options: EngineOptions,
    metrics: metrics::EngineMetrics,
    helpers: helpers::Helpers,
}

/// When to evaluate.
#[derive(Debug, Clone, Copy)]
struct TimeRange {
    start: Millis,
    end: Millis,
    /// Zero for an instant query.
    step: Millis,
}

impl Engine {
    /// An engine whose metrics go to `registry`.
    pub fn new(options: EngineOptions, registry: &mut Registry) -> Self {
        let helpers = helpers::Helpers::new(options.helper_threads);
        Self { options, metrics: metrics::EngineMetrics::new(registry), helpers }
    }

    /// How the engine works.
    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// Reads a query as this engine would.
    pub fn parse(&self, query: &str) -> Result<Expr, EngineError> {
        syntax::parse(query, self.options.syntax).map_err(EngineError::Parse)
    }

    /// Evaluates a query at one moment.
    pub fn instant(
        &self,
        queryable: &dyn Queryable,
        query: &str,
        at: Millis,
        options: &QueryOptions,
    ) -> Result<QueryResult, EngineError> {
        let times = TimeRange { start: at, end: at, step: 0 };
        self.run(queryable, query, times, options)
    }

    /// Evaluates a query at `start`, `start + step` … up to `end`, all in milliseconds.
    pub fn range(
        &self,
        queryable: &dyn Queryable,
        query: &str,
        (start, end, step): (Millis, Millis, Millis),
        options: &QueryOptions,
    ) -> Result<QueryResult, EngineError> {
        if step <= 0 {
            return Err(EngineError::Invalid(
                "zero or negative query resolution step widths are not accepted. Try a positive integer"
                    .to_owned(),
            ));
        }
        if end < start {
            return Err(EngineError::Invalid("end timestamp must not be before start time".to_owned()));
        }
        self.run(queryable, query, TimeRange { start, end, step }, options)
    }

    fn run(
        &self,
        queryable: &dyn Queryable,
        query: &str,
        times: TimeRange,
        options: &QueryOptions,
    ) -> Result<QueryResult, EngineError> {
        self.metrics.running.inc();
        let result = self.evaluate(queryable, query, times, options);
        self.metrics.running.dec();
        if let Ok(result) = &result {
            self.metrics.samples.inc_by(result.stats.total_queryable_samples);
            self.metrics.observe("prepare_time", result.stats.preparation);
            self.metrics.observe("inner_eval", result.stats.evaluation);
            self.metrics.observe("result_sort", result.stats.sorting);
        }
        result
    }

    fn evaluate(
        &self,
        queryable: &dyn Queryable,
        query: &str,
        times: TimeRange,
        options: &QueryOptions,
    ) -> Result<QueryResult, EngineError> {
        let started = Instant::now();
        let TimeRange { start, end, step } = times;
        let expr = self.parse(query)?;
        let is_range = step > 0;
        check_type(&expr, is_range)?;
        let plan = plan::build(
            &expr,
            PlanContext {
                start,
                end,
                step,
                default_step: millis(self.options.default_subquery_step),
                delayed_name_removal: self.options.delayed_name_removal,
            },
        )?;
        let steps = if is_range { Steps::range(start, end, step) } else { Steps::instant(start) };
        if steps.count() > self.options.max_samples {
            return Err(EngineError::TooManySamples);
        }
        let lookback = millis(options.lookback_delta.unwrap_or(self.options.lookback_delta));
        let (min_time, max_time) = plan::reach(&plan, steps, lookback).unwrap_or_default();
        let querier = queryable.querier(min_time, max_time)?;
        let timeout = options.timeout.unwrap_or(self.options.timeout).min(self.options.timeout);
        let context = Context {
            querier: &*querier,
            lookback,
            delayed_name_removal: self.options.delayed_name_removal,
            use_start_timestamps: self.options.use_start_timestamps,
            helpers: &self.helpers,
            budget: budget::Budget::new(
                budget::Memory { samples: self.options.max_samples, bytes: self.options.max_bytes },
                started.checked_add(timeout),
                vec![options.cancel.clone()],
            ),
            annotations: Mutex::default(),
            repeated: Mutex::default(),
            profile: options.explain.then(explain::Profile::new),
        };
        let prepared = Instant::now();
        let tally = if options.per_step_stats { Tally::by_step(steps.count()) } else { Tally::default() };
        let computed = compute(&plan, Executor::new(&context, steps, &tally), is_range)?;
        let evaluated = Instant::now();
        let value = finish(computed, steps, is_range)?;
        let finished = Instant::now();
        let stats = QueryStats {
            total_queryable_samples: tally.total(),
            samples_read: context.budget.read(),
            peak_samples: context.budget.peak(),
            preparation: prepared - started,
            evaluation: evaluated - prepared,
            sorting: finished - evaluated,
        };
        let explained = context.profile.map(|profile| profile.finish(query, context.budget.read()));
        let notes = context.annotations.into_inner().into_notes();
        let (warnings, infos) = value::split_annotations(notes, query);
        let samples_per_step = steps.iter().zip(tally.steps()).collect();
        Ok(QueryResult { value, warnings, infos, stats, samples_per_step, explained })
    }
}

/// What a plan gives, before it is an answer.
enum Computed {
    Scalar(Column),
    String(String),
    Vector(Vec<Series>),
    Matrix(Vec<RangeSeries>),
}

fn compute(plan: &Plan, executor: Executor<'_>, is_range: bool) -> Result<Computed, EngineError> {
    Ok(match plan {
        Plan::Scalar(scalar) => Computed::Scalar(executor.scalar(scalar)?),
        Plan::String(text) => Computed::String(text.clone()),
        Plan::Vector(vector) if is_range => Computed::Matrix(executor.range_series(vector)?),
        Plan::Vector(vector) => Computed::Vector(executor.collect(vector)?),
        Plan::Matrix(source) => Computed::Matrix(executor.matrix(source)?),
    })
}

fn finish(computed: Computed, steps: Steps, is_range: bool) -> Result<Value, EngineError> {
    match computed {
        Computed::Scalar(column) if is_range => {
            let mut samples = Columns::default();
            steps.iter().enumerate().for_each(|(step, time)| samples.push(time, column.at(step)));
            matrix_value(vec![RangeSeries { labels: Labels::empty(), samples }])
        }
        Computed::Scalar(column) => Ok(Value::Scalar { timestamp: steps.start(), value: column.at(0) }),
        Computed::String(value) => Ok(Value::String { timestamp: steps.start(), value }),
        Computed::Vector(series) => vector_value(series, steps),
        Computed::Matrix(series) => matrix_value(series),
    }
}

/// Range queries give numbers over time and nothing else.
fn check_type(expr: &Expr, is_range: bool) -> Result<(), EngineError> {
    let value_type = expr.value_type();
    if is_range && !matches!(value_type, ValueType::Vector | ValueType::Scalar) {
        let got = value_type.documented();
        return Err(EngineError::Invalid(format!(
            "invalid expression type {} for range query, must be Scalar or instant Vector",
            model::quote(got)
        )));
    }
    Ok(())
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}
