//! Characters to words: names, numbers, strings, comments, single characters. The words are Go's, since Loki reads queries with Go's
//! scanner: `//` and `/* */` are comments, a number that begins with 0 is octal.

use super::Span;

/// A word of the query.
#[derive(Debug)]
pub(super) struct Word {
    pub kind: WordKind,
    pub span: Span,
    pub line: u32,
    pub column: u32,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum WordKind {
    End,
    Name,
    Number,
    /// In double quotes or backquotes.
    String,
    /// Any other single character, and text in single quotes.
    Other,
    Error(String),
}

/// Reads words one by one.
#[derive(Debug, Clone)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    /// Column of the next character, from 1.
    column: u32,
    /// Column of the last line break, for positions at the start of a line.
    last_line_length: u32,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, at, line: 1, column: 1, last_line_length: 0 }
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub fn position(&self) -> usize {
        self.at
    }

    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Takes one character.
    pub fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        if c == '\n' {
            self.line += 1;
            self.last_line_length = self.column;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn bump_while(&mut self, mut wanted: impl FnMut(char) -> bool) {
        while self.peek().is_some_and(&mut wanted) {
            self.bump();
        }
    }

    /// The next word.
    pub fn next(&mut self) -> Word {
        loop {
            self.bump_while(|c| matches!(c, '\t' | '\n' | '\r' | ' '));
            if self.rest().starts_with("//") {
                self.bump_while(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                let start = self.mark();
                if !self.skip_block_comment() {
                    return self.word(WordKind::Error("comment not terminated".to_owned()), start);
                }
            } else {
                break;
            }
        }
        let start = self.mark();
        let Some(first) = self.bump() else {
            return self.word(WordKind::End, start);
        };
        let kind = match first {
            '\0' => Err("invalid character NUL".to_owned()),
            '"' => self.quoted('"').map(|_| WordKind::String),
            '`' => self.raw(),
            '\'' => match self.quoted('\'') {
                Ok(1) => Ok(WordKind::Other),
                Ok(_) => Err("invalid char literal".to_owned()),
                Err(message) => Err(message),
            },
            c if c == '_' || c.is_alphabetic() => {
                self.bump_while(|c| c == '_' || c.is_alphanumeric());
                Ok(WordKind::Name)
            }
            c if c.is_ascii_digit() => self.number(c),
            '.' if self.peek().is_some_and(|c| c.is_ascii_digit()) => self.fraction(),
            _ => Ok(WordKind::Other),
        };
        self.word(kind.unwrap_or_else(WordKind::Error), start)
    }

    /// Position for messages: at the start of a line Loki names the end of the line before.
    fn mark(&self) -> (usize, u32, u32) {
        if self.at == self.text.len() && self.column == 1 && self.line > 1 {
            (self.at, self.line - 1, self.last_line_length)
        } else {
            (self.at, self.line, self.column)
        }
    }

    fn word(&self, kind: WordKind, (start, line, column): (usize, u32, u32)) -> Word {
        Word { kind, span: Span { start, end: self.at }, line, column }
    }

    fn skip_block_comment(&mut self) -> bool {
        self.bump();
        self.bump();
        while !self.rest().starts_with("*/") {
            if self.bump().is_none() {
                return false;
            }
        }
        self.bump();
        self.bump();
        true
    }

    /// The rest of a text in quotes; how many characters it has.
    fn quoted(&mut self, quote: char) -> Result<usize, String> {
        let mut length = 0;
        loop {
            match self.peek() {
                None | Some('\n') => return Err("literal not terminated".to_owned()),
                Some('\0') => return Err("invalid character NUL".to_owned()),
                Some(c) if c == quote => {
                    self.bump();
                    return Ok(length);
                }
                Some('\\') => {
                    self.bump();
                    self.escape(quote)?;
                }
                Some(_) => {
                    self.bump();
                }
            }
            length += 1;
        }
    }

    fn escape(&mut self, quote: char) -> Result<(), String> {
        let invalid = || "invalid char escape".to_owned();
        let (base, digits) = match self.peek() {
            Some('a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\') => {
                self.bump();
                return Ok(());
            }
            Some(c) if c == quote => {
                self.bump();
                return Ok(());
            }
            Some('0'..='7') => (8, 3),
            Some('x') => (16, 2),
            Some('u') => (16, 4),
            Some('U') => (16, 8),
            _ => return Err(invalid()),
        };
        if base == 16 {
            self.bump();
        }
        for _ in 0..digits {
            match self.peek() {
                Some(c) if c.is_digit(base) => self.bump(),
                _ => return Err(invalid()),
            };
        }
        Ok(())
    }

    fn raw(&mut self) -> Result<WordKind, String> {
        self.bump_while(|c| c != '`' && c != '\0');
        match self.bump() {
            Some('`') => Ok(WordKind::String),
            Some(_) => Err("invalid character NUL".to_owned()),
            None => Err("literal not terminated".to_owned()),
        }
    }

    fn number(&mut self, first: char) -> Result<WordKind, String> {
        let start = self.at - 1;
        let radix = match self.peek() {
            Some('x' | 'X') if first == '0' => Some((16, "hexadecimal literal")),
            Some('o' | 'O') if first == '0' => Some((8, "octal literal")),
            // `0b1` is binary, but `0B` is a size.
            Some('b' | 'B') if first == '0' && matches!(self.rest().as_bytes().get(1), Some(b'0' | b'1')) => {
                Some((2, "binary literal"))
            }
            _ => None,
        };
        if let Some((radix, name)) = radix {
            self.bump();
            let digits = self.at;
            self.bump_while(|c| c == '_' || c.is_digit(radix.max(10)));
            if !self.text[digits..self.at].contains(|c: char| c.is_digit(radix)) {
                return Err(format!("{name} has no digits"));
            }
            if radix == 16 && (self.peek() == Some('.') || matches!(self.peek(), Some('p' | 'P'))) {
                self.bump_while(|c| c == '.' || c == '_' || c.is_ascii_hexdigit());
                if !matches!(self.peek(), Some('p' | 'P')) {
                    return Err("hexadecimal mantissa requires a 'p' exponent".to_owned());
                }
                self.exponent()?;
            }
            return Ok(WordKind::Number);
        }
        self.bump_while(|c| c == '_' || c.is_ascii_digit());
        let whole = &self.text[start..self.at];
        if self.peek() == Some('.') {
            self.bump();
            return self.fraction();
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.exponent()?;
            return Ok(WordKind::Number);
        }
        if whole.len() > 1
            && whole.starts_with('0')
            && let Some(invalid) = whole.chars().find(|c| matches!(c, '8' | '9'))
        {
            return Err(format!("invalid digit '{invalid}' in octal literal"));
        }
        Ok(WordKind::Number)
    }

    fn fraction(&mut self) -> Result<WordKind, String> {
        self.bump_while(|c| c == '_' || c.is_ascii_digit());
        if matches!(self.peek(), Some('e' | 'E')) {
            self.exponent()?;
        }
        Ok(WordKind::Number)
    }

    fn exponent(&mut self) -> Result<(), String> {
        self.bump();
        if matches!(self.peek(), Some('+' | '-')) {
            self.bump();
        }
        if !self.peek().is_some_and(|c| c.is_ascii_digit()) {
            return Err("exponent has no digits".to_owned());
        }
        self.bump_while(|c| c == '_' || c.is_ascii_digit());
        Ok(())
    }
}
