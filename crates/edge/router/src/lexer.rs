//! A rule's text as tokens.

use crate::{RuleError, Span};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
    Comma,
    Not,
    And,
    Or,
    End,
}

impl Token {
    /// For messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Word(word) => format!("`{word}`"),
            Self::Text(text) => format!("the string {text:?}"),
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::Comma => "`,`".to_owned(),
            Self::Not => "`!`".to_owned(),
            Self::And => "`&&`".to_owned(),
            Self::Or => "`||`".to_owned(),
            Self::End => "the end of the rule".to_owned(),
        }
    }
}

/// All tokens with their places; the last is [`Token::End`].
pub(crate) fn tokens(rule: &str) -> Result<Vec<(Token, Span)>, RuleError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = rule[at..].chars().next() {
        let rest = &rule[at..];
        let (token, length) = match c {
            _ if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '!' => (Token::Not, 1),
            '&' if rest.starts_with("&&") => (Token::And, 2),
            '|' if rest.starts_with("||") => (Token::Or, 2),
            '&' | '|' => return Err(RuleError::new(at..at + 1, format!("expected `{c}{c}`"))),
            '`' => raw_string(rest, at)?,
            '"' => quoted_string(rest, at)?,
            '\'' => {
                return Err(RuleError::new(
                    at..at + 1,
                    "single quotes do not make a string, use backticks or double quotes",
                ));
            }
            _ if c.is_ascii_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                (Token::Word(rest[..end].to_owned()), end)
            }
            _ => return Err(RuleError::new(at..at + c.len_utf8(), format!("unexpected character {c:?}"))),
        };
        tokens.push((token, at..at + length));
        at += length;
    }
    tokens.push((Token::End, rule.len()..rule.len()));
    Ok(tokens)
}

fn raw_string(rest: &str, at: usize) -> Result<(Token, usize), RuleError> {
    match rest[1..].find('`') {
        Some(end) => Ok((Token::Text(rest[1..1 + end].to_owned()), end + 2)),
        None => Err(RuleError::new(at..at + rest.len(), "the string is not closed, a backtick is missing")),
    }
}

/// A string in double quotes with the escapes of a Go literal.
fn quoted_string(rest: &str, at: usize) -> Result<(Token, usize), RuleError> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((start, c)) = chars.next() {
        match c {
            '"' => return Ok((Token::Text(text), start + 1)),
            '\n' => break,
            '\\' => {
                let bad = |end: usize| RuleError::new(at + start..at + end, "invalid escape in a string");
                let Some((_, kind)) = chars.next() else { break };
                let digits = match kind {
                    'n' => {
                        text.push('\n');
                        continue;
                    }
                    't' => {
                        text.push('\t');
                        continue;
                    }
                    'r' => {
                        text.push('\r');
                        continue;
                    }
                    '\\' | '"' => {
                        text.push(kind);
                        continue;
                    }
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => return Err(bad(start + 1 + kind.len_utf8())),
                };
                let mut code = 0u32;
                for _ in 0..digits {
                    let digit = chars.next().and_then(|(_, c)| c.to_digit(16));
                    code = (code << 4) | digit.ok_or_else(|| bad(start + 2))?;
                }
                text.push(char::from_u32(code).ok_or_else(|| bad(start + 2))?);
            }
            _ => text.push(c),
        }
    }
    Err(RuleError::new(at..at + rest.len(), "the string is not closed, a double quote is missing"))
}
