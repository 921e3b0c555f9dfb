//! A small embedded key-value store for what daemons must remember: users, dashboards, sessions, silences.
//!
//! [`StateStore`] is the interface: named trees of byte keys and values, one atomic [`Batch`] over all of them, and an explicit
//! [`StateStore::flush`] for what must survive power loss. [`SledStore`] keeps it on disk, [`MemoryStore`] in memory for tests.
//! [`Collection`] puts typed records with optimistic versions on top, [`export`] and [`restore`] make it one readable file and back.
//!
//! It is not for samples, log lines or anything else that comes at a rate: every value is held to 16 MiB and reads return whole
//! ranges.

#![forbid(unsafe_code)]

mod batch;
mod collection;
mod error;
mod export;
mod memory;
mod sled_store;

#[cfg(test)]
mod conformance;

pub use batch::{Batch, MAX_KEY_BYTES, MAX_VALUE_BYTES};
pub use collection::{Collection, CollectionError, Versioned};
pub use error::{ApplyError, StateError};
pub use export::{ExportError, export, restore};
pub use memory::MemoryStore;
pub use sled_store::{Opened, SledOptions, SledStore};

use bytes::Bytes;

/// A key and its value.
pub type Entry = (Bytes, Bytes);

/// Named trees of keys and values, ordered by key. Calls may block for the length of a disk access; none waits for another caller's
/// [`StateStore::flush`].
///
/// A write is seen by every later read at once. It survives the end of the process, however that comes, once `flush` has returned.
pub trait StateStore: Send + Sync {
    /// The value of a key.
    fn get(&self, tree: &str, key: &[u8]) -> Result<Option<Bytes>, StateError>;

    /// Everything in a tree whose key starts with `prefix`, in key order.
    fn scan(&self, tree: &str, prefix: &[u8]) -> Result<Vec<Entry>, StateError>;

    /// The trees that hold something, in order.
    fn trees(&self) -> Result<Vec<String>, StateError>;

    /// Makes all changes of the batch, or none: then a requirement of it does not hold, or the store failed.
    fn apply(&self, batch: Batch) -> Result<(), ApplyError>;

    /// Makes every write that has returned durable.
    fn flush(&self) -> Result<(), StateError>;

    /// Sets one key.
    fn put(&self, tree: &str, key: &[u8], value: &[u8]) -> Result<(), StateError> {
        let mut batch = Batch::new();
        batch.put(tree, key, value);
        self.apply(batch).map_err(StateError::unconditional)
    }

    /// Removes one key, if it is there.
    fn delete(&self, tree: &str, key: &[u8]) -> Result<(), StateError> {
        let mut batch = Batch::new();
        batch.delete(tree, key);
        self.apply(batch).map_err(StateError::unconditional)
    }
}
