//! From labels to files: relabelling, and the paths that targets ask for.

use std::collections::{BTreeMap, BTreeSet};

use model::LabelsBuilder;
use pipeline::LabelSet;
use relabel::{Rule, Verdict, relabel};
use serde::Serialize;
use tail::Pattern;

const PATH: &str = "__path__";
const PATH_EXCLUDE: &str = "__path_exclude__";
const HOST: &str = "__host__";

/// Files to follow, and the labels of their lines.
#[derive(Debug, Clone)]
pub(crate) struct FileTarget {
    pub labels: LabelSet,
    pub pattern: Pattern,
    pub exclude: Option<Pattern>,
    /// As discovered, before relabelling.
    pub discovered: BTreeMap<String, String>,
}

/// A target that is not followed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DroppedTarget {
    pub reason: Reason,
    #[serde(rename = "discoveredLabels")]
    pub discovered: BTreeMap<String, String>,
}

/// Why, in the original's words; also the label `reason` of `promtail_targets_failed_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    Dropped,
    NoPath,
    WrongHost,
    Exists,
    InvalidPath,
}

impl Reason {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::NoPath => "no_path",
            Self::WrongHost => "wrong_host",
            Self::Exists => "exists",
            Self::InvalidPath => "invalid_path",
        }
    }
}

/// Relabels discovered targets and sorts them into those to follow and the rest.
pub(crate) fn file_targets(
    discovered: &[BTreeMap<String, String>],
    rules: &[Rule],
    hostname: &str,
) -> (Vec<FileTarget>, Vec<DroppedTarget>) {
    let (mut targets, mut dropped) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for labels in discovered {
        match file_target(labels, rules, hostname, &mut seen) {
            Ok(target) => targets.push(target),
            Err(reason) => dropped.push(DroppedTarget { reason, discovered: labels.clone() }),
        }
    }
    (targets, dropped)
}

fn file_target(
    discovered: &BTreeMap<String, String>,
    rules: &[Rule],
    hostname: &str,
    seen: &mut BTreeSet<(LabelSet, String)>,
) -> Result<FileTarget, Reason> {
    let mut builder = LabelsBuilder::new();
    for (name, value) in discovered {
        builder.set(name, value);
    }
    if relabel(rules, &mut builder) == Verdict::Drop {
        return Err(Reason::Dropped);
    }
    let path = builder.get(PATH).to_owned();
    if path.is_empty() {
        return Err(Reason::NoPath);
    }
    let host = builder.get(HOST);
    if !host.is_empty() && host != hostname {
        return Err(Reason::WrongHost);
    }
    let pattern = |text: &str| Pattern::new(text).map_err(|_| Reason::InvalidPath);
    let exclude = match builder.get(PATH_EXCLUDE) {
        "" => None,
        text => Some(pattern(text)?),
    };
    let labels = LabelSet::new(builder.iter().filter(|(name, _)| !name.starts_with("__")));
    if !seen.insert((labels.clone(), path.clone())) {
        return Err(Reason::Exists);
    }
    Ok(FileTarget { labels, pattern: pattern(&path)?, exclude, discovered: discovered.clone() })
}

/// This machine's name.
pub(crate) fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use relabel::RelabelConfig;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn targets_need_a_path_and_this_host() {
        let discovered = [
            labels(&[("__path__", "/a/*.log"), ("job", "a"), ("__x", "1")]),
            labels(&[("__path__", "/a/*.log"), ("job", "a"), ("__address__", "other")]),
            labels(&[("job", "b")]),
            labels(&[("__path__", "/b"), ("__host__", "elsewhere")]),
            labels(&[("__path__", "/b/["), ("job", "c")]),
            labels(&[("__path__", "/c"), ("job", "drop-me")]),
        ];
        let rule = RelabelConfig {
            source_labels: Some(vec!["job".into()]),
            regex: Some("drop.*".into()),
            action: Some(relabel::Action::Drop),
            ..RelabelConfig::default()
        };
        let (targets, dropped) = file_targets(&discovered, &[rule.compile().expect("valid")], "here");
        assert_eq!(targets.len(), 1);
        assert_eq!(targets[0].labels, LabelSet::new([("job", "a")]));
        let reasons: Vec<&str> = dropped.iter().map(|target| target.reason.as_str()).collect();
        assert_eq!(reasons, ["exists", "no_path", "wrong_host", "invalid_path", "dropped"]);
    }
}
