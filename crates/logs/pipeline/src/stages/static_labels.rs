//! `static_labels`: labels with fixed values.

use std::{collections::BTreeMap, sync::Arc};

use serde_yaml::Value as Yaml;

use super::{Stage, Verdict, check_label_name, decode};
use crate::{Record, StageError, run::Context};

pub(crate) struct StaticLabelsStage(Vec<(Arc<str>, Arc<str>)>);

impl StaticLabelsStage {
    pub(crate) fn new(config: Yaml) -> Result<Self, StageError> {
        let map: BTreeMap<String, Option<String>> = decode(config)?;
        map.keys().try_for_each(|name| check_label_name(name))?;
        // An empty value sets nothing.
        let set = map
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
        Ok(Self(set.map(|(name, value)| (name.into(), value.into())).collect()))
    }
}

impl Stage for StaticLabelsStage {
    fn apply(&mut self, record: &mut Record, _: &Context<'_>) -> Verdict {
        for (name, value) in &self.0 {
            record.labels.set(name.clone(), value.clone());
        }
        Verdict::Keep
    }
}
