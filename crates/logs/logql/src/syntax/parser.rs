//! Tokens to tree: recursive descent, precedence climbing for operators.
//!
//! Where the language is ambiguous it follows Loki's grammar; where an error can be told in several ways it follows the texts that
//! Loki's generated parser gives.

mod metric;
mod pipeline;
mod selector;

use model::Matcher;

use super::lexer::lex;
use super::token::{Fixed, Token, TokenKind};
use super::{Expr, LogExpr, MetricExpr, ParseError, Span, validate};

/// Longest query in bytes.
pub const MAX_QUERY_BYTES: usize = 131_072;

/// Deepest nesting of a query. Everything that walks a tree recurses, so this bounds the stack; people write less than 20.
const MAX_DEPTH: usize = 128;

/// Reads and checks a query.
pub fn parse(query: &str) -> Result<Expr, ParseError> {
    let expr = parse_unchecked(query)?;
    validate::check(&expr)?;
    Ok(expr)
}

/// Reads a query without asking whether it makes sense.
pub fn parse_unchecked(query: &str) -> Result<Expr, ParseError> {
    if query.len() >= MAX_QUERY_BYTES {
        return Err(ParseError::new(format!("input size too long ({} > {MAX_QUERY_BYTES})", query.len())));
    }
    let mut parser = Parser { tokens: lex(query), at: 0, depth: 0 };
    let expr = parser.whole()?;
    match parser.peek() {
        TokenKind::End => Ok(expr),
        _ => Err(parser.unexpected(&[])),
    }
}

/// Reads a bare selector, `{a="b"}`, as `match[]` has it; it must name at least one label that is not empty.
///
/// # Errors
/// Those of a query, and `only label matchers are supported` where more than a selector stands.
pub fn parse_matchers(text: &str) -> Result<Vec<Matcher>, ParseError> {
    match parse(text)? {
        Expr::Log(LogExpr { matchers, stages, .. }) if stages.is_empty() => Ok(matchers),
        _ => Err(ParseError::bare("only label matchers are supported")),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

/// What stands at a place where both kinds of query are possible.
enum Operand {
    Lines(LogExpr),
    Series(MetricExpr, usize),
}

impl Parser {
    fn whole(&mut self) -> Result<Expr, ParseError> {
        if *self.peek() == TokenKind::Variants {
            return Ok(Expr::Variants(self.variants()?));
        }
        Ok(match self.expr(0)? {
            Operand::Lines(log) => Expr::Log(log),
            Operand::Series(metric, _) => Expr::Metric(metric),
        })
    }

    // === tokens ===

    fn token(&self) -> &Token {
        // The last token is an end or an error and is never taken.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn peek(&self) -> &TokenKind {
        &self.token().kind
    }

    fn peek_second(&self) -> &TokenKind {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)].kind
    }

    fn span(&self) -> Span {
        self.token().span
    }

    /// Where the last token that was taken ends.
    fn span_since(&self, start: Span) -> Span {
        match self.at.checked_sub(1).and_then(|at| self.tokens.get(at)) {
            Some(last) => start.to(last.span),
            None => start,
        }
    }

    fn bump(&mut self) {
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
    }

    fn is(&self, fixed: Fixed) -> bool {
        *self.peek() == TokenKind::Fixed(fixed)
    }

    fn take(&mut self, fixed: Fixed) -> bool {
        let found = self.is(fixed);
        if found {
            self.bump();
        }
        found
    }

    fn expect(&mut self, fixed: Fixed) -> Result<(), ParseError> {
        if self.take(fixed) {
            return Ok(());
        }
        Err(self.unexpected(&[fixed.as_str()]))
    }

    fn identifier(&mut self, expected: &[&str]) -> Result<String, ParseError> {
        let TokenKind::Identifier(name) = self.peek() else {
            return Err(self.unexpected(expected));
        };
        let name = name.clone();
        self.bump();
        Ok(name)
    }

    fn string(&mut self) -> Result<String, ParseError> {
        let TokenKind::String(text) = self.peek() else {
            return Err(self.unexpected(&["STRING"]));
        };
        let text = text.clone();
        self.bump();
        Ok(text)
    }

    fn number(&mut self) -> Result<String, ParseError> {
        let TokenKind::Number(text) = self.peek() else {
            return Err(self.unexpected(&["NUMBER"]));
        };
        let text = text.clone();
        self.bump();
        Ok(text)
    }

    /// The error of meeting the current token. Like Loki's parser it names what was expected only if that is little.
    fn unexpected(&self, expected: &[&str]) -> ParseError {
        let token = self.token();
        if let TokenKind::Error(message) = &token.kind {
            return ParseError::at(message.clone(), token.line, token.column, token.span);
        }
        let mut message = format!("syntax error: unexpected {}", token.kind.name());
        if !expected.is_empty() {
            message.push_str(", expecting ");
            message.push_str(&expected.join(" or "));
        }
        ParseError::at(message, token.line, token.column, token.span)
    }

    /// Runs `parse` one level deeper.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, ParseError>) -> Result<T, ParseError> {
        self.depth += 1;
        self.check_depth(self.depth)?;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    fn check_depth(&self, depth: usize) -> Result<(), ParseError> {
        if depth > MAX_DEPTH {
            return Err(ParseError::of(
                format!("query is nested too deeply, limit: {MAX_DEPTH}"),
                self.span(),
            ));
        }
        Ok(())
    }

    /// `a, b` up to and with the closing parenthesis; the opening one has been taken.
    fn names(&mut self) -> Result<Vec<String>, ParseError> {
        let mut names = Vec::new();
        if self.take(Fixed::CloseParen) {
            return Ok(names);
        }
        names.push(self.identifier(&["IDENTIFIER", ")"])?);
        loop {
            if self.take(Fixed::CloseParen) {
                return Ok(names);
            }
            if !self.take(Fixed::Comma) {
                return Err(self.unexpected(&[",", ")"]));
            }
            names.push(self.identifier(&["IDENTIFIER"])?);
        }
    }
}
