//! How far back and forward a query reads.

use model::Millis;
use vector::Steps;

use super::{
    AggregateOp, Extension, Plan, RangeKind, RangeSource, Scalar, Selector, Shift, Vector, VectorKind,
};

/// First and last moment that the plan asks the storage for, both inclusive; `None` when it reads nothing.
pub(crate) fn reach(plan: &Plan, steps: Steps, lookback: Millis) -> Option<(Millis, Millis)> {
    let mut reach = Reach { lookback, bounds: None };
    let span = (steps.start(), steps.end());
    match plan {
        Plan::Scalar(scalar) => reach.scalar(scalar, span),
        Plan::String(_) => {}
        Plan::Vector(vector) => reach.vector(vector, span),
        Plan::Matrix(source) => reach.source(source, span),
    }
    reach.bounds
}

struct Reach {
    lookback: Millis,
    bounds: Option<(Millis, Millis)>,
}

type TimeSpan = (Millis, Millis);

impl Reach {
    fn read(&mut self, first: Millis, last: Millis) {
        let (min, max) = self.bounds.unwrap_or((first, last));
        self.bounds = Some((min.min(first), max.max(last)));
    }

    fn selector(&mut self, selector: &Selector, shift: Shift, range: Millis, (first, last): TimeSpan) {
        // Ranges are open on the left.
        let first = shift.apply(first).saturating_sub(range).saturating_add(1);
        let ahead = Extension::ahead(selector.extension, self.lookback);
        self.read(first, shift.apply(last).saturating_add(ahead));
    }

    fn source(&mut self, source: &RangeSource, (first, last): TimeSpan) {
        match &source.kind {
            RangeKind::Selector(selector) => {
                let behind = if selector.extension.is_some() { self.lookback } else { 0 };
                let range = source.range.saturating_add(behind);
                self.selector(selector, source.shift, range, (first, last));
            }
            RangeKind::Subquery { expr, .. } => {
                let span = (source.shift.apply(first).saturating_sub(source.range), source.shift.apply(last));
                self.vector(expr, span);
            }
        }
    }

    fn scalar(&mut self, scalar: &Scalar, span: TimeSpan) {
        match scalar {
            Scalar::Constant(_) | Scalar::Time => {}
            Scalar::OfVector(vector) => self.vector(vector, span),
            Scalar::Negate(inner) => self.scalar(inner, span),
            Scalar::Binary(_, left, right) | Scalar::Min(left, right) | Scalar::Max(left, right) => {
                self.scalar(left, span);
                self.scalar(right, span);
            }
        }
    }

    fn vector(&mut self, vector: &Vector, span: TimeSpan) {
        match &vector.kind {
            VectorKind::Selector(selector) => self.selector(selector, selector.shift, self.lookback, span),
            VectorKind::Range(call) => {
                self.source(&call.source, span);
                call.args.iter().for_each(|arg| self.scalar(arg, span));
            }
            VectorKind::Math { args, input, .. } => {
                args.iter().for_each(|arg| self.scalar(arg, span));
                self.vector(input, span);
            }
            VectorKind::Info(info) => {
                let (first, last) = (info.shift.apply(span.0), info.shift.apply(span.1));
                self.read(first.saturating_sub(self.lookback).saturating_add(1), last);
                self.vector(&info.input, span);
            }
            VectorKind::Timestamp(input)
            | VectorKind::StartTimestamp(input)
            | VectorKind::Negate(input)
            | VectorKind::HistogramStat(_, input)
            | VectorKind::Absent { input, .. }
            | VectorKind::Relabel { input, .. }
            | VectorKind::Sort { input, .. }
            | VectorKind::Repeated { input, .. }
            | VectorKind::Invariant(input) => self.vector(input, span),
            VectorKind::Aggregate(aggregate) => {
                match &aggregate.op {
                    AggregateOp::Reduce(_) | AggregateOp::CountValues(_) => {}
                    AggregateOp::Rank(_, param)
                    | AggregateOp::Quantile(param)
                    | AggregateOp::LimitK(param)
                    | AggregateOp::LimitRatio(param) => self.scalar(param, span),
                }
                self.vector(&aggregate.input, span);
            }
            VectorKind::Binary(binary) => {
                self.vector(&binary.left, span);
                self.vector(&binary.right, span);
            }
            VectorKind::ScalarBinary(binary) => {
                self.vector(&binary.vector, span);
                self.scalar(&binary.scalar, span);
            }
            VectorKind::Set { left, right, .. } => {
                self.vector(left, span);
                self.vector(right, span);
            }
            VectorKind::Quantiles(quantiles) => {
                quantiles.phis.iter().for_each(|(phi, _)| self.scalar(phi, span));
                self.vector(&quantiles.input, span);
            }
            VectorKind::Fraction { lower, upper, input } => {
                self.scalar(lower, span);
                self.scalar(upper, span);
                self.vector(input, span);
            }
            VectorKind::OfScalar(scalar) => self.scalar(scalar, span),
        }
    }
}
