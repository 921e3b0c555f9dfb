//! Compression of records: each on its own, and only where it helps.

use super::page::{SNAPPY, ZSTD};

/// Most bytes a record may have after decompression. Far above what anyone writes; bounds what a damaged length can make us reserve.
const MAX_RECORD: usize = 256 << 20;
/// No snappy stream becomes larger than this many times itself: at most 64 bytes from three.
const SNAPPY_GROWTH: usize = 22;
/// A zstd frame gets room for so many times itself at first; few hold more, whatever they say.
const ZSTD_GROWTH: usize = 64;
/// How zstd says that there is not enough room.
const ZSTD_TOO_SMALL: usize = 70usize.wrapping_neg();
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
            if size > MAX_RECORD || size > data.len().saturating_mul(SNAPPY_GROWTH) {
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
                None => MAX_RECORD,
            };
            decompress_zstd(data, size, out)
        }
        0 => {
            out.extend_from_slice(data);
            Ok(())
        }
        _ => Err("record claims two compressions"),
    }
}

/// A damaged frame may claim any size: room is made as data comes, up to `most`.
fn decompress_zstd(data: &[u8], most: usize, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let mut room = data.len().saturating_mul(ZSTD_GROWTH);
    loop {
        out.clear();
        out.reserve(room.min(most));
        match zstd::zstd_safe::decompress(out, data) {
            Ok(_) if out.len() <= most => return Ok(()),
            Ok(_) => return Err("record is too large"),
            Err(ZSTD_TOO_SMALL) if room < most => room = room.saturating_mul(4),
            Err(_) => return Err("zstd data is invalid"),
        }
    }
}

/// The first byte of a record, if it can be told without decompressing it.
pub(super) fn first_byte(flags: u8, data: &[u8]) -> Option<u8> {
    match flags & (SNAPPY | ZSTD) {
        0 => data.first().copied(),
        SNAPPY => {
            // The length, in seven bits a byte; then a literal, for there is nothing yet that could be repeated.
            let length = data.iter().position(|byte| *byte < 0x80)? + 1;
            let tag = *data.get(length)?;
            let extra = match (tag & 3, tag >> 2) {
                (0, 0..60) => 0,
                (0, long) => usize::from(long) - 59,
                _ => return None,
            };
            data.get(length + 1 + extra).copied()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_first_byte_without_decompressing() {
        for size in [1usize, 59, 60, 61, 300, 70_000] {
            // Nothing repeats, so that literals get long.
            let record: Vec<u8> =
                (0..size).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8 | 1).collect();
            let compressed = snap::raw::Encoder::new().compress_vec(&record).unwrap();
            assert_eq!(first_byte(SNAPPY, &compressed), record.first().copied(), "{size}");
            assert_eq!(first_byte(0, &record), record.first().copied());
        }
        assert_eq!(first_byte(SNAPPY, &[0x80]), None);
        assert_eq!(first_byte(SNAPPY, &[5, 62 << 2]), None);
        assert_eq!(first_byte(0, &[]), None);
    }
}
