//! Metric queries: range and vector aggregations, operators, functions.

use super::super::token::{Fixed, TokenKind};
use super::super::{
    BinaryExpr, BinaryOp, Grouping, LabelReplace, Literal, LogExpr, LogRange, Matching, MatchingCard,
    MetricExpr, Parameter, RangeAggregation, RangeOp, Span, Variants, VectorAggregation, VectorLiteral,
    VectorOp, fold,
};
use super::{Operand, ParseError, Parser};
use crate::units;

impl Parser {
    /// Operands joined by operators of at least this precedence.
    pub(super) fn expr(&mut self, min_precedence: u8) -> Result<Operand, ParseError> {
        self.nested(|parser| {
            let start = parser.span();
            let mut left = parser.operand()?;
            while let Some((op, precedence)) = parser.binary_op() {
                if precedence < min_precedence {
                    break;
                }
                parser.bump();
                let (return_bool, matching) = parser.modifiers()?;
                // `^` is the one operator that binds to the right.
                let next = if op == BinaryOp::Pow { precedence } else { precedence + 1 };
                let right = parser.expr(next)?;
                left = parser.binary(op, left, right, return_bool, matching, start)?;
            }
            Ok(left)
        })
    }

    /// An expression that must be a query for series.
    fn metric_expr(&mut self) -> Result<(MetricExpr, usize), ParseError> {
        match self.expr(0)? {
            Operand::Series(metric, depth) => Ok((metric, depth)),
            Operand::Lines(_) => Err(self.unexpected(&[])),
        }
    }

    fn operand(&mut self) -> Result<Operand, ParseError> {
        let start = self.span();
        let series = |metric| Ok(Operand::Series(metric, 1));
        match *self.peek() {
            TokenKind::Fixed(Fixed::OpenBrace) => Ok(Operand::Lines(self.log_expr()?)),
            TokenKind::Fixed(Fixed::OpenParen) => {
                self.bump();
                let inner = self.expr(0)?;
                if !self.take(Fixed::CloseParen) {
                    return Err(self.unexpected(&[]));
                }
                Ok(inner)
            }
            TokenKind::RangeOp(op) => series(MetricExpr::Range(Box::new(self.range_aggregation(op)?))),
            TokenKind::VectorOp(op) => self.vector_aggregation(op),
            TokenKind::Vector => series(self.vector_literal()?),
            TokenKind::Fixed(Fixed::LabelReplace) => self.label_replace(),
            TokenKind::Number(_) | TokenKind::Fixed(Fixed::Add | Fixed::Sub) => {
                let value = self.signed_number()?;
                series(MetricExpr::Literal(Literal { value, span: self.span_since(start) }))
            }
            _ => Err(self.unexpected(&[])),
        }
    }

    // === operators ===

    fn binary_op(&self) -> Option<(BinaryOp, u8)> {
        let TokenKind::Fixed(fixed) = self.peek() else {
            return None;
        };
        Some(match fixed {
            Fixed::Or => (BinaryOp::Or, 1),
            Fixed::And => (BinaryOp::And, 2),
            Fixed::Unless => (BinaryOp::Unless, 2),
            Fixed::Equal => (BinaryOp::Equal, 3),
            Fixed::NotEqual => (BinaryOp::NotEqual, 3),
            Fixed::Greater => (BinaryOp::Greater, 3),
            Fixed::GreaterOrEqual => (BinaryOp::GreaterOrEqual, 3),
            Fixed::Less => (BinaryOp::Less, 3),
            Fixed::LessOrEqual => (BinaryOp::LessOrEqual, 3),
            Fixed::Add => (BinaryOp::Add, 4),
            Fixed::Sub => (BinaryOp::Sub, 4),
            Fixed::Mul => (BinaryOp::Mul, 5),
            Fixed::Div => (BinaryOp::Div, 5),
            Fixed::Mod => (BinaryOp::Mod, 5),
            Fixed::Pow => (BinaryOp::Pow, 6),
            _ => return None,
        })
    }

    fn modifiers(&mut self) -> Result<(bool, Matching), ParseError> {
        let return_bool = self.take(Fixed::Bool);
        let mut matching = Matching::default();
        let on = self.is(Fixed::On);
        if !on && !self.is(Fixed::Ignoring) {
            return Ok((return_bool, matching));
        }
        self.bump();
        self.expect(Fixed::OpenParen)?;
        matching.on = on;
        matching.labels = Some(self.names()?).filter(|names| !names.is_empty());
        if self.take(Fixed::GroupLeft) {
            matching.card = MatchingCard::ManyToOne;
        } else if self.take(Fixed::GroupRight) {
            matching.card = MatchingCard::OneToMany;
        } else {
            return Ok((return_bool, matching));
        }
        // An operand in parentheses may stand here as well as labels: only names tell labels.
        let is_list = self.is(Fixed::OpenParen)
            && matches!(self.peek_second(), TokenKind::Identifier(_) | TokenKind::Fixed(Fixed::CloseParen));
        if is_list {
            self.bump();
            matching.include = Some(self.names()?).filter(|names| !names.is_empty());
        }
        Ok((return_bool, matching))
    }

    /// Puts two operands together; numbers are computed at once.
    fn binary(
        &mut self,
        op: BinaryOp,
        left: Operand,
        right: Operand,
        return_bool: bool,
        matching: Matching,
        start: Span,
    ) -> Result<Operand, ParseError> {
        let span = self.span_since(start);
        let (left, left_depth) = series_or_lines(left);
        let (right, right_depth) = series_or_lines(right);
        let depth = left_depth.max(right_depth) + 1;
        self.check_depth(depth)?;
        if let (MetricExpr::Literal(left), MetricExpr::Literal(right)) = (&left, &right)
            && !op.is_set()
        {
            let value = fold::apply(op, left.value, right.value);
            return Ok(Operand::Series(MetricExpr::Literal(Literal { value, span }), 1));
        }
        let binary = BinaryExpr { op, left, right, return_bool, matching, span };
        Ok(Operand::Series(MetricExpr::Binary(Box::new(binary)), depth))
    }

    // === aggregations ===

    fn range_aggregation(&mut self, op: RangeOp) -> Result<RangeAggregation, ParseError> {
        let start = self.span();
        self.bump();
        self.expect(Fixed::OpenParen)?;
        if !matches!(
            self.peek(),
            TokenKind::Number(_) | TokenKind::Fixed(Fixed::OpenBrace | Fixed::OpenParen)
        ) {
            return Err(self.unexpected(&["NUMBER", "{", "("]));
        }
        let parameter = self.parameter()?;
        let range = self.nested(Self::log_range)?;
        self.expect(Fixed::CloseParen)?;
        let grouping = self.grouping()?;
        Ok(RangeAggregation { op, parameter, range, grouping, span: self.span_since(start) })
    }

    fn vector_aggregation(&mut self, op: VectorOp) -> Result<Operand, ParseError> {
        let start = self.span();
        self.bump();
        let before = self.grouping()?;
        self.expect(Fixed::OpenParen)?;
        // A number may be the parameter or the start of an expression.
        let is_parameter = *self.peek_second() == TokenKind::Fixed(Fixed::Comma);
        let parameter = if is_parameter { self.parameter()? } else { None };
        let (expr, depth) = self.metric_expr()?;
        self.check_depth(depth + 1)?;
        if !self.take(Fixed::CloseParen) {
            return Err(self.unexpected(&[]));
        }
        let grouping = match before {
            Some(grouping) => Some(grouping),
            None => self.grouping()?,
        };
        let aggregation = VectorAggregation { op, parameter, expr, grouping, span: self.span_since(start) };
        Ok(Operand::Series(MetricExpr::Vector(Box::new(aggregation)), depth + 1))
    }

    /// `0.5,` if a number stands here.
    fn parameter(&mut self) -> Result<Option<Parameter>, ParseError> {
        let span = self.span();
        let TokenKind::Number(text) = self.peek() else {
            return Ok(None);
        };
        let text = text.clone();
        let value = units::parse_number(&text).map_err(|error| ParseError::of(error, span))?;
        self.bump();
        self.expect(Fixed::Comma)?;
        Ok(Some(Parameter { text, value }))
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, ParseError> {
        let without = self.is(Fixed::Without);
        if !without && !self.is(Fixed::By) {
            return Ok(None);
        }
        self.bump();
        self.expect(Fixed::OpenParen)?;
        let labels = self.names()?;
        Ok(Some(Grouping { labels, without }))
    }

    // === ranges ===

    fn log_range(&mut self) -> Result<LogRange, ParseError> {
        let start = self.span();
        if !self.take(Fixed::OpenParen) {
            return self.bare_log_range();
        }
        if self.is(Fixed::OpenParen) {
            let inner = self.nested(Self::log_range)?;
            self.expect(Fixed::CloseParen)?;
            return Ok(inner);
        }
        let log = self.log_expr()?;
        let unwrap = self.unwrap_expr()?;
        if matches!(self.peek(), TokenKind::Range(_)) {
            let inner = self.range_after(log, unwrap, start)?;
            self.expect(Fixed::CloseParen)?;
            return Ok(inner);
        }
        if !self.take(Fixed::CloseParen) {
            return Err(self.unexpected(&[]));
        }
        self.range_after(log, unwrap, start)
    }

    fn bare_log_range(&mut self) -> Result<LogRange, ParseError> {
        let start = self.span();
        let log = self.log_expr()?;
        let unwrap = self.unwrap_expr()?;
        self.range_after(log, unwrap, start)
    }

    /// `[5m] offset 1h` and, if there was no pipeline before it, the pipeline.
    fn range_after(
        &mut self,
        mut log: LogExpr,
        mut unwrap: Option<super::super::Unwrap>,
        start: Span,
    ) -> Result<LogRange, ParseError> {
        let TokenKind::Range(interval) = *self.peek() else {
            return Err(self.unexpected(&[]));
        };
        self.bump();
        let offset = self.offset()?;
        if unwrap.is_none() && log.stages.is_empty() {
            log.stages = self.stages()?;
            if !log.stages.is_empty() {
                log.span = self.span_since(log.span);
            }
            unwrap = self.unwrap_expr()?;
        }
        Ok(LogRange { log, unwrap, interval, offset, span: self.span_since(start) })
    }

    fn offset(&mut self) -> Result<i64, ParseError> {
        if !self.take(Fixed::Offset) {
            return Ok(0);
        }
        let TokenKind::Duration(offset) = *self.peek() else {
            return Err(self.unexpected(&["DURATION"]));
        };
        self.bump();
        Ok(offset)
    }

    // === functions ===

    fn vector_literal(&mut self) -> Result<MetricExpr, ParseError> {
        let start = self.span();
        self.bump();
        let text = self.parenthesised(Self::number)?;
        let span = self.span_since(start);
        let value = units::parse_number(&text).map_err(|error| {
            ParseError::of(format!("unable to parse vectorExpr as a float: {error}"), span)
        })?;
        Ok(MetricExpr::VectorLiteral(VectorLiteral { value, span }))
    }

    fn label_replace(&mut self) -> Result<Operand, ParseError> {
        let start = self.span();
        self.bump();
        self.expect(Fixed::OpenParen)?;
        let (expr, depth) = self.metric_expr()?;
        self.check_depth(depth + 1)?;
        let mut texts = [const { String::new() }; 4];
        for text in &mut texts {
            self.expect(Fixed::Comma)?;
            *text = self.string()?;
        }
        self.expect(Fixed::CloseParen)?;
        let [dst, replacement, src, regex] = texts;
        let node = LabelReplace { expr, dst, replacement, src, regex, span: self.span_since(start) };
        Ok(Operand::Series(MetricExpr::LabelReplace(Box::new(node)), depth + 1))
    }

    pub(super) fn variants(&mut self) -> Result<Variants, ParseError> {
        let start = self.span();
        self.bump();
        self.expect(Fixed::OpenParen)?;
        let mut variants = vec![self.metric_expr()?.0];
        while self.take(Fixed::Comma) {
            variants.push(self.metric_expr()?.0);
        }
        self.expect(Fixed::CloseParen)?;
        self.expect(Fixed::Of)?;
        let of = self.parenthesised(|parser| parser.nested(Self::log_range))?;
        Ok(Variants { variants, of, span: self.span_since(start) })
    }
}

/// An operand as a side of an operator; a selection of lines is refused later, when all else has been read.
fn series_or_lines(operand: Operand) -> (MetricExpr, usize) {
    match operand {
        Operand::Series(metric, depth) => (metric, depth),
        Operand::Lines(log) => (MetricExpr::Lines(Box::new(log)), 1),
    }
}
