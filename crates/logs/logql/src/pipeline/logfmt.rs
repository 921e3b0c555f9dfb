//! `| logfmt`: `key=value` pairs become labels.

use std::borrow::Cow;

use super::sanitize::{EXTRACTED, push_clean, push_sanitized};
use super::{Entry, EntryLabels, Run, errors};
use crate::syntax::Extraction;

/// Takes all pairs.
pub(super) struct Logfmt {
    strict: bool,
    keep_empty: bool,
    name: String,
    value: String,
}

/// Takes some pairs, perhaps under other names.
pub(super) struct LogfmtExpressions {
    strict: bool,
    /// Label and key.
    extractions: Vec<(String, String)>,
    name: String,
    value: String,
}

// === impl Logfmt ===

impl Logfmt {
    pub fn new(strict: bool, keep_empty: bool) -> Self {
        Self { strict, keep_empty, name: String::new(), value: String::new() }
    }
}

impl Run for Logfmt {
    fn run(&mut self, entry: &mut Entry<'_>, labels: &mut EntryLabels) -> bool {
        if labels.is_complete() {
            return true;
        }
        let mut scanner = Scanner::new(&entry.line);
        loop {
            match scanner.next() {
                Next::End => return true,
                Next::Broken(error) if self.strict => {
                    labels.set_parser_error(errors::LOGFMT, &error.to_string());
                    return true;
                }
                Next::Broken(_) => {}
                Next::Pair(key, value) => {
                    self.name.clear();
                    push_sanitized(&mut self.name, key);
                    if self.name.is_empty() {
                        continue;
                    }
                    if labels.collides(&self.name) {
                        self.name.push_str(EXTRACTED);
                    }
                    if !labels.wants(&self.name) || (value.is_empty() && !self.keep_empty) {
                        continue;
                    }
                    self.value.clear();
                    push_clean(&mut self.value, &value);
                    labels.set_parsed(&self.name, &self.value);
                    if labels.is_complete() {
                        return true;
                    }
                }
            }
        }
    }
}

// === impl LogfmtExpressions ===

impl LogfmtExpressions {
    pub fn new(extractions: &[Extraction], strict: bool) -> Result<Self, String> {
        let parse = |extraction: &Extraction| {
            let key = extraction.expression.as_str();
            if key.is_empty() || key.contains(|c: char| c <= ' ' || c == '=' || c == '"') {
                let found = if key.is_empty() { "$end" } else { "character" };
                return Err(format!(
                    "cannot parse expression [{key}]: syntax error: unexpected {found}, expecting KEY"
                ));
            }
            Ok((extraction.name.clone(), key.to_owned()))
        };
        Ok(Self {
            strict,
            extractions: extractions.iter().map(parse).collect::<Result<_, String>>()?,
            name: String::new(),
            value: String::new(),
        })
    }
}

impl Run for LogfmtExpressions {
    fn run(&mut self, entry: &mut Entry<'_>, labels: &mut EntryLabels) -> bool {
        if labels.is_complete() {
            return true;
        }
        for (label, _) in &self.extractions {
            if !labels.collides(label) {
                labels.set_parsed(label, "");
            }
        }
        let mut scanner = Scanner::new(&entry.line);
        loop {
            let (key, value) = match scanner.next() {
                Next::End => return true,
                Next::Broken(error) if self.strict => {
                    labels.set_parser_error(errors::LOGFMT, &error.to_string());
                    return true;
                }
                Next::Broken(_) => continue,
                Next::Pair(key, value) => (key, value),
            };
            self.name.clear();
            push_sanitized(&mut self.name, key);
            // A label's own name finds it too, as in Loki.
            let Some((label, _)) = self
                .extractions
                .iter()
                .find(|(_, wanted)| *wanted == self.name)
                .or_else(|| self.extractions.iter().find(|(label, _)| *label == self.name))
            else {
                continue;
            };
            self.value.clear();
            push_clean(&mut self.value, &value);
            if labels.collides(label) {
                label.clone_into(&mut self.name);
                self.name.push_str(EXTRACTED);
                if !labels.wants(&self.name) {
                    return true;
                }
                labels.set_parsed(&self.name, &self.value);
            } else {
                labels.set_parsed(label, &self.value);
            }
        }
    }
}

// === scanning ===

/// What comes next in a line.
pub(super) enum Next<'a> {
    End,
    /// A key and its value, empty where it has none.
    Pair(&'a str, Cow<'a, str>),
    /// Something that is no pair; the scanner stands behind it.
    Broken(SyntaxError),
}

/// Where and why something is no pair.
#[derive(Debug, thiserror::Error)]
#[error("logfmt syntax error at pos {position} : {message}")]
pub(super) struct SyntaxError {
    /// In bytes, from 1.
    position: usize,
    message: String,
}

/// Reads pairs one by one.
pub(super) struct Scanner<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(line: &'a str) -> Self {
        Self { line, at: 0 }
    }

    pub fn next(&mut self) -> Next<'a> {
        let bytes = self.line.as_bytes();
        self.at = self.find(|byte| byte > b' ');
        if self.at == bytes.len() {
            return Next::End;
        }
        let start = self.at;
        self.at = self.find(|byte| byte == b'=' || byte == b'"' || byte <= b' ');
        let key = &self.line[start..self.at];
        match bytes.get(self.at) {
            Some(b'"') => return self.unexpected(),
            Some(b'=') if key.is_empty() => return self.unexpected(),
            // Loki reads on behind such a key only if a value follows; the difference is one more error at most.
            _ if key.contains(char::REPLACEMENT_CHARACTER) => return self.broken("invalid key"),
            Some(b'=') => self.at += 1,
            _ => return Next::Pair(key, Cow::Borrowed("")),
        }
        match bytes.get(self.at) {
            Some(b'"') => self.quoted(key),
            Some(byte) if *byte > b' ' => {
                let start = self.at;
                self.at = self.find(|byte| byte == b'=' || byte == b'"' || byte <= b' ');
                match bytes.get(self.at) {
                    Some(b'=' | b'"') => self.unexpected(),
                    _ => Next::Pair(key, Cow::Borrowed(&self.line[start..self.at])),
                }
            }
            _ => Next::Pair(key, Cow::Borrowed("")),
        }
    }

    fn quoted(&mut self, key: &'a str) -> Next<'a> {
        let start = self.at + 1;
        let mut at = start;
        let bytes = self.line.as_bytes();
        let mut escaped = false;
        loop {
            match bytes.get(at) {
                None => {
                    self.at = bytes.len();
                    return Next::Broken(self.error("unterminated quoted value"));
                }
                Some(b'\\') => {
                    escaped = true;
                    at += 1;
                }
                Some(b'"') => break,
                Some(_) => {}
            }
            at += 1;
        }
        self.at = at + 1;
        let inner = &self.line[start..at];
        if !escaped {
            return Next::Pair(key, Cow::Borrowed(inner));
        }
        let mut value = String::with_capacity(inner.len());
        match super::json_text::unescape(&mut value, inner) {
            Some(()) => Next::Pair(key, Cow::Owned(value)),
            None => Next::Broken(self.error("invalid quoted value")),
        }
    }

    fn unexpected(&mut self) -> Next<'a> {
        let c = char::from(self.line.as_bytes()[self.at]);
        let message = format!("unexpected '{c}'");
        self.broken(&message)
    }

    /// Reports an error here and moves on to the next space.
    fn broken(&mut self, message: &str) -> Next<'a> {
        let error = self.error(message);
        self.at = self.find(|byte| byte <= b' ');
        Next::Broken(error)
    }

    fn error(&self, message: &str) -> SyntaxError {
        SyntaxError { position: self.at + 1, message: message.to_owned() }
    }

    /// The first such byte from here on, or the end. All bytes asked for are ASCII, so the place is a character's.
    fn find(&self, wanted: impl Fn(u8) -> bool) -> usize {
        let rest = &self.line.as_bytes()[self.at..];
        self.at + rest.iter().position(|byte| wanted(*byte)).unwrap_or(rest.len())
    }
}
