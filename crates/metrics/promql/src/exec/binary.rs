//! Operations between two expressions.

use std::sync::Arc;

use model::{CounterResetHint, FloatHistogram};
use vector::{
    Bitmap, Cardinality, Comparison, Grouping, Kept, Operand, Pair, SetOp, combine, join, set_operation,
};

use super::{Column, Done, Executor, Series, Sink, distinct::Distinct};
use crate::{
    engine::{
        EngineError,
        annotations::Note,
        budget::{Account, Memory},
    },
    histogram::{Native, Trim},
    plan::{ScalarBinary, Vector, VectorBinary, VectorOp},
    syntax::Span,
};

impl Executor<'_> {
    pub(super) fn set(
        &self,
        op: SetOp,
        key: &Grouping,
        left: &Vector,
        right: &Vector,
        sink: Sink<'_>,
    ) -> Done {
        let left = self.collect(left)?;
        let right = self.collect(right)?;
        self.release(&left);
        self.release(&right);
        let (left_present, right_present) = (presence(&left), presence(&right));
        let (stay_left, stay_right) = set_operation(
            op,
            key.clone(),
            left.iter().map(|series| &series.labels).zip(&left_present),
            right.iter().map(|series| &series.labels).zip(&right_present),
        );
        let stays = stay_left.into_iter().chain(stay_right);
        let mut kept = Vec::new();
        for (mut series, stay) in left.into_iter().chain(right).zip(stays) {
            series.retain(&stay);
            if !series.is_empty() {
                kept.push(series);
            }
        }
        Distinct::of(kept)?.into_iter().try_for_each(sink)
    }

    pub(super) fn vector_binary(&self, binary: &VectorBinary, span: Span, sink: Sink<'_>) -> Done {
        let left = self.collect(&binary.left)?;
        let right = self.collect(&binary.right)?;
        let (left_present, right_present) = (presence(&left), presence(&right));
        let join = join(
            &binary.matching,
            left.iter().map(|series| &series.labels).zip(&left_present),
            right.iter().map(|series| &series.labels).zip(&right_present),
            self.steps.count(),
        )?;
        let count = self.steps.count();
        let drop_name = binary.return_bool && self.context.delayed_name_removal;
        let mut outputs: Vec<Option<Series>> = join.outputs.iter().map(|_| None).collect();
        let (mut account, mut memory) = (Account::new(&self.context.budget), Memory::default());
        for pair in &join.pairs {
            self.context.budget.check()?;
            let output = match &mut outputs[pair.output] {
                Some(output) => output,
                none => {
                    let labels = join.outputs[pair.output].clone();
                    let output = none.insert(Series { drop_name, ..Series::empty(labels, count) });
                    memory = memory + output.memory();
                    account.hold(memory)?;
                    output
                }
            };
            self.compute_pair(binary, pair, &left, &right, span, output)?;
        }
        drop(account);
        self.release(&left);
        self.release(&right);
        drop((left, right));
        outputs.into_iter().flatten().filter(|series| !series.is_empty()).try_for_each(sink)
    }

    fn compute_pair(
        &self,
        binary: &VectorBinary,
        pair: &Pair,
        left: &[Series],
        right: &[Series],
        span: Span,
        output: &mut Series,
    ) -> Done {
        let left = pair.left.map(|at| &left[at]);
        let right = pair.right.map(|at| &right[at]);
        let histograms = |side: Option<&Series>| side.is_some_and(|series| !series.histograms.is_empty());
        let sides = Sides { left, right, fills: fills(binary) };
        let mut floats = pair.steps.clone();
        if histograms(left) || histograms(right) {
            floats = self.histogram_pair(binary, &pair.steps, &sides, span, output)?;
        }
        if floats.is_empty() {
            return Ok(());
        }
        let VectorOp::Number(op, _) = binary.op else {
            self.note_types(("float", "float"), binary.op, span);
            return Ok(());
        };
        let comparison = if binary.return_bool { Comparison::Bool } else { Comparison::Filter(Kept::Left) };
        let (fill_left, fill_right) = sides.fills;
        let operand = |side: Option<&'_ Series>, fill: Option<f64>| match side {
            Some(series) => OwnedOperand::Values(series.floats.values().to_vec()),
            None => OwnedOperand::Constant(fill.unwrap_or(f64::NAN)),
        };
        let result = match (left, right) {
            (Some(left), Some(right)) => combine(
                op,
                comparison,
                Operand::Values(left.floats.values()),
                Operand::Values(right.floats.values()),
                &floats,
                &mut output.floats,
            ),
            _ => {
                let (left, right) = (operand(left, fill_left), operand(right, fill_right));
                combine(op, comparison, left.borrow(), right.borrow(), &floats, &mut output.floats)
            }
        };
        Ok(result?)
    }

    /// Does what is to be done where a side has histograms; returns the steps at which both sides have floats.
    fn histogram_pair(
        &self,
        binary: &VectorBinary,
        steps: &Bitmap,
        sides: &Sides<'_>,
        span: Span,
        output: &mut Series,
    ) -> Result<Bitmap, EngineError> {
        let Sides { left, right, .. } = *sides;
        let (fill_left, fill_right) = sides.fills;
        let mut floats = steps.clone();
        for step in steps.iter() {
            let at = |side: Option<&Series>| side.and_then(|series| series.histogram_at(step).cloned());
            match (at(left), at(right)) {
                (None, None) => continue,
                (Some(l), Some(r)) => match binary.op.as_str() {
                    "==" | "!=" => {
                        let holds = same(&l, &r) == (binary.op.as_str() == "==");
                        if binary.return_bool {
                            output.floats.set(step, if holds { 1.0 } else { 0.0 });
                        } else if holds {
                            output.histograms.push((step, l));
                        }
                    }
                    "+" | "-" => {
                        if let Some(result) = self.sum_of_two(&l, &r, binary.op.as_str(), span) {
                            output.histograms.push((step, result));
                        }
                    }
                    _ => self.note_types(("histogram", "histogram"), binary.op, span),
                },
                (Some(histogram), None) if computes(binary.op, false) => {
                    let number = number_at(right, fill_right, step);
                    output.histograms.push((step, scaled(&histogram, number, binary.op)));
                }
                (None, Some(histogram)) if computes(binary.op, true) => {
                    let number = number_at(left, fill_left, step);
                    output.histograms.push((step, scaled(&histogram, number, binary.op)));
                }
                (Some(_), None) => self.note_types(("histogram", "float"), binary.op, span),
                (None, Some(_)) => self.note_types(("float", "histogram"), binary.op, span),
            }
            floats.unset(step);
        }
        output.histograms.sort_by_key(|(step, _)| *step);
        Ok(floats)
    }

    pub(super) fn scalar_binary(&self, binary: &ScalarBinary, span: Span, sink: Sink<'_>) -> Done {
        let ScalarBinary { op, comparison, vector, scalar, scalar_left } = binary;
        let scalar = self.scalar(scalar)?;
        let drops_name =
            !op.is_comparison() && matches!(op, VectorOp::Number(..)) || *comparison == Comparison::Bool;
        let mut names = self.name_removal();
        self.vector(vector, &mut |series| {
            let mut output = Series {
                labels: series.labels.clone(),
                drop_name: series.drop_name,
                ..Series::empty(series.labels.clone(), self.steps.count())
            };
            if !series.histograms.is_empty() {
                self.histogram_scalar(binary, &scalar, &series, span, &mut output)?;
            }
            match op {
                VectorOp::Number(op, _) => {
                    let number = match &scalar {
                        Column::Constant(value) => Operand::Constant(*value),
                        Column::Values(values) => Operand::Values(values),
                    };
                    let floats = Operand::Values(series.floats.values());
                    let (left, right) = if *scalar_left { (number, floats) } else { (floats, number) };
                    combine(*op, *comparison, left, right, series.floats.present(), &mut output.floats)?;
                }
                VectorOp::Trim(_) => {
                    if !series.floats.is_empty() {
                        self.note_types(("float", "float"), *op, span);
                    }
                }
            }
            if output.is_empty() {
                return Ok(());
            }
            if drops_name {
                names.remove(&mut output)?;
            }
            sink(output)
        })
    }

    /// Between a histogram and a number most operations have no result.
    fn histogram_scalar(
        &self,
        binary: &ScalarBinary,
        scalar: &Column,
        series: &Series,
        span: Span,
        output: &mut Series,
    ) -> Done {
        if !computes(binary.op, binary.scalar_left) {
            let types = if binary.scalar_left { ("float", "histogram") } else { ("histogram", "float") };
            self.note_types(types, binary.op, span);
            return Ok(());
        }
        for (step, histogram) in &series.histograms {
            output.histograms.push((*step, scaled(histogram, scalar.at(*step), binary.op)));
        }
        Ok(())
    }

    /// The sum or difference of two histograms, if their buckets go together.
    fn sum_of_two(
        &self,
        left: &FloatHistogram,
        right: &FloatHistogram,
        op: &'static str,
        span: Span,
    ) -> Option<Arc<FloatHistogram>> {
        let subtracts = op == "-";
        let (sign, operation) = if subtracts { (-1.0, "subtraction") } else { (1.0, "addition") };
        let mut result = Native::from(left);
        let mut notes = self.context.annotations.lock();
        match result.add(&Native::from(right), sign) {
            Err(_) => {
                notes.add(Note::IncompatibleBuckets { op }, span);
                return None;
            }
            Ok(added) => {
                if added.hints_collide {
                    notes.add(Note::ConflictingResets { operation }, span);
                }
                if added.bounds_reconciled {
                    notes.add(Note::MismatchedBounds { operation }, span);
                }
            }
        }
        if subtracts {
            result.hint = CounterResetHint::Gauge;
        }
        Some(Arc::new(result.into()))
    }

    fn note_types(&self, (left, right): (&'static str, &'static str), op: VectorOp, span: Span) {
        let note = Note::IncompatibleTypes { left, op: op.as_str(), right };
        self.context.annotations.lock().add(note, span);
    }
}

/// The two rows of a pair, and what stands in for a missing one.
#[derive(Clone, Copy)]
struct Sides<'a> {
    left: Option<&'a Series>,
    right: Option<&'a Series>,
    fills: (Option<f64>, Option<f64>),
}

/// What stands in on the left and on the right of the operator. Prometheus fills by side of the matching: `group_right` swaps the sides.
fn fills(binary: &VectorBinary) -> (Option<f64>, Option<f64>) {
    let (left, right) = (binary.matching.fill_left, binary.matching.fill_right);
    match binary.matching.cardinality {
        Cardinality::OneToMany => (right, left),
        Cardinality::OneToOne | Cardinality::ManyToOne => (left, right),
    }
}

fn number_at(side: Option<&Series>, fill: Option<f64>, step: usize) -> f64 {
    side.and_then(|series| series.floats.get(step)).or(fill).unwrap_or(f64::NAN)
}

/// Whether there is a result between a histogram and a number.
fn computes(op: VectorOp, number_left: bool) -> bool {
    match number_left {
        true => op.as_str() == "*",
        false => matches!(op.as_str(), "*" | "/" | "</" | ">/"),
    }
}

/// A multiple of a histogram.
fn scaled(histogram: &FloatHistogram, number: f64, op: VectorOp) -> Arc<FloatHistogram> {
    let mut native = Native::from(histogram);
    match op.as_str() {
        "*" => native.multiply(number),
        "/" => native.divide(number),
        "</" => native.trim(number, Trim::Above),
        _ => native.trim(number, Trim::Below),
    }
    Arc::new(native.into())
}

/// Whether histograms are equal, however they are laid out and whatever they say about resets.
fn same(left: &FloatHistogram, right: &FloatHistogram) -> bool {
    let (mut left, right) = (Native::from(left), Native::from(right));
    left.hint = right.hint;
    left == right
}

/// An operand that may have been made up.
enum OwnedOperand {
    Values(Vec<f64>),
    Constant(f64),
}

impl OwnedOperand {
    fn borrow(&self) -> Operand<'_> {
        match self {
            Self::Values(values) => Operand::Values(values),
            Self::Constant(value) => Operand::Constant(*value),
        }
    }
}

fn presence(series: &[Series]) -> Vec<Bitmap> {
    series.iter().map(Series::present).collect()
}
