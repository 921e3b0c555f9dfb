//! PromQL over the time series database, for the rules engine.

use std::{path::Path, sync::Arc, time::Instant};

use model::{Columns, Labels, Matcher, Millis};
use promql::{Engine, QueryOptions, SampleValue, Value};
use rules::{EvalError, Evaluator, ResultSample, StoreError};
use storage::{AppendError, Appendable, Queryable, SelectHints, SeriesRef};
use tracing::debug;
use tsdb::Db;

use crate::{
    api::Spent,
    queries::Queries,
    query_log::{QueryLog, QueryOrigin, QueryRecord},
};

/// Evaluates with the engine that serves the API too, and writes results back.
pub(crate) struct RuleEvaluator {
    engine: Arc<Engine>,
    db: Arc<Db>,
    queries: Arc<Queries>,
    query_log: Arc<QueryLog>,
    origin: QueryOrigin,
}

impl RuleEvaluator {
    pub fn new(engine: Arc<Engine>, db: Arc<Db>, queries: Arc<Queries>, query_log: Arc<QueryLog>) -> Self {
        let origin = QueryOrigin::RuleGroup { file: String::new(), name: String::new() };
        Self { engine, db, queries, query_log, origin }
    }
}

impl Evaluator for RuleEvaluator {
    fn for_group(self: Arc<Self>, file: &Path, name: &str) -> Arc<dyn Evaluator> {
        let Self { engine, db, queries, query_log, origin: _ } = self.as_ref();
        Arc::new(Self {
            engine: engine.clone(),
            db: db.clone(),
            queries: queries.clone(),
            query_log: query_log.clone(),
            origin: QueryOrigin::RuleGroup { file: file.display().to_string(), name: name.to_owned() },
        })
    }

    fn check(&self, expression: &str) -> Result<(), String> {
        check_expression(&self.engine, expression)
    }

    fn evaluate(&self, expression: &str, at: Millis) -> Result<Vec<ResultSample>, EvalError> {
        let begun = Instant::now();
        let options = QueryOptions::default();
        let running = self.queries.run(expression, &options.cancel);
        let outcome = self.engine.instant(self.db.as_ref(), expression, at, &options);
        drop(running);
        let engine = outcome.as_ref().map(|result| result.stats).unwrap_or_default();
        self.query_log.record(&QueryRecord {
            query: expression,
            start: at,
            end: at,
            step: 0,
            error: outcome.as_ref().err().map(|error| service::report(error)),
            spent: Spent { executing: begun.elapsed(), engine, ..Spent::default() },
            origin: &self.origin,
        });
        match outcome.map_err(|error| EvalError(service::report(&error)))?.value {
            Value::Vector(samples) => samples
                .into_iter()
                .map(|sample| match sample.value {
                    SampleValue::Float(value) => Ok(ResultSample { labels: sample.labels, value }),
                    SampleValue::Histogram(_) => {
                        Err(EvalError("not supported yet: native histograms in rules".into()))
                    }
                })
                .collect(),
            Value::Scalar { value, .. } => Ok(vec![ResultSample { labels: Labels::empty(), value }]),
            _ => Err(EvalError("rule result is not a vector or scalar".into())),
        }
    }

    fn newest(
        &self,
        matchers: &[Matcher],
        from: Millis,
        to: Millis,
    ) -> Result<Vec<(Labels, Millis, f64)>, EvalError> {
        let error = |error: storage::QueryError| EvalError(service::report(&error));
        let querier = self.db.querier(from, to).map_err(error)?;
        let hints = SelectHints { start: from, end: to, ..SelectHints::default() };
        let mut set = querier.select(&hints, matchers).map_err(error)?;
        let mut newest = Vec::new();
        let mut columns = Columns::default();
        while let Some(series) = set.next() {
            let mut series = series.map_err(error)?;
            columns.clear();
            series.samples.read(from, to, &mut columns).map_err(error)?;
            if let (Some(at), Some(value)) = (columns.timestamps.last(), columns.values.last()) {
                newest.push((series.labels, *at, *value));
            }
        }
        Ok(newest)
    }

    fn store(&self, at: Millis, samples: &[ResultSample]) -> Result<(), StoreError> {
        let error = |error: &dyn std::error::Error| StoreError(error.to_string());
        let mut appender = self.db.appender();
        for sample in samples {
            match appender.append(SeriesRef::UNKNOWN, &sample.labels, at, sample.value) {
                Ok(_) => {}
                // As in the original: a sample that comes twice or late, after a restart or a changed clock, is no failure of the rule.
                Err(
                    late @ (AppendError::OutOfOrder
                    | AppendError::TooOld
                    | AppendError::OutOfBounds
                    | AppendError::Duplicate { .. }
                    | AppendError::DuplicateOfHistogram { .. }),
                ) => {
                    debug!(error = %late, series = %sample.labels, "rule result not stored");
                }
                Err(other) => return Err(error(&other)),
            }
        }
        appender.commit().map_err(|failure| error(&failure))
    }
}

/// Whether an expression parses, before there is a database to evaluate it on.
pub(crate) fn check_expression(engine: &Engine, expression: &str) -> Result<(), String> {
    match engine.parse(expression) {
        Ok(_) => Ok(()),
        Err(promql::EngineError::Parse(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// Checks rule files before the database is open.
pub(crate) struct SyntaxOnly(pub Arc<Engine>);

impl Evaluator for SyntaxOnly {
    fn for_group(self: Arc<Self>, _: &Path, _: &str) -> Arc<dyn Evaluator> {
        self
    }

    fn check(&self, expression: &str) -> Result<(), String> {
        check_expression(&self.0, expression)
    }

    fn evaluate(&self, _: &str, _: Millis) -> Result<Vec<ResultSample>, EvalError> {
        Err(EvalError("the database is not open".into()))
    }

    fn newest(&self, _: &[Matcher], _: Millis, _: Millis) -> Result<Vec<(Labels, Millis, f64)>, EvalError> {
        Err(EvalError("the database is not open".into()))
    }

    fn store(&self, _: Millis, _: &[ResultSample]) -> Result<(), StoreError> {
        Err(StoreError("the database is not open".into()))
    }
}
