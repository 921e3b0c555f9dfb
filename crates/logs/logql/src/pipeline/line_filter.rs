//! Line filters: what a line must or must not contain.

use go_regex::Regex;
use memchr::memmem::Finder;

use super::ip::IpPattern;
use super::pattern::Pattern;
use super::{Entry, EntryLabels, Run};
use crate::syntax::{LineFilter, LineOp};

/// A compiled line filter.
#[derive(Debug, Clone)]
pub(super) struct LineCondition {
    /// Lines that fit are left out.
    pub negative: bool,
    /// One of which has to fit.
    pub tests: Vec<Test>,
}

/// What a line is compared with.
#[derive(Debug, Clone)]
pub(super) enum Test {
    Contains(Box<Finder<'static>>),
    Matches(Regex),
    Pattern(Pattern),
    Ip(IpPattern),
}

impl LineCondition {
    pub fn new(filter: &LineFilter) -> Result<Self, String> {
        let tests = filter
            .alternatives
            .iter()
            .map(|one| {
                if one.ip {
                    return match filter.op {
                        LineOp::Contains | LineOp::ContainsNot => Ok(Test::Ip(IpPattern::new(&one.text)?)),
                        _ => Err("ip: invalid operation".to_owned()),
                    };
                }
                Ok(match filter.op {
                    LineOp::Contains | LineOp::ContainsNot => {
                        Test::Contains(Box::new(Finder::new(&one.text).into_owned()))
                    }
                    LineOp::Matches | LineOp::MatchesNot => Test::Matches(regex(&one.text)?),
                    LineOp::Pattern | LineOp::PatternNot => Test::Pattern(Pattern::filter(&one.text)?),
                })
            })
            .collect::<Result<_, String>>()?;
        Ok(Self { negative: filter.op.is_negative(), tests })
    }

    /// Whether the line passes.
    pub fn passes(&self, line: &[u8]) -> bool {
        self.tests.iter().any(|test| test.fits(line)) != self.negative
    }

    /// The same as the store's filter, where it has one.
    pub fn for_store(&self) -> Option<streams::LineFilter> {
        let texts: Option<Vec<String>> = self
            .tests
            .iter()
            .map(|test| match test {
                Test::Contains(finder) => str::from_utf8(finder.needle()).ok().map(str::to_owned),
                _ => None,
            })
            .collect();
        match (texts, self.negative, self.tests.as_slice()) {
            (Some(texts), false, _) => Some(streams::LineFilter::Contains(texts)),
            (Some(texts), true, _) => Some(streams::LineFilter::ContainsNot(texts)),
            (None, false, [Test::Matches(regex)]) => Some(streams::LineFilter::Matches(regex.clone())),
            (None, true, [Test::Matches(regex)]) => Some(streams::LineFilter::MatchesNot(regex.clone())),
            _ => None,
        }
    }

    /// Whether every line passes.
    pub fn is_noop(&self) -> bool {
        !self.negative
            && self.tests.iter().any(|test| match test {
                Test::Contains(finder) => finder.needle().is_empty(),
                Test::Matches(regex) => regex.as_str() == REGEX_FLAGS,
                Test::Pattern(_) | Test::Ip(_) => false,
            })
    }
}

/// In line filters `.` matches line breaks too.
const REGEX_FLAGS: &str = "(?s)";

/// A regular expression of a line filter; errors name it as it was written.
fn regex(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| error.to_string())?;
    Regex::new(&format!("{REGEX_FLAGS}{text}")).map_err(|error| error.to_string())
}

impl Test {
    pub fn fits(&self, line: &[u8]) -> bool {
        match self {
            Self::Contains(finder) => finder.find(line).is_some(),
            Self::Matches(regex) => regex.is_match_bytes(line),
            Self::Pattern(pattern) => pattern.matches(line),
            Self::Ip(pattern) => str::from_utf8(line).is_ok_and(|line| pattern.is_in(line)),
        }
    }
}

impl Run for LineCondition {
    fn run(&mut self, entry: &mut Entry<'_>, _: &mut EntryLabels) -> bool {
        self.passes(entry.line.as_bytes())
    }
}
