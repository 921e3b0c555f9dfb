//! What can go wrong in a store.

use std::{io, path::PathBuf};

/// A store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process has it open.
    #[error("cannot lock the state store")]
    Locked(#[source] disk::LockError),
    /// A file operation failed.
    #[error("cannot {action} `{}`", .path.display())]
    Io {
        /// What was tried: `open`, `sync`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The engine failed.
    #[error("state store failed")]
    Engine(#[source] sled::Error),
    /// What is on disk does not hold together, and there is no backup to go back to.
    #[error(
        "state store in `{}` is damaged; move the folder away to start empty, or restore a backup",
        .path.display()
    )]
    Damaged {
        /// Its folder.
        path: PathBuf,
        /// What the engine found.
        reason: String,
    },
    /// The backup does not hold either.
    #[error("cannot restore the backup `{}`", .path.display())]
    Restore {
        /// The backup.
        path: PathBuf,
        /// The cause.
        source: Box<crate::ExportError>,
    },
    /// A tree's name is empty, longer than 64 bytes or has other characters than `a-z 0-9 _ -`.
    #[error("`{0}` is not a tree name")]
    TreeName(String),
    /// A key is over its limit.
    #[error("a key of {size} bytes is over the limit of {limit}")]
    KeyTooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// A value is over its limit.
    #[error("a value of {size} bytes is over the limit of {limit}")]
    ValueTooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit.
        limit: usize,
    },
}

/// A batch was not applied; nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A key does not have the value that the batch requires: somebody else wrote in between.
    #[error("`{key}` in `{tree}` was changed meanwhile")]
    Conflict {
        /// The tree.
        tree: String,
        /// The key, as text.
        key: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StateError),
}

impl StateError {
    pub(crate) fn unconditional(error: ApplyError) -> Self {
        match error {
            ApplyError::Store(error) => error,
            ApplyError::Conflict { tree, .. } => unreachable!("BUG: no requirement was set on `{tree}`"),
        }
    }
}
