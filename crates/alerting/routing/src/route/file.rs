//! A route as it stands in the file.

use std::collections::BTreeMap;

use config::{PromDuration, null_as_default};
use serde::{Deserialize, Serialize};

use crate::MatcherLines;

/// `route` and each entry of `routes`, as written. What is absent is inherited from the parent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RouteFile {
    /// The receiver's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
    /// Labels to group by; `...` alone for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_by: Option<Vec<String>>,
    /// Older form of `matchers`, by equality.
    #[serde(
        rename = "match",
        deserialize_with = "null_as_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub match_: BTreeMap<String, String>,
    /// Older form of `matchers`, by regular expression.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub match_re: BTreeMap<String, Option<String>>,
    /// What alerts must match.
    #[serde(skip_serializing_if = "MatcherLines::is_empty")]
    pub matchers: MatcherLines,
    /// When to send nothing.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub mute_time_intervals: Vec<String>,
    /// When alone to send.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub active_time_intervals: Vec<String>,
    /// Whether matching alerts go on to the next sibling.
    #[serde(rename = "continue", skip_serializing_if = "Option::is_none")]
    pub continues: Option<bool>,
    /// 30 s at the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_wait: Option<PromDuration>,
    /// 5 m at the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_interval: Option<PromDuration>,
    /// 4 h at the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_interval: Option<PromDuration>,
    /// Labels of the route; values are templates.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The children.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteFile>,
}
