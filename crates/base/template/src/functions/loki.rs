//! Functions of LogQL's `line_format` and `label_format`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;

use super::clock::Clock;
use super::set::{Functions, Kind, Signature};
use super::text::{
    INT_STR, Patterns, STR, STR2, STR3, TIME, blanks, query_escape, query_unescape, regex_replace, replace,
    to_lower, to_upper,
};
use super::{convert, sprig};
use crate::exec::{Call, FunctionError};
use crate::gotime::{Duration, Time};
use crate::value::Value;

/// What Loki takes from sprig.
const FROM_SPRIG: [&str; 41] = [
    "b64enc",
    "lower",
    "upper",
    "title",
    "trunc",
    "substr",
    "contains",
    "hasPrefix",
    "hasSuffix",
    "indent",
    "nindent",
    "replace",
    "repeat",
    "trim",
    "trimAll",
    "trimSuffix",
    "trimPrefix",
    "int",
    "float64",
    "add",
    "sub",
    "mul",
    "div",
    "mod",
    "addf",
    "subf",
    "mulf",
    "divf",
    "max",
    "min",
    "maxf",
    "minf",
    "ceil",
    "floor",
    "round",
    "fromJson",
    "date",
    "toDate",
    "now",
    "unixEpoch",
    "default",
];

/// Go's functions and those of Loki. `__line__` and `__timestamp__` come with each run.
pub fn functions(clock: &Clock) -> Functions {
    let mut functions = sprig::functions(clock);
    functions.retain(&FROM_SPRIG);
    add_strings(&mut functions);
    add_replacements(&mut functions);
    add_conversions(&mut functions);
    add_times(&mut functions, clock);
    functions.declare("__line__");
    functions.declare("__timestamp__");
    functions.add("b64dec", STR, |call| Ok(decode_base64(call.str(0)).into()));
    functions
}

/// `ToLower` and its kin, which Promtail has as well.
pub(super) fn add_strings(functions: &mut Functions) {
    functions.add("ToLower", STR, |call| Ok(to_lower(call.str(0)).into()));
    functions.add("ToUpper", STR, |call| Ok(to_upper(call.str(0)).into()));
    functions.add("Replace", Signature::new(&[Kind::Str, Kind::Str, Kind::Str, Kind::Int]), |call| {
        let (text, old, new, count) = (call.str(0), call.str(1), call.str(2), call.int(3));
        replace(call, text, old, new, count)
    });
    functions
        .add("Trim", STR2, |call| Ok(call.str(0).trim_matches(|char| call.str(1).contains(char)).into()));
    functions.add("TrimLeft", STR2, |call| {
        Ok(call.str(0).trim_start_matches(|char| call.str(1).contains(char)).into())
    });
    functions.add("TrimRight", STR2, |call| {
        Ok(call.str(0).trim_end_matches(|char| call.str(1).contains(char)).into())
    });
    functions.add("TrimPrefix", STR2, |call| {
        Ok(call.str(0).strip_prefix(call.str(1)).unwrap_or(call.str(0)).into())
    });
    functions.add("TrimSuffix", STR2, |call| {
        Ok(call.str(0).strip_suffix(call.str(1)).unwrap_or(call.str(0)).into())
    });
    functions.add("TrimSpace", STR, |call| Ok(call.str(0).trim().into()));
}

/// `regexReplaceAll` and `regexReplaceAllLiteral`, which sprig has as well.
pub(super) fn add_replacements(functions: &mut Functions) {
    let patterns = Patterns::default();
    functions.add("regexReplaceAll", STR3, {
        let patterns = patterns.clone();
        move |call| {
            let regex = patterns.get(call.str(0)).map_err(FunctionError::failed)?;
            regex_replace(call, &regex, call.str(1), Some(call.str(2)), "")
        }
    });
    functions.add("regexReplaceAllLiteral", STR3, move |call| {
        let regex = patterns.get(call.str(0)).map_err(FunctionError::failed)?;
        regex_replace(call, &regex, call.str(1), None, call.str(2))
    });
}

fn add_conversions(functions: &mut Functions) {
    let patterns = Patterns::default();
    functions.add("count", STR2, move |call| {
        let regex = patterns.get(call.str(0)).map_err(FunctionError::failed)?;
        Ok(Value::Int(regex.find_iter(call.str(1)).count() as i64))
    });
    functions.add("urlencode", STR, |call| {
        let text = query_escape(call.str(0));
        call.check_size(text.len())?;
        Ok(text.into())
    });
    functions.add("urldecode", STR, |call| Ok(query_unescape(call.str(0))?.into()));
    functions.add("bytes", STR, |call| Ok(Value::Float(parse_bytes(call.str(0))? as f64)));
    functions.add("alignLeft", INT_STR, |call| align(call, false));
    functions.add("alignRight", INT_STR, |call| align(call, true));
}

fn add_times(functions: &mut Functions, clock: &Clock) {
    for name in ["duration", "duration_seconds"] {
        functions.add(name, STR, |call| {
            Ok(Value::Float(Duration::parse(call.str(0)).map_err(FunctionError::failed)?.as_seconds()))
        });
    }
    functions.add("unixEpochMillis", TIME, |call| {
        let nanoseconds = call.time(0).timestamp().as_nanosecond();
        Ok(nanoseconds.div_euclid(1_000_000).to_string().into())
    });
    functions.add("unixEpochNanos", TIME, |call| Ok(call.time(0).unix_nano().to_string().into()));
    functions.add("toDateInZone", STR3, |call| {
        let zone = match call.str(1) {
            "" => TimeZone::UTC,
            name => TimeZone::get(name).unwrap_or(TimeZone::UTC),
        };
        Ok(Time::parse(call.str(0), call.str(2), &zone).unwrap_or_else(|_| Time::zero()).into())
    });
    let local = clock.local().clone();
    functions.add("unixToTime", STR, move |call| unix_to_time(call.str(0), &local));
}

/// Days, seconds, milli-, micro- or nanoseconds since 1970: the number of digits tells.
fn unix_to_time(text: &str, local: &TimeZone) -> Result<Value, FunctionError> {
    let number = convert::parse_decimal(text)
        .map_err(|error| FunctionError::Failed(format!("unable to parse time '{text}': {error}")))?;
    let nanoseconds_of =
        |unit: i64| (number.div_euclid(1_000_000_000 / unit), number.rem_euclid(1_000_000_000 / unit) * unit);
    let (seconds, nanoseconds) = match text.len() {
        5 => (number * 86400, 0),
        10 => (number, 0),
        13 => nanoseconds_of(1_000_000),
        16 => nanoseconds_of(1_000),
        19 => nanoseconds_of(1),
        _ => return Err(FunctionError::Failed(format!("unable to parse time '{text}': %!w(<nil>)"))),
    };
    let time = Time::from_unix(seconds, nanoseconds, local.clone());
    Ok(time.ok_or("time out of range")?.into())
}

/// Cuts or pads to a number of characters.
fn align(call: &mut Call<'_>, right: bool) -> Result<Value, FunctionError> {
    let (count, text) = (call.int(0), call.str(1));
    let length = text.chars().count();
    let Ok(wanted) = usize::try_from(count) else {
        return Ok(text.into());
    };
    if wanted > length {
        let pad = blanks(call, (wanted - length) as i64)?;
        return Ok(if right { pad + text } else { text.to_owned() + &pad }.into());
    }
    let skipped = if right { length - wanted } else { 0 };
    Ok(text.chars().skip(skipped).take(wanted).collect::<String>().into())
}

/// Missing padding is added.
fn decode_base64(text: &str) -> String {
    let padding = match text.len() % 4 {
        2 => "==",
        3 => "=",
        _ => "",
    };
    match STANDARD.decode(format!("{text}{padding}")) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => "illegal base64 data".to_owned(),
    }
}

/// `3 kB`, `1.5MiB`, `1,000`.
fn parse_bytes(text: &str) -> Result<u64, FunctionError> {
    let end =
        text.find(|char: char| !(char.is_ascii_digit() || char == '.' || char == ',')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number = convert::parse_float(&number.replace(',', ""))?;
    let name = unit.trim().to_lowercase();
    let power = |letter: char| "kmgtpe".find(letter).map(|at| at as i32 + 1);
    let mut letters = name.chars();
    let factor = match (letters.next(), letters.as_str()) {
        (None, _) | (Some('b'), "") => Some(1.0),
        (Some(letter), "" | "b") => power(letter).map(|power| 1000.0_f64.powi(power)),
        (Some(letter), "i" | "ib") => power(letter).map(|power| 1024.0_f64.powi(power)),
        _ => None,
    };
    let Some(factor) = factor else {
        return Err(FunctionError::Failed(format!("unhandled size name: {name}")));
    };
    let bytes = number * factor;
    if bytes >= u64::MAX as f64 {
        return Err(FunctionError::Failed(format!("too large: {text}")));
    }
    Ok(bytes as u64)
}
