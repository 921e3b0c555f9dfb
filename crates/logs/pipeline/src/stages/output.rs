//! `output`: an extracted value becomes the line.

use std::sync::Arc;

use serde::Deserialize;
use serde_yaml::Value as Yaml;

use super::{Stage, Verdict, decode};
use crate::{Record, StageError, run::Context};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    source: Option<String>,
}

pub(crate) struct OutputStage(Arc<str>);

impl OutputStage {
    pub(crate) fn new(config: Yaml) -> Result<Self, StageError> {
        let source = decode::<Config>(config)?.source.filter(|source| !source.is_empty());
        source
            .map(|source| Self(source.into()))
            .ok_or_else(|| StageError::invalid("output source value is required"))
    }

    pub(crate) fn of(source: &str) -> Self {
        Self(source.into())
    }
}

impl Stage for OutputStage {
    fn apply(&mut self, record: &mut Record, _: &Context<'_>) -> Verdict {
        if let Some(text) = record.extracted.text(&self.0) {
            record.line.clear();
            record.line.push_str(&text);
        }
        Verdict::Keep
    }
}
