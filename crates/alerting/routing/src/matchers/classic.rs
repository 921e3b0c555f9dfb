//! The classic syntax: a name of `[a-zA-Z_:][a-zA-Z0-9_:]*`, an operator, and a value with or without quotes.

use model::{MatchOp, Matcher, is_legacy_metric_name};

use super::MatcherSyntaxError;

/// What Go's `\s` is.
const SPACES: [char; 5] = ['\t', '\n', '\u{c}', '\r', ' '];

/// Any number of matchers, separated by commas outside of quotes; braces around them may be there or not.
pub(super) fn matchers(text: &str) -> Result<Vec<Matcher>, MatcherSyntaxError> {
    let text = text.strip_prefix('{').unwrap_or(text);
    let text = text.strip_suffix('}').unwrap_or(text);
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            ',' if !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            '"' if escaped => escaped = false,
            '"' => quoted = !quoted,
            '\\' => escaped = !escaped,
            ',' => {}
            _ => escaped = false,
        }
    }
    let last = text[start..].trim();
    if !last.is_empty() {
        parts.push(last);
    }
    parts.into_iter().map(matcher).collect()
}

/// One matcher.
pub(super) fn matcher(text: &str) -> Result<Matcher, MatcherSyntaxError> {
    let bad = || MatcherSyntaxError(format!("bad matcher format: {text}"));
    let rest = text.trim_matches(SPACES);
    let name_end =
        rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).ok_or_else(bad)?;
    let (name, rest) = rest.split_at(name_end);
    if !is_legacy_metric_name(name) {
        return Err(bad());
    }
    let rest = rest.trim_start_matches(SPACES);
    let (op, value) =
        [("=~", MatchOp::Regex), ("=", MatchOp::Equal), ("!=", MatchOp::NotEqual), ("!~", MatchOp::NotRegex)]
            .into_iter()
            .find_map(|(written, op)| rest.strip_prefix(written).map(|value| (op, value)))
            .ok_or_else(bad)?;
    super::matcher(op, name, &unescape(value.trim_start_matches(SPACES))?)
}

/// `\"`, `\n` and `\\` are escapes, any other backslash is itself; quotes stand around all of the value or nowhere.
fn unescape(written: &str) -> Result<String, MatcherSyntaxError> {
    let unbalanced =
        || MatcherSyntaxError(format!("matcher value contains unescaped double quote: {written}"));
    let (raw, mut expects_quote) = match written.strip_prefix('"') {
        Some(raw) => (raw, true),
        None => (written, false),
    };
    let mut value = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some(c @ ('"' | '\\')) => value.push(c),
                Some(c) => value.extend(['\\', c]),
                None => value.push('\\'),
            },
            '"' if expects_quote && chars.peek().is_none() => expects_quote = false,
            '"' => return Err(unbalanced()),
            c => value.push(c),
        }
    }
    if expects_quote { Err(unbalanced()) } else { Ok(value) }
}
