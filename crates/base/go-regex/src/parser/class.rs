//! Bracketed classes: `[a-z\d[:alpha:]\pL]`.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::{Parser, unicode};
use crate::error::{Error, ErrorKind};

impl<'p> Parser<'p> {
    /// A class; the text begins with `[`.
    pub(super) fn class(&mut self) -> Result<(), Error> {
        let whole = self.rest;
        self.advance(1);
        let negated = self.rest.starts_with('^');
        if negated {
            self.advance(1);
        }
        let mut class = ClassUnicode::empty();
        // A `]` in first place is a character.
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            first = false;
            if let Some(member) = self.class_in_class()? {
                self.class_ranges += member.ranges().len();
                class.union(&member);
            } else {
                self.class_range(whole, &mut class)?;
            }
            if self.class_ranges + class.ranges().len() > super::MAX_CLASS_RANGES {
                return Err(self.whole_error(ErrorKind::Large));
            }
        }
        self.advance(1);
        if negated {
            unicode::negate(&mut class);
        }
        self.push_class(class)
    }

    /// `[:alpha:]`, `\pL` or `\d` within brackets.
    fn class_in_class(&mut self) -> Result<Option<ClassUnicode>, Error> {
        if let Some(after) = self.rest.strip_prefix("[:")
            && let Some(end) = after.find(":]")
        {
            let from = self.rest;
            let name = after.get(..end).unwrap_or("");
            self.advance(end + 4);
            return match unicode::posix_class(name, self.flags.fold_case) {
                Some(class) => Ok(Some(class)),
                None => Err(Error::new(ErrorKind::InvalidCharRange, self.read_since(from))),
            };
        }
        if self.rest.starts_with("\\p") || self.rest.starts_with("\\P") {
            return self.unicode_class().map(Some);
        }
        if let [b'\\', letter, ..] = self.rest.as_bytes()
            && unicode::is_perl_class(*letter)
        {
            let class = unicode::perl_class(*letter, self.flags.fold_case);
            self.advance(2);
            return Ok(Some(class));
        }
        Ok(None)
    }

    /// `a` or `a-z`.
    fn class_range(&mut self, whole: &'p str, class: &mut ClassUnicode) -> Result<(), Error> {
        let from = self.rest;
        let low = self.class_char(whole)?;
        let mut high = low;
        // `[a-]` holds a dash.
        if self.rest.len() >= 2 && self.rest.starts_with('-') && !self.rest.starts_with("-]") {
            self.advance(1);
            high = self.class_char(whole)?;
            if high < low {
                return Err(Error::new(ErrorKind::InvalidCharRange, self.read_since(from)));
            }
        }
        if let Some(range) = unicode::code_points(low, high) {
            if self.flags.fold_case {
                let mut folded = ClassUnicode::new([range]);
                unicode::fold(&mut folded);
                class.union(&folded);
            } else {
                class.push(range);
            }
        }
        Ok(())
    }

    fn class_char(&mut self, whole: &'p str) -> Result<u32, Error> {
        match self.rest.as_bytes().first() {
            None => Err(Error::new(ErrorKind::MissingBracket, whole)),
            Some(b'\\') => self.escape(),
            Some(_) => Ok(self.next_char() as u32),
        }
    }

    /// `\pL`, `\p{Greek}`, `\P{^Greek}`.
    pub(super) fn unicode_class(&mut self) -> Result<ClassUnicode, Error> {
        let from = self.rest;
        let mut negated = from.starts_with("\\P");
        self.advance(2);
        let mut name = match self.rest.chars().next() {
            Some('{') => {
                let Some(end) = self.rest.find('}') else {
                    return Err(Error::new(ErrorKind::InvalidCharRange, from));
                };
                let name = self.rest.get(1..end).unwrap_or("");
                self.advance(end + 1);
                name
            }
            Some(char) => {
                let name = self.rest.get(..char.len_utf8()).unwrap_or("");
                self.advance(char.len_utf8());
                name
            }
            None => "",
        };
        if let Some(rest) = name.strip_prefix('^') {
            negated = !negated;
            name = rest;
        }
        let Some(mut class) = unicode::property(name) else {
            return Err(Error::new(ErrorKind::InvalidCharRange, self.read_since(from)));
        };
        if self.flags.fold_case {
            unicode::fold(&mut class);
        }
        if negated {
            unicode::negate(&mut class);
        }
        Ok(class)
    }
}

/// One range, for tests and tables.
pub(super) fn range(low: char, high: char) -> ClassUnicodeRange {
    ClassUnicodeRange::new(low, high)
}
