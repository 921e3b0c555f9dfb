//! Words to tokens: functions, keywords, durations, sizes, ranges, strings without their quotes.

use super::Span;
use super::scanner::{Scanner, Word, WordKind};
use super::token::{Fixed, Flag, Token, TokenKind, find_function};
use crate::units;

/// All tokens of a query; the last is [`TokenKind::End`] or [`TokenKind::Error`].
pub(super) fn lex(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, scanner: Scanner::new(text) };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next();
        let last = matches!(token.kind, TokenKind::End | TokenKind::Error(_));
        tokens.push(token);
        if last {
            return tokens;
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
}

impl Lexer<'_> {
    fn next(&mut self) -> Token {
        let mut word = self.scanner.next();
        while word.kind == WordKind::Other && self.text_of(&word) == "#" {
            while self.scanner.peek().is_some_and(|c| c != '\n') {
                self.scanner.bump();
            }
            word = self.scanner.next();
        }
        let before = self.scanner.position();
        let kind = self.token(&word);
        // Loki forgets the line of a token when it looks beyond the word the token began with.
        let beyond = self.scanner.position() != before;
        Token {
            kind,
            span: Span { start: word.span.start, end: self.scanner.position() },
            line: if beyond { 0 } else { word.line },
            column: word.column,
        }
    }

    fn text_of(&self, word: &Word) -> &str {
        &self.text[word.span.start..word.span.end]
    }

    fn token(&mut self, word: &Word) -> TokenKind {
        let text = &self.text[word.span.start..word.span.end];
        match &word.kind {
            WordKind::End => TokenKind::End,
            WordKind::Error(message) => TokenKind::Error(message.clone()),
            WordKind::String => match unquote(text) {
                Some(value) => TokenKind::String(value),
                None => TokenKind::Error("invalid syntax".to_owned()),
            },
            WordKind::Number => self.number(text),
            WordKind::Name => self.name(text),
            WordKind::Other => self.other(text),
        }
    }

    fn number(&mut self, text: &str) -> TokenKind {
        if let Some(nanos) = self.with_unit(text, is_duration_unit, units::parse_duration) {
            return TokenKind::Duration(nanos);
        }
        if let Some(bytes) = self.with_unit(text, is_bytes_unit, units::parse_bytes) {
            return TokenKind::Bytes(bytes);
        }
        TokenKind::Number(text.to_owned())
    }

    /// Takes what follows a number, if both together are a quantity.
    fn with_unit<T>(
        &mut self,
        number: &str,
        is_unit: fn(char) -> bool,
        parse: fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let rest = self.scanner.rest();
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || is_unit(c))).unwrap_or(rest.len());
        if end == 0 {
            return None;
        }
        let value = parse(&format!("{number}{}", &rest[..end])).ok()?;
        for _ in rest[..end].chars() {
            self.scanner.bump();
        }
        Some(value)
    }

    fn name(&self, text: &str) -> TokenKind {
        let lower = text.to_lowercase();
        if let Some(function) = find_function(&lower) {
            if is_called(self.scanner.rest()) {
                return function;
            }
            return TokenKind::Identifier(text.to_owned());
        }
        match Fixed::find(&lower) {
            Some(fixed) => TokenKind::Fixed(fixed),
            None => TokenKind::Identifier(text.to_owned()),
        }
    }

    fn other(&mut self, text: &str) -> TokenKind {
        match text {
            "-" => {
                if let Some(flag) = self.flag() {
                    return TokenKind::Flag(flag);
                }
                if let Some(nanos) = self.with_unit("-", is_duration_unit, units::parse_duration) {
                    return TokenKind::Duration(nanos);
                }
            }
            "[" => return self.range(),
            _ => {}
        }
        if let Some(next) = self.scanner.peek() {
            let two = format!("{text}{next}");
            if let Some(fixed) = Fixed::find(&two) {
                self.scanner.bump();
                return TokenKind::Fixed(fixed);
            }
        }
        Fixed::find(text).map_or(TokenKind::Stray, TokenKind::Fixed)
    }

    /// The rest of `--strict` or `--keep-empty` after its first dash.
    fn flag(&mut self) -> Option<Flag> {
        let rest = self.scanner.rest();
        let end = rest.find(|c: char| !(c.is_alphabetic() || c == '-')).unwrap_or(rest.len());
        let flag = match &rest[..end] {
            "-strict" => Flag::Strict,
            "-keep-empty" => Flag::KeepEmpty,
            _ => return None,
        };
        for _ in 0..end {
            self.scanner.bump();
        }
        Some(flag)
    }

    fn range(&mut self) -> TokenKind {
        let rest = self.scanner.rest();
        let end = rest.find(']');
        for _ in rest[..end.map_or(rest.len(), |end| end + 1)].chars() {
            self.scanner.bump();
        }
        let Some(end) = end else {
            return TokenKind::Error("missing closing ']' in duration".to_owned());
        };
        match units::parse_prometheus_duration(&rest[..end]) {
            Ok(nanos) => TokenKind::Range(nanos),
            Err(message) => TokenKind::Error(message),
        }
    }
}

fn is_duration_unit(c: char) -> bool {
    matches!(c, 'n' | 'u' | 'µ' | 'm' | 's' | 'h' | 'd' | 'w' | 'y')
}

fn is_bytes_unit(c: char) -> bool {
    matches!(c, 'B' | 'i' | 'k' | 'K' | 'M' | 'G' | 'T' | 'P')
}

/// Whether parentheses follow, perhaps after `by` or `without`: else the name is just a name.
fn is_called(rest: &str) -> bool {
    let rest = rest.trim_start();
    if rest.starts_with('(') {
        return true;
    }
    ["by", "without"].iter().any(|word| {
        rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
            && rest[word.len()..].trim_start().starts_with('(')
    })
}

/// The value of a text in double quotes or backquotes. Bytes that are no UTF-8 become U+FFFD: lines never hold any.
fn unquote(text: &str) -> Option<String> {
    let inner = text.get(1..text.len().checked_sub(1)?)?;
    if text.starts_with('`') {
        return Some(inner.to_owned());
    }
    if !inner.contains('\\') {
        return Some(inner.to_owned());
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let mut buffer = [0; 4];
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            continue;
        }
        let escape = chars.next()?;
        let byte = match escape {
            'a' => 0x07,
            'b' => 0x08,
            'f' => 0x0c,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'v' => 0x0b,
            '\\' | '"' | '\'' => escape as u8,
            '0'..='7' => {
                let mut value = escape.to_digit(8)?;
                for _ in 0..2 {
                    value = value * 8 + chars.next()?.to_digit(8)?;
                }
                u8::try_from(value).ok()?
            }
            'x' => u8::try_from(hex(&mut chars, 2)?).ok()?,
            'u' | 'U' => {
                let code = hex(&mut chars, if escape == 'u' { 4 } else { 8 })?;
                let c = char::from_u32(code)?;
                out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
                continue;
            }
            _ => return None,
        };
        out.push(byte);
    }
    Some(match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

fn hex(chars: &mut std::str::Chars<'_>, digits: u32) -> Option<u32> {
    let mut value = 0u32;
    for _ in 0..digits {
        value = value.checked_mul(16)?.checked_add(chars.next()?.to_digit(16)?)?;
    }
    Some(value)
}
