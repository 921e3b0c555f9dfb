//! `info`: which series say more, and when to look at them.

use model::{METRIC_NAME, MatchOp, Matcher};

use super::{Info, Shift, build::Builder};
use crate::{
    engine::EngineError,
    syntax::{Expr, ExprKind},
};

/// The metric that says more about a target where none is named.
const TARGET_INFO: &str = "target_info";

impl Builder {
    pub(super) fn info(&self, args: &[Expr]) -> Result<Info, EngineError> {
        let Some((input, rest)) = args.split_first() else {
            return Err(EngineError::execution("info takes an argument"));
        };
        let selected = match rest.first().map(|arg| &arg.unwrap_parens().kind) {
            Some(ExprKind::Selector(selector)) => &selector.matchers[..],
            _ => &[],
        };
        let (names, labels) = selected.iter().cloned().partition(|matcher| matcher.name() == METRIC_NAME);
        Ok(Info {
            names: effective_names(names)?,
            labels,
            shift: self.info_shift(input)?.unwrap_or_default(),
            input: self.boxed(input, "info")?,
        })
    }

    /// When the first selector looks, with the subqueries around it: what they shift adds up until an `@` says from where.
    fn info_shift(&self, expr: &Expr) -> Result<Option<Shift>, EngineError> {
        let first = |parts: &mut dyn Iterator<Item = &Expr>| {
            for part in parts {
                if let Some(shift) = self.info_shift(part)? {
                    return Ok(Some(shift));
                }
            }
            Ok(None)
        };
        match &expr.kind {
            ExprKind::Selector(selector) => self.shift(&selector.shift).map(Some),
            ExprKind::Matrix(matrix) => self.shift(&matrix.selector.shift).map(Some),
            ExprKind::Subquery(subquery) => {
                let inner = self.info_shift(&subquery.expr)?;
                let own = self.shift(&subquery.shift)?;
                Ok(inner.map(|inner| match inner.at {
                    Some(_) => inner,
                    None => Shift { at: own.at, offset: inner.offset.saturating_add(own.offset) },
                }))
            }
            ExprKind::Aggregate(aggregate) => {
                first(&mut [&aggregate.expr].into_iter().chain(aggregate.param.as_ref()))
            }
            ExprKind::Binary(binary) => first(&mut [&binary.lhs, &binary.rhs].into_iter()),
            ExprKind::Call(call) => first(&mut call.args.iter()),
            ExprKind::Paren(inner) => self.info_shift(inner),
            ExprKind::Unary(unary) => self.info_shift(&unary.expr),
            ExprKind::Number(_) | ExprKind::String(_) => Ok(None),
        }
    }
}

/// Without a name it is the usual one; names that are only excluded are excluded from all that end in `_info`.
fn effective_names(mut names: Vec<Matcher>) -> Result<Vec<Matcher>, EngineError> {
    if names.is_empty() {
        return Ok(vec![Matcher::equal(METRIC_NAME, TARGET_INFO)]);
    }
    if names.iter().all(Matcher::is_negative) {
        let any = Matcher::new(MatchOp::Regex, METRIC_NAME, ".+_info");
        names.push(any.map_err(|error| EngineError::execution(error.to_string()))?);
    }
    Ok(names)
}
