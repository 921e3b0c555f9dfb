//! Backslashes outside and inside of classes.

use regex_syntax::hir::{Hir, Look};

use super::node::{Item, Node};
use super::{Parser, unicode};
use crate::error::{Error, ErrorKind};

impl<'p> Parser<'p> {
    /// A backslash outside of a class.
    pub(super) fn backslash(&mut self) -> Result<(), Error> {
        let from = self.rest;
        match from.as_bytes().get(1) {
            Some(b'A') => self.push_look(2, Look::Start)?,
            Some(b'b') => self.push_look(2, Look::WordAscii)?,
            Some(b'B') => self.push_look(2, Look::WordAsciiNegate)?,
            Some(b'z') => self.push_look(2, Look::End)?,
            Some(b'C') => return Err(Error::new(ErrorKind::InvalidEscape, "\\C")),
            Some(b'Q') => self.quoted()?,
            Some(b'p' | b'P') => {
                let class = self.unicode_class()?;
                self.push_class(class)?;
            }
            Some(letter) if unicode::is_perl_class(*letter) => {
                let class = unicode::perl_class(*letter, self.flags.fold_case);
                self.advance(2);
                self.push_class(class)?;
            }
            _ => match char::from_u32(self.escape()?) {
                Some(char) => self.push_literal(char)?,
                None => self.push(Item::Node(Node::leaf(Hir::fail())))?,
            },
        }
        Ok(())
    }

    /// `\Q…\E`, where the end may be missing.
    fn quoted(&mut self) -> Result<(), Error> {
        self.advance(2);
        let (quoted, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
        self.rest = rest;
        for char in quoted.chars() {
            self.push_literal(char)?;
        }
        Ok(())
    }

    /// An escape that stands for one character. May be a surrogate, which no text holds.
    pub(super) fn escape(&mut self) -> Result<u32, Error> {
        let from = self.rest;
        self.advance(1);
        if self.rest.is_empty() {
            return Err(Error::new(ErrorKind::TrailingBackslash, ""));
        }
        let char = self.next_char();
        let value = match char {
            '0' => Some(self.octal(0)),
            // A single digit would be a back-reference.
            '1'..='7' if self.rest.starts_with(|next| matches!(next, '0'..='7')) => {
                Some(self.octal(char as u32 - '0' as u32))
            }
            'x' => self.hexadecimal(),
            'a' => Some(0x07),
            'f' => Some(0x0c),
            'n' => Some(0x0a),
            'r' => Some(0x0d),
            't' => Some(0x09),
            'v' => Some(0x0b),
            _ if char.is_ascii() && !char.is_ascii_alphanumeric() => Some(char as u32),
            _ => None,
        };
        value.ok_or_else(|| Error::new(ErrorKind::InvalidEscape, self.read_since(from)))
    }

    /// Up to two more octal digits.
    fn octal(&mut self, first: u32) -> u32 {
        let mut value = first;
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|char| char.to_digit(8)) else {
                break;
            };
            value = value * 8 + digit;
            self.advance(1);
        }
        value
    }

    /// `41` or `{10FFFF}`, after `\x`.
    fn hexadecimal(&mut self) -> Option<u32> {
        let char = self.take_char()?;
        if char != '{' {
            let low = self.take_char()?;
            return Some(char.to_digit(16)? * 16 + low.to_digit(16)?);
        }
        let mut value = None;
        loop {
            let char = self.take_char()?;
            if char == '}' {
                return value;
            }
            let next = value.unwrap_or(0) * 16 + char.to_digit(16)?;
            if next > char::MAX as u32 {
                return None;
            }
            value = Some(next);
        }
    }

    fn take_char(&mut self) -> Option<char> {
        (!self.rest.is_empty()).then(|| self.next_char())
    }
}
