//! Answers queries from a [`LogSource`].
//!
//! Log queries keep the best `limit` entries in a heap and read the range in slices from the wanted end, so that the usual query stops
//! early. Metric queries are series-major: each range aggregation turns entries into one row of steps per series, rows stream into the
//! aggregation around it, and only operators with two sides hold whole tables. Counting needs one number a step and series, whatever the
//! length of the window, and accepts entries in any order.
//!
//! Everything is synchronous: run it on a thread that may block. [`Cancel`] is looked at between batches and every few thousand rows.

mod binary;
mod cancel;
mod counts;
mod error;
mod functions;
mod label_replace;
mod label_sets;
mod log_query;
mod metric;
mod params;
mod processor;
mod range;
mod result;
mod samples;
mod series_keys;
mod steps;
mod vector_aggregation;

#[cfg(test)]
mod conformance_tests;
#[cfg(test)]
mod memory_source;
#[cfg(test)]
mod tests;

use std::time::Instant;

use model::{Labels, Nanos};
use streams::LogSource;
use template::Functions;

pub use cancel::Cancel;
pub use error::{EngineError, EngineErrorKind};
pub use params::{EngineOptions, QueryParams};
pub use processor::{Processed, Processor};
pub use result::{
    CategorizedEntry, CategorizedStream, EntryLabelSet, LogEntry, PlainStream, Point, QueryData, QueryResult,
    Sample, Series, Stats, Streams,
};

use crate::syntax::{self, Expr, MetricExpr, VectorOp};
use metric::Evaluator;
use steps::Steps;

/// Answers queries; holds nothing but its limits, so that one serves any number of sources and threads.
#[derive(Debug, Clone)]
pub struct Engine {
    options: EngineOptions,
    /// What templates may call.
    functions: Functions,
}

impl Engine {
    /// An engine with these limits.
    pub fn new(options: EngineOptions) -> Self {
        let functions = template::functions::loki::functions(&options.clock);
        Self { options, functions }
    }

    /// Answers a query over a range: lines, or values at `start`, `start + step`, … up to and with `end`.
    ///
    /// Lines are those with `start <= timestamp < end`, at most `limit`, merged over streams in time order.
    pub fn query_range(
        &self,
        source: &dyn LogSource,
        query: &str,
        params: &QueryParams,
        cancel: &Cancel,
    ) -> Result<QueryResult, EngineError> {
        let expr = syntax::parse(query)?;
        self.range(source, &expr, params, cancel)
    }

    /// As [`Engine::query_range`] for a query that has been read already.
    pub fn range(
        &self,
        source: &dyn LogSource,
        expr: &Expr,
        params: &QueryParams,
        cancel: &Cancel,
    ) -> Result<QueryResult, EngineError> {
        let started = Instant::now();
        let mut stats = Stats::default();
        let data = match expr {
            Expr::Log(log) => {
                let streams = log_query::run(self, source, log, params, cancel, &mut stats)?;
                stats.entries_returned = streams.entries.len() as u64;
                QueryData::Streams(streams)
            }
            Expr::Metric(_) | Expr::Variants(_) => {
                let mut steps = Steps::range(params.start, params.end, params.step)?;
                if self.options.align_steps {
                    steps = steps.aligned(params.end);
                }
                let rows = self.series(source, expr, steps, cancel, &mut stats)?;
                QueryData::Matrix(
                    rows.into_iter().map(|(labels, row)| Series::new(labels, &row, steps)).collect(),
                )
            }
        };
        stats.elapsed = started.elapsed();
        Ok(QueryResult { data, stats, warnings: Vec::new() })
    }

    /// Answers a query for one moment. Log queries are refused.
    pub fn query_instant(
        &self,
        source: &dyn LogSource,
        query: &str,
        time: Nanos,
        cancel: &Cancel,
    ) -> Result<QueryResult, EngineError> {
        let expr = syntax::parse(query)?;
        self.instant(source, &expr, time, cancel)
    }

    /// As [`Engine::query_instant`] for a query that has been read already.
    pub fn instant(
        &self,
        source: &dyn LogSource,
        expr: &Expr,
        time: Nanos,
        cancel: &Cancel,
    ) -> Result<QueryResult, EngineError> {
        let started = Instant::now();
        let mut stats = Stats::default();
        let timestamp = time.div_euclid(1_000_000);
        let data = match expr {
            Expr::Log(_) => return Err(EngineError::instant_log_query()),
            Expr::Metric(MetricExpr::Literal(literal)) => {
                QueryData::Scalar(Point { timestamp, value: literal.value })
            }
            Expr::Metric(_) | Expr::Variants(_) => {
                let mut rows = self.series(source, expr, Steps::instant(time), cancel, &mut stats)?;
                if !is_sorted(expr) {
                    rows.sort_by(|(left, _), (right, _)| left.cmp(right));
                }
                let sample = |(labels, row): (Labels, vector::Row)| {
                    row.get(0).map(|value| Sample { labels, timestamp, value })
                };
                QueryData::Vector(rows.into_iter().filter_map(sample).collect())
            }
        };
        stats.elapsed = started.elapsed();
        Ok(QueryResult { data, stats, warnings: Vec::new() })
    }

    /// The series of a metric query, within the limit; sorted by labels for ranges.
    fn series(
        &self,
        source: &dyn LogSource,
        expr: &Expr,
        steps: Steps,
        cancel: &Cancel,
        stats: &mut Stats,
    ) -> Result<Vec<(Labels, vector::Row)>, EngineError> {
        let mut evaluator =
            Evaluator { options: &self.options, functions: &self.functions, source, steps, cancel, stats };
        let mut rows = Vec::new();
        let mut keep = |labels: Labels, row: vector::Row| {
            if !row.is_empty() {
                rows.push((labels, row));
                self.options.check_series(rows.len())?;
                self.options.check_memory(rows.len() * (steps.count() * size_of::<f64>() + 256))?;
            }
            Ok(())
        };
        match expr {
            Expr::Metric(metric) => {
                evaluator.check_intervals(metric)?;
                evaluator.each(metric, &mut keep)?;
            }
            Expr::Variants(_) if !self.options.variants => return Err(EngineError::variants_disabled()),
            Expr::Variants(variants) => {
                for (number, variant) in variants.variants.iter().enumerate() {
                    let number = number.to_string();
                    evaluator.check_intervals(variant)?;
                    evaluator.each(variant, &mut |labels, row| {
                        let mut labels = labels.to_builder();
                        labels.set("__variant__", &number);
                        keep(labels.build(), row)
                    })?;
                }
            }
            Expr::Log(_) => {}
        }
        if steps.count() > 1 {
            rows.sort_by(|(left, _), (right, _)| left.cmp(right));
        }
        Ok(rows)
    }
}

/// Whether an instant query's result has an order of its own.
fn is_sorted(expr: &Expr) -> bool {
    match expr {
        Expr::Metric(MetricExpr::Vector(node)) => {
            matches!(
                node.op,
                VectorOp::Sort
                    | VectorOp::SortDesc
                    | VectorOp::TopK
                    | VectorOp::BottomK
                    | VectorOp::ApproxTopK
            )
        }
        _ => false,
    }
}
