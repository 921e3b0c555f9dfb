//! Durations inside brackets and after `offset`, and arithmetic with them.

use super::{MAX_DEPTH, Parsed, Parser};
use crate::syntax::{
    DurationExpr, DurationKind, DurationValue, Number, Span,
    error::Problem,
    token::{Keyword, Kind, Operator},
};

/// 2⁶³ nanoseconds, in seconds: the longest duration there is.
const MAX_SECONDS: f64 = 9_223_372_036.854_776;

impl Parser<'_> {
    /// A duration that has to be greater than zero as far as it is known.
    pub(super) fn positive_duration(&mut self, context: &str, expected: &str) -> Parsed<DurationValue> {
        let expr = self.duration_expression(0, context, expected)?;
        if let DurationKind::Number(number) = expr.kind
            && !expr.wrapped
            && number.value <= 0.0
        {
            return Err(Problem::new(expr.span, "duration must be greater than 0"));
        }
        Ok(simplify(expr))
    }

    /// What may follow `offset`: a single duration with a sign, or arithmetic in parentheses.
    pub(super) fn offset_duration(&mut self, context: &str, expected: &str) -> Parsed<DurationValue> {
        Ok(simplify(self.duration_operand(context, expected)?))
    }

    fn duration_expression(&mut self, least: u8, context: &str, expected: &str) -> Parsed<DurationExpr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.too_deep());
        }
        let mut left = self.duration_operand(context, expected)?;
        loop {
            if left.depth > MAX_DEPTH {
                return Err(self.too_deep());
            }
            let Kind::Operator(op) = *self.kind() else { break };
            use Operator::*;
            if !matches!(op, Add | Sub | Mul | Div | Mod | Pow) || op.precedence() < least {
                break;
            }
            let op_span = self.advance();
            let next = if op == Pow { op.precedence() } else { op.precedence() + 1 };
            let right = self.duration_expression(next, context, expected)?;
            self.check_enabled(left.span)?;
            let is_zero =
                matches!(right.kind, DurationKind::Number(number) if number.value == 0.0 && !right.wrapped);
            match op {
                Div if is_zero => return Err(Problem::new(op_span, "division by zero")),
                Mod if is_zero => return Err(Problem::new(op_span, "modulo by zero")),
                _ => {}
            }
            let span = left.span.to(right.span);
            left = DurationExpr::new(DurationKind::Binary(op, Box::new(left), Box::new(right)), span);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn duration_operand(&mut self, context: &str, expected: &str) -> Parsed<DurationExpr> {
        match *self.kind() {
            Kind::Operator(sign @ (Operator::Add | Operator::Sub)) => {
                let start = self.advance();
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(self.too_deep());
                }
                // Signs bind like products: `-2^2` is `-(2^2)`. After `offset` there is no operator to bind.
                let inner = if context == "offset" {
                    self.duration_operand(context, expected)?
                } else {
                    self.duration_expression(Operator::Pow.precedence(), context, expected)?
                };
                self.depth -= 1;
                signed(inner, sign == Operator::Sub, start)
            }
            Kind::Number | Kind::Duration => {
                let (number, span) = self.number()?;
                check_range(number.value, span)?;
                Ok(DurationExpr::new(DurationKind::Number(number), span))
            }
            Kind::Keyword(keyword @ (Keyword::Step | Keyword::Range)) => {
                let start = self.advance();
                self.expect(&Kind::LeftParen, context, expected)?;
                let end = self.expect(&Kind::RightParen, context, expected)?;
                let span = start.to(end);
                self.check_enabled(span)?;
                let kind = if keyword == Keyword::Step { DurationKind::Step } else { DurationKind::Range };
                Ok(DurationExpr::new(kind, span))
            }
            Kind::Keyword(keyword @ (Keyword::MinOf | Keyword::MaxOf)) => {
                let start = self.advance();
                self.expect(&Kind::LeftParen, context, expected)?;
                let first = Box::new(self.duration_expression(0, "", "")?);
                self.expect(&Kind::Comma, context, expected)?;
                let second = Box::new(self.duration_expression(0, "", "")?);
                let end = self.expect(&Kind::RightParen, context, expected)?;
                let span = start.to(end);
                self.check_enabled(span)?;
                let kind = match keyword {
                    Keyword::MinOf => DurationKind::MinOf(first, second),
                    _ => DurationKind::MaxOf(first, second),
                };
                Ok(DurationExpr::new(kind, span))
            }
            Kind::LeftParen => {
                let open = self.advance();
                let mut inner = self.duration_expression(0, "", "")?;
                let close = self.expect(&Kind::RightParen, "", "")?;
                self.check_enabled(inner.span)?;
                inner.wrapped = true;
                inner.span = open.to(close);
                Ok(inner)
            }
            _ => Err(self.unexpected(context, expected)),
        }
    }

    fn check_enabled(&self, span: Span) -> Parsed<()> {
        if self.options.duration_expressions {
            return Ok(());
        }
        Err(Problem::new(span, "experimental duration expression is not enabled"))
    }
}

/// Puts a sign before a duration; numbers take it in.
fn signed(inner: DurationExpr, negative: bool, sign: Span) -> Parsed<DurationExpr> {
    let span = sign.to(inner.span);
    if let DurationKind::Number(number) = inner.kind
        && !inner.wrapped
    {
        let value = if negative { -number.value } else { number.value };
        check_range(value, sign)?;
        return Ok(DurationExpr::new(DurationKind::Number(Number { value, ..number }), span));
    }
    if !negative {
        return Ok(DurationExpr { span, ..inner });
    }
    Ok(DurationExpr::new(DurationKind::Negate(Box::new(inner)), span))
}

fn check_range(seconds: f64, span: Span) -> Parsed<()> {
    if seconds.abs() > MAX_SECONDS {
        return Err(Problem::new(span, "duration out of range"));
    }
    Ok(())
}

fn simplify(expr: DurationExpr) -> DurationValue {
    match expr.kind {
        // Rounded to nanoseconds and cut to milliseconds, as the original's types do it.
        DurationKind::Number(number) if !expr.wrapped => {
            DurationValue::Millis(((number.value * 1e9).round() / 1e6).trunc() as i64)
        }
        _ => DurationValue::Expr(expr),
    }
}
