//! Go's durations: `1h30m`, `1.5s`, `100µs`.

use std::fmt;

/// Nanoseconds, as Go's `time.Duration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Duration(pub i64);

/// A text that is no duration, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseDurationError(String);

const NANOSECOND: i64 = 1;
const MICROSECOND: i64 = 1000 * NANOSECOND;
const MILLISECOND: i64 = 1000 * MICROSECOND;
const SECOND: i64 = 1000 * MILLISECOND;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

impl Duration {
    /// Whole seconds; saturates.
    pub fn from_seconds(seconds: i64) -> Duration {
        Duration(seconds.saturating_mul(SECOND))
    }

    /// The duration in seconds.
    pub fn as_seconds(self) -> f64 {
        (self.0 / SECOND) as f64 + (self.0 % SECOND) as f64 / 1e9
    }

    /// The duration in minutes.
    pub fn as_minutes(self) -> f64 {
        (self.0 / MINUTE) as f64 + (self.0 % MINUTE) as f64 / (60.0 * 1e9)
    }

    /// The duration in hours.
    pub fn as_hours(self) -> f64 {
        (self.0 / HOUR) as f64 + (self.0 % HOUR) as f64 / (60.0 * 60.0 * 1e9)
    }

    /// Towards zero to a multiple of `unit`.
    pub fn truncate(self, unit: Duration) -> Duration {
        if unit.0 <= 0 { self } else { Duration(self.0 - self.0 % unit.0) }
    }

    /// To the nearest multiple of `unit`, halves away from zero.
    pub fn round(self, unit: Duration) -> Duration {
        if unit.0 <= 0 {
            return self;
        }
        let rest = self.0 % unit.0;
        let rounds_away = rest.unsigned_abs() >= unit.0.unsigned_abs() - rest.unsigned_abs();
        let truncated = self.0 - rest;
        Duration(match (rounds_away, self.0 < 0) {
            (false, _) => truncated,
            (true, false) => truncated.saturating_add(unit.0),
            (true, true) => truncated.saturating_sub(unit.0),
        })
    }

    /// Reads what Go's `time.ParseDuration` reads: numbers with units ns, us, µs, ms, s, m, h.
    ///
    /// # Errors
    /// With Go's words.
    pub fn parse(text: &str) -> Result<Duration, ParseDurationError> {
        let invalid = || ParseDurationError(format!("time: invalid duration {text:?}"));
        let (negative, mut rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if rest == "0" {
            return Ok(Duration(0));
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (whole, after) = split_digits(rest);
            let (fraction, after) = match after.strip_prefix('.') {
                Some(after) => split_digits(after),
                None => ("", after),
            };
            if whole.is_empty() && fraction.is_empty() {
                return Err(invalid());
            }
            let unit_end =
                after.find(|char: char| char == '.' || char.is_ascii_digit()).unwrap_or(after.len());
            let (unit_name, after) = after.split_at(unit_end);
            if unit_name.is_empty() {
                return Err(ParseDurationError(format!("time: missing unit in duration {text:?}")));
            }
            let Some(unit) = unit(unit_name) else {
                return Err(ParseDurationError(format!(
                    "time: unknown unit {unit_name:?} in duration {text:?}"
                )));
            };
            let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
            let scaled = whole.checked_mul(unit.unsigned_abs()).ok_or_else(invalid)?;
            let part = fraction_of(fraction, unit);
            total = total.checked_add(scaled).and_then(|sum| sum.checked_add(part)).ok_or_else(invalid)?;
            if total > 1 << 63 {
                return Err(invalid());
            }
            rest = after;
        }
        let signed = if negative { -i128::from(total) } else { i128::from(total) };
        i64::try_from(signed).map(Duration).map_err(|_| invalid())
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len()))
}

fn unit(name: &str) -> Option<i64> {
    Some(match name {
        "ns" => NANOSECOND,
        "us" | "µs" | "μs" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    })
}

/// Digits behind the point, of a unit. Digits beyond what the type can tell apart are ignored, as in Go.
fn fraction_of(digits: &str, unit: i64) -> u64 {
    let (mut value, mut scale) = (0_u64, 1.0_f64);
    for digit in digits.bytes() {
        let Some(next) = value.checked_mul(10).and_then(|value| value.checked_add(u64::from(digit - b'0')))
        else {
            break;
        };
        if next > 1 << 63 {
            break;
        }
        value = next;
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

/// As Go's `String`: `1h2m5s`, `1.5s`, `2µs`, `0s`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = self.0.unsigned_abs();
        if nanoseconds == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        if nanoseconds < SECOND.unsigned_abs() {
            let (unit, name) = match nanoseconds {
                0..1_000 => (1, "ns"),
                1_000..1_000_000 => (MICROSECOND, "µs"),
                _ => (MILLISECOND, "ms"),
            };
            return write!(f, "{}{name}", decimal(nanoseconds, unit.unsigned_abs()));
        }
        let (hours, rest) = (nanoseconds / HOUR.unsigned_abs(), nanoseconds % HOUR.unsigned_abs());
        let (minutes, rest) = (rest / MINUTE.unsigned_abs(), rest % MINUTE.unsigned_abs());
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        write!(f, "{}s", decimal(rest, SECOND.unsigned_abs()))
    }
}

/// `value / unit` with as many digits as needed; `unit` is a power of ten.
fn decimal(value: u64, unit: u64) -> String {
    let (whole, rest) = (value / unit, value % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    let fraction = format!("{rest:0width$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}
