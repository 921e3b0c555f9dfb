//! Prometheus' durations: `1h30m`, `7d`, `-5m`.

use crate::exec::FunctionError;
use crate::gotime::Duration;

/// Units from large to small, in milliseconds; each may come once, in this order.
const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Reads a duration as Prometheus writes them; a leading minus is allowed.
///
/// # Errors
/// In Prometheus' words.
pub fn parse_duration(text: &str) -> Result<Duration, FunctionError> {
    let (negative, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    match magnitude {
        "0" => return Ok(Duration(0)),
        "" => return Err("empty duration string".into()),
        _ => {}
    }
    let invalid = || FunctionError::Failed(format!("not a valid duration string: {magnitude:?}"));
    let out_of_range = || FunctionError::from("duration out of range");
    let mut rest = magnitude;
    let mut units = UNITS.iter();
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (name, after) = after.split_at(letters);
        if number.is_empty() {
            return Err(invalid());
        }
        let Some((_, unit)) = units.by_ref().find(|(unit, _)| *unit == name) else {
            return Err(invalid());
        };
        let number: i64 = number.parse().map_err(|_| out_of_range())?;
        let part = number.checked_mul(*unit).and_then(|part| part.checked_mul(1_000_000));
        total = part.and_then(|part| total.checked_add(part)).ok_or_else(out_of_range)?;
        rest = after;
    }
    Ok(Duration(if negative { -total } else { total }))
}
