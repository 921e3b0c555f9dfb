//! Rule files: their shape, and everything that can be wrong with one.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use config::{ConfigError, PromDuration, SourceFile, null_as_default};
use model::METRIC_NAME;
use serde::{Deserialize, Serialize};

use crate::{Evaluator, expand};

/// A rule file as written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleFile {
    /// Its groups.
    #[serde(deserialize_with = "null_as_default")]
    pub groups: Vec<GroupFile>,
}

/// A group as written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GroupFile {
    /// Unique within the file.
    pub name: String,
    /// How often; the global interval unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<PromDuration>,
    /// How far in the past expressions are evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_offset: Option<PromDuration>,
    /// Most results or alerts of one rule; 0 means any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Labels for all its rules.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Its rules, evaluated in order.
    #[serde(deserialize_with = "null_as_default")]
    pub rules: Vec<RuleNode>,
    /// Taken where a Thanos ruler's files are used; without effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial_response_strategy: Option<String>,
}

/// A rule as written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleNode {
    /// The metric that a recording rule writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// The name of an alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// The expression.
    pub expr: String,
    /// How long the expression must have a result before the alert fires.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub hold: Option<PromDuration>,
    /// How long the alert goes on firing without a result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_firing_for: Option<PromDuration>,
    /// Labels to set.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations of the alert.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// All that is wrong with a rule file.
#[derive(Debug, thiserror::Error)]
pub enum RuleFileError {
    /// It is not of the form.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// A pattern in `rule_files`.
    #[error("invalid pattern {pattern:?} in rule_files")]
    Pattern {
        /// As written.
        pattern: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Rules do not hold; every mistake on a line.
    #[error("{}: {}", .path.display(), .mistakes.join("; "))]
    Rules {
        /// The file.
        path: PathBuf,
        /// Every mistake.
        mistakes: Vec<String>,
    },
}

/// Reads rule files with everything in them checked. `paths` are files, not patterns.
pub fn load_rule_files(
    paths: &[PathBuf],
    evaluator: &dyn Evaluator,
) -> Result<Vec<(PathBuf, RuleFile)>, RuleFileError> {
    paths
        .iter()
        .map(|path| {
            let source = SourceFile::read(path)?;
            Ok((path.clone(), parse_rule_file(&source, evaluator)?))
        })
        .collect()
}

/// Reads one rule file with everything in it checked.
pub fn parse_rule_file(source: &SourceFile, evaluator: &dyn Evaluator) -> Result<RuleFile, RuleFileError> {
    let file: RuleFile = source.parse()?;
    let mistakes = file.mistakes(&source.path, evaluator);
    if mistakes.is_empty() {
        Ok(file)
    } else {
        Err(RuleFileError::Rules { path: source.path.clone(), mistakes })
    }
}

impl RuleFile {
    fn mistakes(&self, path: &Path, evaluator: &dyn Evaluator) -> Vec<String> {
        let _ = path;
        let mut mistakes = Vec::new();
        for (at, group) in self.groups.iter().enumerate() {
            if group.name.is_empty() {
                mistakes.push(format!("groups[{at}]: Groupname must not be empty"));
            }
            if self.groups[..at].iter().any(|other| other.name == group.name) {
                mistakes.push(format!("groupname: {:?} is repeated in the same file", group.name));
            }
            for (name, value) in &group.labels {
                check_label(name, value)
                    .err()
                    .into_iter()
                    .for_each(|text| mistakes.push(format!("group {:?}: {text}", group.name)));
            }
            for (number, rule) in group.rules.iter().enumerate() {
                let name = rule.record.as_deref().or(rule.alert.as_deref()).unwrap_or_default();
                let context = format!("group {:?}, rule {}, {name:?}", group.name, number + 1);
                mistakes
                    .extend(rule.mistakes(evaluator).into_iter().map(|text| format!("{context}: {text}")));
            }
        }
        mistakes
    }
}

impl RuleNode {
    fn mistakes(&self, evaluator: &dyn Evaluator) -> Vec<String> {
        let record = self.record.as_deref().filter(|name| !name.is_empty());
        let alert = self.alert.as_deref().filter(|name| !name.is_empty());
        let mut mistakes = Vec::new();
        match (record, alert) {
            (Some(_), Some(_)) => mistakes.push("only one of 'record' and 'alert' must be set".into()),
            (None, None) => mistakes.push("one of 'record' or 'alert' must be set".into()),
            _ => {}
        }
        if self.expr.is_empty() {
            mistakes.push("field 'expr' must be set in rule".into());
        } else if let Err(error) = evaluator.check(&self.expr) {
            mistakes.push(format!("could not parse expression: {error}"));
        }
        if let Some(record) = record {
            if !self.annotations.is_empty() {
                mistakes.push("invalid field 'annotations' in recording rule".into());
            }
            if self.hold.is_some_and(|hold| !hold.0.is_zero()) {
                mistakes.push("invalid field 'for' in recording rule".into());
            }
            if self.keep_firing_for.is_some_and(|keep| !keep.0.is_zero()) {
                mistakes.push("invalid field 'keep_firing_for' in recording rule".into());
            }
            // `{}` in a recorded name is nearly always a selector written in the wrong place.
            if record.contains(['{', '}']) {
                mistakes.push(format!(
                    "braces present in the recording rule name; should it be in expr?: {record}"
                ));
            }
        }
        for (name, value) in &self.labels {
            mistakes.extend(check_label(name, value).err());
        }
        for name in self.annotations.keys().filter(|name| name.is_empty()) {
            mistakes.push(format!("invalid annotation name: {name}"));
        }
        if alert.is_some() {
            for (name, text) in &self.labels {
                mistakes.extend(expand::check(text).err().map(|error| format!("label {name:?}: {error}")));
            }
            for (name, text) in &self.annotations {
                mistakes
                    .extend(expand::check(text).err().map(|error| format!("annotation {name:?}: {error}")));
            }
        }
        mistakes
    }
}

fn check_label(name: &str, _value: &str) -> Result<(), String> {
    if name.is_empty() || name == METRIC_NAME {
        return Err(format!("invalid label name: {name}"));
    }
    Ok(())
}
