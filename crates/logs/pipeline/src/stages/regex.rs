//! `regex`: named groups become extracted values.

use std::sync::Arc;

use go_regex::{Locations, Regex};
use serde::Deserialize;
use serde_yaml::Value as Yaml;

use super::{Stage, Verdict, check_source, decode};
use crate::{Record, StageError, extracted::Value, run::Context};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    expression: Option<String>,
    source: Option<String>,
}

pub(crate) struct RegexStage {
    regex: Regex,
    /// Groups that have names.
    groups: Vec<(usize, Arc<str>)>,
    source: Option<Arc<str>>,
    locations: Locations,
}

impl RegexStage {
    pub(crate) fn new(config: Yaml) -> Result<Self, StageError> {
        let Config { expression, source } = decode(config)?;
        let expression = expression
            .filter(|expression| !expression.is_empty())
            .ok_or_else(|| StageError::invalid("expression is required"))?;
        Self::of(&expression, check_source(source)?)
    }

    pub(crate) fn of(expression: &str, source: Option<Arc<str>>) -> Result<Self, StageError> {
        let regex = Regex::new(expression)?;
        Ok(Self { groups: named_groups(&regex), locations: regex.locations(), regex, source })
    }
}

/// Numbers and names of the groups that have names.
pub(crate) fn named_groups(regex: &Regex) -> Vec<(usize, Arc<str>)> {
    regex.capture_names().enumerate().filter_map(|(at, name)| Some((at, name?.into()))).collect()
}

impl Stage for RegexStage {
    fn apply(&mut self, record: &mut Record, _: &Context<'_>) -> Verdict {
        let Record { line, extracted, .. } = record;
        let found = match &self.source {
            None => groups_of(&self.regex, &mut self.locations, &self.groups, line),
            Some(source) => match extracted.text(source) {
                Some(text) => groups_of(&self.regex, &mut self.locations, &self.groups, &text),
                None => return Verdict::Keep,
            },
        };
        for (name, text) in found {
            extracted.set(&name, Value::Text(text));
        }
        Verdict::Keep
    }
}

/// A group that took no part is empty, as in Go.
fn groups_of(
    regex: &Regex,
    locations: &mut Locations,
    groups: &[(usize, Arc<str>)],
    text: &str,
) -> Vec<(Arc<str>, Arc<str>)> {
    if !regex.captures_at(text, 0, locations) {
        return Vec::new();
    }
    groups
        .iter()
        .map(|(at, name)| (name.clone(), locations.text(text, *at).unwrap_or_default().into()))
        .collect()
}
