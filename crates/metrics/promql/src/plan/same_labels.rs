//! Which expressions may have several series with the same labels, at different steps.

use vector::SetOp;

use super::{RangeKind, Vector, VectorKind};

impl Vector {
    /// Whether two series may have the same labels, once names are gone: series of several metrics, or with labels of their own making.
    pub(crate) fn may_repeat_labels(&self) -> bool {
        match &self.kind {
            VectorKind::Selector(selector) => !selector.has_one_name(),
            VectorKind::Range(call) => match &call.source.kind {
                RangeKind::Selector(selector) => !selector.has_one_name(),
                RangeKind::Subquery { expr, .. } => expr.may_repeat_labels(),
            },
            VectorKind::Relabel { .. } | VectorKind::Info(_) => true,
            VectorKind::Set { op, left, .. } => *op == SetOp::Or || left.may_repeat_labels(),
            VectorKind::Aggregate(aggregate) => {
                aggregate.op.shows_input_labels() && aggregate.input.may_repeat_labels()
            }
            VectorKind::Binary(_) | VectorKind::Absent { .. } | VectorKind::OfScalar(_) => false,
            VectorKind::ScalarBinary(binary) => binary.vector.may_repeat_labels(),
            VectorKind::Quantiles(quantiles) => quantiles.input.may_repeat_labels(),
            VectorKind::Math { input, .. }
            | VectorKind::Timestamp(input)
            | VectorKind::StartTimestamp(input)
            | VectorKind::Negate(input)
            | VectorKind::Fraction { input, .. }
            | VectorKind::HistogramStat(_, input)
            | VectorKind::Sort { input, .. }
            | VectorKind::Invariant(input)
            | VectorKind::Repeated { input, .. } => input.may_repeat_labels(),
        }
    }
}
