//! The language: text and `{{actions}}` into trees.

pub(crate) mod ast;
mod lexer;
mod number;
mod parser;

#[cfg(test)]
mod tests;

pub use parser::ParseError;
pub(crate) use parser::parse;
