//! Writing log lines.

use bytes::Bytes;
use model::{Labels, Nanos};

/// A stream with new entries, as a push request brings it, checked and within the limits.
#[derive(Debug, Clone)]
pub struct Stream {
    /// The stream's labels.
    pub labels: Labels,
    /// Its entries in the order in which they came; times need not ascend.
    pub entries: Vec<Entry>,
}

/// One log entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it happened.
    pub timestamp: Nanos,
    /// The line, valid UTF-8; usually a slice of the request's body.
    pub line: Bytes,
    /// Structured metadata: labels of this entry alone.
    pub metadata: Labels,
}

/// Something that takes log lines.
pub trait LogAppender: Send + Sync {
    /// Takes a batch. When this returns `Ok`, a crash of the process loses none of it, and every query sees it.
    ///
    /// Entries that are refused one by one are listed in the error of their own; the others of the batch were taken.
    fn push(&self, streams: Vec<Stream>) -> Result<(), PushError>;
}

/// Why a batch, or some entries of it, were not taken.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// Some entries are too old for their streams; all others were taken.
    #[error("{} entries are too far behind", .0.len())]
    TooFarBehind(Vec<TooFarBehind>),
    /// The log could not be written: nothing was taken.
    #[error("cannot write to the write-ahead log")]
    Log(#[source] std::io::Error),
    /// The device is full: pushes are refused until there is room again, reads go on. Nothing was taken.
    #[error("no space left for the write-ahead log")]
    DiskFull(#[source] std::io::Error),
    /// A new stream would be one too many; the streams named were not taken, all others were.
    #[error("{} streams are over the limit of {limit}", .streams.len())]
    StreamLimit {
        /// The limit in force.
        limit: u64,
        /// The streams that were refused.
        streams: Vec<Labels>,
    },
    /// The store is shutting down: nothing was taken.
    #[error("log store is closed")]
    Closed,
}

/// An entry that came too late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooFarBehind {
    /// Its stream.
    pub stream: Labels,
    /// Its time.
    pub timestamp: Nanos,
    /// The oldest time its stream still takes.
    pub oldest: Nanos,
}
