//! What was deleted of a block: `magic <4b> version <1b> (ref <uvarint> min <varint> max <varint>)… crc32c <4b>`.
//!
//! The checksum is over everything between the version and itself.

use std::{fs, io, path::Path};

use disk::{Fs, write_atomic};
use model::Millis;
use rustc_hash::FxHashMap;

use super::{BlockError, read_failure, write_failure};
use crate::{
    encoding::{Decoder, Malformed, put_uvarint, put_varint},
    intervals::Intervals,
};

const MAGIC: u32 = 0x0130_ba30;
const VERSION: u8 = 1;
const HEADER: usize = 5;
const CHECKSUM: usize = 4;

/// Deleted stretches of time by the number of the series in the index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tombstones(FxHashMap<u64, Intervals>);

// === impl Tombstones ===

impl Tombstones {
    /// Reads the file; a missing one means that nothing is deleted.
    pub(crate) fn read(path: &Path) -> Result<Self, BlockError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(read_failure(path)(error)),
        };
        let decode_error =
            |source| BlockError::Decode { path: path.to_owned(), section: "tombstones", source };
        let split = bytes.len().checked_sub(CHECKSUM).filter(|size| *size >= HEADER);
        let (content, checksum) =
            bytes.split_at(split.ok_or_else(|| decode_error(Malformed("ends too early")))?);
        let (header, stones) = content.split_at(HEADER);
        let mut decoder = Decoder::new(header);
        let magic = decoder.be32().map_err(decode_error)?;
        let version = decoder.byte().map_err(decode_error)?;
        if magic != MAGIC || version != VERSION {
            return Err(BlockError::Format {
                path: path.to_owned(),
                reason: format!("magic {magic:#010x}, version {version} is not a known kind of tombstones"),
            });
        }
        if crc32c::crc32c(stones).to_be_bytes() != checksum {
            return Err(BlockError::Checksum { path: path.to_owned(), section: "tombstones" });
        }
        Self::decode(stones).map_err(decode_error)
    }

    fn decode(stones: &[u8]) -> Result<Self, Malformed> {
        let mut tombstones = Self::default();
        let mut decoder = Decoder::new(stones);
        while !decoder.is_empty() {
            let series = decoder.uvarint()?;
            let (min_time, max_time) = (decoder.varint()?, decoder.varint()?);
            tombstones.0.entry(series).or_default().add(min_time, max_time);
        }
        Ok(tombstones)
    }

    pub(crate) fn write(&self, fs: &dyn Fs, path: &Path) -> Result<(), BlockError> {
        let mut bytes = MAGIC.to_be_bytes().to_vec();
        bytes.push(VERSION);
        let mut series: Vec<_> = self.0.iter().collect();
        series.sort_unstable_by_key(|(number, _)| **number);
        for (number, intervals) in series {
            for (min_time, max_time) in intervals.iter() {
                put_uvarint(&mut bytes, *number);
                put_varint(&mut bytes, min_time);
                put_varint(&mut bytes, max_time);
            }
        }
        let checksum = crc32c::crc32c(bytes.get(HEADER..).unwrap_or_default());
        bytes.extend_from_slice(&checksum.to_be_bytes());
        write_atomic(fs, path, &bytes).map_err(write_failure(path))
    }

    /// Adds a deletion, both ends inclusive.
    pub(crate) fn add(&mut self, series: u32, min_time: Millis, max_time: Millis) {
        self.0.entry(u64::from(series)).or_default().add(min_time, max_time);
    }

    /// Takes over what is deleted of a series, under another number.
    pub(crate) fn insert(&mut self, series: u32, intervals: Intervals) {
        self.0.insert(u64::from(series), intervals);
    }

    /// Number of deleted stretches of all series.
    pub(crate) fn count(&self) -> u64 {
        self.0.values().map(|intervals| intervals.iter().count() as u64).sum()
    }

    /// What is deleted of a series.
    pub(crate) fn of(&self, series: u32) -> Option<&Intervals> {
        self.0.get(&u64::from(series))
    }
}

#[cfg(test)]
mod tests {
    use disk::RealFs;
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn reads_what_it_wrote_and_refuses_damage() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("tombstones");
        assert_eq!(Tombstones::read(&path).unwrap(), Tombstones::default());
        let mut tombstones = Tombstones::default();
        tombstones.add(7, -5, 10);
        tombstones.add(1000, 0, i64::MAX);
        tombstones.write(&RealFs, &path).unwrap();
        assert_eq!(Tombstones::read(&path).unwrap(), tombstones);
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes[..5], [0x01, 0x30, 0xba, 0x30, 1]);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(&path, &damaged).unwrap();
            Tombstones::read(&path).expect_err("damage shows");
            fs::write(&path, &bytes[..at]).unwrap();
            Tombstones::read(&path).expect_err("a cut shows");
        }
    }
}
