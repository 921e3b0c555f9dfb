//! One sample of a query's result.

use std::fmt;
use std::sync::Arc;

use crate::value::{Map, Object, Value};

/// A sample: `.Labels` and `.Value`.
#[derive(Debug, Clone)]
pub struct Sample {
    labels: Arc<Map>,
    value: Value,
}

impl Sample {
    /// A sample of these labels. The value is a [`Value::Float`], or an object for a histogram.
    pub fn new(labels: impl IntoIterator<Item = (Arc<str>, Arc<str>)>, value: Value) -> Sample {
        Sample { labels: Arc::new(Map::of_strings(labels)), value }
    }

    /// A label's value; empty if there is none.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).and_then(Value::as_str).unwrap_or("")
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }
}

impl Object for Sample {
    fn type_name(&self) -> &str {
        "*template.sample"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Labels" => Some(Value::Map(Arc::clone(&self.labels))),
            "Value" => Some(self.value.clone()),
            _ => None,
        }
    }

    fn display(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{} {}}}", Value::Map(Arc::clone(&self.labels)), self.value)
    }
}
