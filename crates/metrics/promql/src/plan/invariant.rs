//! Marks what gives the same at each step, so that it is computed once.

use super::{
    AggregateOp, Info, RangeCall, RangeFunction, RangeKind, RangeSource, Scalar, Vector, VectorKind,
};

/// Marks the greatest parts of `vector` that do not depend on the time of evaluation.
pub(super) fn mark(vector: &mut Vector) {
    if is_worth_it(vector) && vector_is(vector) {
        let span = vector.span;
        let kind = std::mem::replace(&mut vector.kind, VectorKind::OfScalar(Scalar::Time));
        vector.kind = VectorKind::Invariant(Box::new(Vector { kind, span }));
        return;
    }
    for input in inputs_mut(vector) {
        mark(input);
    }
}

/// Constants are as quickly computed as copied.
fn is_worth_it(vector: &Vector) -> bool {
    !matches!(vector.kind, VectorKind::OfScalar(_) | VectorKind::Invariant(_))
}

fn vector_is(vector: &Vector) -> bool {
    match &vector.kind {
        VectorKind::Selector(selector) => selector.shift.at.is_some(),
        VectorKind::Range(call) => range_is(call),
        VectorKind::Math { args, input, .. } => args.iter().all(scalar_is) && vector_is(input),
        // Of a plain selector the samples' own times, of everything else the step's.
        VectorKind::Timestamp(input) => matches!(input.kind, VectorKind::Selector(_)) && vector_is(input),
        VectorKind::StartTimestamp(input) => vector_is(input),
        // The series that are joined are looked at like the first selector of the input.
        VectorKind::Info(info) => info.shift.at.is_some() && vector_is(&info.input),
        VectorKind::Aggregate(aggregate) => {
            let param = match &aggregate.op {
                AggregateOp::Reduce(_) | AggregateOp::CountValues(_) => true,
                AggregateOp::Rank(_, param)
                | AggregateOp::Quantile(param)
                | AggregateOp::LimitK(param)
                | AggregateOp::LimitRatio(param) => scalar_is(param),
            };
            param && vector_is(&aggregate.input)
        }
        VectorKind::Binary(binary) => vector_is(&binary.left) && vector_is(&binary.right),
        VectorKind::ScalarBinary(binary) => vector_is(&binary.vector) && scalar_is(&binary.scalar),
        VectorKind::Set { left, right, .. } => vector_is(left) && vector_is(right),
        VectorKind::Quantiles(quantiles) => {
            quantiles.phis.iter().all(|(phi, _)| scalar_is(phi)) && vector_is(&quantiles.input)
        }
        VectorKind::Fraction { lower, upper, input } => {
            scalar_is(lower) && scalar_is(upper) && vector_is(input)
        }
        VectorKind::Negate(input)
        | VectorKind::HistogramStat(_, input)
        | VectorKind::Absent { input, .. }
        | VectorKind::Repeated { input, .. }
        | VectorKind::Relabel { input, .. } => vector_is(input),
        // Sorting tells instant queries from range queries.
        VectorKind::Sort { .. } => false,
        VectorKind::OfScalar(scalar) => scalar_is(scalar),
        VectorKind::Invariant(_) => true,
    }
}

fn scalar_is(scalar: &Scalar) -> bool {
    match scalar {
        Scalar::Constant(_) => true,
        Scalar::Time => false,
        Scalar::OfVector(vector) => vector_is(vector),
        Scalar::Negate(inner) => scalar_is(inner),
        Scalar::Binary(_, left, right) | Scalar::Min(left, right) | Scalar::Max(left, right) => {
            scalar_is(left) && scalar_is(right)
        }
    }
}

fn range_is(call: &RangeCall) -> bool {
    // The prediction starts at the step's time.
    call.function != RangeFunction::PredictLinear
        && call.source.shift.at.is_some()
        && call.args.iter().all(scalar_is)
}

fn inputs_mut(vector: &mut Vector) -> Vec<&mut Vector> {
    match &mut vector.kind {
        VectorKind::Selector(_) | VectorKind::OfScalar(_) | VectorKind::Invariant(_) => Vec::new(),
        VectorKind::Range(RangeCall { source: RangeSource { kind, .. }, .. }) => match kind {
            RangeKind::Selector(_) => Vec::new(),
            // Marked when it was built.
            RangeKind::Subquery { .. } => Vec::new(),
        },
        VectorKind::Math { input, .. }
        | VectorKind::Timestamp(input)
        | VectorKind::StartTimestamp(input)
        | VectorKind::Info(Info { input, .. })
        | VectorKind::Negate(input)
        | VectorKind::Fraction { input, .. }
        | VectorKind::HistogramStat(_, input)
        | VectorKind::Absent { input, .. }
        | VectorKind::Repeated { input, .. }
        | VectorKind::Relabel { input, .. }
        | VectorKind::Sort { input, .. } => vec![input],
        VectorKind::Aggregate(aggregate) => vec![&mut aggregate.input],
        VectorKind::Quantiles(quantiles) => vec![&mut quantiles.input],
        VectorKind::Binary(binary) => vec![&mut binary.left, &mut binary.right],
        VectorKind::ScalarBinary(binary) => vec![&mut binary.vector],
        VectorKind::Set { left, right, .. } => vec![left, right],
    }
}
