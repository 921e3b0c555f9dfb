//! Arithmetic and comparison between rows.

use crate::{Bitmap, Row, SameLabelset};

/// An operator between two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`, the remainder with the sign of the left side
    Mod,
    /// `^`
    Pow,
    /// `atan2`
    Atan2,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

/// What a comparison gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The kept side's value where it holds, nothing elsewhere.
    Filter(Kept),
    /// One where it holds, zero elsewhere.
    Bool,
}

/// The side whose value a filtering comparison keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The left side's, as between two vectors.
    Left,
    /// The right side's: a vector compared with a scalar before it.
    Right,
}

/// One side of an operation.
#[derive(Debug, Clone, Copy)]
pub enum Operand<'a> {
    /// A number a step.
    Values(&'a [f64]),
    /// The same number at each step.
    Constant(f64),
}

impl BinaryOp {
    /// Whether this compares.
    pub fn is_comparison(self) -> bool {
        use BinaryOp::*;
        matches!(self, Equal | NotEqual | Greater | GreaterOrEqual | Less | LessOrEqual)
    }

    /// The result between two numbers; comparisons give one or zero.
    #[inline]
    pub fn evaluate(self, left: f64, right: f64) -> f64 {
        let flag = |holds: bool| if holds { 1.0 } else { 0.0 };
        match self {
            Self::Add => left + right,
            Self::Sub => left - right,
            Self::Mul => left * right,
            Self::Div => left / right,
            Self::Mod => left % right,
            Self::Pow => left.powf(right),
            Self::Atan2 => left.atan2(right),
            Self::Equal => flag(left == right),
            Self::NotEqual => flag(left != right),
            Self::Greater => flag(left > right),
            Self::GreaterOrEqual => flag(left >= right),
            Self::Less => flag(left < right),
            Self::LessOrEqual => flag(left <= right),
        }
    }
}

impl Operand<'_> {
    #[inline]
    fn at(&self, step: usize) -> f64 {
        match self {
            Self::Values(values) => values[step],
            Self::Constant(value) => *value,
        }
    }
}

/// Writes `left op right` to `output` at `steps`, at which both sides have to have a value.
///
/// `comparison` counts for comparing operators only. Fails where `output` has a value already: another pair with the same labels.
pub fn combine(
    op: BinaryOp,
    comparison: Comparison,
    left: Operand<'_>,
    right: Operand<'_>,
    steps: &Bitmap,
    output: &mut Row,
) -> Result<(), SameLabelset> {
    // The operator is chosen outside of the loop, so that each loop body is a few instructions.
    macro_rules! each {
        ($op:expr) => {
            compute(comparison, left, right, steps, output, |l, r| $op.evaluate(l, r), $op.is_comparison())
        };
    }
    match op {
        BinaryOp::Add => each!(BinaryOp::Add),
        BinaryOp::Sub => each!(BinaryOp::Sub),
        BinaryOp::Mul => each!(BinaryOp::Mul),
        BinaryOp::Div => each!(BinaryOp::Div),
        BinaryOp::Greater => each!(BinaryOp::Greater),
        BinaryOp::Less => each!(BinaryOp::Less),
        op => each!(op),
    }
}

#[inline]
fn compute(
    comparison: Comparison,
    left: Operand<'_>,
    right: Operand<'_>,
    steps: &Bitmap,
    output: &mut Row,
    evaluate: impl Fn(f64, f64) -> f64,
    compares: bool,
) -> Result<(), SameLabelset> {
    let mut clash = false;
    for step in steps.iter() {
        let (l, r) = (left.at(step), right.at(step));
        let mut value = evaluate(l, r);
        if compares && let Comparison::Filter(kept) = comparison {
            if value == 0.0 {
                continue;
            }
            value = match kept {
                Kept::Left => l,
                Kept::Right => r,
            };
        }
        clash |= output.present().get(step);
        output.set(step, value);
    }
    if clash { Err(SameLabelset) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{BinaryOp, Comparison, Kept, Operand, combine};
    use crate::{Bitmap, Row, SameLabelset};

    fn run(op: BinaryOp, comparison: Comparison, left: &[f64], right: Operand<'_>) -> Row {
        let mut output = Row::empty(left.len());
        combine(op, comparison, Operand::Values(left), right, &Bitmap::full(left.len()), &mut output)
            .unwrap();
        output
    }

    #[test]
    fn arithmetic() {
        let left = [7.0, -7.0, 2.0];
        let filter = Comparison::Filter(Kept::Left);
        let check = |op, right: f64, want: [f64; 3]| {
            assert_eq!(run(op, filter, &left, Operand::Constant(right)), Row::full(want), "{op:?}");
        };
        check(BinaryOp::Add, 1.0, [8.0, -6.0, 3.0]);
        check(BinaryOp::Mod, 3.0, [1.0, -1.0, 2.0]);
        check(BinaryOp::Pow, 2.0, [49.0, 49.0, 4.0]);
        check(BinaryOp::Div, 0.0, [f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY]);
    }

    #[test]
    fn comparisons_filter_or_tell() {
        let left = [1.0, 5.0, f64::NAN];
        let filtered = run(BinaryOp::Greater, Comparison::Filter(Kept::Left), &left, Operand::Constant(2.0));
        assert_eq!(filtered.iter().collect::<Vec<_>>(), [(1, 5.0)]);
        let told = run(BinaryOp::NotEqual, Comparison::Bool, &left, Operand::Values(&[1.0, 2.0, 3.0]));
        assert_eq!(told, Row::full([0.0, 1.0, 1.0]));
        let kept_right = run(BinaryOp::Less, Comparison::Filter(Kept::Right), &[1.0], Operand::Constant(0.0));
        assert!(kept_right.is_empty());
    }

    #[test]
    fn two_pairs_for_one_output_and_step_clash() {
        let mut output = Row::constant(1.0, 1);
        let clash = combine(
            BinaryOp::Add,
            Comparison::Bool,
            Operand::Constant(1.0),
            Operand::Constant(1.0),
            &Bitmap::full(1),
            &mut output,
        );
        assert_eq!(clash, Err(SameLabelset));
    }
}
