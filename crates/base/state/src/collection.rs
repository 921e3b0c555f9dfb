//! Typed records with versions.

use std::{marker::PhantomData, sync::Arc};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tracing::error;

use crate::{ApplyError, Batch, StateError, StateStore};

/// How often an unconditional write is tried again when others write the same record meanwhile.
const MAX_TRIES: usize = 64;

/// The records of one tree, as JSON. Each has a version that starts at 1 and grows by one with every write, so that a writer can tell
/// whether it has seen the newest. After a removal versions start again.
///
/// Writes are durable after [`StateStore::flush`] on the store, which the caller decides on.
pub struct Collection<T> {
    store: Arc<dyn StateStore>,
    tree: &'static str,
    record: PhantomData<fn() -> T>,
}

/// A record and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// From 1.
    pub version: u64,
    /// The record.
    pub value: T,
}

/// A record was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum CollectionError {
    /// The record has another version than the writer has seen, is gone, or is there already.
    #[error("`{key}` in `{tree}` was changed meanwhile")]
    Conflict {
        /// The tree.
        tree: String,
        /// The key.
        key: String,
    },
    /// What is stored is not such a record.
    #[error("record `{key}` in `{tree}` cannot be read")]
    Decode {
        /// The tree.
        tree: &'static str,
        /// The key.
        key: String,
        /// The cause.
        source: serde_json::Error,
    },
    /// The record cannot be JSON.
    #[error("record `{key}` in `{tree}` cannot be written")]
    Encode {
        /// The tree.
        tree: &'static str,
        /// The key.
        key: String,
        /// The cause.
        source: serde_json::Error,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StateError),
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    version: u64,
    value: T,
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), tree: self.tree, record: PhantomData }
    }
}

impl<T: Serialize + DeserializeOwned> Collection<T> {
    /// The records of `tree`.
    pub fn new(store: Arc<dyn StateStore>, tree: &'static str) -> Self {
        Self { store, tree, record: PhantomData }
    }

    /// One record.
    pub fn get(&self, key: &str) -> Result<Option<Versioned<T>>, CollectionError> {
        let Some(bytes) = self.store.get(self.tree, key.as_bytes())? else { return Ok(None) };
        self.decode(key, &bytes).map(Some)
    }

    /// The records whose key starts with `prefix`, in key order. One that cannot be read is left out and logged.
    pub fn list(&self, prefix: &str) -> Result<Vec<(String, Versioned<T>)>, CollectionError> {
        let mut records = Vec::new();
        for (key, bytes) in self.store.scan(self.tree, prefix.as_bytes())? {
            let key = String::from_utf8_lossy(&key).into_owned();
            match self.decode(&key, &bytes) {
                Ok(record) => records.push((key, record)),
                Err(cause) => {
                    let cause = std::error::Error::source(&cause).map(ToString::to_string);
                    error!(tree = self.tree, key, error = cause, "record cannot be read, it is left out");
                }
            }
        }
        Ok(records)
    }

    /// Adds a record that must not be there yet. Returns its version, 1.
    pub fn insert(&self, key: &str, value: &T) -> Result<u64, CollectionError> {
        let mut batch = Batch::new();
        batch.require(self.tree, key.as_bytes(), None);
        batch.put(self.tree, key.as_bytes(), &self.encode(key, 1, value)?);
        self.apply(batch)?;
        Ok(1)
    }

    /// Replaces a record that must have this version. Returns the new version.
    pub fn update(&self, key: &str, expected: u64, value: &T) -> Result<u64, CollectionError> {
        let conflict = || CollectionError::Conflict { tree: self.tree.to_owned(), key: key.to_owned() };
        let current = self.store.get(self.tree, key.as_bytes())?.ok_or_else(conflict)?;
        if self.version(key, &current)? != expected {
            return Err(conflict());
        }
        let version = expected.saturating_add(1);
        let mut batch = Batch::new();
        batch.require(self.tree, key.as_bytes(), Some(&current));
        batch.put(self.tree, key.as_bytes(), &self.encode(key, version, value)?);
        self.apply(batch)?;
        Ok(version)
    }

    /// Sets a record, whatever was there. Returns the new version.
    pub fn put(&self, key: &str, value: &T) -> Result<u64, CollectionError> {
        let mut tried = 0;
        loop {
            let current = self.store.get(self.tree, key.as_bytes())?;
            // A record that cannot be read may be replaced; it starts again.
            let version = match &current {
                Some(bytes) => self.version(key, bytes).unwrap_or(0).saturating_add(1),
                None => 1,
            };
            let mut batch = Batch::new();
            batch.require(self.tree, key.as_bytes(), current.as_deref());
            batch.put(self.tree, key.as_bytes(), &self.encode(key, version, value)?);
            match self.apply(batch) {
                Ok(()) => return Ok(version),
                Err(CollectionError::Conflict { .. }) if tried < MAX_TRIES => tried += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes a record. Returns whether it was there.
    pub fn delete(&self, key: &str) -> Result<bool, CollectionError> {
        let was_there = self.store.get(self.tree, key.as_bytes())?.is_some();
        self.store.delete(self.tree, key.as_bytes())?;
        Ok(was_there)
    }

    fn apply(&self, batch: Batch) -> Result<(), CollectionError> {
        self.store.apply(batch).map_err(|error| match error {
            ApplyError::Conflict { tree, key } => CollectionError::Conflict { tree, key },
            ApplyError::Store(error) => error.into(),
        })
    }

    fn encode(&self, key: &str, version: u64, value: &T) -> Result<Vec<u8>, CollectionError> {
        serde_json::to_vec(&Envelope { version, value }).map_err(|source| CollectionError::Encode {
            tree: self.tree,
            key: key.to_owned(),
            source,
        })
    }

    fn decode(&self, key: &str, bytes: &[u8]) -> Result<Versioned<T>, CollectionError> {
        let Envelope { version, value } = self.parse(key, bytes)?;
        Ok(Versioned { version, value })
    }

    fn version(&self, key: &str, bytes: &[u8]) -> Result<u64, CollectionError> {
        self.parse::<serde::de::IgnoredAny>(key, bytes).map(|envelope| envelope.version)
    }

    fn parse<V: DeserializeOwned>(&self, key: &str, bytes: &[u8]) -> Result<Envelope<V>, CollectionError> {
        serde_json::from_slice(bytes).map_err(|source| CollectionError::Decode {
            tree: self.tree,
            key: key.to_owned(),
            source,
        })
    }
}
