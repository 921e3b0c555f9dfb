//! Floating point numbers as Go writes them.

/// `%v`: as few digits as tell the number from its neighbours, with an exponent if that is below -4 or above 5.
pub(crate) fn shortest(value: f64) -> String {
    if let Some(text) = not_finite(value) {
        return text.to_owned();
    }
    general(value, None, false)
}

/// The exponent from which the shortest form is scientific: a million is `1e+06`.
const SHORTEST_THRESHOLD: i32 = 6;

/// `%e`, `%f` or `%g` with a precision; without, as few digits as needed. `alternate` is the flag `#`.
pub(crate) fn format(value: f64, verb: char, precision: Option<usize>, alternate: bool) -> String {
    if let Some(text) = not_finite(value) {
        return text.to_owned();
    }
    match verb {
        'e' => scientific(value, precision),
        'f' => match precision {
            Some(precision) => format!("{value:.precision$}"),
            None => positional(value),
        },
        _ => general(value, precision, alternate),
    }
}

fn not_finite(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value == f64::INFINITY {
        Some("+Inf")
    } else if value == f64::NEG_INFINITY {
        Some("-Inf")
    } else {
        None
    }
}

fn positional(value: f64) -> String {
    format!("{value}")
}

/// `1.5e+06`: at least two digits of exponent.
fn scientific(value: f64, precision: Option<usize>) -> String {
    let text = match precision {
        Some(precision) => format!("{value:.precision$e}"),
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn exponent_of(scientific: &str) -> i32 {
    scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0)
}

fn general(value: f64, precision: Option<usize>, alternate: bool) -> String {
    let Some(precision) = precision else {
        let exponent = exponent_of(&format!("{value:e}"));
        return if !(-4..SHORTEST_THRESHOLD).contains(&exponent) {
            scientific(value, None)
        } else {
            positional(value)
        };
    };
    let digits = precision.max(1);
    let rounded = format!("{value:.*e}", digits - 1);
    let exponent = exponent_of(&rounded);
    let limit = i32::try_from(digits).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= limit {
        let text = scientific(value, Some(digits - 1));
        if alternate {
            return text;
        }
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "+00"));
        return format!("{}e{exponent}", without_zeros(mantissa));
    }
    let decimals = usize::try_from(limit - 1 - exponent).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    if alternate { text } else { without_zeros(&text).to_owned() }
}

/// Without trailing zeros behind the point.
fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}
