//! Sample values as text: Go's number formats, and the two NaNs that mean something.

use std::fmt::{self, Write};

/// The NaN that marks a series as gone since this moment; any other NaN is a value (Prometheus `model/value`).
pub const STALE_NAN: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// Whether `value` is the staleness marker. Compares bits, since every NaN differs from itself.
#[inline]
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_NAN.to_bits()
}

/// `value` as Go's `strconv.FormatFloat(value, 'f', -1, 64)`: shortest digits that read back, no exponent, `NaN`, `+Inf`, `-Inf`.
pub fn format_value(value: f64) -> String {
    let mut out = String::new();
    write_value(&mut out, value).expect("BUG: writing to a String cannot fail");
    out
}

/// Writes what [`format_value`] returns.
pub fn write_value(out: &mut impl Write, value: f64) -> fmt::Result {
    if value.is_nan() {
        out.write_str("NaN")
    } else if value.is_infinite() {
        out.write_str(if value > 0.0 { "+Inf" } else { "-Inf" })
    } else {
        // Rust prints the shortest digits that read back, without exponent: the same text as Go's 'f' with precision -1.
        write!(out, "{value}")
    }
}

/// `value` as the query API prints it inside its quotes: like [`format_value`], but with an exponent below 1e-6 and from 1e21 on.
pub fn format_value_json(value: f64) -> String {
    let mut out = String::new();
    write_value_json(&mut out, value).expect("BUG: writing to a String cannot fail");
    out
}

/// Writes what [`format_value_json`] returns. Whole numbers, which most samples are, need no search for the shortest digits.
pub fn write_value_json(out: &mut impl Write, value: f64) -> fmt::Result {
    let magnitude = value.abs();
    if value.is_finite() && magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        return write_exponent(out, value);
    }
    let is_negative_zero = magnitude == 0.0 && value.is_sign_negative();
    if magnitude < 1e15 && value.trunc() == value && !is_negative_zero {
        return out.write_str(itoa::Buffer::new().format(value as i64));
    }
    if value.is_finite() && (1e-5..1e15).contains(&magnitude) {
        // The common case, without the formatting machinery.
        return out.write_str(trim_fraction(ryu::Buffer::new().format_finite(value)));
    }
    write_value(out, value)
}

/// Writes `value` as the text exposition format has it, Go's `'g'` with the shortest digits: an exponent below 1e-4 and from 1e6 on.
pub fn write_value_text(out: &mut impl Write, value: f64) -> fmt::Result {
    let magnitude = value.abs();
    if value.is_finite() && magnitude != 0.0 && !(1e-4..1e6).contains(&magnitude) {
        return write_exponent(out, value);
    }
    write_value(out, value)
}

/// Go's `'e'` format: at least two exponent digits and always a sign.
fn write_exponent(out: &mut impl Write, value: f64) -> fmt::Result {
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    write!(out, "{mantissa}e{sign}{digits:0>2}")
}

fn trim_fraction(text: &str) -> &str {
    text.strip_suffix(".0").unwrap_or(text)
}

/// Reads a number as Go's `strconv.ParseFloat` does in the exposition format: decimal, exponent, hexadecimal float, `Inf` and `NaN` in any case.
pub fn parse_float(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let unsigned = match bytes.first()? {
        b'+' | b'-' => &text[1..],
        _ => text,
    };
    match unsigned.as_bytes().first()? {
        b'0'..=b'9' | b'.' => {
            if unsigned.len() > 2 && unsigned.as_bytes()[1] | 0x20 == b'x' {
                return parse_hex(text.starts_with('-'), &unsigned[2..]);
            }
            text.parse().ok()
        }
        b'i' | b'I' if unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity") => {
            Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY })
        }
        b'n' | b'N' if text.eq_ignore_ascii_case("nan") => Some(f64::NAN),
        _ => None,
    }
}

/// `1.8p3` after `0x`; Go requires the exponent.
fn parse_hex(negative: bool, digits: &str) -> Option<f64> {
    let split = digits.find(['p', 'P'])?;
    let exponent: i32 = digits[split + 1..].parse().ok()?;
    let (whole, fraction) = digits[..split].split_once('.').unwrap_or((&digits[..split], ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut mantissa = 0f64;
    for c in whole.chars().chain(fraction.chars()) {
        mantissa = mantissa * 16.0 + f64::from(c.to_digit(16)?);
    }
    let scale = exponent.saturating_sub(4 * i32::try_from(fraction.len()).ok()?);
    let value = mantissa * 2f64.powi(scale);
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_like_go() {
        let check = |value: f64, want: &str| assert_eq!(format_value(value), want);
        check(0.0, "0");
        check(-0.0, "-0");
        check(1.0, "1");
        check(0.1, "0.1");
        check(1e21, "1000000000000000000000");
        check(1e-7, "0.0000001");
        check(f64::NAN, "NaN");
        check(STALE_NAN, "NaN");
        check(f64::INFINITY, "+Inf");
        check(f64::NEG_INFINITY, "-Inf");
    }

    #[test]
    fn json_values_have_exponents_at_the_ends() {
        let check = |value: f64, want: &str| assert_eq!(format_value_json(value), want);
        check(0.0, "0");
        check(-0.0, "-0");
        check(1.0, "1");
        check(-2.5, "-2.5");
        check(123456789.125, "123456789.125");
        check(1e20, "100000000000000000000");
        check(1e21, "1e+21");
        check(1.5e300, "1.5e+300");
        check(1e-6, "0.000001");
        check(9.9e-7, "9.9e-07");
        check(0.00001, "0.00001");
        check(f64::NAN, "NaN");
        check(f64::NEG_INFINITY, "-Inf");
    }

    #[test]
    fn text_values_have_exponents_early() {
        let check = |value: f64, want: &str| {
            let mut out = String::new();
            write_value_text(&mut out, value).expect("writes");
            assert_eq!(out, want);
        };
        check(0.0, "0");
        check(999_999.5, "999999.5");
        check(1e6, "1e+06");
        check(-1_234_567.0, "-1.234567e+06");
        check(0.0001, "0.0001");
        check(0.000_099, "9.9e-05");
        check(f64::INFINITY, "+Inf");
        check(f64::NAN, "NaN");
    }

    #[test]
    fn reads_what_exporters_write() {
        let check = |text: &str, want: f64| assert_eq!(parse_float(text), Some(want), "{text}");
        check("1", 1.0);
        check("+1.5e3", 1500.0);
        check("-.5", -0.5);
        check("0x1p4", 16.0);
        check("-0x1.8p1", -3.0);
        check("Inf", f64::INFINITY);
        check("-inf", f64::NEG_INFINITY);
        assert!(parse_float("nan").is_some_and(f64::is_nan));
        for bad in ["", "+", "1_0", "0x", "0xp1", "abc", "1 ", "--1", "nano", "e5"] {
            assert_eq!(parse_float(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_one_nan_is_stale() {
        assert!(is_stale(STALE_NAN));
        assert!(!is_stale(f64::NAN));
        assert!(!is_stale(0.0));
    }
}
