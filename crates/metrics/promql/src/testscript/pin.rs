//! Queries with their moment written into them.

use model::Millis;

use crate::syntax::{AtModifier, Expr, ExprKind, TimeShift};

/// Functions whose result depends on when they are called, whatever their arguments say.
const TIMELY: [&str; 15] = [
    "days_in_month",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "end",
    "hour",
    "minute",
    "month",
    "year",
    "predict_linear",
    "range",
    "start",
    "step",
    "time",
    "timestamp",
];

/// The query with `@ at` on every outermost selector and subquery that has no `@` yet; nothing when it would not say when all the same.
pub(super) fn pinned(mut expr: Expr, at: Millis) -> Option<String> {
    pin(&mut expr, at).then(|| expr.to_string())
}

fn pin(expr: &mut Expr, at: Millis) -> bool {
    let set = |shift: &mut TimeShift| match shift.at {
        Some(AtModifier::Timestamp(_)) => {}
        _ => shift.at = Some(AtModifier::Timestamp(at)),
    };
    match &mut expr.kind {
        ExprKind::Number(_) | ExprKind::String(_) => true,
        ExprKind::Selector(selector) => {
            set(&mut selector.shift);
            true
        }
        ExprKind::Matrix(matrix) => {
            set(&mut matrix.selector.shift);
            true
        }
        ExprKind::Subquery(subquery) => {
            set(&mut subquery.shift);
            !is_timely(&subquery.expr)
        }
        ExprKind::Aggregate(aggregate) => {
            aggregate.param.as_mut().is_none_or(|param| pin(param, at)) && pin(&mut aggregate.expr, at)
        }
        ExprKind::Binary(binary) => pin(&mut binary.lhs, at) && pin(&mut binary.rhs, at),
        ExprKind::Call(call) => {
            !TIMELY.contains(&call.function.name) && call.args.iter_mut().all(|arg| pin(arg, at))
        }
        ExprKind::Paren(inner) => pin(inner, at),
        ExprKind::Unary(unary) => pin(&mut unary.expr, at),
    }
}

fn is_timely(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |expr| {
        found |= matches!(&expr.kind, ExprKind::Call(call) if TIMELY.contains(&call.function.name));
    });
    found
}
