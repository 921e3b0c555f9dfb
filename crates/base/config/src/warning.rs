//! Keys that are understood but have no effect here.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::IgnoredAny};

/// Something the operator should know about a configuration that is otherwise in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The key, as a path: `storage_config.boltdb_shipper`.
    pub key: String,
    /// What holds instead.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.text)
    }
}

/// Collects warnings while a file's shape is turned into its meaning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Warnings(Vec<Warning>);

impl Warnings {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, key: impl Into<String>, text: impl Into<String>) {
        self.0.push(Warning { key: key.into(), text: text.into() });
    }

    /// Adds `key` if it was set: it is understood, but nothing acts on it yet.
    pub fn not_acted_on(&mut self, key: &str, value: &Inert) {
        if value.is_set() {
            self.push(key, "not supported yet: the key is accepted and has no effect");
        }
    }

    /// Adds `key` if it was set: the original has retired it.
    pub fn retired(&mut self, key: &str, value: &Inert, instead: &str) {
        if value.is_set() {
            self.push(key, format!("retired: {instead}"));
        }
    }

    /// All warnings, in the order of the file's sections.
    pub fn iter(&self) -> impl Iterator<Item = &Warning> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes over the warnings of a part, with `prefix` before their keys.
    pub fn extend(&mut self, prefix: &str, other: Self) {
        self.0.extend(other.0.into_iter().map(|warning| Warning {
            key: if prefix.is_empty() { warning.key } else { format!("{prefix}.{}", warning.key) },
            text: warning.text,
        }));
    }
}

/// A key whose value is of any shape and has no effect: only whether it is there matters, for a [`Warning`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Inert(bool);

impl Inert {
    /// Whether the key is in the file.
    pub fn is_set(self) -> bool {
        self.0
    }
}

impl<'de> Deserialize<'de> for Inert {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

impl Serialize for Inert {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_none()
    }
}
