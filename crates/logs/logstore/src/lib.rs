//! Keeps log streams: durable from the moment they are acknowledged, cheap to keep, quick to search.
//!
//! ```text
//! push ─► check order and limits ─► write-ahead log (one writer, many pushers) ─► buffers in memory, one a stream
//!                                                                                    │ by age, by bytes, on demand
//!                                                                                    ▼
//! query ◄─ merge in time order, repeats removed ◄─ buffers + segments ◄── Apache Parquet file + sidecar index
//! ```
//!
//! - [`Store`] is all of it; it implements [`streams::LogAppender`] and [`streams::LogSource`].
//! - The only thread of its own is the writer of the write-ahead log. Someone has to call [`Store::tick`] about once a second, and
//!   [`Store::compact`] now and then.
//! - All calls block; from asynchronous code they belong on threads for blocking work.
//! - What lies where on disk is listed in `files`, and each format is described in the module that writes it.
//!
//! It is not multi-tenant: a tenant is a store in a folder of its own.

#![forbid(unsafe_code)]

mod error;
mod files;
mod head;
mod metrics;
mod options;
mod query;
mod segment;
mod store;
mod stream_index;
#[cfg(test)]
mod test_support;
mod varint;
mod view;
mod wal;

pub use error::{MaintainError, OpenError};
pub use metrics::Metrics;
pub use options::{SegmentOptions, StoreOptions, WalOptions};
pub use store::{Maintenance, Store};
pub use wal::{
    WalCompression, WalSync,
    replay::{Damage, ReplayReport},
};
