//! `labelallow` and `labeldrop`: keep, or remove, the labels of a list.

use serde_yaml::Value as Yaml;

use super::{Stage, Verdict, decode};
use crate::{Record, StageError, run::Context};

pub(crate) struct LabelListStage {
    names: Vec<String>,
    /// Whether the listed labels are those that stay.
    allow: bool,
}

impl LabelListStage {
    pub(crate) fn allow(config: Yaml) -> Result<Self, StageError> {
        Self::new("labelallow", config, true)
    }

    pub(crate) fn drop(config: Yaml) -> Result<Self, StageError> {
        Self::new("labeldrop", config, false)
    }

    fn new(stage: &str, config: Yaml, allow: bool) -> Result<Self, StageError> {
        let names: Vec<String> = decode(config)?;
        if names.is_empty() {
            return Err(StageError::invalid(format!("{stage} stage config cannot be empty")));
        }
        Ok(Self { names, allow })
    }
}

impl Stage for LabelListStage {
    fn apply(&mut self, record: &mut Record, _: &Context<'_>) -> Verdict {
        record.labels.retain(|name| self.names.iter().any(|own| own == name) == self.allow);
        Verdict::Keep
    }
}
