//! `Sprintf`: verbs, flags, widths, precisions, argument numbers, and Go's way of reporting mistakes in the output.

use std::fmt::{self, Write};

use super::print::Bounded;
use super::{float, quote};
use crate::value::Value;

/// Go's limit for widths and precisions.
const MAX_WIDTH: usize = 1_000_000;

/// Nesting beyond this is cut.
const MAX_DEPTH: usize = 100;

/// Flags, width and precision of one verb.
#[derive(Debug, Clone, Copy, Default)]
struct Spec {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Writes `values` by `format`. Fails only if the output is full.
pub(crate) fn printf(format: &str, values: &[Value], out: &mut Bounded<'_>) -> fmt::Result {
    let mut state =
        State { format, values, next: 0, reordered: false, any_reordered: false, good_index: true };
    while let Some(at) = state.format.find('%') {
        out.write_str(&state.format[..at])?;
        state.format = &state.format[at + 1..];
        state.verb(out)?;
    }
    out.write_str(state.format)?;
    if !state.any_reordered && state.next < values.len() {
        out.write_str("%!(EXTRA ")?;
        for (index, value) in values[state.next..].iter().enumerate() {
            if index > 0 {
                out.write_str(", ")?;
            }
            match value {
                Value::Nil => out.write_str("<nil>")?,
                _ => write!(out, "{}={value}", value.type_name())?,
            }
        }
        out.write_char(')')?;
    }
    Ok(())
}

struct State<'f> {
    format: &'f str,
    values: &'f [Value],
    next: usize,
    /// An argument number came right before.
    reordered: bool,
    any_reordered: bool,
    good_index: bool,
}

impl State<'_> {
    /// One verb; the percent sign has been read.
    fn verb(&mut self, out: &mut Bounded<'_>) -> fmt::Result {
        let mut spec = Spec::default();
        self.good_index = true;
        self.reordered = false;
        while let Some(flag) = self.format.bytes().next() {
            match flag {
                b'-' => spec.minus = true,
                b'+' => spec.plus = true,
                b'#' => spec.sharp = true,
                b' ' => spec.space = true,
                b'0' => spec.zero = true,
                _ => break,
            }
            self.format = &self.format[1..];
        }
        self.argument_number();
        if self.format.starts_with('*') {
            self.format = &self.format[1..];
            match self.take_int() {
                Some(width) if width.unsigned_abs() <= MAX_WIDTH as u64 => {
                    spec.minus |= width < 0;
                    spec.width = Some(width.unsigned_abs() as usize);
                }
                _ => out.write_str("%!(BADWIDTH)")?,
            }
            self.reordered = false;
        } else {
            spec.width = self.number();
            if spec.width.is_some() && self.reordered {
                self.good_index = false;
            }
        }
        if self.format.starts_with('.') {
            self.format = &self.format[1..];
            if self.reordered {
                self.good_index = false;
            }
            self.argument_number();
            if self.format.starts_with('*') {
                self.format = &self.format[1..];
                match self.take_int() {
                    Some(precision) if (0..=MAX_WIDTH as i64).contains(&precision) => {
                        spec.precision = Some(precision as usize)
                    }
                    // A negative one counts as none.
                    Some(precision) if precision < 0 => {}
                    _ => out.write_str("%!(BADPREC)")?,
                }
                self.reordered = false;
            } else {
                spec.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !self.reordered {
            self.argument_number();
        }
        let Some(verb) = self.format.chars().next() else {
            return out.write_str("%!(NOVERB)");
        };
        self.format = &self.format[verb.len_utf8()..];
        if verb == '%' {
            return out.write_char('%');
        }
        if !self.good_index {
            return write!(out, "%!{verb}(BADINDEX)");
        }
        let Some(value) = self.values.get(self.next) else {
            return write!(out, "%!{verb}(MISSING)");
        };
        self.next += 1;
        spec.zero &= !spec.minus;
        write_verb(value, verb, spec, 0, out)
    }

    /// `[3]`
    fn argument_number(&mut self) {
        let Some(after) = self.format.strip_prefix('[') else { return };
        self.reordered = true;
        self.any_reordered = true;
        let Some(end) = after.find(']') else {
            self.good_index = false;
            self.format = after;
            return;
        };
        self.format = &after[end + 1..];
        match after[..end].parse::<usize>() {
            Ok(number) if (1..=self.values.len()).contains(&number) => self.next = number - 1,
            _ => self.good_index = false,
        }
    }

    fn number(&mut self) -> Option<usize> {
        let end = self.format.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.format.len());
        if end == 0 {
            return None;
        }
        let (digits, rest) = self.format.split_at(end);
        self.format = rest;
        digits.parse().ok().filter(|number| *number <= MAX_WIDTH)
    }

    fn take_int(&mut self) -> Option<i64> {
        let value = self.values.get(self.next);
        self.next += usize::from(value.is_some());
        match value {
            Some(Value::Int(value)) => Some(*value),
            _ => None,
        }
    }
}

fn write_verb(value: &Value, verb: char, spec: Spec, depth: usize, out: &mut Bounded<'_>) -> fmt::Result {
    if depth > MAX_DEPTH {
        return out.write_str("…");
    }
    match (verb, value) {
        ('T', _) => return write_padded(value.type_name(), spec, out),
        ('v', Value::Nil) => return write_padded("<nil>", spec, out),
        (_, Value::Nil) => return write!(out, "%!{verb}(<nil>)"),
        _ => {}
    }
    match value {
        Value::Bool(flag) if matches!(verb, 't' | 'v') => {
            write_padded(if *flag { "true" } else { "false" }, spec, out)
        }
        Value::Int(number) => write_int(*number, value, verb, spec, out),
        Value::Float(number) => write_float(*number, value, verb, spec, out),
        Value::Str(text) | Value::Safe(_, text) => write_str(text, value, verb, spec, out),
        Value::List(values) => {
            out.write_char('[')?;
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.write_char(' ')?;
                }
                write_verb(value, verb, spec, depth + 1, out)?;
            }
            out.write_char(']')
        }
        Value::Map(map) => {
            out.write_str("map[")?;
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    out.write_char(' ')?;
                }
                write_verb(&Value::Str(key.clone()), verb, spec, depth + 1, out)?;
                out.write_char(':')?;
                write_verb(value, verb, spec, depth + 1, out)?;
            }
            out.write_char(']')
        }
        // Types with a text of their own show it for the verbs of strings, and their number for the others.
        Value::Time(_) | Value::Duration(_) | Value::Object(_) | Value::Function(_) => {
            match (verb, value.basic()) {
                ('v' | 's' | 'x' | 'X' | 'q', _) => write_str(&value.to_string(), value, verb, spec, out),
                (_, Value::Int(number)) => write_int(number, value, verb, spec, out),
                (_, Value::Float(number)) => write_float(number, value, verb, spec, out),
                _ => bad_verb(value, verb, out),
            }
        }
        Value::Bool(_) | Value::Nil => bad_verb(value, verb, out),
    }
}

/// `%!d(string=text)`
fn bad_verb(value: &Value, verb: char, out: &mut Bounded<'_>) -> fmt::Result {
    write!(out, "%!{verb}({}={value})", value.type_name())
}

fn write_str(text: &str, value: &Value, verb: char, spec: Spec, out: &mut Bounded<'_>) -> fmt::Result {
    let end =
        spec.precision.and_then(|count| text.char_indices().nth(count)).map_or(text.len(), |(at, _)| at);
    let text = &text[..end];
    match verb {
        'v' if spec.sharp => write_padded(&quote::quote(text, false), spec, out),
        'v' | 's' => write_padded(text, spec, out),
        'q' if spec.sharp
            && !text.contains(['`', '\r'])
            && !text.chars().any(|char| char.is_control() && char != '\t') =>
        {
            write_padded(&format!("`{text}`"), spec, out)
        }
        'q' => write_padded(&quote::quote(text, spec.plus), spec, out),
        'x' | 'X' => {
            let mut hex = String::with_capacity(text.len() * 2);
            for (index, byte) in text.bytes().enumerate() {
                let blank = if spec.space && index > 0 { " " } else { "" };
                let prefix = if spec.sharp && (index == 0 || spec.space) { "0x" } else { "" };
                write!(hex, "{blank}{prefix}{byte:02x}")?;
            }
            write_padded(&if verb == 'X' { hex.to_uppercase() } else { hex }, spec, out)
        }
        _ => bad_verb(value, verb, out),
    }
}

fn write_int(number: i64, value: &Value, verb: char, spec: Spec, out: &mut Bounded<'_>) -> fmt::Result {
    let magnitude = number.unsigned_abs();
    let (prefix, digits) = match verb {
        'd' | 'v' => ("", magnitude.to_string()),
        'b' => (if spec.sharp { "0b" } else { "" }, format!("{magnitude:b}")),
        'o' => (if spec.sharp { "0" } else { "" }, format!("{magnitude:o}")),
        'O' => ("0o", format!("{magnitude:o}")),
        'x' => (if spec.sharp { "0x" } else { "" }, format!("{magnitude:x}")),
        'X' => (if spec.sharp { "0X" } else { "" }, format!("{magnitude:X}")),
        'c' => return write_padded(char_of(number).encode_utf8(&mut [0; 4]), spec, out),
        'q' => return write_padded(&quote::quote_char(char_of(number), spec.plus), spec, out),
        'U' => {
            let mut text = format!("U+{magnitude:04X}");
            if spec.sharp {
                write!(text, " '{}'", char_of(number))?;
            }
            return write_padded(&text, spec, out);
        }
        _ => return bad_verb(value, verb, out),
    };
    let sign = sign(number < 0, spec);
    if spec.precision == Some(0) && number == 0 {
        return write_padded("", Spec { zero: false, ..spec }, out);
    }
    let least = match (spec.precision, spec.width) {
        (Some(precision), _) => precision,
        (None, Some(width)) if spec.zero => width.saturating_sub(sign.len() + prefix.len()),
        _ => 0,
    };
    write_padded(&format!("{sign}{prefix}{digits:0>least$}"), Spec { zero: false, ..spec }, out)
}

fn char_of(number: i64) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn sign(negative: bool, spec: Spec) -> &'static str {
    match (negative, spec.plus, spec.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

fn write_float(number: f64, value: &Value, verb: char, spec: Spec, out: &mut Bounded<'_>) -> fmt::Result {
    let (kind, precision) = match verb {
        'v' => ('g', spec.precision),
        'g' | 'G' => ('g', spec.precision),
        'e' | 'E' => ('e', Some(spec.precision.unwrap_or(6))),
        'f' | 'F' => ('f', Some(spec.precision.unwrap_or(6))),
        _ => return bad_verb(value, verb, out),
    };
    let mut text = float::format(number, kind, precision, spec.sharp);
    if verb.is_uppercase() && number.is_finite() {
        text = text.to_uppercase();
    }
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text.as_str()),
    };
    // Infinity has its sign always.
    let sign = if number == f64::INFINITY && !spec.space { "+" } else { sign(negative, spec) };
    let least = match spec.width {
        Some(width) if spec.zero && number.is_finite() => width.saturating_sub(sign.len()),
        _ => 0,
    };
    write_padded(&format!("{sign}{digits:0>least$}"), Spec { zero: false, ..spec }, out)
}

fn write_padded(text: &str, spec: Spec, out: &mut Bounded<'_>) -> fmt::Result {
    let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    if spec.minus {
        out.write_str(text)?;
    }
    if missing > 0 {
        out.write_str(&(if spec.zero { "0" } else { " " }).repeat(missing))?;
    }
    if spec.minus { Ok(()) } else { out.write_str(text) }
}
