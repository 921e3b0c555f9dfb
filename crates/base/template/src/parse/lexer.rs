//! Text into tokens.

use crate::format::quote::{self, is_print};

const LEFT: &str = "{{";
const RIGHT: &str = "}}";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The text is a message.
    Error,
    Bool,
    /// A comma or another single character.
    Char,
    Character,
    Assign,
    Declare,
    End,
    Field,
    Identifier,
    LeftDelimiter,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelimiter,
    RightParen,
    Space,
    Str,
    Text,
    Variable,
    Keyword(Keyword),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    Block,
    Break,
    Continue,
    Define,
    Dot,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

/// A token. Its text is a piece of the input, or a message.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub kind: Kind,
    pub pos: usize,
    pub line: usize,
    pub text: String,
}

impl Token {
    /// As Go names it in messages.
    pub fn describe(&self) -> String {
        match self.kind {
            Kind::End => "EOF".to_owned(),
            Kind::Error => self.text.clone(),
            Kind::Keyword(_) => format!("<{}>", self.text),
            _ if self.text.len() > 10 => {
                let head: String = self.text.chars().take(10).collect();
                format!("{}...", quote::quote(&head, false))
            }
            _ => quote::quote(&self.text, false),
        }
    }
}

/// All tokens; the last one is the end or an error.
pub(super) fn tokenize(input: &str) -> Vec<Token> {
    let mut lexer = Lexer { input, start: 0, pos: 0, line: 1, parens: 0, tokens: Vec::new() };
    if let Err(message) = lexer.run() {
        lexer.tokens.push(Token { kind: Kind::Error, pos: lexer.start, line: lexer.line, text: message });
    }
    lexer.tokens
}

struct Lexer<'i> {
    input: &'i str,
    /// Where the token being read begins, and its line.
    start: usize,
    line: usize,
    pos: usize,
    parens: usize,
    tokens: Vec<Token>,
}

fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(char: char) -> bool {
    char == '_' || char.is_alphabetic() || char.is_numeric()
}

fn show(char: char) -> String {
    let code = format!("U+{:04X}", u32::from(char));
    if is_print(char) { format!("{code} '{char}'") } else { code }
}

impl<'i> Lexer<'i> {
    fn rest(&self) -> &'i str {
        self.input.get(self.pos..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.pos += char.len_utf8();
        Some(char)
    }

    fn token_text(&self) -> &'i str {
        self.input.get(self.start..self.pos).unwrap_or("")
    }

    fn emit(&mut self, kind: Kind) {
        let text = self.token_text();
        self.tokens.push(Token { kind, pos: self.start, line: self.line, text: text.to_owned() });
        self.ignore();
    }

    fn ignore(&mut self) {
        self.line += self.token_text().matches('\n').count();
        self.start = self.pos;
    }

    fn run(&mut self) -> Result<(), String> {
        loop {
            let Some(at) = self.rest().find(LEFT) else {
                self.pos = self.input.len();
                if self.pos > self.start {
                    self.emit(Kind::Text);
                }
                self.emit(Kind::End);
                return Ok(());
            };
            self.left_delimiter(at)?;
        }
    }

    /// The text before an action, and the action.
    fn left_delimiter(&mut self, at: usize) -> Result<(), String> {
        let after = self.rest().get(at + LEFT.len()..).unwrap_or("");
        let trims = after.starts_with('-') && after.get(1..).is_some_and(|rest| rest.starts_with(is_space));
        let delimiter = self.pos + at;
        let text = self.rest().get(..at).unwrap_or("");
        self.pos += if trims { text.trim_end_matches(is_space).len() } else { at };
        if self.pos > self.start {
            self.emit(Kind::Text);
        }
        self.pos = delimiter;
        self.ignore();
        let marker = if trims { 2 } else { 0 };
        self.pos += LEFT.len();
        if after.get(marker..).is_some_and(|rest| rest.starts_with("/*")) {
            self.pos += marker;
            return self.comment();
        }
        self.emit(Kind::LeftDelimiter);
        self.pos += marker;
        self.ignore();
        self.parens = 0;
        while !self.inside_action()? {}
        Ok(())
    }

    fn comment(&mut self) -> Result<(), String> {
        self.pos += 2;
        let Some(end) = self.rest().find("*/") else {
            return Err("unclosed comment".to_owned());
        };
        self.pos += end + 2;
        let Some(trims) = self.at_right_delimiter() else {
            return Err("comment ends before closing delimiter".to_owned());
        };
        self.skip_right_delimiter(trims);
        self.ignore();
        Ok(())
    }

    /// Whether it trims, if there is one.
    fn at_right_delimiter(&self) -> Option<bool> {
        let rest = self.rest();
        if rest.starts_with(RIGHT) {
            return Some(false);
        }
        let trims = rest.starts_with(is_space) && rest.get(1..).is_some_and(|rest| rest.starts_with("-}}"));
        trims.then_some(true)
    }

    fn skip_right_delimiter(&mut self, trims: bool) {
        self.pos += RIGHT.len() + if trims { 2 } else { 0 };
        if trims {
            self.pos += self.rest().len() - self.rest().trim_start_matches(is_space).len();
        }
    }

    /// One token; true if it ended the action.
    fn inside_action(&mut self) -> Result<bool, String> {
        if let Some(trims) = self.at_right_delimiter() {
            if self.parens > 0 {
                return Err("unclosed left paren".to_owned());
            }
            if trims {
                self.pos += 2;
                self.ignore();
            }
            self.pos += RIGHT.len();
            self.emit(Kind::RightDelimiter);
            if trims {
                self.pos += self.rest().len() - self.rest().trim_start_matches(is_space).len();
                self.ignore();
            }
            return Ok(true);
        }
        let Some(char) = self.next() else {
            return Err("unclosed action".to_owned());
        };
        match char {
            _ if is_space(char) => self.space(),
            '=' => self.emit(Kind::Assign),
            ':' => {
                if self.next() != Some('=') {
                    return Err("expected :=".to_owned());
                }
                self.emit(Kind::Declare);
            }
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', Kind::Str, "unterminated quoted string")?,
            '\'' => self.quoted('\'', Kind::Character, "unterminated character constant")?,
            '`' => {
                let Some(end) = self.rest().find('`') else {
                    return Err("unterminated raw quoted string".to_owned());
                };
                self.pos += end + 1;
                self.emit(Kind::RawString);
            }
            '$' => self.field_or_variable(Kind::Variable)?,
            '.' if !self.peek().is_some_and(|next| next.is_ascii_digit()) => {
                self.field_or_variable(Kind::Field)?
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.pos -= 1;
                self.number()?;
            }
            _ if is_alphanumeric(char) => self.identifier()?,
            '(' => {
                self.emit(Kind::LeftParen);
                self.parens += 1;
            }
            ')' => {
                self.parens = self.parens.checked_sub(1).ok_or("unexpected right paren")?;
                self.emit(Kind::RightParen);
            }
            ' '..='~' => self.emit(Kind::Char),
            _ => return Err(format!("unrecognized character in action: {}", show(char))),
        }
        Ok(false)
    }

    /// Blanks; the last one may belong to a trimming delimiter.
    fn space(&mut self) {
        loop {
            let blank_before = self.pos - 1;
            if self.rest().starts_with("-}}") && self.at_blank(blank_before) {
                self.pos = blank_before;
                if self.pos > self.start {
                    self.emit(Kind::Space);
                }
                return;
            }
            if !self.peek().is_some_and(is_space) {
                break;
            }
            self.pos += 1;
        }
        self.emit(Kind::Space);
    }

    fn at_blank(&self, pos: usize) -> bool {
        self.input.get(pos..).is_some_and(|rest| rest.starts_with(is_space))
    }

    fn quoted(&mut self, mark: char, kind: Kind, unterminated: &str) -> Result<(), String> {
        loop {
            match self.next() {
                Some('\\') if self.peek().is_some_and(|next| next != '\n') => {
                    self.next();
                }
                None | Some('\n' | '\\') => return Err(unterminated.to_owned()),
                Some(char) if char == mark => break,
                Some(_) => {}
            }
        }
        self.emit(kind);
        Ok(())
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(char) => is_space(char) || self.rest().starts_with(RIGHT),
        }
    }

    fn bad_character(&self) -> String {
        format!("bad character {}", self.peek().map_or_else(|| "EOF".to_owned(), show))
    }

    fn skip_alphanumeric(&mut self) {
        while self.peek().is_some_and(is_alphanumeric) {
            self.next();
        }
    }

    fn field_or_variable(&mut self, kind: Kind) -> Result<(), String> {
        if self.at_terminator() {
            self.emit(if kind == Kind::Variable { kind } else { Kind::Keyword(Keyword::Dot) });
            return Ok(());
        }
        self.skip_alphanumeric();
        if !self.at_terminator() {
            return Err(self.bad_character());
        }
        self.emit(kind);
        Ok(())
    }

    fn identifier(&mut self) -> Result<(), String> {
        self.skip_alphanumeric();
        if !self.at_terminator() {
            return Err(self.bad_character());
        }
        let kind = match self.token_text() {
            "true" | "false" => Kind::Bool,
            "block" => Kind::Keyword(Keyword::Block),
            "break" => Kind::Keyword(Keyword::Break),
            "continue" => Kind::Keyword(Keyword::Continue),
            "define" => Kind::Keyword(Keyword::Define),
            "else" => Kind::Keyword(Keyword::Else),
            "end" => Kind::Keyword(Keyword::End),
            "if" => Kind::Keyword(Keyword::If),
            "nil" => Kind::Keyword(Keyword::Nil),
            "range" => Kind::Keyword(Keyword::Range),
            "template" => Kind::Keyword(Keyword::Template),
            "with" => Kind::Keyword(Keyword::With),
            _ => Kind::Identifier,
        };
        self.emit(kind);
        Ok(())
    }

    fn accept(&mut self, valid: &str) -> bool {
        let found = self.peek().is_some_and(|char| valid.contains(char));
        if found {
            self.pos += 1;
        }
        found
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    fn number(&mut self) -> Result<(), String> {
        let well_formed = self.scan_number()
            && (!matches!(self.peek(), Some('+' | '-'))
                || (self.scan_number() && self.token_text().ends_with('i')));
        if !well_formed {
            return Err(format!("bad number syntax: {}", quote::quote(self.token_text(), false)));
        }
        self.emit(Kind::Number);
        Ok(())
    }

    fn scan_number(&mut self) -> bool {
        const DECIMAL: &str = "0123456789_";
        const HEXADECIMAL: &str = "0123456789abcdefABCDEF_";
        self.accept("+-");
        let mut digits = DECIMAL;
        if self.accept("0") {
            if self.accept("xX") {
                digits = HEXADECIMAL;
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent =
            (digits == DECIMAL && self.accept("eE")) || (digits == HEXADECIMAL && self.accept("pP"));
        if exponent {
            self.accept("+-");
            self.accept_run(DECIMAL);
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }
}
