//! The values that stages hand to each other.

use std::{borrow::Cow, sync::Arc};

use model::format_value;

use crate::LabelSet;

/// An extracted value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Known by name, without a value: JSON's null, or a path that leads nowhere.
    Null,
    Text(Arc<str>),
    Number(f64),
    Bool(bool),
}

/// Extracted values by name. Starts as a copy of the labels; later changes to labels do not reach it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extracted(Vec<(Arc<str>, Value)>);

impl Value {
    /// The value as text, if it has one.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Number(number) => Some(Cow::Owned(format_value(*number))),
            Self::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        }
    }

    /// The value as a shared text.
    pub(crate) fn shared(&self) -> Option<Arc<str>> {
        match self {
            Self::Text(text) => Some(text.clone()),
            other => other.text().map(Arc::from),
        }
    }
}

impl Extracted {
    pub(crate) fn of_labels(labels: &LabelSet) -> Self {
        let mut values = Vec::with_capacity(labels.len() + 8);
        values.extend(labels.iter().map(|(name, value)| (name.clone(), Value::Text(value.clone()))));
        Self(values)
    }

    /// A value by name. A short list beats a table here: pipelines extract a handful.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(own, _)| **own == *name).map(|(_, value)| value)
    }

    /// The text of a value, if there is one.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name)?.text()
    }

    pub(crate) fn set(&mut self, name: &Arc<str>, value: Value) {
        match self.0.iter_mut().find(|(own, _)| own == name) {
            Some((_, own)) => *own = value,
            None => self.0.push((name.clone(), value)),
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|(own, _)| **own != *name);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
}
