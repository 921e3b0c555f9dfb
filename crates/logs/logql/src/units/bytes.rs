//! Byte sizes: `20MB`, `1.5KiB`, `42`.

const KIBI: u64 = 1 << 10;
const MEBI: u64 = 1 << 20;
const GIBI: u64 = 1 << 30;
const TEBI: u64 = 1 << 40;
const PEBI: u64 = 1 << 50;
const EXBI: u64 = 1 << 60;

/// Reads a size; units are case-insensitive, those without `i` are decimal, none means bytes.
///
/// # Errors
/// The text that ends up in `__error_details__`.
pub(crate) fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',')).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let value = if number.contains(',') {
        super::parse_number(&number.replace(',', ""))?
    } else {
        super::parse_number(number)?
    };
    let unit = unit.trim().to_lowercase();
    let Some(factor) = factor(&unit) else {
        return Err(format!("unhandled size name: {unit}"));
    };
    let size = value * factor as f64;
    if size >= u64::MAX as f64 {
        return Err(format!("too large: {text}"));
    }
    Ok(size as u64)
}

fn factor(unit: &str) -> Option<u64> {
    Some(match unit {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "ki" | "kib" => KIBI,
        "m" | "mb" => 1_000_000,
        "mi" | "mib" => MEBI,
        "g" | "gb" => 1_000_000_000,
        "gi" | "gib" => GIBI,
        "t" | "tb" => 1_000_000_000_000,
        "ti" | "tib" => TEBI,
        "p" | "pb" => 1_000_000_000_000_000,
        "pi" | "pib" => PEBI,
        "e" | "eb" => 1_000_000_000_000_000_000,
        "ei" | "eib" => EXBI,
        _ => return None,
    })
}

/// Prints a size in decimal units with two significant digits, without a space: `20MB`, `1.5kB`. Loki's canonical form, though it
/// rounds.
pub(crate) fn format_bytes(size: u64) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    if size < 10 {
        return format!("{size}B");
    }
    let mut unit = 0;
    let mut scale = 1u64;
    while unit + 1 < UNITS.len() && size / scale >= 1000 {
        scale *= 1000;
        unit += 1;
    }
    let value = (size as f64 / scale as f64 * 10.0 + 0.5).floor() / 10.0;
    let suffix = UNITS[unit];
    if value < 10.0 { format!("{value:.1}{suffix}") } else { format!("{value:.0}{suffix}") }
}
