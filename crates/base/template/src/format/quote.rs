//! Go's quoted strings, written and read.

use std::fmt::Write;

/// `%q` and `strconv.Quote`; with `ascii`, everything beyond ASCII is escaped.
pub(crate) fn quote(text: &str, ascii: bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        push_escaped(char, '"', ascii, &mut out);
    }
    out.push('"');
    out
}

/// `%q` of a number: a character constant.
pub(crate) fn quote_char(char: char, ascii: bool) -> String {
    let mut out = String::from("'");
    push_escaped(char, '\'', ascii, &mut out);
    out.push('\'');
    out
}

fn push_escaped(char: char, mark: char, ascii: bool, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = match char {
        '\\' => out.write_str("\\\\"),
        _ if char == mark => write!(out, "\\{char}"),
        '\x07' => out.write_str("\\a"),
        '\x08' => out.write_str("\\b"),
        '\x0c' => out.write_str("\\f"),
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        '\x0b' => out.write_str("\\v"),
        ' '..='~' => out.write_char(char),
        '\0'..='\x1f' | '\x7f' => write!(out, "\\x{:02x}", u32::from(char)),
        _ if !ascii && is_print(char) => out.write_char(char),
        _ if u32::from(char) < 0x10000 => write!(out, "\\u{:04x}", u32::from(char)),
        _ => write!(out, "\\U{:08x}", u32::from(char)),
    };
}

/// Go's `unicode.IsPrint`, but for unassigned characters, which count as printable here.
pub(crate) fn is_print(char: char) -> bool {
    char == ' '
        || !(char.is_control()
            || char.is_whitespace()
            || matches!(char,
                '\u{ad}' | '\u{600}'..='\u{605}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
                | '\u{2066}'..='\u{206f}' | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0001}'..='\u{e007f}' | '\u{f0000}'..='\u{10ffff}'))
}

/// Reads a Go string literal with its quotes: `"a\n"` or a raw one. `None` if it is none. Bytes given by `\x` that
/// are not UTF-8 become U+FFFD.
pub(crate) fn unquote(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('`') {
        let raw = raw.strip_suffix('`')?;
        return (!raw.contains('`')).then(|| raw.replace('\r', ""));
    }
    let mut rest = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        if rest.starts_with(['"', '\n']) {
            return None;
        }
        let (unit, after) = unquote_char(rest, '"')?;
        match unit {
            Unit::Byte(byte) => bytes.push(byte),
            Unit::Char(char) => bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = after;
    }
    Some(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// What one character or escape stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Byte(u8),
    Char(char),
}

/// The first character of the inside of a literal with that mark, and the rest.
pub(crate) fn unquote_char(text: &str, mark: char) -> Option<(Unit, &str)> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if first != '\\' {
        return Some((Unit::Char(first), chars.as_str()));
    }
    let kind = chars.next()?;
    let rest = chars.as_str();
    let plain = |char: char| Some((Unit::Char(char), rest));
    match kind {
        'a' => plain('\x07'),
        'b' => plain('\x08'),
        'f' => plain('\x0c'),
        'n' => plain('\n'),
        'r' => plain('\r'),
        't' => plain('\t'),
        'v' => plain('\x0b'),
        '\\' => plain('\\'),
        '\'' | '"' if kind == mark => plain(kind),
        'x' => {
            let (value, rest) = digits(rest, 2, 16)?;
            Some((Unit::Byte(u8::try_from(value).ok()?), rest))
        }
        'u' | 'U' => {
            let (value, rest) = digits(rest, if kind == 'u' { 4 } else { 8 }, 16)?;
            Some((Unit::Char(char::from_u32(value)?), rest))
        }
        '0'..='7' => {
            let (value, rest) = digits(text.get(1..)?, 3, 8)?;
            Some((Unit::Byte(u8::try_from(value).ok()?), rest))
        }
        _ => None,
    }
}

fn digits(text: &str, count: usize, radix: u32) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    if !digits.chars().all(|char| char.is_digit(radix)) {
        return None;
    }
    Some((u32::from_str_radix(digits, radix).ok()?, rest))
}
