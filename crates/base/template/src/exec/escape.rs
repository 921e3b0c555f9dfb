//! Where values become output: the place for escaping.

use std::fmt::{self, Write};

use crate::format::print::Bounded;
use crate::value::Value;

/// Writes the output. It sees literal text and values in the order of the output, so an escaper can follow the context
/// (HTML text, attribute, script) that the literal text opens.
pub trait Escaper {
    /// Text of the template.
    ///
    /// # Errors
    /// If the output is full.
    fn literal(&mut self, text: &str, out: &mut Bounded<'_>) -> fmt::Result {
        out.write_str(text)
    }

    /// The value of an action.
    ///
    /// # Errors
    /// If the output is full.
    fn value(&mut self, value: &Value, out: &mut Bounded<'_>) -> fmt::Result;
}

/// No escaping, as Go's `text/template`.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextEscaper;

impl Escaper for TextEscaper {
    fn value(&mut self, value: &Value, out: &mut Bounded<'_>) -> fmt::Result {
        match value {
            Value::Nil => out.write_str("<no value>"),
            Value::Str(text) | Value::Safe(_, text) => out.write_str(text),
            _ => write!(out, "{value}"),
        }
    }
}
