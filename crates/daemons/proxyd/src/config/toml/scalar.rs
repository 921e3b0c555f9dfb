//! Strings and bare values of TOML.

use super::{Parsed, Parser};
use crate::config::node::Value;

impl Parser<'_> {
    pub(super) fn literal_string(&mut self) -> Parsed<String> {
        let rest = &self.rest()[1..];
        match rest.find(['\'', '\n']) {
            Some(end) if rest[end..].starts_with('\'') => {
                self.at += end + 2;
                Ok(rest[..end].to_owned())
            }
            _ => Err(self.mistake("the string is not closed")),
        }
    }

    pub(super) fn long_literal_string(&mut self) -> Parsed<String> {
        let rest = &self.rest()[3..];
        let Some(mut end) = rest.find("'''") else { return Err(self.mistake("the string is not closed")) };
        // Up to two quotes may stand before the closing three.
        while rest[end + 3..].starts_with('\'') {
            end += 1;
        }
        self.at += end + 6;
        Ok(without_first_newline(&rest[..end]).to_owned())
    }

    pub(super) fn basic_string(&mut self) -> Parsed<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None | Some('\n') => return Err(self.mistake("the string is not closed")),
                Some('"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some('\\') => text.push(self.escape()?),
                Some(c) => {
                    self.at += c.len_utf8();
                    text.push(c);
                }
            }
        }
    }

    pub(super) fn long_basic_string(&mut self) -> Parsed<String> {
        self.at += 3;
        self.at += self.rest().len() - without_first_newline(self.rest()).len();
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(self.mistake("the string is not closed")),
                Some('"') if self.rest().starts_with("\"\"\"") && !self.rest().starts_with("\"\"\"\"") => {
                    self.at += 3;
                    return Ok(text);
                }
                Some('\\') => {
                    let after = self.rest()[1..].trim_start_matches([' ', '\t', '\r']);
                    if after.starts_with('\n') {
                        // A backslash at the end of a line joins it with what follows.
                        self.at += self.rest().len() - after.trim_start().len();
                    } else {
                        text.push(self.escape()?);
                    }
                }
                Some(c) => {
                    self.at += c.len_utf8();
                    text.push(c);
                }
            }
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        let mut chars = self.rest().chars().skip(1);
        let kind = chars.next();
        let digits = match kind {
            Some('u') => 4,
            Some('U') => 8,
            Some('x') => 2,
            Some('b') => return Ok(self.take_escape('\u{8}')),
            Some('t') => return Ok(self.take_escape('\t')),
            Some('n') => return Ok(self.take_escape('\n')),
            Some('f') => return Ok(self.take_escape('\u{c}')),
            Some('r') => return Ok(self.take_escape('\r')),
            Some('e') => return Ok(self.take_escape('\u{1b}')),
            Some(c @ ('"' | '\\')) => return Ok(self.take_escape(c)),
            _ => return Err(self.mistake("invalid escape in a string")),
        };
        let mut code = 0u32;
        for _ in 0..digits {
            let digit = chars.next().and_then(|c| c.to_digit(16));
            code = code << 4 | digit.ok_or_else(|| self.mistake("invalid escape in a string"))?;
        }
        let c = char::from_u32(code).ok_or_else(|| self.mistake("invalid escape in a string"))?;
        self.at += 2 + digits;
        Ok(c)
    }

    fn take_escape(&mut self, c: char) -> char {
        self.at += 2;
        c
    }

    /// Booleans, numbers and dates; a date is text.
    pub(super) fn bare_value(&mut self) -> Parsed<Value> {
        let rest = self.rest();
        let is_end = |c: char| matches!(c, ',' | ']' | '}' | '#' | ' ' | '\t' | '\n' | '\r');
        let mut end = rest.find(is_end).unwrap_or(rest.len());
        // A date and a time of day may have a space between them.
        let after = rest[end..].strip_prefix(' ').unwrap_or_default();
        if is_date(&rest[..end])
            && rest[..end].contains('-')
            && after.starts_with(|c: char| c.is_ascii_digit())
        {
            end += 1 + after.find(is_end).unwrap_or(after.len());
        }
        let word = &rest[..end];
        let value = match word {
            "" => return Err(self.mistake("expected a value")),
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => match number(word) {
                Some(value) => value,
                None if is_date(word) => Value::Text(word.to_owned()),
                None => return Err(self.mistake(format!("invalid value `{word}`, strings need quotes"))),
            },
        };
        self.at += word.len();
        Ok(value)
    }
}

fn without_first_newline(text: &str) -> &str {
    text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n')).unwrap_or(text)
}

fn number(word: &str) -> Option<Value> {
    let is_number = word.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-')
        || matches!(word, "inf" | "nan");
    if !is_number {
        return None;
    }
    let digits = word.replace('_', "");
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = digits.strip_prefix(prefix) {
            return i64::from_str_radix(digits, radix).ok().map(Value::Integer);
        }
    }
    let digits = digits.strip_prefix('+').unwrap_or(&digits);
    digits.parse().map(Value::Integer).or_else(|_| digits.parse().map(Value::Float)).ok()
}

fn is_date(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.bytes().all(|b| b.is_ascii_digit() || b"-:.TZtz+ ".contains(&b))
}
