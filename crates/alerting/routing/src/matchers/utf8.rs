//! The UTF-8 syntax: names and values are quoted strings with Go's escapes, or bare words without reserved characters.

use model::{MatchOp, Matcher};

use super::MatcherSyntaxError;

/// Whether a character ends a bare word.
pub(super) fn is_reserved(c: char) -> bool {
    c.is_whitespace() || matches!(c, '{' | '}' | '!' | '=' | '~' | ',' | '\\' | '"' | '\'' | '`')
}

/// Any number of matchers, separated by commas, with or without braces around them.
pub(super) fn matchers(text: &str) -> Result<Vec<Matcher>, MatcherSyntaxError> {
    let mut parser = Parser { lexer: Lexer { text, at: 0, column: 0 }, peeked: None };
    parser.all()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    Comma,
    Operator(MatchOp),
    Quoted,
    Bare,
    End,
}

/// A piece of the text; columns count characters from 0.
#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
    start: usize,
    end: usize,
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    column: usize,
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    peeked: Option<Token<'a>>,
}

impl<'a> Lexer<'a> {
    fn next(&mut self) -> Result<Token<'a>, MatcherSyntaxError> {
        let rest = self.rest().trim_start();
        self.column += self.rest().chars().count() - rest.chars().count();
        self.at = self.text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(self.take(Kind::End, 0)) };
        match first {
            '{' => Ok(self.take(Kind::Open, 1)),
            '}' => Ok(self.take(Kind::Close, 1)),
            ',' => Ok(self.take(Kind::Comma, 1)),
            '=' if rest.starts_with("=~") => Ok(self.take(Kind::Operator(MatchOp::Regex), 2)),
            '=' => Ok(self.take(Kind::Operator(MatchOp::Equal), 1)),
            '!' if rest.starts_with("!=") => Ok(self.take(Kind::Operator(MatchOp::NotEqual), 2)),
            '!' if rest.starts_with("!~") => Ok(self.take(Kind::Operator(MatchOp::NotRegex), 2)),
            '!' => {
                let bang = self.take(Kind::End, 1);
                Err(MatcherSyntaxError(if self.rest().is_empty() {
                    format!("{}:{}: unexpected end of input, expected one of '=~'", bang.start, bang.end)
                } else {
                    format!("{}:{}: !: expected one of '=~'", bang.start, bang.end)
                }))
            }
            '"' => self.quoted(rest),
            c if !is_reserved(c) => {
                let size = rest.find(is_reserved).unwrap_or(rest.len());
                Ok(self.take(Kind::Bare, size))
            }
            c => {
                let token = self.take(Kind::End, c.len_utf8());
                Err(MatcherSyntaxError(format!("{}:{}: {c}: invalid input", token.start, token.end)))
            }
        }
    }

    fn quoted(&mut self, rest: &'a str) -> Result<Token<'a>, MatcherSyntaxError> {
        let mut escaped = false;
        for (at, c) in rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => return Ok(self.take(Kind::Quoted, at + 1)),
                _ => {}
            }
        }
        let token = self.take(Kind::End, rest.len());
        Err(MatcherSyntaxError(format!("{}:{}: {}: missing end \"", token.start, token.end, token.text)))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, kind: Kind, size: usize) -> Token<'a> {
        let text = self.rest().get(..size).unwrap_or_default();
        let start = self.column;
        self.at += size;
        self.column += text.chars().count();
        Token { kind, text, start, end: self.column }
    }
}

impl<'a> Parser<'a> {
    fn all(&mut self) -> Result<Vec<Matcher>, MatcherSyntaxError> {
        let braces = self.peek()?.kind == Kind::Open;
        if braces {
            self.peeked = None;
        }
        let mut matchers = Vec::new();
        while !matches!(self.peek()?.kind, Kind::Close | Kind::End) {
            matchers.push(self.matcher()?);
            let after = self.peek()?;
            match after.kind {
                Kind::Comma => self.peeked = None,
                Kind::Close | Kind::End => break,
                _ => return Err(unexpected(after, "expected a comma or close brace")),
            }
            let next = self.peek()?;
            if !matches!(next.kind, Kind::Close | Kind::End | Kind::Bare | Kind::Quoted) {
                return Err(unexpected(next, "expected a matcher or close brace after comma"));
            }
        }
        let last = self.peek()?;
        match (braces, last.kind) {
            (true, Kind::Close) => self.peeked = None,
            (true, _) => {
                let text = format!("0:{}: end of input: expected close brace", last.end);
                return Err(MatcherSyntaxError(text));
            }
            (false, Kind::Close) => {
                return Err(MatcherSyntaxError(format!("0:{}: }}: expected opening brace", last.end)));
            }
            (false, _) => {}
        }
        let last = self.peek()?;
        if last.kind != Kind::End {
            let Token { start, end, text, .. } = last;
            return Err(MatcherSyntaxError(format!("{start}:{end}: {text}: expected end of input")));
        }
        Ok(matchers)
    }

    fn matcher(&mut self) -> Result<Matcher, MatcherSyntaxError> {
        let name = self.word("expected label name")?;
        let operator = self.peek()?;
        let Kind::Operator(op) = operator.kind else {
            return Err(unexpected(operator, "expected an operator such as '=', '!=', '=~' or '!~'"));
        };
        self.peeked = None;
        let value = self.word("expected label value")?;
        super::matcher(op, &name, &value)
            .map_err(|error| MatcherSyntaxError(format!("failed to create matcher: {error}")))
    }

    fn word(&mut self, expected: &str) -> Result<String, MatcherSyntaxError> {
        let token = self.peek()?;
        let word = match token.kind {
            Kind::Bare => Some(token.text.to_owned()),
            Kind::Quoted => unquote(token.text),
            _ => return Err(unexpected(token, expected)),
        };
        self.peeked = None;
        let Token { start, end, text, .. } = token;
        word.ok_or_else(|| MatcherSyntaxError(format!("{start}:{end}: {text}: invalid input")))
    }

    fn peek(&mut self) -> Result<Token<'a>, MatcherSyntaxError> {
        match self.peeked {
            Some(token) => Ok(token),
            None => Ok(*self.peeked.insert(self.lexer.next()?)),
        }
    }
}

fn unexpected(token: Token<'_>, expected: &str) -> MatcherSyntaxError {
    MatcherSyntaxError(match token.kind {
        Kind::End => format!("end of input: {expected}"),
        _ => format!("{}:{}: unexpected {}: {expected}", token.start, token.end, token.text),
    })
}

/// Reads a string in double quotes with Go's escapes; `None` if it is none, or not UTF-8 at last.
fn unquote(quoted: &str) -> Option<String> {
    let mut rest = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c == '\n' {
            return None;
        }
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let escape = rest.chars().next()?;
        let simple = match escape {
            'a' => Some(7),
            'b' => Some(8),
            't' => Some(b'\t'),
            'n' => Some(b'\n'),
            'v' => Some(11),
            'f' => Some(12),
            'r' => Some(b'\r'),
            '\\' => Some(b'\\'),
            '"' => Some(b'"'),
            _ => None,
        };
        if let Some(byte) = simple {
            bytes.push(byte);
            rest = &rest[1..];
            continue;
        }
        // The radix, how many digits, and where they start.
        let (radix, digits, skip) = match escape {
            'x' => (16, 2, 1),
            'u' => (16, 4, 1),
            'U' => (16, 8, 1),
            '0'..='7' => (8, 3, 0),
            _ => return None,
        };
        let number =
            rest.get(skip..skip + digits).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let code = u32::from_str_radix(number, radix).ok()?;
        rest = &rest[skip + digits..];
        if matches!(escape, 'u' | 'U') {
            bytes.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            bytes.push(u8::try_from(code).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}
