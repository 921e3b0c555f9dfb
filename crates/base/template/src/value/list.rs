//! Slices.

use std::ops::Deref;

use super::Value;

/// A slice of values. It knows how deeply it nests, so that a template cannot build what overflows the stack.
#[derive(Debug, Clone)]
pub struct List {
    values: Box<[Value]>,
    depth: usize,
}

impl List {
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }
}

impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> List {
        let values: Box<[Value]> = values.into_iter().collect();
        let depth = 1 + values.iter().map(Value::depth).max().unwrap_or(0);
        List { values, depth }
    }
}

impl Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.values
    }
}
