//! Reading a line piece by piece.

use std::borrow::Cow;

/// What is left of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(rest: &'a str) -> Self {
        Self { rest }
    }

    pub(super) fn skip_blanks(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        self.rest.len() != before
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        if self.peek() == Some(byte) {
            self.rest = &self.rest[1..];
            return true;
        }
        false
    }

    /// Takes the longest prefix of the given ASCII bytes.
    pub(super) fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> &'a str {
        let end = self.rest.bytes().position(|byte| !fits(byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Takes up to the next blank.
    pub(super) fn token(&mut self) -> &'a str {
        self.take_while(|byte| byte != b' ' && byte != b'\t')
    }

    /// Skips a quoted string, whose opening quote comes next; `None` when it is not closed.
    pub(super) fn skip_quoted(&mut self) -> Option<()> {
        let bytes = self.rest.as_bytes();
        let mut at = 1;
        loop {
            match memchr::memchr2(b'"', b'\\', bytes.get(at..)?) {
                None => return None,
                Some(found) if bytes[at + found] == b'"' => {
                    self.rest = &self.rest[at + found + 1..];
                    return Some(());
                }
                // The byte after a backslash belongs to it. A character of more bytes goes on with bytes that are neither.
                Some(found) => at += found + 2,
            }
        }
    }

    /// Takes a quoted string, whose opening quote comes next, and its content.
    pub(super) fn quoted(&mut self) -> Option<Cow<'a, str>> {
        let before = self.rest;
        self.skip_quoted()?;
        let inside = before.get(1..before.len() - self.rest.len() - 1)?;
        Some(unescape(inside))
    }
}

/// `\\`, `\"` and `\n`; any other backslash stays.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some(escaped @ ('\\' | '"')) => out.push(escaped),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out.into()
}
