//! Aggregations over the series of each step.

use model::Labels;
use vector::{Groups, Rank, Ranker, Reduce, Reducer, Row};

use super::EngineError;
use super::metric::{Evaluator, Sink};
use super::range;
use crate::syntax::{Grouping, MetricExpr, VectorAggregation, VectorOp};

/// Gives each series of the aggregation to `sink`.
pub(super) fn each(
    evaluator: &mut Evaluator<'_>,
    node: &VectorAggregation,
    sink: Sink<'_>,
) -> Result<(), EngineError> {
    match node.op {
        VectorOp::Sum => reduce(evaluator, node, Reduce::Sum, sink),
        VectorOp::Avg => reduce(evaluator, node, Reduce::Avg, sink),
        VectorOp::Count => reduce(evaluator, node, Reduce::Count, sink),
        VectorOp::Max => reduce(evaluator, node, Reduce::Max, sink),
        VectorOp::Min => reduce(evaluator, node, Reduce::Min, sink),
        VectorOp::Stddev => reduce(evaluator, node, Reduce::Stddev, sink),
        VectorOp::Stdvar => reduce(evaluator, node, Reduce::Stdvar, sink),
        // An exact answer is an approximate one too.
        VectorOp::TopK | VectorOp::ApproxTopK => rank(evaluator, node, Rank::Largest, sink),
        VectorOp::BottomK => rank(evaluator, node, Rank::Smallest, sink),
        VectorOp::Sort | VectorOp::SortDesc => sort(evaluator, node, sink),
    }
}

fn grouping(node: &VectorAggregation) -> vector::Grouping {
    match &node.grouping {
        None => vector::Grouping::all(),
        Some(grouping) if grouping.without => vector::Grouping::Without(grouping.labels.clone()),
        Some(grouping) => vector::Grouping::By(grouping.labels.clone()),
    }
}

fn reduce(
    evaluator: &mut Evaluator<'_>,
    node: &VectorAggregation,
    reduce: Reduce,
    sink: Sink<'_>,
) -> Result<(), EngineError> {
    let mut groups = Groups::new(grouping(node));
    let mut reducer = Reducer::new(reduce, evaluator.steps.count());
    let options = evaluator.options;
    let add: Sink<'_> = &mut |labels: Labels, row: Row| {
        if !row.is_empty() {
            reducer.add(groups.assign(&labels), &row);
            options.check_memory(reducer.samples() * 2 * size_of::<f64>())?;
        }
        Ok(())
    };
    let one_group = Grouping { labels: Vec::new(), without: false };
    match &node.expr {
        MetricExpr::Range(inner) if node.op == VectorOp::Sum && range::allows_outer_grouping(inner) => {
            range::each(evaluator, inner, Some(node.grouping.as_ref().unwrap_or(&one_group)), add)?;
        }
        inner => evaluator.each(inner, add)?,
    }
    for (labels, row) in groups.into_labels().into_iter().zip(reducer.finish()) {
        sink(labels, row)?;
    }
    Ok(())
}

fn rank(
    evaluator: &mut Evaluator<'_>,
    node: &VectorAggregation,
    rank: Rank,
    sink: Sink<'_>,
) -> Result<(), EngineError> {
    let limit = node.parameter.as_ref().map_or(0.0, |parameter| parameter.value);
    // Checked when the query was read: a whole number above 0.
    let limit = limit as usize;
    let mut groups = Groups::new(grouping(node));
    let mut ranker = Ranker::new(rank, vec![limit; evaluator.steps.count()]);
    let mut series: Vec<Labels> = Vec::new();
    let options = evaluator.options;
    evaluator.each(&node.expr, &mut |labels, row| {
        if !row.is_empty() {
            ranker.add(groups.assign(&labels), series.len(), &row);
            series.push(labels);
            options.check_memory(ranker.samples() * 32 + series.len() * 128)?;
        }
        Ok(())
    })?;
    for (at, row) in ranker.finish() {
        sink(series[at].clone(), row)?;
    }
    Ok(())
}

/// Sorting means something at one moment only.
fn sort(evaluator: &mut Evaluator<'_>, node: &VectorAggregation, sink: Sink<'_>) -> Result<(), EngineError> {
    if evaluator.steps.count() > 1 {
        return evaluator.each(&node.expr, sink);
    }
    let mut rows = evaluator.collect(&node.expr)?;
    let value = |row: &Row| row.get(0).unwrap_or(f64::NAN);
    rows.sort_by(|(_, left), (_, right)| {
        let (left, right) = (value(left), value(right));
        let order = match node.op {
            VectorOp::SortDesc => right.total_cmp(&left),
            _ => left.total_cmp(&right),
        };
        left.is_nan().cmp(&right.is_nan()).then(order)
    });
    rows.into_iter().try_for_each(|(labels, row)| sink(labels, row))
}
