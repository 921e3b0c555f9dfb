//! Numbers out of anything.

use std::num::IntErrorKind;

use crate::exec::FunctionError;
use crate::value::Value;

/// As Prometheus reads arguments of `humanize` and its kin: numbers, durations, and texts of numbers.
pub(super) fn to_float(value: &Value) -> Result<f64, FunctionError> {
    match value {
        Value::Float(value) => Ok(*value),
        Value::Int(value) => Ok(*value as f64),
        Value::Duration(duration) => Ok(duration.as_seconds()),
        Value::Str(text) | Value::Safe(_, text) => parse_float(text),
        _ => Err(FunctionError::Failed(format!("can't convert {} to float", value.type_name()))),
    }
}

/// As Go's `strconv.ParseFloat`, with its words.
pub(super) fn parse_float(text: &str) -> Result<f64, FunctionError> {
    text.parse()
        .map_err(|_| FunctionError::Failed(format!("strconv.ParseFloat: parsing {text:?}: invalid syntax")))
}

/// As sprig's `float64`: what is no number is 0.
pub(super) fn cast_float(value: &Value) -> f64 {
    match value.basic() {
        Value::Float(value) => value,
        Value::Int(value) => value as f64,
        Value::Bool(value) => f64::from(u8::from(value)),
        other => other.as_str().and_then(|text| text.parse().ok()).unwrap_or(0.0),
    }
}

/// As sprig's `int64`: what is no number is 0; texts may have a prefix such as `0x`, and `.00` at their end.
pub(super) fn cast_int(value: &Value) -> i64 {
    match value.basic() {
        Value::Int(value) => value,
        Value::Float(value) => value as i64,
        Value::Bool(value) => i64::from(value),
        other => other.as_str().and_then(parse_int).unwrap_or(0),
    }
}

fn parse_int(text: &str) -> Option<i64> {
    let text = match text.rsplit_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => whole,
        _ => text,
    };
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.get(..1).filter(|sign| *sign == "-").unwrap_or(""), digits),
        None => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, body) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, lower.get(2..)?),
        [b'0', b'b', ..] => (2, lower.get(2..)?),
        [b'0', b'o', ..] => (8, lower.get(2..)?),
        [b'0', _, ..] => (8, lower.get(1..)?),
        _ => (10, lower.as_str()),
    };
    if body.starts_with(['+', '-']) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{}", body.replace('_', "")), radix).ok()
}

/// As Go's `strconv.ParseInt` in base 10, with its words.
pub(super) fn parse_decimal(text: &str) -> Result<i64, String> {
    text.parse().map_err(|error: std::num::ParseIntError| {
        let reason = match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        format!("strconv.ParseInt: parsing {text:?}: {reason}")
    })
}
