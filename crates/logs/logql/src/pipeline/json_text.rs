//! Walking over JSON text without building anything.
//!
//! Loki reads JSON leniently: a value is found by its first character and its end, what lies between is not checked, and everything
//! before a break counts. The texts of errors are those its users know.

use memchr::{memchr, memchr2};

/// Deepest nesting that is followed: each level looks for the end of a value before it looks inside.
pub(super) const MAX_DEPTH: usize = 64;

/// A value in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    pub kind: Kind,
    /// Strings without their quotes, escapes as they stand; everything else as it stands.
    pub text: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    String,
    Number,
    Boolean,
    Null,
    Object,
    Array,
}

/// What is wrong with the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonError {
    Malformed,
    String,
    Array,
    Object,
    UnknownType,
    Escape,
}

impl JsonError {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "Malformed JSON error",
            Self::String => "Value is string, but can't find closing '\"' symbol",
            Self::Array => "Value is array, but can't find closing ']' symbol",
            Self::Object => "Value looks like object, but can't find closing '}' symbol",
            Self::UnknownType => "Unknown value type",
            Self::Escape => "Encountered an invalid escape sequence in a string",
        }
    }
}

/// Why a walk ended before the end.
pub(super) enum Stop {
    /// The caller has seen enough.
    Enough,
    Error(JsonError),
}

/// Calls `visit` with each key, as it stands, and value of an object.
pub(super) fn each_field<'a>(
    text: &'a str,
    mut visit: impl FnMut(&'a str, Value<'a>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let fail = |error| Err(Stop::Error(error));
    let Some(at) = skip_space(text, 0).filter(|at| text.as_bytes()[*at] == b'{') else {
        return fail(JsonError::Object);
    };
    let Some(mut at) = skip_space(text, at + 1) else {
        return fail(JsonError::Malformed);
    };
    loop {
        match text.as_bytes()[at] {
            b'"' => {}
            b'}' => return Ok(()),
            _ => return fail(JsonError::Object),
        }
        let Some(end) = string_end(text, at + 1) else {
            return fail(JsonError::Malformed);
        };
        let key = &text[at + 1..end];
        let Some(colon) = skip_space(text, end + 1).filter(|at| text.as_bytes()[*at] == b':') else {
            return fail(JsonError::Malformed);
        };
        let (value, end) = value_at(text, colon + 1).map_err(Stop::Error)?;
        visit(key, value)?;
        let Some(next) = skip_space(text, end) else {
            return fail(JsonError::Array);
        };
        match text.as_bytes()[next] {
            b'}' => return Ok(()),
            b',' => {}
            _ => return fail(JsonError::Object),
        }
        match skip_space(text, next + 1) {
            Some(next) => at = next,
            None => return fail(JsonError::Array),
        }
    }
}

/// Where the value of a field begins, in the object that begins at or after `at`. What comes after it may be broken.
pub(super) fn field_start(text: &str, at: usize, name: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = skip_space(text, at).filter(|at| bytes[*at] == b'{')? + 1;
    let mut unescaped = String::new();
    loop {
        let quote = skip_space(text, at).filter(|at| bytes[*at] == b'"')?;
        let end = string_end(text, quote + 1)?;
        let key = &text[quote + 1..end];
        let colon = skip_space(text, end + 1).filter(|at| bytes[*at] == b':')?;
        let matches = if key.contains('\\') {
            unescaped.clear();
            unescape(&mut unescaped, key).is_some() && unescaped == name
        } else {
            key == name
        };
        if matches {
            return Some(colon + 1);
        }
        let (_, end) = value_at(text, colon + 1).ok()?;
        at = skip_space(text, end).filter(|at| bytes[*at] == b',')? + 1;
    }
}

/// Where an element begins, in the array that begins at or after `at`. What comes after it may be broken.
pub(super) fn element_start(text: &str, at: usize, index: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = skip_space(text, at).filter(|at| bytes[*at] == b'[')? + 1;
    for _ in 0..index {
        let (_, end) = value_at(text, at).ok()?;
        at = skip_space(text, end).filter(|at| bytes[*at] == b',')? + 1;
    }
    skip_space(text, at).filter(|at| bytes[*at] != b']')
}

/// The value that begins at or after a position, and where it ends.
pub(super) fn value_at(text: &str, from: usize) -> Result<(Value<'_>, usize), JsonError> {
    let at = skip_space(text, from).ok_or(JsonError::Malformed)?;
    let (kind, end) = match text.as_bytes()[at] {
        b'"' => {
            let end = string_end(text, at + 1).ok_or(JsonError::String)?;
            let kind = Kind::String;
            return Ok((Value { kind, text: &text[at + 1..end] }, end + 1));
        }
        b'[' => (Kind::Array, block_end(text, at, b'[', b']').ok_or(JsonError::Array)?),
        b'{' => (Kind::Object, block_end(text, at, b'{', b'}').ok_or(JsonError::Object)?),
        first => {
            let length = text.as_bytes()[at..]
                .iter()
                .position(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b',' | b'}' | b']'))
                .unwrap_or(text.len() - at);
            let end = at + length;
            let kind = match (first, &text.as_bytes()[at..end]) {
                (b't' | b'f', b"true" | b"false") => Kind::Boolean,
                (b'n', b"null") => Kind::Null,
                (b'0'..=b'9' | b'-', _) => Kind::Number,
                _ => return Err(JsonError::UnknownType),
            };
            (kind, end)
        }
    };
    Ok((Value { kind, text: &text[at..end] }, end))
}

/// The first position from `at` on that is no white space.
fn skip_space(text: &str, at: usize) -> Option<usize> {
    let rest = text.as_bytes().get(at..)?;
    let space = rest.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))?;
    Some(at + space)
}

/// Where the quote is that ends a string whose inside begins at `at`.
fn string_end(text: &str, mut at: usize) -> Option<usize> {
    loop {
        let found = at + memchr2(b'"', b'\\', text.as_bytes().get(at..)?)?;
        if text.as_bytes()[found] == b'"' {
            return Some(found);
        }
        // A backslash takes the next byte with it.
        at = found + 2;
    }
}

/// One past the bracket that closes the one at `at`; other kinds of brackets are not looked at.
fn block_end(text: &str, mut at: usize, open: u8, close: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut level = 0usize;
    loop {
        match *bytes.get(at)? {
            b'"' => at = string_end(text, at + 1)?,
            byte if byte == open => level += 1,
            byte if byte == close => {
                level -= 1;
                if level == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// Appends a string's value; `None` where an escape is broken.
pub(super) fn unescape(out: &mut String, text: &str) -> Option<()> {
    let mut rest = text;
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        super::sanitize::push_clean(out, &rest[..at]);
        let escape = *rest.as_bytes().get(at + 1)?;
        let mut taken = at + 2;
        let c = match escape {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut code = hex4(rest, taken)?;
                taken += 4;
                if (0xd800..0xdc00).contains(&code) {
                    if rest.as_bytes().get(taken..taken + 2)? != b"\\u" {
                        return None;
                    }
                    let low = hex4(rest, taken + 2)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    taken += 6;
                    code = 0x10000 + ((code - 0xd800) << 10) + low;
                }
                char::from_u32(code).filter(|c| *c != char::REPLACEMENT_CHARACTER).unwrap_or(' ')
            }
            _ => return None,
        };
        out.push(c);
        rest = rest.get(taken..)?;
    }
    super::sanitize::push_clean(out, rest);
    Some(())
}

fn hex4(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

/// A string's value; empty where an escape is broken.
pub(super) fn unescape_into(out: &mut String, text: &str) {
    out.clear();
    if unescape(out, text).is_none() {
        out.clear();
    }
}
