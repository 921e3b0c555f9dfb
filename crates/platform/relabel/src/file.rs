//! The rule as it stands in a configuration file, and what makes it valid.

use go_regex::Regex;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Rule;

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Sets the target label to the replacement where the regex matches the joined source labels.
    #[default]
    Replace,
    /// Drops what does not match.
    Keep,
    /// Drops what matches.
    Drop,
    /// Drops what differs from the target label.
    KeepEqual,
    /// Drops what equals the target label.
    DropEqual,
    /// Sets the target label to the joined source labels' MD5 modulo `modulus`.
    HashMod,
    /// Copies labels whose names match to names made of the replacement.
    LabelMap,
    /// Removes labels whose names match.
    LabelDrop,
    /// Removes labels whose names do not match.
    LabelKeep,
    /// Sets the target label to the joined source labels in lower case.
    Lowercase,
    /// Sets the target label to the joined source labels in upper case.
    Uppercase,
}

impl<'de> Deserialize<'de> for Action {
    /// Upper case is taken too, as the original does.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.to_ascii_lowercase().as_str() {
            "replace" => Self::Replace,
            "keep" => Self::Keep,
            "drop" => Self::Drop,
            "keepequal" => Self::KeepEqual,
            "dropequal" => Self::DropEqual,
            "hashmod" => Self::HashMod,
            "labelmap" => Self::LabelMap,
            "labeldrop" => Self::LabelDrop,
            "labelkeep" => Self::LabelKeep,
            "lowercase" => Self::Lowercase,
            "uppercase" => Self::Uppercase,
            _ => return Err(serde::de::Error::custom(format_args!("unknown relabel action {text:?}"))),
        })
    }
}

/// A rule as written: the shape of `relabel_configs`, `metric_relabel_configs` and their kin.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RelabelConfig {
    /// Labels whose values are joined and matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_labels: Option<Vec<String>>,
    /// What stands between the values; `;` unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// Anchored at both ends; `(.*)` unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// For `hashmod`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modulus: Option<u64>,
    /// The label that is set; may refer to the regex' groups in `replace`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_label: Option<String>,
    /// `$1` unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
    /// `replace` unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
}

/// Why a rule does not hold. The texts are Prometheus'.
#[derive(Debug, thiserror::Error)]
pub enum RelabelError {
    /// The regular expression.
    #[error("invalid regex of a relabel rule")]
    Regex(#[from] go_regex::Error),
    /// Anything else.
    #[error("{0}")]
    Invalid(String),
}

/// `regex` where a rule does not say.
pub const DEFAULT_REGEX: &str = "(.*)";
/// `separator` where a rule does not say.
pub const DEFAULT_SEPARATOR: &str = ";";
/// `replacement` where a rule does not say.
pub const DEFAULT_REPLACEMENT: &str = "$1";

impl RelabelConfig {
    /// Checks the rule and compiles it.
    pub fn compile(&self) -> Result<Rule, RelabelError> {
        self.check()?;
        Ok(Rule {
            source_labels: self.source_labels.clone().unwrap_or_default(),
            separator: self.separator.clone().unwrap_or_else(|| DEFAULT_SEPARATOR.into()),
            regex: Regex::anchored(self.regex.as_deref().unwrap_or(DEFAULT_REGEX))?,
            modulus: self.modulus.unwrap_or_default(),
            target_label: self.target_label.clone().unwrap_or_default(),
            replacement: self.replacement.clone().unwrap_or_else(|| DEFAULT_REPLACEMENT.into()),
            action: self.action.unwrap_or_default(),
        })
    }

    fn check(&self) -> Result<(), RelabelError> {
        let invalid = |text: String| Err(RelabelError::Invalid(text));
        let action = self.action.unwrap_or_default();
        let name = action_name(action);
        let target = self.target_label.as_deref().unwrap_or_default();
        let needs_target = matches!(
            action,
            Action::Replace
                | Action::HashMod
                | Action::Lowercase
                | Action::Uppercase
                | Action::KeepEqual
                | Action::DropEqual
        );
        if needs_target && target.is_empty() {
            return invalid(format!("relabel configuration for {name} action requires 'target_label' value"));
        }
        if action == Action::HashMod && self.modulus.unwrap_or_default() == 0 {
            return invalid("relabel configuration for hashmod requires non-zero modulus".into());
        }
        let is_template = target.contains('$');
        if needs_target && !(action == Action::Replace && is_template) && !is_label_name(target) {
            return invalid(format!("{target:?} is invalid 'target_label' for {name} action"));
        }
        let replacement = self.replacement.as_deref().unwrap_or(DEFAULT_REPLACEMENT);
        if matches!(action, Action::Lowercase | Action::Uppercase | Action::KeepEqual | Action::DropEqual)
            && self.replacement.as_deref().is_some_and(|set| set != DEFAULT_REPLACEMENT)
        {
            return invalid(format!("'replacement' can not be set for {name} action"));
        }
        if action == Action::LabelMap && !replacement.contains('$') && !is_label_name(replacement) {
            return invalid(format!("{replacement:?} is invalid 'replacement' for labelmap action"));
        }
        if matches!(action, Action::KeepEqual | Action::DropEqual) {
            let sets_more = self.regex.as_deref().is_some_and(|set| set != DEFAULT_REGEX)
                || self.modulus.is_some_and(|set| set != 0)
                || self.separator.as_deref().is_some_and(|set| set != DEFAULT_SEPARATOR);
            if sets_more {
                return invalid(format!(
                    "{name} action requires only 'source_labels' and `target_label`, and no other fields"
                ));
            }
        }
        if matches!(action, Action::LabelDrop | Action::LabelKeep) {
            let sets_more = self.source_labels.is_some()
                || self.target_label.as_deref().is_some_and(|set| !set.is_empty())
                || self.modulus.is_some_and(|set| set != 0)
                || self.separator.as_deref().is_some_and(|set| set != DEFAULT_SEPARATOR)
                || self.replacement.as_deref().is_some_and(|set| set != DEFAULT_REPLACEMENT);
            if sets_more {
                return invalid(format!("{name} action requires only 'regex', and no other fields"));
            }
        }
        Ok(())
    }
}

/// A name that a rule may set: any text is a label name since Prometheus 3; the empty one is not.
fn is_label_name(name: &str) -> bool {
    !name.is_empty()
}

fn action_name(action: Action) -> &'static str {
    match action {
        Action::Replace => "replace",
        Action::Keep => "keep",
        Action::Drop => "drop",
        Action::KeepEqual => "keepequal",
        Action::DropEqual => "dropequal",
        Action::HashMod => "hashmod",
        Action::LabelMap => "labelmap",
        Action::LabelDrop => "labeldrop",
        Action::LabelKeep => "labelkeep",
        Action::Lowercase => "lowercase",
        Action::Uppercase => "uppercase",
    }
}
