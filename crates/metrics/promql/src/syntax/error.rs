//! Why a query does not parse.

use std::fmt;

/// A range of bytes of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// First byte after it.
    pub end: usize,
}

impl Span {
    /// From `start` up to, not including, `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The range that begins with `self` and ends with `other`.
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }

    /// `line:column` of the start in `query`, both from one, columns in bytes, as Prometheus prints positions.
    pub fn position(self, query: &str) -> Position {
        let before = query.as_bytes().get(..self.start).unwrap_or(query.as_bytes());
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.len() - before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1) + 1;
        Position { line, column, known: !query.is_empty() }
    }
}

/// A place in a query, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// From one.
    pub line: usize,
    /// In bytes, from one.
    pub column: usize,
    /// False for an empty query, which has no places.
    known: bool,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.known { write!(f, "{}:{}", self.line, self.column) } else { f.write_str("unknown position") }
    }
}

/// A query that is not PromQL: `1:7: parse error: unexpected …`, in Prometheus' words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{position}: parse error: {message}")]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// Which bytes of the query it is about.
    pub span: Span,
    /// Where that is.
    pub position: Position,
}

/// An error before it knows the query's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) span: Span,
}

impl Problem {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), span }
    }

    pub(super) fn within(self, query: &str) -> ParseError {
        ParseError { position: self.span.position(query), message: self.message, span: self.span }
    }
}
