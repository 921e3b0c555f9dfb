//! `labels`: extracted values become labels.

use serde_yaml::Value as Yaml;

use super::{Pairs, Stage, Verdict, check_label_name, decode_sources};
use crate::{Record, StageError, run::Context};

pub(crate) struct LabelsStage(Pairs);

impl LabelsStage {
    pub(crate) fn new(config: Yaml) -> Result<Self, StageError> {
        let pairs = decode_sources(config)?;
        pairs.iter().try_for_each(|(name, _)| check_label_name(name))?;
        Ok(Self(pairs))
    }

    pub(crate) fn of(name: &str) -> Self {
        Self(vec![(name.into(), name.into())])
    }
}

impl Stage for LabelsStage {
    fn apply(&mut self, record: &mut Record, _: &Context<'_>) -> Verdict {
        for (name, source) in &self.0 {
            let Some(value) = record.extracted.get(source).and_then(|value| value.shared()) else { continue };
            if !record.is_broken(&value) {
                record.labels.set(name.clone(), value);
            }
        }
        Verdict::Keep
    }
}
