//! JSON as Go's `encoding/json` writes and reads it.

use std::fmt::{self, Write};
use std::sync::Arc;

use crate::format::float;
use crate::format::print::Bounded;
use crate::value::{Object, Value};

/// Nesting beyond this is refused, as the reader does.
const MAX_DEPTH: usize = 128;

/// Why a value is not written.
pub(super) enum JsonError {
    Full,
    Unsupported(String),
}

impl From<fmt::Error> for JsonError {
    fn from(_: fmt::Error) -> JsonError {
        JsonError::Full
    }
}

/// How JSON is laid out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Style {
    /// Two blanks a level.
    pub pretty: bool,
    /// `<`, `>` and `&` stay as they are.
    pub raw: bool,
}

/// Writes a value.
pub(super) fn write(value: &Value, style: Style, out: &mut Bounded<'_>) -> Result<(), JsonError> {
    nested(value, style, 0, out)
}

fn nested(value: &Value, style: Style, depth: usize, out: &mut Bounded<'_>) -> Result<(), JsonError> {
    if depth > MAX_DEPTH {
        return Err(JsonError::Unsupported("json: value nests too deeply".to_owned()));
    }
    match value {
        Value::Nil => out.write_str("null")?,
        Value::Bool(value) => write!(out, "{value}")?,
        Value::Int(value) => write!(out, "{value}")?,
        Value::Float(value) if !value.is_finite() => {
            let shown = float::shortest(*value);
            return Err(JsonError::Unsupported(format!("json: unsupported value: {shown}")));
        }
        Value::Float(value) => out.write_str(&number(*value))?,
        Value::Str(text) | Value::Safe(_, text) => string(text, style, out)?,
        Value::Duration(duration) => write!(out, "{}", duration.0)?,
        Value::Time(time) => string(&time.format("2006-01-02T15:04:05.999999999Z07:00"), style, out)?,
        Value::List(values) => {
            sequence(('[', ']'), values.iter().map(|value| (None, value)), style, depth, out)?
        }
        Value::Map(map) => {
            sequence(('{', '}'), map.iter().map(|(key, value)| (Some(&**key), value)), style, depth, out)?
        }
        Value::Object(object) => return write_object(object, style, depth, out),
        Value::Function(_) => return Err(JsonError::Unsupported("json: unsupported type: func".to_owned())),
    }
    Ok(())
}

fn write_object(
    object: &Arc<dyn Object>,
    style: Style,
    depth: usize,
    out: &mut Bounded<'_>,
) -> Result<(), JsonError> {
    if let Some(plain) = object.plain() {
        return nested(&plain, style, depth + 1, out);
    }
    let Some(items) = object.items() else {
        return nested(&object.basic().unwrap_or_else(|| Value::map([])), style, depth + 1, out);
    };
    if object.map_zero().is_some() {
        sequence(('{', '}'), items.iter().map(|(key, value)| (key.as_str(), value)), style, depth, out)
    } else {
        sequence(('[', ']'), items.iter().map(|(_, value)| (None, value)), style, depth, out)
    }
}

fn sequence<'v>(
    brackets: (char, char),
    items: impl Iterator<Item = (Option<&'v str>, &'v Value)>,
    style: Style,
    depth: usize,
    out: &mut Bounded<'_>,
) -> Result<(), JsonError> {
    out.write_char(brackets.0)?;
    let mut any = false;
    for (key, value) in items {
        if any {
            out.write_char(',')?;
        }
        any = true;
        new_line(style, depth + 1, out)?;
        if let Some(key) = key {
            string(key, style, out)?;
            out.write_str(if style.pretty { ": " } else { ":" })?;
        }
        nested(value, style, depth + 1, out)?;
    }
    if any {
        new_line(style, depth, out)?;
    }
    out.write_char(brackets.1)?;
    Ok(())
}

fn new_line(style: Style, depth: usize, out: &mut Bounded<'_>) -> fmt::Result {
    if !style.pretty {
        return Ok(());
    }
    out.write_char('\n')?;
    (0..depth).try_for_each(|_| out.write_str("  "))
}

fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let text = float::format(value, 'e', None, false);
        // One digit of exponent where one will do.
        return text.replace("e-0", "e-");
    }
    float::format(value, 'f', None, false)
}

fn string(text: &str, style: Style, out: &mut Bounded<'_>) -> Result<(), JsonError> {
    out.write_char('"')?;
    for char in text.chars() {
        match char {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\x08' => out.write_str("\\b")?,
            '\x0c' => out.write_str("\\f")?,
            '\0'..='\x1f' | '\u{2028}' | '\u{2029}' => write!(out, "\\u{:04x}", u32::from(char))?,
            '<' | '>' | '&' if !style.raw => write!(out, "\\u{:04x}", u32::from(char))?,
            _ => out.write_char(char)?,
        }
    }
    out.write_char('"')?;
    Ok(())
}

/// Reads a document. Numbers are floats.
pub(super) fn read(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).map(from_json)
}

fn from_json(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::Number(number) => Value::Float(number.as_f64().unwrap_or(0.0)),
        serde_json::Value::String(text) => Value::from(text),
        serde_json::Value::Array(values) => Value::list(values.into_iter().map(from_json)),
        serde_json::Value::Object(entries) => {
            Value::map(entries.into_iter().map(|(key, value)| (key.into(), from_json(value))))
        }
    }
}
