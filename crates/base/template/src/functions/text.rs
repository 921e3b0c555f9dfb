//! Signatures and helpers that several sets share.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use go_regex::Regex;

use super::set::{Kind, Signature};
use crate::exec::{Call, FunctionError};
use crate::format::quote::is_print;
use crate::value::Value;

pub(super) const NONE: Signature = Signature::new(&[]);
pub(super) const ANY: Signature = Signature::new(&[Kind::Any]);
pub(super) const ANY2: Signature = Signature::new(&[Kind::Any, Kind::Any]);
pub(super) const ANYS: Signature = Signature::variadic_of(&[], Kind::Any);
pub(super) const STR: Signature = Signature::new(&[Kind::Str]);
pub(super) const STR2: Signature = Signature::new(&[Kind::Str, Kind::Str]);
pub(super) const STR3: Signature = Signature::new(&[Kind::Str, Kind::Str, Kind::Str]);
pub(super) const INT_STR: Signature = Signature::new(&[Kind::Int, Kind::Str]);
pub(super) const STR_TIME: Signature = Signature::new(&[Kind::Str, Kind::Time]);
pub(super) const TIME: Signature = Signature::new(&[Kind::Time]);

pub(super) type Answer = Result<Value, FunctionError>;

/// How many patterns a set keeps compiled.
const MAX_PATTERNS: usize = 64;

/// Compiled patterns of the functions of one set: templates run for every log line with the same few.
#[derive(Clone, Default)]
pub(super) struct Patterns(Arc<Mutex<HashMap<String, Regex>>>);

impl Patterns {
    pub fn get(&self, pattern: &str) -> Result<Regex, go_regex::Error> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = known.get(pattern) {
            return Ok(regex.clone());
        }
        let regex = Regex::new(pattern)?;
        if known.len() >= MAX_PATTERNS {
            known.clear();
        }
        known.insert(pattern.to_owned(), regex.clone());
        Ok(regex)
    }
}

/// `ReplaceAllString`, bounded.
pub(super) fn regex_replace(
    call: &mut Call<'_>,
    regex: &Regex,
    text: &str,
    template: Option<&str>,
    literal: &str,
) -> Answer {
    let limit = call.max_bytes();
    let mut overflows = false;
    let replaced = regex.replace_all_with(text, |locations, out| {
        // What is written once the limit is passed is thrown away with the rest.
        overflows |= out.len() > limit;
        match template {
            _ if overflows => {}
            Some(template) => regex.expand(template, text, locations, out),
            None => out.push_str(literal),
        }
    });
    call.check_size(if overflows { usize::MAX } else { replaced.len() })?;
    Ok(Value::from(&*replaced))
}

/// Go's `strings.Replace`: at most `count` times, or always if that is negative.
pub(super) fn replace(call: &mut Call<'_>, text: &str, old: &str, new: &str, count: i64) -> Answer {
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    call.write(|out| {
        use std::fmt::Write;
        let mut copied = 0;
        let starts: Box<dyn Iterator<Item = usize>> = if old.is_empty() {
            Box::new(text.char_indices().map(|(at, _)| at).chain([text.len()]))
        } else {
            Box::new(text.match_indices(old).map(|(at, _)| at))
        };
        for at in starts.take(limit) {
            out.write_str(&text[copied..at])?;
            out.write_str(new)?;
            copied = at + old.len();
        }
        out.write_str(&text[copied..])
    })
}

/// Go's `strings.ToUpper`: one character for one.
pub(super) fn to_upper(text: &str) -> String {
    text.chars().map(upper_char).collect()
}

pub(super) fn upper_char(char: char) -> char {
    let mut upper = char.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => char,
    }
}

/// Go's `strings.ToLower`: one character for one.
pub(super) fn to_lower(text: &str) -> String {
    text.chars().map(|char| char.to_lowercase().next().unwrap_or(char)).collect()
}

/// Upper case for the first letter of each word; `lower_rest` for the others as well. Words as Unicode sees them,
/// nearly: letters, digits and underscores, with an apostrophe or point between letters.
pub(super) fn title_words(text: &str, lower_rest: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_word = false;
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let is_word = char.is_alphanumeric() || char == '_';
        if is_word && !in_word {
            out.push(upper_char(char));
        } else if is_word && lower_rest {
            out.push_str(&to_lower(char.encode_utf8(&mut [0; 4])));
        } else {
            out.push(char);
        }
        let joins = in_word
            && matches!(char, '\'' | '’' | '.' | ':')
            && chars.peek().is_some_and(|next| next.is_alphabetic());
        in_word = is_word || joins;
    }
    out
}

/// Go's `url.QueryEscape`.
pub(super) fn query_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// Go's `url.QueryUnescape`. Bytes that are not UTF-8 become U+FFFD.
pub(super) fn query_unescape(text: &str) -> Result<String, FunctionError> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'%' => {
                let hex =
                    text.get(at + 1..at + 3).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
                let Some(value) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) else {
                    let end = (at + 3).min(bytes.len());
                    let found = String::from_utf8_lossy(bytes.get(at..end).unwrap_or_default());
                    return Err(FunctionError::Failed(format!("invalid URL escape {found:?}")));
                };
                out.push(value);
                at += 3;
            }
            b'+' => {
                out.push(b' ');
                at += 1;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Go's `template.HTMLEscapeString`.
pub(super) fn html_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\0' => out.push(char::REPLACEMENT_CHARACTER),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ => out.push(char),
        }
    }
    out
}

/// Go's `template.JSEscapeString`.
pub(super) fn js_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        // Writing to a string cannot fail.
        let _ = match char {
            '\\' | '\'' | '"' => write!(out, "\\{char}"),
            '<' | '>' | '&' | '=' | '\0'..='\x1f' => write!(out, "\\u{:04X}", u32::from(char)),
            ' '..='~' => out.write_char(char),
            _ if is_print(char) => out.write_char(char),
            _ => write!(out, "\\u{:04X}", u32::from(char)),
        };
    }
    out
}

/// A piece of a string by bytes, as Go cuts; halves of characters become U+FFFD.
pub(super) fn cut(text: &str, start: usize, end: usize) -> String {
    String::from_utf8_lossy(text.as_bytes().get(start..end).unwrap_or_default()).into_owned()
}

/// So many blanks, bounded.
pub(super) fn blanks(call: &Call<'_>, count: i64) -> Result<String, FunctionError> {
    let count = usize::try_from(count).map_err(|_| FunctionError::from("strings: negative Repeat count"))?;
    call.check_size(count)?;
    Ok(" ".repeat(count))
}
