//! Relabelling rules: what Prometheus and Promtail do to label sets of targets, samples, alerts and log streams.
//!
//! Source: Prometheus docs/configuration, `relabel_config`.

#![forbid(unsafe_code)]

mod apply;
mod file;

#[cfg(test)]
mod tests;

pub use apply::{Verdict, relabel};
pub use file::{Action, DEFAULT_REGEX, DEFAULT_REPLACEMENT, DEFAULT_SEPARATOR, RelabelConfig, RelabelError};

use go_regex::Regex;

/// A checked rule.
#[derive(Debug, Clone)]
pub struct Rule {
    source_labels: Vec<String>,
    separator: String,
    regex: Regex,
    modulus: u64,
    target_label: String,
    replacement: String,
    action: Action,
}
