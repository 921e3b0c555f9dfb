//! Maps with string keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Value;

/// A map with string keys, sorted as Go's `range` and `%v` show them.
#[derive(Debug, Clone)]
pub struct Map {
    entries: BTreeMap<Arc<str>, Value>,
    holds_strings: bool,
    depth: usize,
}

impl Map {
    /// `map[string]interface{}`
    pub fn of_anything(entries: impl IntoIterator<Item = (Arc<str>, Value)>) -> Map {
        let entries: BTreeMap<_, _> = entries.into_iter().collect();
        let depth = 1 + entries.values().map(Value::depth).max().unwrap_or(0);
        Map { entries, holds_strings: false, depth }
    }

    /// `map[string]string`
    pub fn of_strings(entries: impl IntoIterator<Item = (Arc<str>, Arc<str>)>) -> Map {
        Map {
            entries: entries.into_iter().map(|(key, text)| (key, Value::Str(text))).collect(),
            holds_strings: true,
            depth: 1,
        }
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.get(key)
    }

    /// The zero value of the elements' type.
    pub fn zero(&self) -> Value {
        if self.holds_strings { Value::from("") } else { Value::Nil }
    }

    /// Is it a `map[string]string`?
    pub fn holds_strings(&self) -> bool {
        self.holds_strings
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Has it no keys?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keys and values, sorted by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Value)> {
        self.entries.iter()
    }
}
