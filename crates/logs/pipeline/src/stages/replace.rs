//! `replace`: replaces what the groups of an expression match by a template over the matched text.

use std::sync::Arc;

use go_regex::Regex;
use serde::Deserialize;
use serde_yaml::Value as Yaml;
use template::{Execution, Template};
use tracing::debug;

use super::{Pairs, Stage, Verdict, decode, regex::named_groups, template as templates};
use crate::{Record, StageError, extracted::Value, run::Context};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    expression: Option<String>,
    source: Option<String>,
    replace: Option<String>,
}

pub(crate) struct ReplaceStage {
    regex: Regex,
    groups: Vec<(usize, Arc<str>)>,
    source: Option<Arc<str>>,
    template: Template,
}

impl ReplaceStage {
    pub(crate) fn new(config: Yaml) -> Result<Self, StageError> {
        let Config { expression, source, replace } = decode(config)?;
        let expression = expression
            .filter(|expression| !expression.is_empty())
            .ok_or_else(|| StageError::invalid("expression is required"))?;
        if source.as_deref() == Some("") {
            return Err(StageError::invalid("empty source in replace stage"));
        }
        let regex = Regex::new(&expression)?;
        Ok(Self {
            groups: named_groups(&regex),
            regex,
            source: source.map(Arc::from),
            template: templates::parse(replace.as_deref().unwrap_or_default())?,
        })
    }

    /// The replacement of one matched text.
    fn replacement(&self, record: &Record, matched: &str) -> Option<String> {
        if let Some(text) = self.template.literal() {
            return Some(text.to_owned());
        }
        let data = templates::data(record, [("Value", matched.into())]);
        self.template
            .execute(&data, &Execution::default())
            .inspect_err(|error| debug!(%error, "replace stage failed on a line"))
            .ok()
    }

    /// The text with its groups replaced, and the replacements of the first match's named groups. `None` where nothing matches or the
    /// template fails.
    fn replace(&self, record: &Record, text: &str) -> Option<(String, Pairs)> {
        let mut locations = self.regex.locations();
        let (mut out, mut named) = (String::with_capacity(text.len()), Vec::new());
        let (mut copied, mut start, mut found) = (0, 0, false);
        while self.regex.captures_at(text, start, &mut locations) {
            let whole = locations.get(0)?;
            for group in 1..locations.len() {
                let Some(range) = locations.get(group) else { continue };
                // A group inside of one that was replaced is gone from the text, but may still have a name.
                let matched = text.get(range.clone())?;
                let replacement = self.replacement(record, matched)?;
                if !found && let Some((_, name)) = self.groups.iter().find(|(at, _)| *at == group) {
                    named.push((name.clone(), replacement.as_str().into()));
                }
                if range.start >= copied && !matched.is_empty() {
                    out.push_str(text.get(copied..range.start)?);
                    out.push_str(&replacement);
                    copied = range.end;
                }
            }
            found = true;
            start = if whole.end > whole.start {
                whole.end
            } else {
                whole.end + text.get(whole.end..)?.chars().next().map_or(1, char::len_utf8)
            };
        }
        out.push_str(text.get(copied..)?);
        found.then_some((out, named))
    }
}

impl Stage for ReplaceStage {
    fn apply(&mut self, record: &mut Record, _: &Context<'_>) -> Verdict {
        let replaced = match &self.source {
            None => self.replace(record, &record.line),
            Some(source) => match record.extracted.text(source) {
                Some(text) => self.replace(record, &text),
                None => return Verdict::Keep,
            },
        };
        let Some((text, named)) = replaced else { return Verdict::Keep };
        match &self.source {
            None => record.line = text,
            Some(source) => record.extracted.set(source, Value::Text(text.into())),
        }
        for (name, value) in named {
            record.extracted.set(&name, Value::Text(value));
        }
        Verdict::Keep
    }
}
