//! The language: text to tree and back. Knows nothing of evaluation, so that a formatter, a checker or a query splitter needs only this.
//!
//! [`parse`] reads any query and checks it; [`parse_matchers`] reads a bare selector; `Display` prints a tree in Loki's canonical form
//! and [`format_query`] the way `/format_query` does. Errors carry Loki's texts, position included.

mod ast;
mod display;
mod error;
mod fold;
mod lexer;
mod parser;
mod pretty;
mod scanner;
mod token;
mod validate;

#[cfg(test)]
mod tests;

pub use ast::{
    BinaryExpr, BinaryOp, CompareOp, Conversion, Expr, Extraction, Grouping, LabelFilter, LabelFormat,
    LabelFormatValue, LabelReplace, LineFilter, LineMatch, LineOp, Literal, LogExpr, LogRange, Matching,
    MatchingCard, MetricExpr, NamedMatcher, Parameter, RangeAggregation, RangeOp, Span, Stage, StageKind,
    Unwrap, Variants, VectorAggregation, VectorLiteral, VectorOp,
};
pub use error::ParseError;
pub(crate) use fold::apply;
pub use parser::{MAX_QUERY_BYTES, parse, parse_matchers, parse_unchecked};
pub use pretty::format_query;
