//! Prometheus' time series database, in Prometheus' own format on disk.
//!
//! ```text
//! append ─► Batch ─► log (wal/) ─► head (memory) ──every 2 h──► block (index, chunks) ──retention──► gone
//!                                    │ full chunks: head_chunks/  │
//! query  ◄─────── DbQuerier ◄────────┴────────────────────────────┘
//! ```
//!
//! - [`Db`] is all a daemon sees: `storage::Appendable`, `storage::Queryable`, a fast way for remote write ([`Db::raw_batch`]),
//!   housekeeping and status.
//! - `wal` is the log, `head` what is in memory, `head_chunks` where its full chunks go, `chunk` how samples are compressed, `block` what
//!   is on disk, `query` how series are found and parts put together.
//! - What comes out of order has a log of its own (wbl/) and goes into blocks of its own: `head::ooo`, `compact_ooo`.
//! - `tool` is for operators' programs, which look at a folder that another process may have open.
//!
//! It is one process' own: the folder is locked. It knows neither PromQL nor HTTP.

#![forbid(unsafe_code)]

mod admin;
mod block;
mod blocks;
mod chunk;
mod compact;
mod compact_ooo;
mod db;
mod encoding;
mod error;
mod filenames;
mod head;
mod head_chunks;
mod intervals;
mod levels;
mod maintain;
mod merge_blocks;
mod metrics;
mod options;
mod query;
mod recode;
mod retention;
mod status;
mod tool;
mod wal;

pub use admin::{AdminError, Deleted};
pub use block::{BlockCompaction, BlockDescription, BlockError, BlockMeta, BlockStats, Remains};
pub use chunk::ChunkError;
pub use db::Db;
pub use encoding::Malformed;
pub use error::{MaintainError, OpenError, UnreadableBlock};
pub use head::{BatchSeries, RawBatch, ReplayProgress};
pub use head_chunks::HeadChunkError;
pub use options::{DbOptions, FloatEncoding};
pub use status::{Stat, TsdbStatus};
pub use tool::{
    AnalyzeError, BlockAnalysis, BlockListing, Examination, Finding, ListedBlock, Remedy, RepairError,
    Repaired, Sandbox, SandboxError, analyze_block, examine, list_blocks, repair,
};
pub use wal::{CheckpointError, Compression, ReadError};
