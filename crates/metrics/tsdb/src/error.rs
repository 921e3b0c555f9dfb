//! What can go wrong with a whole database.

use std::{io, path::PathBuf};

use disk::LockError;
use storage::{CommitError, QueryError};

use crate::{block::BlockError, wal};

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder is in use, or cannot be locked.
    #[error("cannot open the data folder")]
    Lock(#[from] LockError),
    /// A file or folder could not be read or made.
    #[error("cannot use `{}`", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A part of the log could not be read. (Damage is no such error: it is cut off and counted.)
    #[error("cannot replay the write-ahead log")]
    Replay(#[source] wal::ReadError),
    /// An option has a value that makes no sense, or that this version cannot serve.
    #[error("{0}")]
    Option(String),
}

/// Why housekeeping (compaction, retention) did not finish. Taking and reading samples goes on.
#[derive(Debug, thiserror::Error)]
pub enum MaintainError {
    /// A block could not be written or opened.
    #[error("cannot write a block of the samples in memory")]
    Block(#[from] BlockError),
    /// Blocks could not be merged. They are left as they are, and not tried again.
    #[error("cannot merge blocks")]
    Merge(#[source] BlockError),
    /// The folder of the blocks could not be read.
    #[error("cannot read `{}`", .path.display())]
    Reload {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A block that is too old could not be removed.
    #[error("cannot remove block `{}`", .path.display())]
    Remove {
        /// The block's folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The log could not be shortened.
    #[error("cannot truncate the write-ahead log")]
    Truncate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The log could not be written.
    #[error("cannot write to the write-ahead log")]
    Log(#[source] CommitError),
    /// Batches of the time to be compacted did not end; the next round tries again.
    #[error("batches still bring samples of the time that is to become a block")]
    WritersBusy,
    /// Queries of the samples to be dropped did not end in time; the next round tries again.
    #[error("queries still read the samples that are to leave memory")]
    ReadersBusy,
}

/// A block that cannot be opened. It stays where it is, and everything else is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableBlock {
    /// Its folder.
    pub dir: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// An error with all its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// Wraps a failure to read something named.
pub(crate) fn read_error(
    what: impl Into<String>,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> QueryError {
    QueryError::Read { what: what.into(), source: source.into() }
}
