//! Every name that the storage gives a file or folder, in one place. Nearly all are Prometheus'.

use std::path::{Path, PathBuf};

/// Locks the data folder.
pub(crate) const LOCK: &str = "lock";
/// Folder of the write-ahead log.
pub(crate) const WAL: &str = "wal";
/// Folder of the log of out-of-order samples.
pub(crate) const WBL: &str = "wbl";
/// In that folder: from which segment on the write-ahead log has samples that nobody could check. Not Prometheus'.
pub(crate) const UNCHECKED: &str = "unchecked";
/// Folder of memory-mapped head chunks.
pub(crate) const CHUNKS_HEAD: &str = "chunks_head";
/// What Prometheus writes at shutdown with `--enable-feature=memory-snapshot-on-shutdown`.
pub(crate) const CHUNK_SNAPSHOT_PREFIX: &str = "chunk_snapshot.";
/// A block's description.
pub(crate) const META: &str = "meta.json";
/// A block's index.
pub(crate) const INDEX: &str = "index";
/// Folder of a block's chunk segments.
pub(crate) const CHUNKS: &str = "chunks";
/// A block's deletions.
pub(crate) const TOMBSTONES: &str = "tombstones";
/// A block that is being written.
pub(crate) const BLOCK_IN_CREATION: &str = ".tmp-for-creation";
/// A block that was set aside because it is damaged. No reader takes such a folder for a block.
pub(crate) const DAMAGED: &str = ".damaged";
/// A checkpoint that is being written.
pub(crate) const CHECKPOINT_IN_CREATION: &str = ".tmp";

const CHECKPOINT_PREFIX: &str = "checkpoint.";

/// A segment of the write-ahead log.
pub(crate) fn wal_segment(dir: &Path, index: u64) -> PathBuf {
    dir.join(format!("{index:08}"))
}

/// The number of a segment, if the name is one. Older versions wrote six digits.
pub(crate) fn parse_segment(name: &str) -> Option<u64> {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    name.parse().ok()
}

/// The checkpoint that replaces all segments up to and including `last`.
pub(crate) fn checkpoint(dir: &Path, last: u64) -> PathBuf {
    dir.join(format!("{CHECKPOINT_PREFIX}{last:08}"))
}

/// The last segment that a checkpoint replaces, if the name is one.
pub(crate) fn parse_checkpoint(name: &str) -> Option<u64> {
    parse_segment(name.strip_prefix(CHECKPOINT_PREFIX)?)
}

/// A segment of a block's chunks; counted from 1.
pub(crate) fn chunk_segment(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:06}"))
}
