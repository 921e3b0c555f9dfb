//! Label matchers: `name="value"`, `!=`, `=~`, `!~`.

use std::{fmt, sync::Arc};

use go_regex::Regex;

use crate::{is_legacy_label_name, write_quoted};

/// How a matcher compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`, anchored at both ends; `.` matches a newline
    Regex,
    /// `!~`
    NotRegex,
}

/// One condition on a label. A label that a series does not have counts as empty.
#[derive(Clone)]
pub struct Matcher {
    name: Arc<str>,
    op: MatchOp,
    value: Arc<str>,
    regex: Option<Regex>,
}

/// A matcher's regular expression does not parse.
#[derive(Debug, thiserror::Error)]
#[error("invalid regular expression of the matcher on `{label}`")]
pub struct MatcherError {
    /// The label the matcher was for.
    pub label: String,
    /// What is wrong with the expression, in Go's words.
    pub source: go_regex::Error,
}

impl MatchOp {
    /// The operator as written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }
}

impl Matcher {
    /// A matcher of any kind; fails when `value` is not a regular expression in Go's syntax where one is due.
    pub fn new(op: MatchOp, name: &str, value: &str) -> Result<Self, MatcherError> {
        let regex = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Regex | MatchOp::NotRegex => Some(
                Regex::anchored(value).map_err(|source| MatcherError { label: name.to_owned(), source })?,
            ),
        };
        Ok(Self { name: name.into(), op, value: value.into(), regex })
    }

    /// `name="value"`
    pub fn equal(name: &str, value: &str) -> Self {
        Self { name: name.into(), op: MatchOp::Equal, value: value.into(), regex: None }
    }

    /// The label this is about.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it compares.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The right side as written.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The compiled expression of `=~` and `!~`.
    pub fn regex(&self) -> Option<&Regex> {
        self.regex.as_ref()
    }

    /// Whether the matcher is negative: `!=` or `!~`.
    pub fn is_negative(&self) -> bool {
        matches!(self.op, MatchOp::NotEqual | MatchOp::NotRegex)
    }

    /// Whether a label with this value satisfies the matcher.
    #[inline]
    pub fn matches(&self, value: &str) -> bool {
        match (&self.regex, self.op) {
            (Some(regex), MatchOp::NotRegex) => !regex.is_match(value),
            (Some(regex), _) => regex.is_match(value),
            (None, MatchOp::NotEqual) => *self.value != *value,
            (None, _) => *self.value == *value,
        }
    }

    /// Whether a series without the label satisfies the matcher.
    pub fn matches_empty(&self) -> bool {
        self.matches("")
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.op == other.op && self.name == other.name && self.value == other.value
    }
}

impl Eq for Matcher {}

impl std::hash::Hash for Matcher {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.op.hash(state);
        self.value.hash(state);
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_legacy_label_name(&self.name) {
            f.write_str(&self.name)?;
        } else {
            write_quoted(f, &self.name)?;
        }
        f.write_str(self.op.as_str())?;
        write_quoted(f, &self.value)
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(op: MatchOp, value: &str) -> Matcher {
        Matcher::new(op, "job", value).expect("a valid matcher")
    }

    #[test]
    fn compares_as_its_operator_says() {
        let check = |op, value: &str, label: &str, want: bool| {
            assert_eq!(matcher(op, value).matches(label), want, "{op:?} {value} {label}");
        };
        check(MatchOp::Equal, "a", "a", true);
        check(MatchOp::Equal, "a", "b", false);
        check(MatchOp::NotEqual, "a", "b", true);
        check(MatchOp::Regex, "a|b", "b", true);
        check(MatchOp::Regex, "a", "ab", false);
        check(MatchOp::Regex, "a.b", "a\nb", true);
        check(MatchOp::NotRegex, "a.*", "b", true);
        check(MatchOp::NotRegex, "a.*", "abc", false);
    }

    #[test]
    fn knows_whether_an_absent_label_fits() {
        assert!(matcher(MatchOp::Equal, "").matches_empty());
        assert!(matcher(MatchOp::Regex, ".*").matches_empty());
        assert!(!matcher(MatchOp::Regex, ".+").matches_empty());
        assert!(matcher(MatchOp::NotEqual, "a").matches_empty());
    }

    #[test]
    fn prints_as_prometheus_does() {
        assert_eq!(matcher(MatchOp::NotRegex, "a\"b").to_string(), r#"job!~"a\"b""#);
        assert_eq!(Matcher::equal("http.status", "1").to_string(), r#""http.status"="1""#);
    }
}
