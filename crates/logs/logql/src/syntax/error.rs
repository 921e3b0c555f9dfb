//! Why a query was refused.

use std::fmt;

use super::Span;

/// A query that does not parse or makes no sense, in Loki's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    message: String,
    /// Line and column as Loki reports them, both 0 where it gives none.
    line: u32,
    column: u32,
    span: Option<Span>,
    /// Whether the text stands without `parse error`.
    is_bare: bool,
}

impl ParseError {
    /// An error about the query as a whole or about what a part means.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), line: 0, column: 0, span: None, is_bare: false }
    }

    /// An error whose text stands alone.
    pub(super) fn bare(message: impl Into<String>) -> Self {
        Self { is_bare: true, ..Self::new(message) }
    }

    pub(super) fn at(message: impl Into<String>, line: u32, column: u32, span: Span) -> Self {
        Self { message: message.into(), line, column, span: Some(span), is_bare: false }
    }

    pub(crate) fn of(message: impl Into<String>, span: Span) -> Self {
        Self { span: Some(span), ..Self::new(message) }
    }

    /// What is wrong, without the position.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where in the query's text, in bytes, if that is known.
    pub fn span(&self) -> Option<Span> {
        self.span
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, line, column, span: _, is_bare } = self;
        if *is_bare {
            f.write_str(message)
        } else if *line == 0 && *column == 0 {
            write!(f, "parse error : {message}")
        } else {
            write!(f, "parse error at line {line}, col {column}: {message}")
        }
    }
}

impl std::error::Error for ParseError {}
