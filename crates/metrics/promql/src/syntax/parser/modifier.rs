//! What stands behind an expression or an operator: ranges, `offset`, `@`, `on`, `group_left`, `fill`.

use super::{Parsed, Parser};
use crate::syntax::{
    AtModifier, Card, DurationValue, Expr, ExprKind, MatrixSelector, Span, Subquery, TimeShift,
    VectorMatching,
    error::Problem,
    literal::quote_bytes,
    token::{Keyword, Kind, Operator},
};

const DURATION_START: &str = "number, duration, step(), or range()";

/// The last moments that `@` may name, in seconds.
const MAX_TIMESTAMP: f64 = i64::MAX as f64;

impl Parser<'_> {
    /// `[5m]` or `[1h:1m]` behind `expr`.
    pub(super) fn range_or_subquery(&mut self, expr: Expr) -> Parsed<Expr> {
        let open = self.advance();
        let range = self.positive_duration("subquery or range selector", DURATION_START)?;
        match self.kind() {
            Kind::RightBracket => {
                let close = self.advance();
                matrix_selector(expr, range, open.to(close))
            }
            Kind::Colon => {
                self.advance();
                let step = match self.kind() {
                    Kind::RightBracket => None,
                    _ => Some(self.positive_duration(
                        "subquery selector",
                        "number, duration, step(), range(), or \"]\"",
                    )?),
                };
                let close = self.expect(&Kind::RightBracket, "subquery selector", "\"]\"")?;
                let span = expr.span.to(close);
                let subquery = Subquery { expr, range, step, shift: TimeShift::default() };
                Ok(Expr::new(ExprKind::Subquery(Box::new(subquery)), span))
            }
            _ => Err(self.unexpected("subquery or range", "\":\" or \"]\"")),
        }
    }

    /// `offset 5m` behind `expr`.
    pub(super) fn offset(&mut self, expr: &mut Expr) -> Parsed<()> {
        self.advance();
        let offset = self.offset_duration("offset", DURATION_START)?;
        let span = expr.span;
        let end = self.previous();
        let Some(shift) = shift_of(expr) else {
            return Err(Problem::new(
                span,
                "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
            ));
        };
        if shift.offset.as_ref().is_some_and(|offset| !offset.is_zero()) {
            return Err(Problem::new(span, "offset may not be set multiple times"));
        }
        shift.offset = Some(offset);
        expr.span = span.to(end);
        Ok(())
    }

    /// `@ 1234`, `@ start()`, `@ end()` behind `expr`.
    pub(super) fn at_modifier(&mut self, expr: &mut Expr) -> Parsed<()> {
        self.advance();
        let span = expr.span;
        let at = match self.kind() {
            Kind::Keyword(keyword @ (Keyword::Start | Keyword::End)) => {
                let at = if *keyword == Keyword::Start { AtModifier::Start } else { AtModifier::End };
                self.advance();
                self.expect(&Kind::LeftParen, "@", "timestamp")?;
                self.expect(&Kind::RightParen, "@", "timestamp")?;
                at
            }
            _ => self.timestamp(span)?,
        };
        let end = self.previous();
        let Some(shift) = shift_of(expr) else {
            return Err(Problem::new(
                span,
                "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery",
            ));
        };
        if shift.at.is_some() {
            return Err(Problem::new(span, "@ <timestamp> may not be set multiple times"));
        }
        shift.at = Some(at);
        expr.span = span.to(end);
        Ok(())
    }

    fn timestamp(&mut self, expr: Span) -> Parsed<AtModifier> {
        let negative = *self.kind() == Kind::Operator(Operator::Sub);
        if matches!(self.kind(), Kind::Operator(Operator::Add | Operator::Sub)) {
            self.advance();
        }
        if !matches!(self.kind(), Kind::Number | Kind::Duration) {
            return Err(self.unexpected("@", "timestamp"));
        }
        let (number, _) = self.number()?;
        let seconds = if negative { -number.value } else { number.value };
        // The comparison is false for NaN.
        if !(seconds > -MAX_TIMESTAMP && seconds < MAX_TIMESTAMP) {
            let seconds = model::format_value(seconds);
            return Err(Problem::new(expr, format!("timestamp out of bounds for @ modifier: {seconds}")));
        }
        Ok(AtModifier::Timestamp((seconds * 1000.0).round() as i64))
    }

    /// `anchored` or `smoothed` behind `expr`.
    pub(super) fn extend_range(&mut self, expr: &mut Expr, word: &str) -> Parsed<()> {
        self.advance();
        let problem = |message: String| Err(Problem::new(expr.span, message));
        if !self.options.extended_range_selectors {
            return problem(format!("{word} modifier is experimental and not enabled"));
        }
        let selector = match &mut expr.kind {
            ExprKind::Selector(selector) => selector,
            ExprKind::Matrix(matrix) => &mut matrix.selector,
            ExprKind::Subquery(_) => {
                return problem(format!("{word} modifier is not supported for subqueries"));
            }
            _ => return problem(format!("{word} modifier not implemented")),
        };
        match word {
            "anchored" => selector.anchored = true,
            _ => selector.smoothed = true,
        }
        if selector.anchored && selector.smoothed {
            return problem("anchored and smoothed modifiers cannot be used together".to_owned());
        }
        Ok(())
    }

    /// What may stand behind an operator.
    pub(super) fn binary_modifiers(&mut self) -> Parsed<(bool, VectorMatching)> {
        let return_bool = *self.kind() == Kind::Keyword(Keyword::Bool);
        if return_bool {
            self.advance();
        }
        let mut matching = VectorMatching::default();
        if let Kind::Keyword(keyword @ (Keyword::On | Keyword::Ignoring)) = *self.kind() {
            self.advance();
            matching.on = keyword == Keyword::On;
            matching.labels = self.grouping_labels()?;
            if let Kind::Keyword(keyword @ (Keyword::GroupLeft | Keyword::GroupRight)) = *self.kind() {
                self.advance();
                matching.card = if keyword == Keyword::GroupLeft { Card::ManyToOne } else { Card::OneToMany };
                if *self.kind() == Kind::LeftParen {
                    matching.include = self.grouping_labels()?;
                }
            }
        }
        self.fill_modifiers(&mut matching)?;
        Ok((return_bool, matching))
    }

    fn fill_modifiers(&mut self, matching: &mut VectorMatching) -> Parsed<()> {
        while let Kind::Keyword(keyword @ (Keyword::Fill | Keyword::FillLeft | Keyword::FillRight)) =
            *self.kind()
        {
            let taken = match keyword {
                Keyword::FillLeft => matching.fill_left.is_some(),
                Keyword::FillRight => matching.fill_right.is_some(),
                _ => matching.fill_left.is_some() || matching.fill_right.is_some(),
            };
            if taken {
                return Err(self.unexpected("", ""));
            }
            self.advance();
            let value = self.fill_value()?;
            if keyword != Keyword::FillRight {
                matching.fill_left = Some(value);
            }
            if keyword != Keyword::FillLeft {
                matching.fill_right = Some(value);
            }
        }
        Ok(())
    }

    fn fill_value(&mut self) -> Parsed<f64> {
        self.expect(&Kind::LeftParen, "", "")?;
        let negative = *self.kind() == Kind::Operator(Operator::Sub);
        if matches!(self.kind(), Kind::Operator(Operator::Add | Operator::Sub)) {
            self.advance();
        }
        if !matches!(self.kind(), Kind::Number | Kind::Duration) {
            return Err(self.unexpected("", ""));
        }
        let (number, _) = self.number()?;
        self.expect(&Kind::RightParen, "", "")?;
        Ok(if negative { -number.value } else { number.value })
    }

    /// `(a, "b.c", by)`
    pub(super) fn grouping_labels(&mut self) -> Parsed<Vec<String>> {
        self.expect(&Kind::LeftParen, "grouping opts", "\"(\"")?;
        let mut labels = Vec::new();
        if *self.kind() == Kind::RightParen {
            self.advance();
            return Ok(labels);
        }
        loop {
            labels.push(self.grouping_label()?);
            match self.kind() {
                Kind::Comma => {
                    self.advance();
                    if *self.kind() == Kind::RightParen {
                        self.advance();
                        return Ok(labels);
                    }
                }
                Kind::RightParen => {
                    self.advance();
                    return Ok(labels);
                }
                _ => return Err(self.unexpected("grouping opts", "\",\" or \")\"")),
            }
        }
    }

    fn grouping_label(&mut self) -> Parsed<String> {
        if *self.kind() == Kind::String {
            let (bytes, span) = self.string()?;
            return match String::from_utf8(bytes) {
                Ok(label) if !label.is_empty() => Ok(label),
                Ok(_) => Err(Problem::new(span, "invalid label name for grouping: \"\"")),
                Err(error) => {
                    let label = quote_bytes(error.as_bytes());
                    Err(Problem::new(span, format!("invalid label name for grouping: {label}")))
                }
            };
        }
        if !self.kind().is_grouping_label() {
            return Err(self.unexpected("grouping opts", "label"));
        }
        let span = self.advance();
        Ok(self.text(span).to_owned())
    }
}

fn matrix_selector(expr: Expr, range: DurationValue, brackets: Span) -> Parsed<Expr> {
    let span = expr.span.to(brackets);
    let problem = |message: &str| Err(Problem::new(brackets, message));
    let ExprKind::Selector(selector) = expr.kind else {
        return problem("ranges only allowed for vector selectors");
    };
    let TimeShift { offset, at } = &selector.shift;
    if offset.as_ref().is_some_and(|offset| !offset.is_zero()) {
        return problem("no offset modifiers allowed before range");
    }
    if at.is_some() {
        return problem("no @ modifiers allowed before range");
    }
    let matrix = MatrixSelector { selector, selector_span: expr.span, range };
    Ok(Expr::new(ExprKind::Matrix(matrix), span))
}

/// What `offset` and `@` change, where the expression takes them.
fn shift_of(expr: &mut Expr) -> Option<&mut TimeShift> {
    match &mut expr.kind {
        ExprKind::Selector(selector) => Some(&mut selector.shift),
        ExprKind::Matrix(matrix) => Some(&mut matrix.selector.shift),
        ExprKind::Subquery(subquery) => Some(&mut subquery.shift),
        _ => None,
    }
}
