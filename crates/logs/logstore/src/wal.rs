//! The write-ahead log: what was acknowledged and is not yet in a segment.
//!
//! # Files
//!
//! A folder holds log segments `0000000001.wal`, `0000000002.wal`, …; numbers ascend and are not used twice while anything that
//! refers to them exists. All integers are little-endian; `crc` is CRC-32C (Castagnoli).
//!
//! ```text
//! segment = header frame*
//!
//! header, 20 bytes
//!   0   8  magic       "LGWAL\0\0\1": the last byte is the version
//!   8   8  number      the segment's own number, so that a renamed file is noticed
//!  16   4  crc         of bytes 0..16
//!
//! frame, 24 bytes and the payload
//!   0   4  marker      "LGFR": where a reader looks for the next frame after damage
//!   4   1  compression 0 none, 1 snappy (block format), 2 zstd
//!   5   3  reserved    zero
//!   8   4  stored      length of the payload as it lies here, at most 64 MiB
//!  12   4  raw         length of the payload when decompressed, at most 64 MiB
//!  16   4  crc         of the payload as it lies here
//!  20   4  crc         of bytes 0..20
//!  24   …  payload
//! ```
//!
//! The payload is a batch of streams, see [`record`]. Each frame can be read on its own: labels are written out in full, so the loss of
//! one frame costs no other.
//!
//! # Commit
//!
//! Pushers encode and compress on their own threads and hand frames to one writer thread ([`writer`]), which writes everything that
//! waits with one call, syncs if told to, and wakes the pushers. After a failed write the file is cut back to its last good length;
//! where even that fails the segment is left as it is and the next commit begins a new one.
//!
//! # Recovery
//!
//! See [`replay`]: a torn tail is cut, damage in the middle is copied aside and skipped.

mod frame;
pub(crate) mod record;
pub(crate) mod replay;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use writer::{Wal, WalError, WalSettings};

/// How payloads are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WalCompression {
    /// Not at all.
    None,
    /// Snappy: cheap, about a third of the size.
    #[default]
    Snappy,
    /// Zstandard at level 1: about five times dearer than snappy, about a fifth of the size.
    Zstd,
}

/// When the log is synced to the device. A crash of the process alone loses nothing in any of these modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WalSync {
    /// When a segment is finished, and at the end: a power cut may lose what the kernel had not written yet. Loki's way.
    #[default]
    SegmentEnd,
    /// Before a push is acknowledged: a power cut loses nothing that was acknowledged.
    Commit,
}
