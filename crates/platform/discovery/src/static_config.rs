//! `static_configs`: targets written down; also the form of a file's groups.

use std::collections::BTreeMap;

use config::null_as_default;
use model::Labels;
use serde::{Deserialize, Serialize};

use crate::TargetGroup;

/// The label that says where a target is.
const ADDRESS: &str = "__address__";

/// A group of targets as written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StaticConfig {
    /// Their addresses, `host:port`.
    #[serde(deserialize_with = "null_as_default")]
    pub targets: Vec<String>,
    /// Labels they all get.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl StaticConfig {
    /// The group, as number or file name `source`.
    pub fn group(&self, source: impl Into<String>) -> TargetGroup {
        TargetGroup {
            source: source.into(),
            targets: self
                .targets
                .iter()
                .map(|address| Labels::from_pairs([(ADDRESS, address.as_str())]))
                .collect(),
            labels: Labels::from_pairs(&self.labels),
        }
    }
}
