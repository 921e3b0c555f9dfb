//! Compression of records: each on its own, and only where it helps.

use super::page::{SNAPPY, ZSTD};

/// Most bytes a record may have after decompression. Far above what anyone writes; bounds what a damaged length can make us reserve.
const MAX_RECORD: usize = 256 << 20;
/// Fast enough for every commit.
const ZSTD_LEVEL: i32 = 1;

/// How records of the log are compressed (`--storage.tsdb.wal-compression-type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Not at all.
    None,
    /// Snappy: about half the size at next to no cost.
    #[default]
    Snappy,
    /// Zstandard: smaller and dearer.
    Zstd,
}

/// A record as it goes into the log, made outside of any lock.
#[derive(Debug)]
pub(crate) struct WalRecord {
    pub(super) flag: u8,
    pub(super) data: Vec<u8>,
}

// === impl WalRecord ===

impl WalRecord {
    /// Compresses a record; keeps it as it is where that would not make it smaller.
    pub(crate) fn new(record: Vec<u8>, compression: Compression) -> Self {
        let compressed = match compression {
            Compression::None => None,
            Compression::Snappy => {
                snap::raw::Encoder::new().compress_vec(&record).ok().map(|data| (SNAPPY, data))
            }
            Compression::Zstd => zstd::bulk::compress(&record, ZSTD_LEVEL).ok().map(|data| (ZSTD, data)),
        };
        match compressed {
            Some((flag, data)) if data.len() < record.len() => Self { flag, data },
            _ => Self { flag: 0, data: record },
        }
    }
}

/// Undoes the compression that the flags tell of; the result is in `out`.
pub(super) fn decompress(flags: u8, data: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    out.clear();
    match flags & (SNAPPY | ZSTD) {
        SNAPPY => {
            let size = snap::raw::decompress_len(data).map_err(|_| "snappy header is invalid")?;
            if size > MAX_RECORD {
                return Err("record is too large");
            }
            out.resize(size, 0);
            snap::raw::Decoder::new().decompress(data, out).map_err(|_| "snappy data is invalid")?;
            Ok(())
        }
        ZSTD => {
            let frame =
                zstd::zstd_safe::get_frame_content_size(data).map_err(|_| "zstd header is invalid")?;
            let size = match frame.map(usize::try_from) {
                Some(Ok(size)) if size <= MAX_RECORD => size,
                Some(_) => return Err("record is too large"),
                None => MAX_RECORD.min(data.len().saturating_mul(64).max(1 << 20)),
            };
            *out = zstd::bulk::decompress(data, size).map_err(|_| "zstd data is invalid")?;
            Ok(())
        }
        0 => {
            out.extend_from_slice(data);
            Ok(())
        }
        _ => Err("record claims two compressions"),
    }
}
