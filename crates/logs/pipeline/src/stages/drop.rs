//! `drop`: drops entries that meet all given conditions.

use std::sync::Arc;

use config::ByteSize;
use go_regex::Regex;
use jiff::SignedDuration;
use prometheus_client::metrics::counter::Counter;
use serde_yaml::Value as Yaml;
use template::gotime::Duration;

use super::{Stage, Verdict, decode};
use crate::{PipelineMetrics, Record, StageError, run::Context};

pub(crate) struct DropStage {
    sources: Vec<Arc<str>>,
    separator: String,
    condition: Option<Condition>,
    older_than: Option<SignedDuration>,
    longer_than: Option<u64>,
    dropped: Counter,
}

enum Condition {
    Is(String),
    Matches(Regex),
}

impl DropStage {
    pub(crate) fn new(config: Yaml, metrics: &PipelineMetrics) -> Result<Self, StageError> {
        let map: serde_yaml::Mapping = decode(config)?;
        // This one stage takes numbers and booleans for texts.
        let text = |key: &str| map.get(key).map(|value| scalar(key, value)).transpose().map(Option::flatten);
        let sources = match map.get("source") {
            Some(Yaml::Sequence(items)) => items
                .iter()
                .filter_map(|item| scalar("source", item).transpose())
                .collect::<Result<Vec<_>, _>>()?,
            Some(value) => scalar("source", value)?.into_iter().collect(),
            None => Vec::new(),
        };
        let (value, expression) = (text("value")?, text("expression")?);
        let (older_than, longer_than) = (text("older_than")?, text("longer_than")?);
        if sources.is_empty() && expression.is_none() && older_than.is_none() && longer_than.is_none() {
            return Err(StageError::invalid(
                "drop stage config must contain at least one of `source`, `expression`, `older_than` or `longer_than`",
            ));
        }
        let condition = match (value, expression) {
            (Some(_), Some(_)) => {
                return Err(StageError::invalid("only one of `value` and `expression` can be set"));
            }
            (Some(_), None) if sources.is_empty() => {
                return Err(StageError::invalid(
                    "drop stage config must contain `source` if `value` is specified",
                ));
            }
            (Some(value), None) => Some(Condition::Is(value)),
            (None, Some(expression)) => Some(Condition::Matches(Regex::new(&expression)?)),
            (None, None) => None,
        };
        let older_than = older_than
            .map(|text| {
                Duration::parse(&text).map_err(|error| StageError::invalid(format!("older_than: {error}")))
            })
            .transpose()?
            .map(|duration| SignedDuration::from_nanos(duration.0));
        let longer_than = longer_than
            .map(|text| {
                text.parse::<ByteSize>().map_err(|error| StageError::invalid(format!("longer_than: {error}")))
            })
            .transpose()?
            .map(|size| size.0);
        Ok(Self {
            sources: sources.into_iter().map(Arc::from).collect(),
            separator: text("separator")?.unwrap_or_else(|| ";".into()),
            condition,
            older_than,
            longer_than,
            dropped: metrics.dropped_counter(text("drop_counter_reason")?.as_deref().unwrap_or("drop_stage")),
        })
    }

    fn applies(&self, record: &Record, context: &Context<'_>) -> bool {
        if let Some(age) = self.older_than
            && context.now.duration_since(record.timestamp) <= age
        {
            return false;
        }
        if self.longer_than.is_some_and(|most| record.line.len() as u64 <= most) {
            return false;
        }
        match (&self.condition, self.sources.as_slice()) {
            (None, sources) => sources.iter().all(|source| record.extracted.get(source).is_some()),
            (Some(condition), []) => condition.holds(&record.line),
            (Some(condition), sources) => {
                let mut texts = Vec::with_capacity(sources.len());
                for value in sources.iter().filter_map(|source| record.extracted.get(source)) {
                    // A value that is there and has no text, a JSON null, fits nothing.
                    let Some(text) = value.text() else { return false };
                    texts.push(text);
                }
                condition.holds(&texts.join(&self.separator))
            }
        }
    }
}

impl Condition {
    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Is(value) => value == text,
            Self::Matches(regex) => regex.is_match(text),
        }
    }
}

fn scalar(key: &str, value: &Yaml) -> Result<Option<String>, StageError> {
    Ok(match value {
        Yaml::Null => None,
        Yaml::String(text) => Some(text.clone()),
        Yaml::Number(number) => Some(number.to_string()),
        // As the original's decoder spells them.
        Yaml::Bool(value) => Some(if *value { "1" } else { "0" }.into()),
        _ => return Err(StageError::invalid(format!("{key}: expected a text"))),
    })
}

impl Stage for DropStage {
    fn apply(&mut self, record: &mut Record, context: &Context<'_>) -> Verdict {
        if !self.applies(record, context) {
            return Verdict::Keep;
        }
        self.dropped.inc();
        Verdict::Drop
    }
}
