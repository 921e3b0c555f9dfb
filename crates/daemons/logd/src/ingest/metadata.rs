//! Makes the structured metadata of an entry: names made valid, the level added.

use std::borrow::Cow;

use model::{Labels, LabelsBuilder};

use super::level::{LevelDetector, normalize, severity_number};

/// The name under which the level is kept.
const DETECTED_LEVEL: &str = "detected_level";
/// Sets with a level alone that are remembered.
const MAX_REMEMBERED: usize = 16;

/// Builds the sets of one request. Most lines have nothing but a level; they share their sets.
#[derive(Debug)]
pub(super) struct MetadataBuilder {
    empty: Labels,
    levels: Vec<(String, Labels)>,
    builder: LabelsBuilder,
}

impl Default for MetadataBuilder {
    fn default() -> Self {
        Self { empty: Labels::empty(), levels: Vec::new(), builder: LabelsBuilder::new() }
    }
}

impl MetadataBuilder {
    /// The set of an entry. `line` is valid UTF-8.
    pub fn build(
        &mut self,
        pairs: &[(String, String)],
        line: &[u8],
        detector: Option<&LevelDetector>,
        level_of_stream: Option<&str>,
    ) -> Labels {
        if pairs.is_empty() {
            let Some(detector) = detector else { return self.empty.clone() };
            let level = level_of_stream.unwrap_or_else(|| detector.of_line(text(line), None));
            return self.level_alone(level);
        }
        self.builder.clear();
        for (name, value) in pairs {
            let Some(name) = valid_name(name) else { continue };
            self.builder.set(&name, &valid_value(value));
        }
        if let Some(detector) = detector {
            self.add_level(line, detector, level_of_stream);
        }
        self.builder.build()
    }

    fn add_level(&mut self, line: &[u8], detector: &LevelDetector, level_of_stream: Option<&str>) {
        let builder = &self.builder;
        let get = |name: &str| Some(builder.get(name)).filter(|value| !value.is_empty());
        let level = match get(DETECTED_LEVEL) {
            Some(level) => normalize(level),
            None => level_of_stream
                .or_else(|| detector.of_labels(get))
                .unwrap_or_else(|| detector.of_line(text(line), severity_number(get))),
        }
        .to_owned();
        self.builder.set(DETECTED_LEVEL, &level);
    }

    fn level_alone(&mut self, level: &str) -> Labels {
        if let Some((_, labels)) = self.levels.iter().find(|(known, _)| known == level) {
            return labels.clone();
        }
        let labels = Labels::from_pairs([(DETECTED_LEVEL, level)]);
        if self.levels.len() < MAX_REMEMBERED {
            self.levels.push((level.to_owned(), labels.clone()));
        }
        labels
    }
}

fn text(line: &[u8]) -> &str {
    std::str::from_utf8(line).unwrap_or_default()
}

/// A name made of `[a-zA-Z0-9_]`: runs of other characters become one underscore, `key_` goes before a digit. Reserved names
/// (`__x__`) keep their underscores. `None` where nothing but underscores would be left.
fn valid_name(name: &str) -> Option<Cow<'_, str>> {
    let is_plain = !name.contains("__")
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    let only_underscores = |name: &str| name.bytes().all(|byte| byte == b'_');
    if is_plain {
        return (!only_underscores(name)).then_some(Cow::Borrowed(name));
    }
    let reserved =
        name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__")).filter(|inner| !inner.is_empty());
    let mut out = String::with_capacity(name.len() + 4);
    for c in reserved.unwrap_or(name).chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    if reserved.is_some() {
        out = format!("__{out}__");
    }
    if out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert_str(0, "key_");
    }
    (!only_underscores(&out)).then_some(Cow::Owned(out))
}

/// Replacement characters, which is what broken UTF-8 has become, are spaces.
fn valid_value(value: &str) -> Cow<'_, str> {
    if value.contains('\u{fffd}') { Cow::Owned(value.replace('\u{fffd}', " ")) } else { Cow::Borrowed(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_valid() {
        let check = |name: &str, want: Option<&str>| assert_eq!(valid_name(name).as_deref(), want, "{name}");
        check("trace_id", Some("trace_id"));
        check("trace.id", Some("trace_id"));
        check("a..b__c", Some("a_b_c"));
        check("9", Some("key_9"));
        check("__name__", Some("__name__"));
        check("ü", None);
        check("", None);
        check("_", None);
        check("_x", Some("_x"));
    }
}
