//! The selectors of the `match` stage: matchers in braces, then line filters. Promtail has a small grammar of its own here: strings in
//! double quotes only, no parsers, at least one matcher.

use go_regex::Regex;
use model::{MatchOp, Matcher};

use crate::{LabelSet, StageError};

/// A checked selector.
#[derive(Debug)]
pub(crate) struct Selector {
    matchers: Vec<Matcher>,
    filters: Vec<Filter>,
}

#[derive(Debug)]
enum Filter {
    Contains { text: String, negated: bool },
    Matches { regex: Regex, negated: bool },
}

impl Selector {
    pub(crate) fn parse(text: &str) -> Result<Self, StageError> {
        let mut parser = Parser { rest: text.trim_start(), whole: text };
        let mut matchers = Vec::new();
        parser.expect("{")?;
        loop {
            matchers.push(parser.matcher()?);
            if parser.take("}") {
                break;
            }
            parser.expect(",")?;
        }
        let mut filters = Vec::new();
        while !parser.rest.is_empty() {
            filters.push(parser.filter()?);
        }
        Ok(Self { matchers, filters })
    }

    /// Whether an entry fits. A label that it does not have counts as empty.
    pub(crate) fn matches(&self, labels: &LabelSet, line: &str) -> bool {
        let labels_fit = self
            .matchers
            .iter()
            .all(|matcher| matcher.matches(labels.get(matcher.name()).map_or("", |value| value)));
        labels_fit
            && self.filters.iter().all(|filter| match filter {
                Filter::Contains { text, negated } => line.contains(text.as_str()) != *negated,
                Filter::Matches { regex, negated } => regex.is_match(line) != *negated,
            })
    }
}

struct Parser<'a> {
    rest: &'a str,
    whole: &'a str,
}

impl Parser<'_> {
    fn error(&self, what: &str) -> StageError {
        let at = self.whole.len() - self.rest.len() + 1;
        StageError::invalid(format!(
            "invalid selector syntax for match stage: parse error at column {at}: {what}"
        ))
    }

    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Result<(), StageError> {
        if self.take(token) { Ok(()) } else { Err(self.error(&format!("expected `{token}`"))) }
    }

    fn matcher(&mut self) -> Result<Matcher, StageError> {
        let end =
            self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.error("expected a label name"));
        }
        self.rest = rest.trim_start();
        let op = if self.take("=~") {
            MatchOp::Regex
        } else if self.take("!~") {
            MatchOp::NotRegex
        } else if self.take("!=") {
            MatchOp::NotEqual
        } else if self.take("=") {
            MatchOp::Equal
        } else {
            return Err(self.error("expected `=`, `!=`, `=~` or `!~`"));
        };
        let value = self.string()?;
        Matcher::new(op, name, &value).map_err(|error| StageError::Regex(error.source))
    }

    fn filter(&mut self) -> Result<Filter, StageError> {
        for (token, negated, is_regex) in
            [("|=", false, false), ("!=", true, false), ("|~", false, true), ("!~", true, true)]
        {
            if self.take(token) {
                let text = self.string()?;
                return Ok(if is_regex {
                    Filter::Matches { regex: Regex::new(&text)?, negated }
                } else {
                    Filter::Contains { text, negated }
                });
            }
        }
        Err(self.error("expected a line filter: `|=`, `!=`, `|~` or `!~`"))
    }

    /// A string in double quotes with Go's escapes.
    fn string(&mut self) -> Result<String, StageError> {
        let Some(body) = self.rest.strip_prefix('"') else {
            return Err(self.error("expected a string in double quotes"));
        };
        let mut out = String::new();
        let mut chars = body.chars();
        loop {
            match chars.next() {
                Some('"') => {
                    self.rest = chars.as_str().trim_start();
                    return Ok(out);
                }
                Some('\\') => {
                    let char =
                        escape(&mut chars).ok_or_else(|| self.error("invalid escape in the string"))?;
                    out.push(char);
                }
                Some('\n') | None => return Err(self.error("string is not closed")),
                Some(char) => out.push(char),
            }
        }
    }
}

fn escape(chars: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match chars.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        '\\' => '\\',
        '"' => '"',
        'x' => code(chars, 2)?,
        'u' => code(chars, 4)?,
        'U' => code(chars, 8)?,
        _ => return None,
    })
}

fn code(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let text = chars.as_str();
    let (hex, rest) = text.split_at_checked(digits)?;
    *chars = rest.chars();
    char::from_u32(u32::from_str_radix(hex, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn selects_by_labels_and_line() {
        let labels = LabelSet::new([("app", "web"), ("empty", "")]);
        let check = |selector: &str, line: &str, want: bool| {
            let parsed = Selector::parse(selector).unwrap_or_else(|error| panic!("{selector}: {error}"));
            assert_eq!(parsed.matches(&labels, line), want, "{selector} {line}");
        };
        check(r#"{app="web"}"#, "x", true);
        check(r#" { app =~ "w.*" , other="" } |= "er" != "ok" "#, "error", true);
        check(r#"{app="web"} |= "er" != "ok""#, "error ok", false);
        check(r#"{app="web"}|~"^\\d+ \"q\"""#, "12 \"q\"", true);
        check(r#"{app!="web"}"#, "x", false);
        check(r#"{app="web"} |= "tab\there""#, "tab\there", true);
    }

    #[test]
    fn refuses_what_the_original_refuses() {
        for bad in [
            "",
            "{}",
            "{a=b}",
            "{a=\"b\"",
            "{a=\"b\"} |= `x`",
            "{a=\"b\"} | json",
            "{a=\"b\"} |= \"x",
            "{1a=\"b\"}",
            "{a=~\"(\"}",
        ] {
            assert!(Selector::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(text in r#"[{}a="~!|\\x,u\p{L}]{0,40}"#) {
            let _ = Selector::parse(&text);
        }
    }
}
