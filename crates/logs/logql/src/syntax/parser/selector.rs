//! Selectors and matchers.

use std::error::Error as _;

use model::{MatchOp, Matcher};

use super::super::token::{Fixed, TokenKind};
use super::{ParseError, Parser};

impl Parser {
    /// `{a="b", c!="d"}`
    pub(super) fn selector(&mut self) -> Result<Vec<Matcher>, ParseError> {
        self.expect(Fixed::OpenBrace)?;
        let mut matchers = Vec::new();
        if self.take(Fixed::CloseBrace) {
            return Ok(matchers);
        }
        let name = self.identifier(&["IDENTIFIER", "}"])?;
        matchers.push(self.matcher(&name)?);
        loop {
            if self.take(Fixed::CloseBrace) {
                return Ok(matchers);
            }
            if !self.take(Fixed::Comma) {
                return Err(self.unexpected(&["}", ","]));
            }
            let name = self.identifier(&["IDENTIFIER"])?;
            matchers.push(self.matcher(&name)?);
        }
    }

    fn matcher(&mut self, name: &str) -> Result<Matcher, ParseError> {
        let Some(op) = self.match_op() else {
            return Err(self.unexpected(&["=", "=~", "!~", "!="]));
        };
        self.bump();
        self.matcher_value(op, name)
    }

    /// The operator that stands here, if it is one of a matcher.
    pub(super) fn match_op(&self) -> Option<MatchOp> {
        match self.peek() {
            TokenKind::Fixed(Fixed::Assign) => Some(MatchOp::Equal),
            TokenKind::Fixed(Fixed::NotEqual) => Some(MatchOp::NotEqual),
            TokenKind::Fixed(Fixed::Matches) => Some(MatchOp::Regex),
            TokenKind::Fixed(Fixed::MatchesNot) => Some(MatchOp::NotRegex),
            _ => None,
        }
    }

    pub(super) fn matcher_value(&mut self, op: MatchOp, name: &str) -> Result<Matcher, ParseError> {
        let span = self.span();
        let value = self.string()?;
        Matcher::new(op, name, &value).map_err(|error| {
            let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            ParseError::of(cause, span)
        })
    }
}
