//! The language: text to tree and back. Knows nothing of evaluation, so that linters, formatters and rewriters need no more than this.
//!
//! A query goes through a lexer (`lexer`), a parser (`parser`) and a type check (`check`). Errors are Prometheus', word by word and with its
//! positions, since people search for them. The tree prints itself in Prometheus' canonical form.

mod ast;
mod check;
mod display;
mod error;
mod functions;
mod lexer;
mod literal;
mod parser;
mod pretty;
mod token;
mod visit;

#[cfg(test)]
mod tests;

use model::Matcher;

pub use ast::{
    Aggregate, AtModifier, Binary, Call, Card, DurationExpr, DurationKind, DurationValue, Expr, ExprKind,
    MatrixSelector, Number, StringLiteral, Subquery, TimeShift, Unary, ValueType, VectorMatching,
    VectorSelector,
};
pub use error::{ParseError, Position, Span};
pub use functions::{Function, Variadic, function, functions};
pub(crate) use literal::parse_number;
pub use literal::{format_duration, parse_duration};
pub use parser::MAX_DEPTH;
pub use token::{Aggregator, Keyword, Operator};

/// What of the language is switched on beyond its stable part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ParserOptions {
    /// Functions and aggregators that may still change (`promql-experimental-functions`).
    pub experimental_functions: bool,
    /// Arithmetic with durations (`promql-duration-expr`).
    pub duration_expressions: bool,
    /// `anchored` and `smoothed` (`promql-extended-range-selectors`).
    pub extended_range_selectors: bool,
    /// `fill`, `fill_left` and `fill_right` (`promql-binop-fill-modifiers`).
    pub binop_fill_modifiers: bool,
}

impl ParserOptions {
    /// Everything.
    pub fn all() -> Self {
        Self {
            experimental_functions: true,
            duration_expressions: true,
            extended_range_selectors: true,
            binop_fill_modifiers: true,
        }
    }
}

/// Reads a query.
pub fn parse(query: &str, options: ParserOptions) -> Result<Expr, ParseError> {
    parser::Parser::new(query, options)
        .parse_query()
        .and_then(|mut expr| check::check(&mut expr).map(|_| expr))
        .map_err(|problem| problem.within(query))
}

/// Reads what stands in the braces of a series and its name before them; may match everything.
pub fn parse_labels(text: &str) -> Result<Vec<Matcher>, ParseError> {
    let expr = parser::Parser::new(text, ParserOptions::default())
        .parse_selector()
        .map_err(|problem| problem.within(text))?;
    match expr.kind {
        ExprKind::Selector(selector) => Ok(selector.matchers),
        _ => Ok(Vec::new()),
    }
}

/// Reads a series selector, as `match[]` parameters hold them: no range, no modifiers.
pub fn parse_selector(text: &str) -> Result<Vec<Matcher>, ParseError> {
    let mut expr = parser::Parser::new(text, ParserOptions::default())
        .parse_selector()
        .map_err(|problem| problem.within(text))?;
    check::check(&mut expr).map_err(|problem| problem.within(text))?;
    match expr.kind {
        ExprKind::Selector(selector) => Ok(selector.matchers),
        _ => Ok(Vec::new()),
    }
}
