//! `structured_metadata`: extracted values become structured metadata; a label that the value came from moves there.

use serde_yaml::Value as Yaml;

use super::{Pairs, Stage, Verdict, check_label_name, decode_sources};
use crate::{Record, StageError, run::Context};

pub(crate) struct StructuredMetadataStage(Pairs);

impl StructuredMetadataStage {
    pub(crate) fn new(config: Yaml) -> Result<Self, StageError> {
        let pairs = decode_sources(config)?;
        pairs.iter().try_for_each(|(name, _)| check_label_name(name))?;
        Ok(Self(pairs))
    }
}

impl Stage for StructuredMetadataStage {
    fn apply(&mut self, record: &mut Record, _: &Context<'_>) -> Verdict {
        for (name, source) in &self.0 {
            let Some(value) = record.extracted.get(source).and_then(|value| value.shared()) else { continue };
            if record.is_broken(&value) {
                continue;
            }
            if record.labels.get(source) == Some(&value) {
                record.labels.remove(source);
            }
            match record.metadata.iter_mut().find(|(own, _)| own == name) {
                Some((_, own)) => *own = value,
                None => record.metadata.push((name.clone(), value)),
            }
        }
        Verdict::Keep
    }
}
