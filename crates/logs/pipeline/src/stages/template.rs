//! `template`: sets an extracted value by a template over the others.

use std::sync::Arc;

use serde::Deserialize;
use serde_yaml::Value as Yaml;
use template::{Clock, Execution, Template, Value as Data, functions::promtail};
use tracing::debug;

use super::{Stage, Verdict, decode};
use crate::{Record, StageError, extracted::Value, run::Context};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    source: Option<String>,
    template: Option<String>,
}

pub(crate) struct TemplateStage {
    source: Arc<str>,
    template: Template,
}

impl TemplateStage {
    pub(crate) fn new(config: Yaml) -> Result<Self, StageError> {
        let Config { source, template } = decode(config)?;
        let source = source
            .filter(|source| !source.is_empty())
            .ok_or_else(|| StageError::invalid("template source value is required"))?;
        Ok(Self { source: source.into(), template: parse(template.as_deref().unwrap_or_default())? })
    }
}

/// Parses a template with the functions that stages may call.
pub(crate) fn parse(text: &str) -> Result<Template, StageError> {
    Template::parse("pipeline_template", text, &promtail::functions(&Clock::system()))
        .map_err(|error| StageError::Template(Box::new(error)))
}

/// What templates see: all extracted values as text, with more on top.
pub(crate) fn data(record: &Record, more: impl IntoIterator<Item = (&'static str, Arc<str>)>) -> Data {
    let values =
        record.extracted.iter().filter_map(|(name, value)| Some((name.clone(), Data::Str(value.shared()?))));
    let more = more.into_iter().map(|(name, text)| (Arc::from(name), Data::Str(text)));
    Data::map(values.chain(more))
}

impl Stage for TemplateStage {
    fn apply(&mut self, record: &mut Record, _: &Context<'_>) -> Verdict {
        let value = record.extracted.get(&self.source).and_then(|value| value.shared());
        let entry: Arc<str> = record.line.as_str().into();
        let data = data(record, value.map(|value| ("Value", value)).into_iter().chain([("Entry", entry)]));
        match self.template.execute(&data, &Execution::default()) {
            Ok(text) if text.is_empty() => record.extracted.remove(&self.source),
            Ok(text) => record.extracted.set(&self.source, Value::Text(text.into())),
            Err(error) => debug!(%error, source = %self.source, "template stage failed on a line"),
        }
        Verdict::Keep
    }
}
