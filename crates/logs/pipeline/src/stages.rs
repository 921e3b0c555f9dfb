//! The stages, one file each.

pub(crate) mod cri;
pub(crate) mod decolorize;
pub(crate) mod drop;
pub(crate) mod eventlogmessage;
pub(crate) mod jmespath;
pub(crate) mod json;
pub(crate) mod label_lists;
pub(crate) mod labels;
pub(crate) mod limit;
pub(crate) mod logfmt;
pub(crate) mod metrics;
pub(crate) mod multiline;
pub(crate) mod output;
pub(crate) mod pack;
pub(crate) mod regex;
pub(crate) mod replace;
pub(crate) mod sampling;
pub(crate) mod static_labels;
pub(crate) mod structured_metadata;
pub(crate) mod template;
pub(crate) mod tenant;
pub(crate) mod timestamp;

use std::{collections::BTreeMap, sync::Arc};

use serde::de::DeserializeOwned;
use serde_yaml::Value;

use crate::{Record, StageError, run::Context};

/// A stage that looks at one entry at a time.
pub(crate) trait Stage: Send {
    fn apply(&mut self, record: &mut Record, context: &Context<'_>) -> Verdict;
}

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Keep,
    /// Dropped on purpose; the stage has counted it.
    Drop,
    /// The agent stops: the entry was not taken care of.
    Abandon,
}

/// Names and texts.
pub(crate) type Pairs = Vec<(Arc<str>, Arc<str>)>;

/// A stage's configuration. Keys that it does not know are passed over, as the original does; a stage without a value has none set.
pub(crate) fn decode<C: DeserializeOwned + Default>(value: Value) -> Result<C, StageError> {
    if value.is_null() { Ok(C::default()) } else { serde_yaml::from_value(value).map_err(StageError::Shape) }
}

/// `name: source` pairs, where a missing source is the name.
pub(crate) fn decode_sources(value: Value) -> Result<Pairs, StageError> {
    let map: BTreeMap<String, Option<String>> = decode(value)?;
    let pairs = map.into_iter().map(|(name, source)| {
        let name: Arc<str> = name.into();
        let source = source.filter(|source| !source.is_empty()).map_or_else(|| name.clone(), Arc::from);
        (name, source)
    });
    Ok(pairs.collect())
}

/// Refuses names that no label can have.
pub(crate) fn check_label_name(name: &str) -> Result<(), StageError> {
    if model::is_legacy_label_name(name) {
        return Ok(());
    }
    Err(StageError::invalid(format!("invalid label name: {name}")))
}

/// The `source` of a stage: absent means the line, empty is a mistake.
pub(crate) fn check_source(source: Option<String>) -> Result<Option<Arc<str>>, StageError> {
    match source {
        Some(source) if source.is_empty() => Err(StageError::invalid("empty source")),
        source => Ok(source.map(Arc::from)),
    }
}
