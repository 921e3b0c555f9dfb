//! Number literals with Go's rules for constants: one literal may be an integer and a float.

use std::str;

use crate::format::quote::{self, Unit};

/// A literal and all it can stand for.
#[derive(Debug, Clone)]
pub(crate) struct Number {
    pub text: Box<str>,
    pub int: Option<i64>,
    pub float: Option<f64>,
    /// Written as a float: that is its type where nothing else is asked for.
    pub looks_float: bool,
}

/// Reads a number or a character constant.
pub(crate) fn parse(text: &str) -> Result<Number, String> {
    if text.starts_with('\'') {
        return character(text);
    }
    if text.ends_with('i') && !text.starts_with("0x") {
        return Err(format!("not supported yet: complex number {text}"));
    }
    let mut number = Number { text: text.into(), int: None, float: None, looks_float: false };
    if let Some(integer) = integer(text) {
        let Ok(int) = i64::try_from(integer) else {
            return match u64::try_from(integer) {
                // Go knows it, but every use of it overflows.
                Ok(_) => Ok(number),
                Err(_) => Err(format!("integer overflow: {text:?}")),
            };
        };
        number.int = Some(int);
        number.float = Some(int as f64);
        return Ok(number);
    }
    let is_hex = text.trim_start_matches(['+', '-']).starts_with(['0']) && text.contains(['x', 'X']);
    let float = if is_hex { hexadecimal_float(text) } else { decimal_float(text) };
    let Some(float) = float else {
        return Err(format!("illegal number syntax: {text:?}"));
    };
    // It reads as a float, but is an integer by its looks: `08`.
    if !text.contains(['.', 'e', 'E', 'p', 'P']) {
        return Err(format!("integer overflow: {text:?}"));
    }
    number.looks_float = true;
    number.float = Some(float);
    if float.fract() == 0.0 && float.abs() < 9.2e18 {
        number.int = Some(float as i64);
    }
    Ok(number)
}

fn character(text: &str) -> Result<Number, String> {
    let inside = text.get(1..).unwrap_or("");
    let Some((unit, rest)) = quote::unquote_char(inside, '\'') else {
        return Err("invalid syntax".to_owned());
    };
    if rest != "'" || inside.starts_with('\'') {
        return Err(format!("malformed character constant: {text}"));
    }
    let int = match unit {
        Unit::Byte(byte) => i64::from(byte),
        Unit::Char(char) => i64::from(u32::from(char)),
    };
    Ok(Number { text: text.into(), int: Some(int), float: Some(int as f64), looks_float: false })
}

/// `73`, `-0x1f`, `0b101`, `0o17`, `017`, `1_000`. Numbers beyond 100 bits are cut, and overflow anyway.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, body, prefixed) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, lower.get(2..)?, true),
        [b'0', b'b', ..] => (2, lower.get(2..)?, true),
        [b'0', b'o', ..] => (8, lower.get(2..)?, true),
        [b'0', _, ..] => (8, lower.get(1..)?, true),
        _ => (10, lower.as_str(), false),
    };
    let clean = without_underscores(body, prefixed)?;
    if clean.is_empty() || !clean.chars().all(|char| char.is_digit(radix)) {
        return None;
    }
    let value = i128::from_str_radix(&clean, radix).unwrap_or(i128::MAX / 2);
    Some(if negative { -value } else { value })
}

/// Underscores may stand between digits, and after a prefix.
fn without_underscores(digits: &str, prefixed: bool) -> Option<String> {
    if digits.ends_with('_') || digits.contains("__") || (digits.starts_with('_') && !prefixed) {
        return None;
    }
    Some(digits.replace('_', ""))
}

fn decimal_float(text: &str) -> Option<f64> {
    let clean = without_underscores(text, false)?;
    let digits = clean.trim_start_matches(['+', '-']);
    let plain = digits.starts_with(|char: char| char.is_ascii_digit() || char == '.')
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !plain {
        return None;
    }
    clean.parse().ok().filter(|float: &f64| float.is_finite())
}

/// `0x1.8p3`
fn hexadecimal_float(text: &str) -> Option<f64> {
    let (negative, rest) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let body = rest.to_ascii_lowercase().strip_prefix("0x")?.replace('_', "");
    let (mantissa, exponent) = body.split_once('p')?;
    let exponent: i32 = exponent.parse().ok().filter(|exponent: &i32| exponent.abs() < 5000)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0_f64;
    for char in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(char.to_digit(16)?);
    }
    let shift = exponent - 4 * i32::try_from(fraction.len()).ok()?;
    let value = value * 2.0_f64.powi(shift);
    value.is_finite().then_some(if negative { -value } else { value })
}
