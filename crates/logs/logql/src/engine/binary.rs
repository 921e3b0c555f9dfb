//! Operators between two sides.

use model::Labels;
use vector::{Cardinality, MatchError, Row, SameLabelset, SeriesTable, SetOp, join, set_operation};

use super::metric::{Evaluator, Sink};
use super::{EngineError, EngineErrorKind};
use crate::syntax::{BinaryExpr, BinaryOp, MatchingCard, MetricExpr, apply};

type Rows = Vec<(Labels, Row)>;

/// Gives each series of the operation to `sink`.
pub(super) fn each(
    evaluator: &mut Evaluator<'_>,
    node: &BinaryExpr,
    sink: Sink<'_>,
) -> Result<(), EngineError> {
    match (&node.left, &node.right) {
        (MetricExpr::Literal(left), right) => {
            let left = left.value;
            evaluator.each(right, &mut |labels, mut row| {
                row.filter_map(|_, right| value(node, left, right, right));
                sink(labels, row)
            })
        }
        (left, MetricExpr::Literal(right)) => {
            let right = right.value;
            evaluator.each(left, &mut |labels, mut row| {
                row.filter_map(|_, left| value(node, left, right, left));
                sink(labels, row)
            })
        }
        (left, right) => {
            let left = evaluator.collect(left)?;
            let right = evaluator.collect(right)?;
            evaluator.cancel.check()?;
            match node.op {
                BinaryOp::And => set(node, SetOp::And, left, right, sink),
                BinaryOp::Or => set(node, SetOp::Or, left, right, sink),
                BinaryOp::Unless => set(node, SetOp::Unless, left, right, sink),
                _ => pairs(evaluator, node, &left, &right, sink),
            }
        }
    }
}

/// The result between two values; a comparison that filters gives the `kept` one or nothing.
fn value(node: &BinaryExpr, left: f64, right: f64, kept: f64) -> Option<f64> {
    let result = apply(node.op, left, right);
    if node.op.is_comparison() && !node.return_bool {
        return (result != 0.0).then_some(kept);
    }
    Some(result)
}

fn matching(node: &BinaryExpr) -> vector::Matching {
    vector::Matching {
        on: node.matching.on,
        labels: node.matching.labels.clone().unwrap_or_default(),
        cardinality: match node.matching.card {
            MatchingCard::OneToOne => Cardinality::OneToOne,
            MatchingCard::ManyToOne => Cardinality::ManyToOne,
            MatchingCard::OneToMany => Cardinality::OneToMany,
        },
        include: node.matching.include.clone().unwrap_or_default(),
        ..vector::Matching::default()
    }
}

fn pairs(
    evaluator: &Evaluator<'_>,
    node: &BinaryExpr,
    left: &Rows,
    right: &Rows,
    sink: Sink<'_>,
) -> Result<(), EngineError> {
    let steps = evaluator.steps.count();
    let joined = join(&matching(node), sides(left), sides(right), steps).map_err(match_error)?;
    let mut outputs: Vec<Row> = joined.outputs.iter().map(|_| Row::empty(steps)).collect();
    for pair in &joined.pairs {
        // Sides without a partner come only with fill values, which this language does not have.
        let (Some(left_at), Some(right_at)) = (pair.left, pair.right) else {
            continue;
        };
        let (left, right) = (&left[left_at].1, &right[right_at].1);
        let output = &mut outputs[pair.output];
        for step in pair.steps.iter() {
            let (Some(left), Some(right)) = (left.get(step), right.get(step)) else {
                continue;
            };
            if let Some(result) = value(node, left, right, left) {
                if output.present().get(step) {
                    return Err(same_labels(SameLabelset));
                }
                output.set(step, result);
            }
        }
    }
    joined.outputs.into_iter().zip(outputs).try_for_each(|(labels, row)| sink(labels, row))
}

fn set(node: &BinaryExpr, op: SetOp, left: Rows, right: Rows, sink: Sink<'_>) -> Result<(), EngineError> {
    let (stay_left, stay_right) = set_operation(op, matching(node).key(), sides(&left), sides(&right));
    let mut table = SeriesTable::new();
    let kept = left.into_iter().zip(stay_left).chain(right.into_iter().zip(stay_right));
    for ((labels, mut row), stay) in kept {
        row.retain(&stay);
        if !row.is_empty() {
            table.add(&labels, &row).map_err(same_labels)?;
        }
    }
    table.into_series().into_iter().try_for_each(|(labels, row)| sink(labels, row))
}

fn sides(rows: &Rows) -> impl Iterator<Item = (&Labels, &vector::Bitmap)> {
    rows.iter().map(|(labels, row)| (labels, row.present()))
}

pub(super) fn same_labels(error: SameLabelset) -> EngineError {
    EngineError::new(EngineErrorKind::BadRequest, error.to_string())
}

/// Loki's text names no series.
fn match_error(error: MatchError) -> EngineError {
    let message = match error {
        MatchError::DuplicateOnOneSide { side, .. } => {
            let side = match side {
                vector::Side::Left => "left",
                vector::Side::Right => "right",
            };
            format!(
                "found duplicate series on the {side} hand-side;many-to-many matching not allowed: matching labels must be unique on one side"
            )
        }
        error @ (MatchError::ImplicitManyToOne | MatchError::GroupNotUnique) => error.to_string(),
    };
    EngineError::new(EngineErrorKind::BadRequest, message)
}
