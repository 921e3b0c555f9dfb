//! Floating point numbers.

/// Reads a number as Go's `strconv.ParseFloat` does.
///
/// # Errors
/// Go's own text, which ends up in `__error_details__`.
pub(crate) fn parse_number(text: &str) -> Result<f64, String> {
    match model::parse_float(text) {
        Some(value) if value.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit()) => {
            Err(format!("strconv.ParseFloat: parsing {}: value out of range", model::quote(text)))
        }
        Some(value) => Ok(value),
        None => Err(format!("strconv.ParseFloat: parsing {}: invalid syntax", model::quote(text))),
    }
}

/// Prints a number as Go's `%v`: shortest digits, an exponent below 1e-4 and from 1e21 on.
pub(crate) fn format_number(value: f64) -> String {
    let magnitude = value.abs();
    if !value.is_finite() || magnitude == 0.0 || (1e-4..1e21).contains(&magnitude) {
        return model::format_value(value);
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}
