//! Numbers, durations and quoted strings: from text to value, and durations back.

use model::{Millis, quote};

/// Reads a number as Go does with a base prefix allowed: integers in decimal, octal (`010`) and hexadecimal, then floats.
pub(crate) fn parse_number(text: &str) -> Result<f64, String> {
    let fault =
        |what: &str| format!("error parsing number: strconv.ParseFloat: parsing {}: {what}", quote(text));
    if text.eq_ignore_ascii_case("inf") {
        return Ok(f64::INFINITY);
    }
    if text.eq_ignore_ascii_case("nan") {
        return Ok(f64::NAN);
    }
    if !underscores_separate_digits(text) {
        return Err(fault("invalid syntax"));
    }
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    if let Some(digits) = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        return i64::from_str_radix(digits, 16)
            .map(|value| value as f64)
            .map_err(|_| fault("invalid syntax"));
    }
    if plain.len() > 1
        && plain.starts_with('0')
        && let Ok(value) = i64::from_str_radix(&plain, 8)
    {
        return Ok(value as f64);
    }
    match plain.parse::<f64>() {
        Ok(value) if value.is_infinite() => Err(fault("value out of range")),
        Ok(value) => Ok(value),
        Err(_) => Err(fault("invalid syntax")),
    }
}

fn underscores_separate_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_').all(|(at, _)| {
        let digit = |index: Option<usize>| {
            index
                .and_then(|index| bytes.get(index))
                .is_some_and(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'x' | b'X'))
        };
        digit(at.checked_sub(1)) && digit(Some(at + 1))
    })
}

const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 24 * 60 * 60 * 1000),
    ("w", 7 * 24 * 60 * 60 * 1000),
    ("d", 24 * 60 * 60 * 1000),
    ("h", 60 * 60 * 1000),
    ("m", 60 * 1000),
    ("s", 1000),
    ("ms", 1),
];

/// The longest duration that Prometheus represents, in milliseconds: 2⁶³ nanoseconds.
const MAX_DURATION: i64 = i64::MAX / 1_000_000;

/// Reads `1h30m` to milliseconds: units descending, each once. Errors are Prometheus'.
pub fn parse_duration(text: &str) -> Result<Millis, String> {
    if text == "0" {
        return Ok(0);
    }
    if text.is_empty() {
        return Err("empty duration string".to_owned());
    }
    let invalid = || format!("not a valid duration string: {}", quote(text));
    let mut rest = text;
    let mut total: i64 = 0;
    let mut next_unit = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Err(invalid());
        }
        let letters = rest[digits..].bytes().take_while(|byte| !byte.is_ascii_digit()).count();
        let (number, unit) = (&rest[..digits], &rest[digits..digits + letters]);
        rest = &rest[digits + letters..];
        if unit.is_empty() {
            return Err(invalid());
        }
        let Some(at) = UNITS.iter().position(|(name, _)| *name == unit) else {
            return Err(format!("unknown unit {} in duration {}", quote(unit), quote(text)));
        };
        if at < next_unit {
            return Err(invalid());
        }
        next_unit = at + 1;
        total = number
            .parse::<i64>()
            .ok()
            .and_then(|number| number.checked_mul(UNITS[at].1))
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= MAX_DURATION)
            .ok_or_else(|| "duration out of range".to_owned())?;
    }
    Ok(total)
}

/// A duration as Prometheus prints it: `1h30m`, weeks and years only where they come out even.
pub fn format_duration(millis: Millis) -> String {
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    let mut rest = millis.unsigned_abs();
    if millis < 0 {
        out.push('-');
    }
    for (unit, size) in UNITS {
        let size = size.unsigned_abs();
        let only_exact = matches!(unit, "y" | "w");
        if only_exact && !rest.is_multiple_of(size) {
            continue;
        }
        let count = rest / size;
        if count > 0 {
            out.push_str(&count.to_string());
            out.push_str(unit);
            rest %= size;
        }
    }
    out
}

/// Takes the quotes off a string that the lexer has accepted. The escapes may write bytes that are no UTF-8.
pub(super) fn unquote(text: &str) -> Option<Vec<u8>> {
    let mut chars = text.chars();
    let open = chars.next()?;
    let inner = chars.as_str().strip_suffix(open)?;
    if open == '`' {
        return Some(inner.as_bytes().to_vec());
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let escape = chars.next()?;
        let mut number = |first: Option<char>, digits: usize, radix: u32| {
            let mut value = first.map_or(Some(0), |c| c.to_digit(radix))?;
            for _ in 0..digits {
                value = value * radix + chars.next()?.to_digit(radix)?;
            }
            Some(value)
        };
        match escape {
            'a' => out.push(7),
            'b' => out.push(8),
            'f' => out.push(12),
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            'v' => out.push(11),
            '\\' | '\'' | '"' => out.push(escape as u8),
            '0'..='7' => out.push(u8::try_from(number(Some(escape), 2, 8)?).ok()?),
            'x' => out.push(u8::try_from(number(None, 2, 16)?).ok()?),
            'u' | 'U' => {
                let code = number(None, if escape == 'u' { 4 } else { 8 }, 16)?;
                let c = char::from_u32(code)?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => return None,
        }
    }
    Some(out)
}

/// Text in double quotes with Go's escapes, bytes that are no UTF-8 as `\xff`.
pub(crate) fn quote_bytes(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        let quoted = quote(chunk.valid());
        out.push_str(&quoted[1..quoted.len() - 1]);
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let check = |text: &str, want: f64| assert_eq!(parse_number(text), Ok(want), "{text}");
        check("1", 1.0);
        check("010", 8.0);
        check("08", 8.0);
        check("0x1F", 31.0);
        check("1_000.5", 1000.5);
        check("1e3", 1000.0);
        check(".5", 0.5);
        check("5.", 5.0);
        check("Inf", f64::INFINITY);
        assert!(parse_number("NaN").is_ok_and(f64::is_nan));
        for bad in ["1_", "1e999", "0xfffffffffffffffff"] {
            assert!(parse_number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_there_and_back() {
        let check = |text: &str, millis: i64| {
            assert_eq!(parse_duration(text), Ok(millis), "{text}");
            assert_eq!(format_duration(millis), text);
        };
        check("5m", 300_000);
        check("1h30m", 5_400_000);
        check("1y", 31_536_000_000);
        check("2w", 1_209_600_000);
        check("8d", 691_200_000);
        check("1s1ms", 1001);
        assert_eq!(format_duration(-5000), "-5s");
        let fails = |text: &str, want: &str| assert_eq!(parse_duration(text), Err(want.to_owned()));
        fails("5m1h", "not a valid duration string: \"5m1h\"");
        fails("5y1hs", "unknown unit \"hs\" in duration \"5y1hs\"");
        fails("999999y", "duration out of range");
        fails("", "empty duration string");
        fails("5", "not a valid duration string: \"5\"");
    }

    #[test]
    fn quoted_strings() {
        let check = |text: &str, want: &[u8]| assert_eq!(unquote(text).as_deref(), Some(want), "{text}");
        check(r#""a\n\"b\\""#, b"a\n\"b\\");
        check(r"'it\'s'", b"it's");
        check(r"`raw\n`", br"raw\n");
        check(r#""\xc5\101\u00e4""#, b"\xc5A\xc3\xa4");
        assert_eq!(quote_bytes(b"a\xc5z"), r#""a\xc5z""#);
    }
}
