//! Inhibition rules: alerts that mute others while they fire.

use std::collections::BTreeMap;

use config::null_as_default;
use model::{Labels, Matcher};
use serde::{Deserialize, Serialize};

use crate::{
    MatcherLines, MatcherMode, RouteError, is_label_name, matches_all,
    route::{legacy_matchers, notices},
};

/// One entry of `inhibit_rules`, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InhibitRuleFile {
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Older form of `source_matchers`, by equality.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub source_match: BTreeMap<String, String>,
    /// Older form of `source_matchers`, by regular expression.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub source_match_re: BTreeMap<String, Option<String>>,
    /// Which alerts mute.
    #[serde(skip_serializing_if = "MatcherLines::is_empty")]
    pub source_matchers: MatcherLines,
    /// Older form of `target_matchers`, by equality.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub target_match: BTreeMap<String, String>,
    /// Older form of `target_matchers`, by regular expression.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub target_match_re: BTreeMap<String, Option<String>>,
    /// Which alerts are muted.
    #[serde(skip_serializing_if = "MatcherLines::is_empty")]
    pub target_matchers: MatcherLines,
    /// Labels that must have equal values on both.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub equal: Vec<String>,
}

/// A checked inhibition rule.
#[derive(Debug, Clone)]
pub struct InhibitRule {
    /// Its name, empty if it has none.
    pub name: String,
    source: Vec<Matcher>,
    target: Vec<Matcher>,
    equal: Vec<String>,
}

impl InhibitRuleFile {
    /// Checks the rule. Notices about the syntax of matchers go to `warnings`.
    pub fn compile(
        &self,
        mode: MatcherMode,
        warnings: &mut config::Warnings,
    ) -> Result<InhibitRule, RouteError> {
        let side = |equal: &_, regex: &_, lines: &MatcherLines, warnings: &mut config::Warnings| {
            let mut matchers = legacy_matchers(equal, regex)?;
            let (more, told) = lines.compile(mode)?;
            notices("inhibit_rules", told, warnings);
            matchers.extend(more);
            Ok::<_, RouteError>(matchers)
        };
        let source = side(&self.source_match, &self.source_match_re, &self.source_matchers, warnings)?;
        let target = side(&self.target_match, &self.target_match_re, &self.target_matchers, warnings)?;
        if let Some(label) = self.equal.iter().find(|label| !is_label_name(label, mode)) {
            return Err(RouteError::new(format!("invalid label name {label:?} in equal list")));
        }
        let mut equal = self.equal.clone();
        equal.sort();
        equal.dedup();
        Ok(InhibitRule { name: self.name.clone().unwrap_or_default(), source, target, equal })
    }
}

impl InhibitRule {
    /// Whether an alert with these labels may mute others.
    pub fn is_source(&self, labels: &Labels) -> bool {
        matches_all(&self.source, labels)
    }

    /// Whether an alert with these labels may be muted.
    pub fn is_target(&self, labels: &Labels) -> bool {
        matches_all(&self.target, labels)
    }

    /// The labels that source and target must share; one that both lack is shared.
    pub fn shared(&self, labels: &Labels) -> Labels {
        labels.filter(|name| self.equal.binary_search_by(|label| label.as_str().cmp(name)).is_ok())
    }
}
