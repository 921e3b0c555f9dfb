//! From text to words.
//!
//! Inside braces every word is an identifier; inside brackets only what durations are made of is allowed. The lexer stops at the first
//! thing it cannot read: the last token then is an error.

use super::{Span, token::*};

/// All words of `input`, without comments. The last one is the end or an error.
pub(super) fn tokenize(input: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        input,
        at: 0,
        start: 0,
        parens: 0,
        in_braces: false,
        in_brackets: false,
        after_bracket: false,
        colon_seen: false,
        duration_seen: false,
    };
    let mut tokens = Vec::new();
    loop {
        let kind = lexer.next_kind().unwrap_or_else(Kind::Error);
        let last = matches!(kind, Kind::End | Kind::Error(_));
        // An error reaches to the end: nothing behind it was read.
        let end = if last { input.len() } else { lexer.at };
        tokens.push(Token { kind, span: Span::new(lexer.start, end) });
        if last {
            return tokens;
        }
        lexer.start = lexer.at;
    }
}

struct Lexer<'a> {
    input: &'a str,
    at: usize,
    /// Where the current word begins.
    start: usize,
    parens: usize,
    in_braces: bool,
    in_brackets: bool,
    /// Between `[` and the first number or duration the rules are stricter.
    after_bracket: bool,
    colon_seen: bool,
    duration_seen: bool,
}

type Lexed = Result<Kind, String>;

impl Lexer<'_> {
    fn next_kind(&mut self) -> Lexed {
        self.skip_blanks();
        if self.in_braces {
            self.inside_braces()
        } else if self.in_brackets && self.after_bracket {
            self.inside_brackets()
        } else {
            self.statement()
        }
    }

    fn statement(&mut self) -> Lexed {
        let Some(c) = self.bump() else {
            return match (self.parens, self.in_brackets) {
                (1.., _) => Err("unclosed left parenthesis".to_owned()),
                (0, true) => Err("unclosed left bracket".to_owned()),
                (0, false) => Ok(Kind::End),
            };
        };
        Ok(match c {
            ',' => Kind::Comma,
            '*' => Kind::Operator(Operator::Mul),
            '/' => Kind::Operator(Operator::Div),
            '%' => Kind::Operator(Operator::Mod),
            '+' => Kind::Operator(Operator::Add),
            '-' => Kind::Operator(Operator::Sub),
            '^' => Kind::Operator(Operator::Pow),
            '@' => Kind::At,
            '=' => match self.peek() {
                Some('=') => self.with_next(Kind::Operator(Operator::Equal)),
                Some('~') => return Err(format!("unexpected character after '=': {}", quoted('~'))),
                _ => Kind::Assign,
            },
            '!' => match self.bump() {
                Some('=') => Kind::Operator(Operator::NotEqual),
                other => return Err(format!("unexpected character after '!': {}", quoted_or_end(other))),
            },
            '<' => match self.peek() {
                Some('=') => self.with_next(Kind::Operator(Operator::LessOrEqual)),
                Some('/') => self.with_next(Kind::Operator(Operator::TrimUpper)),
                _ => Kind::Operator(Operator::Less),
            },
            '>' => match self.peek() {
                Some('=') => self.with_next(Kind::Operator(Operator::GreaterOrEqual)),
                Some('/') => self.with_next(Kind::Operator(Operator::TrimLower)),
                _ => Kind::Operator(Operator::Greater),
            },
            '0'..='9' => return self.number_or_duration(),
            '.' if self.peek().is_some_and(|c| c.is_ascii_digit()) => return self.number_or_duration(),
            '"' | '\'' => return self.string(c),
            '`' => return self.raw_string(),
            '(' => return self.open_paren(),
            ')' => return self.close_paren(),
            '{' => {
                self.in_braces = true;
                Kind::LeftBrace
            }
            '[' => {
                if self.in_brackets {
                    return Err(format!("unexpected left bracket {}", quoted(c)));
                }
                self.in_brackets = true;
                self.after_bracket = true;
                self.colon_seen = false;
                self.duration_seen = false;
                Kind::LeftBracket
            }
            ']' => {
                if !self.in_brackets {
                    return Err(format!("unexpected right bracket {}", quoted(c)));
                }
                self.in_brackets = false;
                Kind::RightBracket
            }
            ':' if self.in_brackets => {
                if self.colon_seen {
                    return Err(format!("unexpected colon {}", quoted(c)));
                }
                self.colon_seen = true;
                Kind::Colon
            }
            _ if is_alpha(c) && self.in_brackets => {
                return self
                    .duration_keyword()
                    .ok_or_else(|| format!("unexpected character: {}, expected ':'", quoted(c)));
            }
            _ if is_alpha(c) || c == ':' => self.word(),
            _ => return Err(format!("unexpected character: {}", quoted(c))),
        })
    }

    fn inside_brackets(&mut self) -> Lexed {
        let Some(c) = self.bump() else {
            return Err("unexpected end of input in duration expression".to_owned());
        };
        Ok(match c {
            ']' => {
                self.in_brackets = false;
                self.colon_seen = false;
                Kind::RightBracket
            }
            ':' => {
                let fault = if !self.duration_seen {
                    "unexpected colon before duration in duration expression"
                } else if self.colon_seen {
                    "unexpected repeated colon in duration expression"
                } else {
                    self.colon_seen = true;
                    return Ok(Kind::Colon);
                };
                self.start = self.at;
                return Err(fault.to_owned());
            }
            '(' => return self.open_paren(),
            ')' => return self.close_paren(),
            '+' => Kind::Operator(Operator::Add),
            '-' => Kind::Operator(Operator::Sub),
            '*' => Kind::Operator(Operator::Mul),
            '/' => Kind::Operator(Operator::Div),
            '%' => Kind::Operator(Operator::Mod),
            '^' => Kind::Operator(Operator::Pow),
            ',' => Kind::Comma,
            '0'..='9' => return self.bracket_number(),
            '.' if self.peek().is_some_and(|c| c.is_ascii_digit()) => return self.bracket_number(),
            _ => {
                let keyword = if is_alpha(c) { self.duration_keyword() } else { None };
                return keyword
                    .ok_or_else(|| format!("unexpected character in duration expression: {}", quoted(c)));
            }
        })
    }

    fn bracket_number(&mut self) -> Lexed {
        self.duration_seen = true;
        self.after_bracket = false;
        self.number_or_duration()
    }

    /// `step`, `range`, `max_of` or `min_of`; its first letter is read already.
    fn duration_keyword(&mut self) -> Option<Kind> {
        if !matches!(self.input.as_bytes()[self.start] | 0x20, b's' | b'r' | b'm') {
            return None;
        }
        self.take_while(is_alpha);
        match Kind::of_word(&self.input[self.start..self.at]) {
            Some(Kind::Keyword(keyword)) => match keyword {
                Keyword::Step | Keyword::Range | Keyword::MaxOf | Keyword::MinOf => {
                    Some(Kind::Keyword(keyword))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn inside_braces(&mut self) -> Lexed {
        let Some(c) = self.bump() else {
            return Err("unexpected end of input inside braces".to_owned());
        };
        Ok(match c {
            ',' => Kind::Comma,
            '"' | '\'' => return self.string(c),
            '`' => return self.raw_string(),
            '=' => match self.peek() {
                Some('~') => self.with_next(Kind::MatchRegex),
                _ => Kind::Assign,
            },
            '!' => match self.bump() {
                Some('~') => Kind::MatchNotRegex,
                Some('=') => Kind::Operator(Operator::NotEqual),
                other => {
                    let other = quoted_or_end(other);
                    return Err(format!("unexpected character after '!' inside braces: {other}"));
                }
            },
            '{' => return Err(format!("unexpected left brace {}", quoted(c))),
            '}' => {
                self.in_braces = false;
                Kind::RightBrace
            }
            _ if is_alpha(c) => {
                self.take_while(is_alphanumeric);
                Kind::Identifier
            }
            _ => return Err(format!("unexpected character inside braces: {}", quoted(c))),
        })
    }

    fn open_paren(&mut self) -> Lexed {
        self.parens += 1;
        Ok(Kind::LeftParen)
    }

    fn close_paren(&mut self) -> Lexed {
        match self.parens.checked_sub(1) {
            Some(parens) => {
                self.parens = parens;
                Ok(Kind::RightParen)
            }
            None => {
                self.start = self.at;
                Err("unexpected right parenthesis ')'".to_owned())
            }
        }
    }

    fn word(&mut self) -> Kind {
        self.take_while(|c| is_alphanumeric(c) || c == ':');
        let word = &self.input[self.start..self.at];
        match Kind::of_word(word) {
            // Metrics may be called `fill`: it is the modifier before a parenthesis only.
            Some(Kind::Keyword(Keyword::Fill | Keyword::FillLeft | Keyword::FillRight))
                if !self.input[self.at..].trim_start_matches(is_space).starts_with('(') =>
            {
                Kind::Identifier
            }
            Some(kind) => kind,
            None if word.contains(':') => Kind::MetricIdentifier,
            None => Kind::Identifier,
        }
    }

    fn number_or_duration(&mut self) -> Lexed {
        self.at = self.start;
        if self.scan_number() {
            return Ok(Kind::Number);
        }
        if self.scan_duration() {
            return Ok(Kind::Duration);
        }
        let text = model::quote(&self.input[self.start..self.at]);
        Err(format!("bad number or duration syntax: {text}"))
    }

    /// Reads what looks like a number; false when what follows makes it none. Stops where it stopped, for the message and for durations.
    fn scan_number(&mut self) -> bool {
        let begin = self.at;
        let mut hexadecimal = false;
        if self.accept(|c| c == '0') && self.accept(|c| matches!(c, 'x' | 'X')) {
            self.accept(|c| c == '_');
            hexadecimal = true;
        }
        let digit = move |c: char| if hexadecimal { c.is_ascii_hexdigit() } else { c.is_ascii_digit() };
        self.accept(|c| c == '.');
        self.accept(digit);
        let (mut dot, mut exponent) = (false, false);
        while let Some(c) = self.peek() {
            match c {
                '.' => {
                    self.bump();
                    if dot || self.accept(|c| matches!(c, '_' | '.')) || hexadecimal {
                        return false;
                    }
                    dot = true;
                }
                'e' | 'E' if !hexadecimal => {
                    self.bump();
                    if exponent {
                        return false;
                    }
                    exponent = true;
                    self.accept(|c| matches!(c, '+' | '-'));
                    if self.accept(|c| matches!(c, '.' | '_' | 'e' | 'E')) || self.peek().is_none() {
                        return false;
                    }
                }
                '_' => {
                    self.bump();
                    if self.accept(|c| matches!(c, '.' | '_' | 'e' | 'E')) || self.peek().is_none() {
                        return false;
                    }
                }
                _ if digit(c) => self.take_while(digit),
                _ => break,
            }
        }
        self.at > begin && !self.peek().is_some_and(is_alphanumeric)
    }

    /// Goes on after the digits that [`Self::scan_number`] has read. Whether the units make sense is the parser's business.
    fn scan_duration(&mut self) -> bool {
        if !self.accept(|c| matches!(c, 's' | 'm' | 'h' | 'd' | 'w' | 'y')) {
            return false;
        }
        self.accept(|c| c == 's');
        while self.accept(|c| c.is_ascii_digit()) {
            self.take_while(|c| c.is_ascii_digit());
            if !self.accept(|c| matches!(c, 's' | 'm' | 'h' | 'd' | 'w')) {
                return false;
            }
            self.accept(|c| c == 's');
        }
        // The character that spoils it belongs into the message.
        !self.accept(is_alphanumeric)
    }

    fn string(&mut self, open: char) -> Lexed {
        loop {
            match self.bump() {
                None | Some('\n') => return Err("unterminated quoted string".to_owned()),
                Some('\\') => self.escape(open)?,
                Some(c) if c == open => return Ok(Kind::String),
                Some(_) => {}
            }
        }
    }

    fn raw_string(&mut self) -> Lexed {
        loop {
            match self.bump() {
                None => return Err("unterminated raw string".to_owned()),
                Some('`') => return Ok(Kind::String),
                Some(_) => {}
            }
        }
    }

    fn escape(&mut self, open: char) -> Result<(), String> {
        let Some(c) = self.bump() else {
            return Err("escape sequence not terminated".to_owned());
        };
        let (digits, radix, max) = match c {
            'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\' => return Ok(()),
            _ if c == open => return Ok(()),
            '0'..='7' => {
                self.at -= 1;
                (3, 8, 255)
            }
            'x' => (2, 16, 255),
            'u' => (4, 16, 0x10ffff),
            'U' => (8, 16, 0x10ffff),
            _ => return Err(format!("unknown escape sequence {}", named(c))),
        };
        let mut value: u64 = 0;
        for _ in 0..digits {
            let Some(c) = self.bump() else {
                return Err("escape sequence not terminated".to_owned());
            };
            let Some(digit) = c.to_digit(radix) else {
                return Err(format!("illegal character {} in escape sequence", named(c)));
            };
            value = value * u64::from(radix) + u64::from(digit);
        }
        if value > max || (0xd800..0xe000).contains(&value) {
            return Err("escape sequence is an invalid Unicode code point".to_owned());
        }
        Ok(())
    }

    /// Spaces and comments.
    fn skip_blanks(&mut self) {
        loop {
            self.take_while(is_space);
            if self.peek() != Some('#') || (self.in_brackets && self.after_bracket) {
                break;
            }
            self.take_while(|c| c != '\n' && c != '\r');
        }
        self.start = self.at;
    }

    fn peek(&self) -> Option<char> {
        self.input[self.at..].chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn with_next(&mut self, kind: Kind) -> Kind {
        self.bump();
        kind
    }

    fn accept(&mut self, fits: impl Fn(char) -> bool) -> bool {
        let fits = self.peek().is_some_and(fits);
        if fits {
            self.bump();
        }
        fits
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) {
        while self.accept(&fits) {}
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn is_alpha(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic()
}

fn is_alphanumeric(c: char) -> bool {
    is_alpha(c) || c.is_ascii_digit()
}

/// A character in single quotes with Go's escapes.
fn quoted(c: char) -> String {
    match c {
        '\'' => r"'\''".to_owned(),
        '"' => "'\"'".to_owned(),
        c => {
            let text = model::quote(c.encode_utf8(&mut [0; 4]));
            format!("'{}'", &text[1..text.len() - 1])
        }
    }
}

fn quoted_or_end(c: Option<char>) -> String {
    c.map_or_else(|| r"'\uffff'".to_owned(), quoted)
}

/// A character with its code: `U+0063 'c'`.
fn named(c: char) -> String {
    format!("U+{:04X} '{c}'", c as u32)
}

#[cfg(test)]
mod tests {
    use super::{Kind, tokenize};

    fn error(input: &str) -> String {
        match tokenize(input).pop() {
            Some(token) => match token.kind {
                Kind::Error(message) => format!("{}: {message}", token.span.start),
                kind => format!("{kind:?}"),
            },
            None => "nothing".to_owned(),
        }
    }

    #[test]
    fn words_and_comments() {
        let kinds: Vec<Kind> =
            tokenize("foo:bar # comment\n5m Inf").into_iter().map(|token| token.kind).collect();
        assert_eq!(kinds, [Kind::MetricIdentifier, Kind::Duration, Kind::Number, Kind::End]);
    }

    #[test]
    fn stops_where_the_original_stops() {
        assert_eq!(error("2.5."), "0: bad number or duration syntax: \"2.5.\"");
        assert_eq!(error("100..4"), "0: bad number or duration syntax: \"100..\"");
        assert_eq!(error("0deadbeef"), "0: bad number or duration syntax: \"0de\"");
        assert_eq!(error("foo[5mm]"), "4: bad number or duration syntax: \"5mm\"");
        assert_eq!(error("(1))"), "4: unexpected right parenthesis ')'");
        assert_eq!(error("((1)"), "4: unclosed left parenthesis");
        assert_eq!(error("1 !~ 1"), "2: unexpected character after '!': '~'");
        assert_eq!(error("foo[\"5m\"]"), "4: unexpected character in duration expression: '\"'");
        assert_eq!(error("foo[5s x 5s]"), "7: unexpected character: 'x', expected ':'");
        assert_eq!(error("foo{a>=\"b\"}"), "5: unexpected character inside braces: '>'");
        assert_eq!(error(r#""\x.""#), "0: illegal character U+002E '.' in escape sequence");
        assert_eq!(error("`\\``"), "3: unterminated raw string");
    }
}
