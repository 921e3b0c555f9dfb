//! Durations as numbers.

use model::Millis;

use crate::{
    engine::EngineError,
    syntax::{DurationExpr, DurationKind, DurationValue, Operator},
};

/// 2⁶³ nanoseconds, in seconds.
const MAX_SECONDS: f64 = 9_223_372_036.854_776;

/// What durations may depend on, milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct DurationContext {
    pub(super) step: Millis,
    pub(super) range: Millis,
}

/// A range or step, which has to be longer than nothing.
pub(super) fn positive(duration: &DurationValue, context: DurationContext) -> Result<Millis, EngineError> {
    match duration {
        DurationValue::Millis(millis) => Ok(*millis),
        DurationValue::Expr(expr) => {
            let seconds = evaluate(expr, context)?;
            if seconds <= 0.0 {
                return Err(fault(expr, "duration must be greater than 0"));
            }
            to_millis(expr, seconds)
        }
    }
}

/// An offset, which may be negative.
pub(super) fn signed(duration: &DurationValue, context: DurationContext) -> Result<Millis, EngineError> {
    match duration {
        DurationValue::Millis(millis) => Ok(*millis),
        DurationValue::Expr(expr) => to_millis(expr, evaluate(expr, context)?),
    }
}

fn to_millis(expr: &DurationExpr, seconds: f64) -> Result<Millis, EngineError> {
    if !seconds.is_finite() {
        return Err(fault(expr, "duration is NaN or infinite"));
    }
    if seconds.abs() > MAX_SECONDS {
        return Err(fault(expr, "duration is out of range"));
    }
    Ok((seconds * 1000.0) as Millis)
}

fn evaluate(expr: &DurationExpr, context: DurationContext) -> Result<f64, EngineError> {
    let both = |left: &DurationExpr, right: &DurationExpr| {
        Ok::<_, EngineError>((evaluate(left, context)?, evaluate(right, context)?))
    };
    Ok(match &expr.kind {
        DurationKind::Number(number) => number.value,
        DurationKind::Step => context.step as f64 / 1000.0,
        DurationKind::Range => context.range as f64 / 1000.0,
        DurationKind::Negate(inner) => -evaluate(inner, context)?,
        DurationKind::MinOf(left, right) => {
            let (left, right) = both(left, right)?;
            super::build::min(left, right)
        }
        DurationKind::MaxOf(left, right) => {
            let (left, right) = both(left, right)?;
            super::build::max(left, right)
        }
        DurationKind::Binary(op, left, right) => {
            let (left, right) = both(left, right)?;
            match op {
                Operator::Add => left + right,
                Operator::Sub => left - right,
                Operator::Mul => left * right,
                Operator::Div if right == 0.0 => return Err(fault(expr, "division by zero")),
                Operator::Div => left / right,
                Operator::Mod if right == 0.0 => return Err(fault(expr, "modulo by zero")),
                Operator::Mod => left % right,
                _ => left.powf(right),
            }
        }
    })
}

fn fault(expr: &DurationExpr, what: &str) -> EngineError {
    EngineError::Invalid(format!("{}:{}: {what}", expr.span.start, expr.span.end))
}
