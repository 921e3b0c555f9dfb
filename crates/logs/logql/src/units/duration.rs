//! Durations in nanoseconds, in Prometheus' form (`1d12h`) and in Go's (`1.5h`, `-300ms`, `20µs`).

/// Nanoseconds of a second.
pub(crate) const SECOND: i64 = 1_000_000_000;
const MILLISECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Prometheus' units from large to small: each may occur once, in this order.
const PROMETHEUS_UNITS: [(&str, i64); 7] = [
    ("y", 365 * DAY),
    ("w", 7 * DAY),
    ("d", DAY),
    ("h", HOUR),
    ("m", MINUTE),
    ("s", SECOND),
    ("ms", MILLISECOND),
];

/// Reads a duration as a query writes it: Prometheus' form, else Go's.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    parse_prometheus_duration(text).or_else(|_| parse_go_duration(text))
}

/// Reads `1d12h`: whole numbers with units from large to small.
///
/// # Errors
/// Prometheus' own texts, which queries' errors quote.
pub(crate) fn parse_prometheus_duration(text: &str) -> Result<i64, String> {
    if text == "0" {
        return Ok(0);
    }
    if text.is_empty() {
        return Err("empty duration string".to_owned());
    }
    let invalid = || format!("not a valid duration string: {}", model::quote(text));
    let out_of_range = || "duration out of range".to_owned();
    let mut rest = text;
    let mut next_unit = 0;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let value: u64 = number.parse().map_err(|_| invalid())?;
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        if unit.is_empty() {
            return Err(invalid());
        }
        let Some(at) = PROMETHEUS_UNITS.iter().position(|(name, _)| *name == unit) else {
            return Err(format!("unknown unit {} in duration {}", model::quote(unit), model::quote(text)));
        };
        if at < next_unit {
            return Err(invalid());
        }
        next_unit = at + 1;
        let part = i64::try_from(value)
            .ok()
            .and_then(|value| value.checked_mul(PROMETHEUS_UNITS[at].1))
            .ok_or_else(out_of_range)?;
        total = total.checked_add(part).ok_or_else(out_of_range)?;
        rest = after;
    }
    Ok(total)
}

/// Reads Go's form: an optional sign, then decimal numbers with units `ns us ms s m h`.
///
/// # Errors
/// Go's own texts, which end up in `__error_details__`.
pub(crate) fn parse_go_duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", model::quote(text));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(invalid());
        }
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", model::quote(text)));
        }
        let Some(scale) = go_unit(unit) else {
            return Err(format!(
                "time: unknown unit {} in duration {}",
                model::quote(unit),
                model::quote(text)
            ));
        };
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
        total = whole
            .checked_mul(i128::from(scale))
            .and_then(|part| total.checked_add(part))
            .ok_or_else(invalid)?;
        if !fraction.is_empty() {
            let value: f64 = format!("0.{fraction}").parse().map_err(|_| invalid())?;
            total += (value * scale as f64) as i128;
        }
        rest = after;
    }
    let signed = if negative { -total } else { total };
    i64::try_from(signed).map_err(|_| invalid())
}

fn go_unit(unit: &str) -> Option<i64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    })
}

/// Prints `1h30m`: Prometheus' form, whole milliseconds. Years and weeks only where they divide the whole.
pub(crate) fn format_prometheus_duration(nanos: i64) -> String {
    let mut rest = nanos / MILLISECOND;
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    if rest < 0 {
        out.push('-');
        rest = rest.saturating_neg();
    }
    for (unit, scale) in PROMETHEUS_UNITS {
        let scale = scale / MILLISECOND;
        let exact_only = matches!(unit, "y" | "w");
        if exact_only && rest % scale != 0 {
            continue;
        }
        if rest >= scale {
            out.push_str(&(rest / scale).to_string());
            out.push_str(unit);
            rest %= scale;
        }
    }
    out
}

/// Prints Go's form: `1h0m0s`, `1.5s`, `250ms`, `20µs`.
pub(crate) fn format_go_duration(nanos: i64) -> String {
    if nanos == 0 {
        return "0s".to_owned();
    }
    let sign = if nanos < 0 { "-" } else { "" };
    let magnitude = nanos.unsigned_abs();
    if magnitude < SECOND as u64 {
        let (scale, unit) = match magnitude {
            0..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            _ => (1_000_000, "ms"),
        };
        return format!("{sign}{}{unit}", decimal(magnitude, scale));
    }
    let seconds = decimal(magnitude % MINUTE as u64, SECOND as u64);
    let minutes = magnitude / MINUTE as u64;
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// `value / scale` with as many decimals as needed; `scale` is a power of ten.
fn decimal(value: u64, scale: u64) -> String {
    let (whole, fraction) = (value / scale, value % scale);
    if fraction == 0 {
        return whole.to_string();
    }
    let width = scale.ilog10() as usize;
    let digits = format!("{fraction:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}
