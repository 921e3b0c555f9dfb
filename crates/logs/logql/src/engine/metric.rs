//! Walks the tree of a metric query.

use model::Labels;
use streams::LogSource;
use template::Functions;
use vector::Row;

use super::steps::Steps;
use super::{
    Cancel, EngineError, EngineErrorKind, EngineOptions, Stats, binary, label_replace, range,
    vector_aggregation,
};
use crate::syntax::MetricExpr;

/// Takes series one by one.
pub(super) type Sink<'s> = &'s mut dyn FnMut(Labels, Row) -> Result<(), EngineError>;

/// What evaluation needs everywhere.
pub(super) struct Evaluator<'a> {
    pub options: &'a EngineOptions,
    pub functions: &'a Functions,
    pub source: &'a dyn LogSource,
    pub steps: Steps,
    pub cancel: &'a Cancel,
    pub stats: &'a mut Stats,
}

impl Evaluator<'_> {
    /// Gives each series of the expression to `sink`. Some rows may be empty.
    pub fn each(&mut self, expr: &MetricExpr, sink: Sink<'_>) -> Result<(), EngineError> {
        match expr {
            MetricExpr::Range(node) => range::each(self, node, None, sink),
            MetricExpr::Vector(node) => vector_aggregation::each(self, node, sink),
            MetricExpr::Binary(node) => binary::each(self, node, sink),
            MetricExpr::LabelReplace(node) => label_replace::each(self, node, sink),
            MetricExpr::Literal(node) => sink(Labels::empty(), Row::constant(node.value, self.steps.count())),
            MetricExpr::VectorLiteral(node) => {
                sink(Labels::empty(), Row::constant(node.value, self.steps.count()))
            }
            MetricExpr::Lines(_) => {
                Err(EngineError::new(EngineErrorKind::Parse, "lines where series are due"))
            }
        }
    }

    /// All series of the expression at once, for operators that cannot do with one at a time.
    pub fn collect(&mut self, expr: &MetricExpr) -> Result<Vec<(Labels, Row)>, EngineError> {
        let mut rows = Vec::new();
        let (options, row_bytes) = (self.options, self.steps.count() * size_of::<f64>() + 256);
        self.each(expr, &mut |labels, row| {
            if !row.is_empty() {
                rows.push((labels, row));
                options.check_memory(rows.len() * row_bytes)?;
            }
            Ok(())
        })?;
        Ok(rows)
    }

    /// Fails when a window is longer than allowed.
    pub fn check_intervals(&self, expr: &MetricExpr) -> Result<(), EngineError> {
        let mut result = Ok(());
        expr.each_range(&mut |node| {
            if result.is_ok() {
                result = self.options.check_range(node.range.interval);
            }
        });
        result
    }
}
