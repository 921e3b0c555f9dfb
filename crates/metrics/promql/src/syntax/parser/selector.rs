//! Selectors: a metric's name, braces, matchers.

use model::{METRIC_NAME, MatchOp, Matcher};

use super::{Parsed, Parser};
use crate::syntax::{
    Expr, ExprKind, Span, TimeShift, VectorSelector,
    error::Problem,
    token::{Kind, Operator},
};

impl Parser<'_> {
    /// A selector, `name` being where the metric's name before the braces stands. A name alone is one, too.
    pub(super) fn selector(&mut self, name: Option<Span>) -> Parsed<Expr> {
        let mut span = name.unwrap_or(self.token().span);
        let mut matchers = Vec::new();
        if *self.kind() == Kind::LeftBrace {
            self.advance();
            matchers = self.matchers()?;
            span = span.to(self.previous());
        }
        let name = name.map(|span| self.text(span).to_owned());
        if let Some(name) = &name {
            matchers.push(Matcher::equal(METRIC_NAME, name));
        }
        let selector =
            VectorSelector { name, matchers, shift: TimeShift::default(), anchored: false, smoothed: false };
        Ok(Expr::new(ExprKind::Selector(selector), span))
    }

    fn matchers(&mut self) -> Parsed<Vec<Matcher>> {
        let mut matchers = Vec::new();
        if *self.kind() == Kind::RightBrace {
            self.advance();
            return Ok(matchers);
        }
        loop {
            matchers.push(self.matcher()?);
            match self.kind() {
                Kind::Comma => {
                    self.advance();
                    if *self.kind() == Kind::RightBrace {
                        self.advance();
                        return Ok(matchers);
                    }
                }
                Kind::RightBrace => {
                    self.advance();
                    return Ok(matchers);
                }
                _ => return Err(self.unexpected("label matching", "\",\" or \"}\"")),
            }
        }
    }

    fn matcher(&mut self) -> Parsed<Matcher> {
        let (label, label_span, quoted) = match self.kind() {
            Kind::Identifier => {
                let span = self.advance();
                (self.text(span).to_owned(), span, false)
            }
            Kind::String => {
                let (bytes, span) = self.string()?;
                (String::from_utf8_lossy(&bytes).into_owned(), span, true)
            }
            _ => return Err(self.unexpected("label matching", "identifier or \"}\"")),
        };
        let op = match self.kind() {
            Kind::Assign => MatchOp::Equal,
            Kind::Operator(Operator::NotEqual) => MatchOp::NotEqual,
            Kind::MatchRegex => MatchOp::Regex,
            Kind::MatchNotRegex => MatchOp::NotRegex,
            // A string alone is the metric's name.
            Kind::Comma | Kind::RightBrace if quoted => return Ok(Matcher::equal(METRIC_NAME, &label)),
            _ if quoted => return Err(self.unexpected("label matching", "\",\" or \"}\"")),
            _ => return Err(self.unexpected("label matching", "label matching operator")),
        };
        self.advance();
        if *self.kind() != Kind::String {
            return Err(self.unexpected("label matching", "string"));
        }
        let (bytes, value_span) = self.string()?;
        let value = String::from_utf8_lossy(&bytes);
        Matcher::new(op, &label, &value)
            .map_err(|error| Problem::new(label_span.to(value_span), error.source.to_string()))
    }
}
