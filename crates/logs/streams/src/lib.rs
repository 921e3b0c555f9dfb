//! Where those who use log lines meet those who keep them.
//!
//! The LogQL engine knows these traits only; the log store and tests implement them. Lines travel in columns: a [`LineBatch`] holds the
//! entries of one stream with all their text in one buffer, so that a filter can search the buffer instead of every line.
//! Times are nanoseconds since the Unix epoch.

#![forbid(unsafe_code)]

mod append;
mod batch;
mod query;

pub use append::{Entry, LogAppender, PushError, Stream, TooFarBehind};
pub use batch::{LineBatch, LineBatchBuilder};
pub use query::{
    Direction, LineFilter, LogQuerier, LogSource, QueryError, SelectLogs, StreamQuery, Volume, Wanted,
};
