//! `%v`, `Sprint` and `Sprintln`.

use std::fmt::{self, Write};

use super::float;
use crate::value::Value;

/// Nesting beyond this is shown as `…`: values come from documents that others wrote.
const MAX_DEPTH: usize = 100;

/// Writes a value as `%v`.
pub(crate) fn write_value(value: &Value, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    write_nested(value, out, 0)
}

fn write_nested(value: &Value, out: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
    if depth > MAX_DEPTH {
        return out.write_str("…");
    }
    match value {
        Value::Nil => out.write_str("<nil>"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(value) => write!(out, "{value}"),
        Value::Float(value) => out.write_str(&float::shortest(*value)),
        Value::Str(text) | Value::Safe(_, text) => out.write_str(text),
        Value::List(values) => {
            out.write_char('[')?;
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.write_char(' ')?;
                }
                write_nested(value, out, depth + 1)?;
            }
            out.write_char(']')
        }
        Value::Map(map) => {
            out.write_str("map[")?;
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    out.write_char(' ')?;
                }
                write!(out, "{key}:")?;
                write_nested(value, out, depth + 1)?;
            }
            out.write_char(']')
        }
        Value::Time(time) => write!(out, "{time}"),
        Value::Duration(duration) => write!(out, "{duration}"),
        Value::Object(object) => object.display(out),
        Value::Function(_) => out.write_str("func"),
    }
}

/// A writer that fails once a number of bytes is reached; use it with `write!`.
#[derive(Debug)]
pub struct Bounded<'o> {
    pub(crate) out: &'o mut String,
    pub(crate) limit: usize,
}

impl Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.out.len() + text.len() > self.limit {
            return Err(fmt::Error);
        }
        self.out.push_str(text);
        Ok(())
    }
}

/// Go's `Sprint`: a blank between two operands of which neither is a string.
pub(crate) fn print(values: &[Value], out: &mut Bounded<'_>) -> fmt::Result {
    let mut after_string = true;
    for (index, value) in values.iter().enumerate() {
        let is_string = value.as_str().is_some();
        if index > 0 && !is_string && !after_string {
            out.write_char(' ')?;
        }
        write!(out, "{value}")?;
        after_string = is_string;
    }
    Ok(())
}

/// Go's `Sprintln`: blanks between all operands, and a newline.
pub(crate) fn println(values: &[Value], out: &mut Bounded<'_>) -> fmt::Result {
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.write_char(' ')?;
        }
        write!(out, "{value}")?;
    }
    out.write_char('\n')
}
