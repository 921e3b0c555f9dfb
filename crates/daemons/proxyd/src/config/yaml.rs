//! YAML into a tree. The library gives no places, so they are found in the text afterwards.

use std::path::Path;

use ::config::ConfigError;
use serde_yaml::Value as Yaml;

use super::node::{Entry, Node, Place, Value};

/// Reads one document; an empty one is an empty map.
pub(super) fn parse(path: &Path, text: &str) -> Result<Node, ConfigError> {
    let mut yaml: Yaml = ::config::parse(path, text)?;
    yaml.apply_merge().map_err(|error| ConfigError::of(path, error.to_string()))?;
    let mut finder = Finder { lines: text.lines().collect(), at: (0, 0) };
    Ok(finder.node(&yaml, None))
}

/// Walks tree and text together: keys stand in the text in the order of the tree, so each is searched from the one before on.
struct Finder<'t> {
    lines: Vec<&'t str>,
    /// Line and byte, from 0.
    at: (usize, usize),
}

impl Finder<'_> {
    fn node(&mut self, yaml: &Yaml, place: Option<Place>) -> Node {
        let value = match yaml {
            Yaml::Null => Value::Null,
            Yaml::Bool(value) => Value::Bool(*value),
            Yaml::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(number), _) => Value::Integer(number),
                (None, number) => Value::Float(number.unwrap_or(f64::NAN)),
            },
            Yaml::String(text) => Value::Text(text.clone()),
            Yaml::Sequence(items) => Value::List(items.iter().map(|item| self.node(item, place)).collect()),
            Yaml::Mapping(mapping) => Value::Map(
                mapping
                    .iter()
                    .map(|(key, value)| {
                        let key = key_text(key);
                        let found = self.find(&key);
                        Entry { node: self.node(value, found.or(place)), place: found.or(place), key }
                    })
                    .collect(),
            ),
            Yaml::Tagged(tagged) => return self.node(&tagged.value, place),
        };
        Node::new(value, place)
    }

    /// Where `key:` stands next, and goes there. Stays where it is if it stands nowhere: keys behind aliases are elsewhere in the text.
    fn find(&mut self, key: &str) -> Option<Place> {
        let (first, from) = self.at;
        for (index, line) in self.lines.iter().enumerate().skip(first) {
            let from = if index == first { from } else { 0 };
            if let Some(at) = find_key(line, key, from) {
                self.at = (index, at + key.len());
                return Some((index + 1, line.get(..at).unwrap_or_default().chars().count() + 1));
            }
        }
        None
    }
}

fn find_key(line: &str, key: &str, from: usize) -> Option<usize> {
    if key.is_empty() || line.trim_start().starts_with('#') {
        return None;
    }
    let mut from = from;
    while let Some(found) = line.get(from..)?.find(key) {
        let at = from + found;
        let before = line.get(..at)?.trim_end_matches(['"', '\'']).chars().next_back();
        let after = line.get(at + key.len()..)?.trim_start_matches(['"', '\'']).trim_start();
        if after.starts_with(':') && before.is_none_or(|c| matches!(c, ' ' | '{' | ',' | '-' | '\t')) {
            return Some(at);
        }
        from = at + key.len();
    }
    None
}

fn key_text(key: &Yaml) -> String {
    match key {
        Yaml::String(text) => text.clone(),
        Yaml::Bool(value) => value.to_string(),
        Yaml::Number(number) => number.to_string(),
        _ => String::new(),
    }
}
