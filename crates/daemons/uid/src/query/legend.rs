//! What a series is called.

use std::{collections::BTreeMap, fmt::Write};

/// `name{a="1", b="2"}`.
pub(super) fn selector(labels: &BTreeMap<String, String>) -> String {
    let mut text = labels.get("__name__").cloned().unwrap_or_default();
    let mut others = labels.iter().filter(|(name, _)| *name != "__name__").peekable();
    if others.peek().is_none() {
        return if text.is_empty() { "{}".to_owned() } else { text };
    }
    text.push('{');
    let mut separator = "";
    for (name, value) in others {
        let _ = write!(text, "{separator}{name}=\"{value}\"");
        separator = ", ";
    }
    text.push('}');
    text
}

/// The name by `legendFormat`: patterns like `{{label}}`; the whole selector when it is empty; for `__auto` none if there are labels, so
/// that the browser can name the ones that differ.
pub(super) fn name(format: &str, labels: &BTreeMap<String, String>, expr: &str) -> String {
    let name = match format {
        "__auto" if !labels.is_empty() => return String::new(),
        "" | "__auto" => selector(labels),
        pattern => fill(pattern, labels),
    };
    if name == "{}" { expr.to_owned() } else { name }
}

fn fill(pattern: &str, labels: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((inside, tail)) = after.split_once("}}") else { break };
        out.push_str(before);
        out.push_str(labels.get(inside.trim()).map(String::as_str).unwrap_or_default());
        rest = tail;
    }
    out + rest
}
