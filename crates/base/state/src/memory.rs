//! A store without a disk, for tests.

use std::collections::BTreeMap;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::{ApplyError, Batch, Entry, StateError, StateStore, batch::check_tree};

/// Keeps everything in memory. Cheap to make; gone when dropped.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<String, BTreeMap<Bytes, Bytes>>>);

impl MemoryStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }
}

impl StateStore for MemoryStore {
    fn get(&self, tree: &str, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        check_tree(tree)?;
        Ok(self.0.lock().get(tree).and_then(|entries| entries.get(key)).cloned())
    }

    fn scan(&self, tree: &str, prefix: &[u8]) -> Result<Vec<Entry>, StateError> {
        check_tree(tree)?;
        let trees = self.0.lock();
        let Some(entries) = trees.get(tree) else { return Ok(Vec::new()) };
        Ok(entries
            .range(Bytes::copy_from_slice(prefix)..)
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }

    fn trees(&self) -> Result<Vec<String>, StateError> {
        Ok(self.0.lock().iter().filter(|(_, tree)| !tree.is_empty()).map(|(name, _)| name.clone()).collect())
    }

    fn apply(&self, batch: Batch) -> Result<(), ApplyError> {
        batch.check()?;
        let mut trees = self.0.lock();
        for (tree, key, value) in &batch.required {
            if trees.get(tree).and_then(|entries| entries.get(key)) != value.as_ref() {
                let key = String::from_utf8_lossy(key).into_owned();
                return Err(ApplyError::Conflict { tree: tree.clone(), key });
            }
        }
        for (tree, key, value) in batch.changes {
            let entries = trees.entry(tree).or_default();
            match value {
                Some(value) => entries.insert(key, value),
                None => entries.remove(&key),
            };
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), StateError> {
        Ok(())
    }
}
