//! A list of matchers as configuration files have it.

use model::Matcher;
use serde::{Deserialize, Deserializer, Serialize};

use super::{MatcherMode, MatcherSyntaxError, parse_matchers};

/// `matchers`, `source_matchers`, `target_matchers`: lines of one or more matchers each, all of which must hold.
///
/// Reading one checks its syntax, so that a mistake is reported at its place in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MatcherLines(Vec<String>);

impl MatcherLines {
    /// Lines as given, unchecked until [`MatcherLines::compile`].
    pub fn new(lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(lines.into_iter().map(Into::into).collect())
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The matchers of all lines, and the notices that came with them.
    pub fn compile(&self, mode: MatcherMode) -> Result<(Vec<Matcher>, Vec<String>), MatcherSyntaxError> {
        let (mut matchers, mut notices) = (Vec::new(), Vec::new());
        for line in &self.0 {
            let parsed = parse_matchers(line, mode)?;
            matchers.extend(parsed.matchers);
            notices.extend(parsed.notice);
        }
        Ok((matchers, notices))
    }
}

impl<'de> Deserialize<'de> for MatcherLines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let lines: Option<Vec<Line>> = Option::deserialize(deserializer)?;
        Ok(Self(lines.unwrap_or_default().into_iter().map(|line| line.0).collect()))
    }
}

struct Line(String);

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let line = String::deserialize(deserializer)?;
        parse_matchers(&line, MatcherMode::Fallback).map_err(serde::de::Error::custom)?;
        Ok(Self(line))
    }
}
