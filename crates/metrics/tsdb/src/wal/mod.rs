//! The write-ahead log, in Prometheus' format: what is acknowledged is in here before anyone sees it.
//!
//! A log is a folder of numbered segments. A segment is a run of 32 KiB pages; a record is cut into fragments that fill pages, and
//! never crosses into another segment:
//!
//! ```text
//! page  ┌──────────┬──────────┬─────┬─────────┐
//!       │ fragment │ fragment │  …  │ 0 0 0 … │
//!       └──────────┴──────────┴─────┴─────────┘
//! fragment ┌───────────┬──────────┬──────────────┬──────┐
//!          │ type <1b> │ len <2b> │ crc32c <4b>  │ data │   all big endian; the checksum is over the data
//!          └───────────┴──────────┴──────────────┴──────┘
//! type     0 rest of the page is empty · 1 whole record · 2 first · 3 middle · 4 last fragment
//!          + 8 the record is compressed with snappy · + 16 with zstd
//! ```
//!
//! [`Wal`] is the one writer with group commit, [`SegmentReader`] reads a segment, `record` knows what records say, `repair` cuts off
//! what a crash left unfinished, and `checkpoint` replaces old segments by what is still needed of them.

mod checkpoint;
mod compression;
mod group_commit;
mod histogram_record;
mod last_ref;
mod page;
mod reader;
pub(crate) mod record;
mod repair;
mod segments;
mod writer;

#[cfg(test)]
mod tests;

pub use checkpoint::CheckpointError;
pub(crate) use checkpoint::write_checkpoint;
pub use compression::Compression;
pub(crate) use compression::WalRecord;
pub(crate) use group_commit::{Wal, WalOptions};
pub(crate) use last_ref::last_ref;
pub use reader::ReadError;
pub(crate) use reader::SegmentReader;
pub(crate) use repair::repair;
pub(crate) use segments::{WalLayout, remove_checkpoints_before, remove_segments_before};
