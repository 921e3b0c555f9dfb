//! Numbers for people.

use jiff::tz::TimeZone;

use crate::exec::FunctionError;
use crate::format::float;
use crate::gotime::Time;

/// Four significant digits: `%.4g`.
fn four(value: f64) -> String {
    float::format(value, 'g', Some(4), false)
}

const LARGE: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];
const LARGE_1024: [&str; 8] = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];

/// With metric prefixes: `1.235M`, `120m`.
pub fn humanize(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return four(value);
    }
    if value.abs() >= 1.0 { scaled_down(value, 1000.0, &LARGE) } else { scaled_up(value) }
}

/// With binary prefixes: `1.5ki`.
pub fn humanize_1024(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return four(value);
    }
    scaled_down(value, 1024.0, &LARGE_1024)
}

fn scaled_down(mut value: f64, step: f64, prefixes: &[&str]) -> String {
    let mut prefix = "";
    for larger in prefixes {
        if value.abs() < step {
            break;
        }
        prefix = larger;
        value /= step;
    }
    four(value) + prefix
}

fn scaled_up(mut value: f64) -> String {
    let mut prefix = "";
    for smaller in SMALL {
        if value.abs() >= 1.0 {
            break;
        }
        prefix = smaller;
        value *= 1000.0;
    }
    four(value) + prefix
}

/// A ratio as a percentage: `12.35%`.
pub fn humanize_percentage(value: f64) -> String {
    four(value * 100.0) + "%"
}

/// Seconds: `1d 2h 3m 4s`, `12.35s`, `123.5ms`.
pub fn humanize_duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return four(seconds);
    }
    if seconds == 0.0 {
        return four(seconds) + "s";
    }
    if seconds.abs() < 1.0 {
        return scaled_up(seconds) + "s";
    }
    let sign = if seconds < 0.0 { "-" } else { "" };
    let magnitude = seconds.abs();
    let whole = magnitude as i64;
    let (s, m, h, d) = (whole % 60, whole / 60 % 60, whole / 3600 % 24, whole / 86400);
    match (d, h, m) {
        (0, 0, 0) => format!("{sign}{}s", four(magnitude)),
        (0, 0, _) => format!("{sign}{m}m {s}s"),
        (0, ..) => format!("{sign}{h}h {m}m {s}s"),
        _ => format!("{sign}{d}d {h}h {m}m {s}s"),
    }
}

/// Seconds since 1970 as a time: `2015-06-23 13:19:44.128 +0000 UTC`.
///
/// # Errors
/// If the number is beyond the years 1678 to 2262.
pub fn humanize_timestamp(seconds: f64) -> Result<String, FunctionError> {
    if !seconds.is_finite() {
        return Ok(four(seconds));
    }
    Ok(time_of(seconds)?.to_string())
}

/// The time of a number of seconds since 1970, cut to milliseconds.
pub(super) fn time_of(seconds: f64) -> Result<Time, FunctionError> {
    let overflow = || {
        let shown = float::shortest(seconds);
        FunctionError::Failed(format!(
            "{shown} cannot be represented as a nanoseconds timestamp since it overflows int64"
        ))
    };
    let nanoseconds = seconds * 1e9;
    if !seconds.is_finite() || nanoseconds > i64::MAX as f64 || nanoseconds < i64::MIN as f64 {
        return Err(overflow());
    }
    let milliseconds = nanoseconds as i64 / 1_000_000;
    Time::from_unix(0, milliseconds * 1_000_000, TimeZone::UTC).ok_or_else(overflow)
}
