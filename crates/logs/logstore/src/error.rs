//! What goes wrong when a store is opened or looked after.

use std::{io, path::PathBuf};

use crate::{segment::writer::WriteError, wal::WalError};

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A folder could not be made or read.
    #[error("cannot use `{}`", .path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Someone else has the store open.
    #[error("cannot lock the log store")]
    Locked(#[source] disk::LockError),
    /// `store.json` is not what this program writes.
    #[error("`{}` is damaged: {reason}", .path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The write-ahead log could not be read.
    #[error("cannot replay the write-ahead log")]
    Replay(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The writer thread of the write-ahead log could not be started.
    #[error("cannot start the write-ahead log")]
    Start(#[source] io::Error),
}

/// Why maintenance did not get its work done. Nothing is lost: what could not be sealed stays in memory and in the write-ahead log, and
/// the next attempt tries again.
#[derive(Debug, thiserror::Error)]
pub enum MaintainError {
    /// The write-ahead log failed.
    #[error("cannot write to the write-ahead log")]
    Log(#[source] io::Error),
    /// The device is full.
    #[error("no space left for a segment")]
    DiskFull(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A segment could not be written.
    #[error("cannot write a segment")]
    Segment(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store is closed.
    #[error("log store is closed")]
    Closed,
}

impl From<WalError> for MaintainError {
    fn from(error: WalError) -> Self {
        match error {
            WalError::Io(source) => Self::Log(source),
            WalError::Closed => Self::Closed,
        }
    }
}

impl From<WriteError> for MaintainError {
    fn from(error: WriteError) -> Self {
        if error.is_disk_full() { Self::DiskFull(Box::new(error)) } else { Self::Segment(Box::new(error)) }
    }
}
