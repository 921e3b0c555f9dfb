//! Pipelines: line filters, parsers, label filters, formats.

use model::MatchOp;

use super::super::token::{Fixed, Flag, TokenKind};
use super::super::{
    CompareOp, Conversion, Extraction, LabelFilter, LabelFormat, LabelFormatValue, LineFilter, LineMatch,
    LineOp, LogExpr, NamedMatcher, Stage, StageKind, Unwrap,
};
use super::{ParseError, Parser};
use crate::units;

impl Parser {
    /// A selector and the stages after it; `unwrap` is left to the caller.
    pub(super) fn log_expr(&mut self) -> Result<LogExpr, ParseError> {
        let start = self.span();
        let matchers = self.selector()?;
        let stages = self.stages()?;
        Ok(LogExpr { matchers, stages, span: self.span_since(start) })
    }

    pub(super) fn stages(&mut self) -> Result<Vec<Stage>, ParseError> {
        let mut stages = Vec::new();
        loop {
            if let Some(op) = self.line_op() {
                self.line_filter(op, &mut stages)?;
            } else if self.is(Fixed::Pipe) && *self.peek_second() != TokenKind::Fixed(Fixed::Unwrap) {
                let start = self.span();
                self.bump();
                let kind = self.stage()?;
                stages.push(Stage { kind, span: self.span_since(start) });
            } else {
                return Ok(stages);
            }
        }
    }

    fn line_op(&self) -> Option<LineOp> {
        let TokenKind::Fixed(fixed) = self.peek() else {
            return None;
        };
        Some(match fixed {
            Fixed::PipeContains => LineOp::Contains,
            Fixed::NotEqual => LineOp::ContainsNot,
            Fixed::PipeMatches => LineOp::Matches,
            Fixed::MatchesNot => LineOp::MatchesNot,
            Fixed::PipePattern => LineOp::Pattern,
            Fixed::PatternNot => LineOp::PatternNot,
            _ => return None,
        })
    }

    /// A chain of alternatives after a negative operator becomes several filters: none of them may fit.
    fn line_filter(&mut self, op: LineOp, stages: &mut Vec<Stage>) -> Result<(), ParseError> {
        let start = self.span();
        self.bump();
        let mut alternatives = vec![self.line_match()?];
        while self.take(Fixed::Or) {
            alternatives.push(self.line_match()?);
        }
        let span = self.span_since(start);
        let stage =
            |alternatives| Stage { kind: StageKind::LineFilter(LineFilter { op, alternatives }), span };
        if op.is_negative() {
            stages.extend(alternatives.into_iter().map(|one| stage(vec![one])));
        } else {
            stages.push(stage(alternatives));
        }
        Ok(())
    }

    fn line_match(&mut self) -> Result<LineMatch, ParseError> {
        if self.take(Fixed::Ip) {
            let text = self.parenthesised(Self::string)?;
            return Ok(LineMatch { text, ip: true });
        }
        let TokenKind::String(text) = self.peek() else {
            return Err(self.unexpected(&["STRING", "ip"]));
        };
        let text = text.clone();
        self.bump();
        Ok(LineMatch { text, ip: false })
    }

    pub(super) fn parenthesised<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        self.expect(Fixed::OpenParen)?;
        let value = inner(self)?;
        self.expect(Fixed::CloseParen)?;
        Ok(value)
    }

    /// A stage after its `|`.
    fn stage(&mut self) -> Result<StageKind, ParseError> {
        let TokenKind::Fixed(fixed) = *self.peek() else {
            return match self.peek() {
                TokenKind::Identifier(_) => Ok(StageKind::LabelFilter(self.label_filter()?)),
                _ => Err(self.unexpected(&[])),
            };
        };
        if fixed == Fixed::OpenParen {
            return Ok(StageKind::LabelFilter(self.label_filter()?));
        }
        let is_stage = matches!(
            fixed,
            Fixed::Json
                | Fixed::Logfmt
                | Fixed::Regexp
                | Fixed::Pattern
                | Fixed::Unpack
                | Fixed::LineFormat
                | Fixed::LabelFormat
                | Fixed::Decolorize
                | Fixed::Drop
                | Fixed::Keep
        );
        if !is_stage {
            return Err(self.unexpected(&[]));
        }
        self.bump();
        Ok(match fixed {
            Fixed::Json => StageKind::Json { expressions: self.extractions()? },
            Fixed::Logfmt => self.logfmt()?,
            Fixed::Regexp => StageKind::Regexp(self.string()?),
            Fixed::Pattern => StageKind::Pattern(self.string()?),
            Fixed::Unpack => StageKind::Unpack,
            Fixed::LineFormat => StageKind::LineFormat(self.string()?),
            Fixed::LabelFormat => StageKind::LabelFormat(self.label_formats()?),
            Fixed::Decolorize => StageKind::Decolorize,
            Fixed::Drop => StageKind::Drop(self.named_matchers()?),
            _ => StageKind::Keep(self.named_matchers()?),
        })
    }

    fn logfmt(&mut self) -> Result<StageKind, ParseError> {
        let (mut strict, mut keep_empty) = (false, false);
        while let TokenKind::Flag(flag) = self.peek() {
            match flag {
                Flag::Strict => strict = true,
                Flag::KeepEmpty => keep_empty = true,
            }
            self.bump();
        }
        Ok(StageKind::Logfmt { strict, keep_empty, expressions: self.extractions()? })
    }

    /// `a="x", b`, possibly nothing at all.
    fn extractions(&mut self) -> Result<Vec<Extraction>, ParseError> {
        let mut extractions = Vec::new();
        if !matches!(self.peek(), TokenKind::Identifier(_)) {
            return Ok(extractions);
        }
        loop {
            let name = self.identifier(&["IDENTIFIER"])?;
            let expression = if self.take(Fixed::Assign) { self.string()? } else { name.clone() };
            extractions.push(Extraction { name, expression });
            if !self.take(Fixed::Comma) {
                return Ok(extractions);
            }
        }
    }

    fn label_formats(&mut self) -> Result<Vec<LabelFormat>, ParseError> {
        let mut formats = Vec::new();
        loop {
            let name = self.identifier(&["IDENTIFIER"])?;
            self.expect(Fixed::Assign)?;
            let value = match self.peek() {
                TokenKind::Identifier(source) => LabelFormatValue::Rename(source.clone()),
                TokenKind::String(template) => LabelFormatValue::Template(template.clone()),
                _ => return Err(self.unexpected(&["IDENTIFIER", "STRING"])),
            };
            self.bump();
            formats.push(LabelFormat { name, value });
            if !self.take(Fixed::Comma) {
                return Ok(formats);
            }
        }
    }

    fn named_matchers(&mut self) -> Result<Vec<NamedMatcher>, ParseError> {
        let mut names = Vec::new();
        loop {
            let name = self.identifier(&["IDENTIFIER"])?;
            names.push(match self.match_op() {
                Some(op) => {
                    self.bump();
                    NamedMatcher::Matcher(self.matcher_value(op, &name)?)
                }
                None => NamedMatcher::Name(name),
            });
            if !self.take(Fixed::Comma) {
                return Ok(names);
            }
        }
    }

    // === label filters ===

    /// Conditions joined by `and`, `or`, `,` or nothing.
    ///
    /// `and` binds tighter than `or`; after `,` or nothing, everything to the right is one operand. This is what Loki's grammar comes to.
    fn label_filter(&mut self) -> Result<LabelFilter, ParseError> {
        self.nested(Self::label_or)
    }

    fn label_or(&mut self) -> Result<LabelFilter, ParseError> {
        let mut left = self.label_and()?;
        let mut length = 0;
        while self.take(Fixed::Or) {
            length += 1;
            self.check_depth(self.depth + length)?;
            let right = self.label_and()?;
            left = LabelFilter::Or(Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn label_and(&mut self) -> Result<LabelFilter, ParseError> {
        let mut left = self.label_operand()?;
        let mut length = 0;
        loop {
            length += 1;
            self.check_depth(self.depth + length)?;
            if self.take(Fixed::And) {
                let right = self.label_operand()?;
                left = LabelFilter::And(Box::new(left), Box::new(right));
            } else if self.take(Fixed::Comma)
                || matches!(self.peek(), TokenKind::Identifier(_))
                || self.is(Fixed::OpenParen)
            {
                let right = self.label_filter()?;
                return Ok(LabelFilter::And(Box::new(left), Box::new(right)));
            } else {
                return Ok(left);
            }
        }
    }

    fn label_operand(&mut self) -> Result<LabelFilter, ParseError> {
        if self.take(Fixed::OpenParen) {
            let inner = self.label_filter()?;
            self.expect(Fixed::CloseParen)?;
            return Ok(inner);
        }
        let name = self.identifier(&["IDENTIFIER", "("])?;
        let op = self.match_op();
        let compare = match self.peek() {
            TokenKind::Fixed(Fixed::Assign | Fixed::Equal) => Some(CompareOp::Equal),
            TokenKind::Fixed(Fixed::NotEqual) => Some(CompareOp::NotEqual),
            TokenKind::Fixed(Fixed::Greater) => Some(CompareOp::Greater),
            TokenKind::Fixed(Fixed::GreaterOrEqual) => Some(CompareOp::GreaterOrEqual),
            TokenKind::Fixed(Fixed::Less) => Some(CompareOp::Less),
            TokenKind::Fixed(Fixed::LessOrEqual) => Some(CompareOp::LessOrEqual),
            _ => None,
        };
        if op.is_none() && compare.is_none() {
            return Err(self.unexpected(&[]));
        }
        self.bump();
        match (op, compare) {
            (Some(op @ (MatchOp::Regex | MatchOp::NotRegex)), _) => {
                Ok(LabelFilter::Matcher(self.matcher_value(op, &name)?))
            }
            (Some(op), _) if matches!(self.peek(), TokenKind::String(_)) => {
                Ok(LabelFilter::Matcher(self.matcher_value(op, &name)?))
            }
            (Some(op), _) if self.is(Fixed::Ip) => {
                self.bump();
                let pattern = self.parenthesised(Self::string)?;
                let negative = op == MatchOp::NotEqual;
                Ok(LabelFilter::Ip { name, negative, pattern })
            }
            (_, Some(op)) => self.typed_value(name, op),
            (_, None) => Err(self.unexpected(&[])),
        }
    }

    fn typed_value(&mut self, name: String, op: CompareOp) -> Result<LabelFilter, ParseError> {
        match *self.peek() {
            TokenKind::Duration(value) => {
                self.bump();
                Ok(LabelFilter::Duration { name, op, value })
            }
            TokenKind::Bytes(value) => {
                self.bump();
                Ok(LabelFilter::Bytes { name, op, value })
            }
            TokenKind::Number(_) | TokenKind::Fixed(Fixed::Add | Fixed::Sub) => {
                let value = self.signed_number()?;
                Ok(LabelFilter::Number { name, op, value })
            }
            _ => Err(self.unexpected(&[])),
        }
    }

    pub(super) fn signed_number(&mut self) -> Result<f64, ParseError> {
        let start = self.span();
        let negative = self.is(Fixed::Sub);
        if negative || self.is(Fixed::Add) {
            self.bump();
        }
        let text = self.number()?;
        let value = units::parse_number(&text).map_err(|error| {
            ParseError::of(format!("unable to parse literal as a float: {error}"), self.span_since(start))
        })?;
        Ok(if negative { -value } else { value })
    }

    // === unwrap ===

    /// `| unwrap duration(a) | b="c"`, if that stands here.
    pub(super) fn unwrap_expr(&mut self) -> Result<Option<Unwrap>, ParseError> {
        if !(self.is(Fixed::Pipe) && *self.peek_second() == TokenKind::Fixed(Fixed::Unwrap)) {
            return Ok(None);
        }
        let start = self.span();
        self.bump();
        self.bump();
        let (name, conversion) = self.unwrapped_label()?;
        let mut filters = Vec::new();
        while self.take(Fixed::Pipe) {
            filters.push(self.label_filter()?);
        }
        Ok(Some(Unwrap { name, conversion, filters, span: self.span_since(start) }))
    }

    fn unwrapped_label(&mut self) -> Result<(String, Option<Conversion>), ParseError> {
        if let TokenKind::Conversion(conversion) = *self.peek() {
            self.bump();
            let name = self.parenthesised(|parser| parser.identifier(&["IDENTIFIER"]))?;
            return Ok((name, Some(conversion)));
        }
        let expected = ["IDENTIFIER", "BYTES_CONV", "DURATION_CONV", "DURATION_SECONDS_CONV"];
        Ok((self.identifier(&expected)?, None))
    }
}
