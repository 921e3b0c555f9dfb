//! Changes that are made together.

use bytes::Bytes;

use crate::StateError;

/// Longest key, in bytes.
pub const MAX_KEY_BYTES: usize = 1024;
/// Largest value, in bytes.
pub const MAX_VALUE_BYTES: usize = 16 << 20;
/// Longest tree name, in bytes. One byte holds it in the engine's keys.
const MAX_TREE_BYTES: usize = 64;

/// Changes over any trees that are made all or not at all, with requirements on what must be there before.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub(crate) required: Vec<(String, Bytes, Option<Bytes>)>,
    pub(crate) changes: Vec<(String, Bytes, Option<Bytes>)>,
}

impl Batch {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key. The last change of a key counts.
    pub fn put(&mut self, tree: &str, key: &[u8], value: &[u8]) {
        self.changes.push((
            tree.to_owned(),
            Bytes::copy_from_slice(key),
            Some(Bytes::copy_from_slice(value)),
        ));
    }

    /// Removes a key, if it is there.
    pub fn delete(&mut self, tree: &str, key: &[u8]) {
        self.changes.push((tree.to_owned(), Bytes::copy_from_slice(key), None));
    }

    /// Applies the batch only if the key has this value, or is absent for `None`.
    pub fn require(&mut self, tree: &str, key: &[u8], value: Option<&[u8]>) {
        self.required.push((tree.to_owned(), Bytes::copy_from_slice(key), value.map(Bytes::copy_from_slice)));
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(crate) fn check(&self) -> Result<(), StateError> {
        for (tree, key, _) in &self.required {
            check_place(tree, key)?;
        }
        for (tree, key, value) in &self.changes {
            check_place(tree, key)?;
            if let Some(value) = value
                && value.len() > MAX_VALUE_BYTES
            {
                return Err(StateError::ValueTooLarge { size: value.len(), limit: MAX_VALUE_BYTES });
            }
        }
        Ok(())
    }
}

pub(crate) fn check_tree(tree: &str) -> Result<(), StateError> {
    let holds = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    if tree.is_empty() || tree.len() > MAX_TREE_BYTES || !tree.bytes().all(holds) {
        return Err(StateError::TreeName(tree.to_owned()));
    }
    Ok(())
}

fn check_place(tree: &str, key: &[u8]) -> Result<(), StateError> {
    check_tree(tree)?;
    if key.len() > MAX_KEY_BYTES {
        return Err(StateError::KeyTooLarge { size: key.len(), limit: MAX_KEY_BYTES });
    }
    Ok(())
}
