//! Reads a segment record by record.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{
    compression::{decompress, first_byte},
    page::{HEADER, Kind, PAGE},
};

/// Reads the records of one segment in order.
pub(crate) struct SegmentReader {
    path: PathBuf,
    file: File,
    page: Vec<u8>,
    /// Where in the page the next fragment begins.
    at: usize,
    /// Where in the file the page begins.
    page_start: u64,
    /// Where in the file the last whole record ends.
    good_end: u64,
    /// The record's fragments, compressed, and the record.
    joined: Vec<u8>,
    record: Vec<u8>,
}

/// Why a segment could not be read further.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file could not be read.
    #[error("cannot read `{}`", .path.display())]
    Io {
        /// The segment.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// From `offset` on the segment is damaged or unfinished.
    #[error("`{}` is corrupt from byte {offset} on: {reason}", .path.display())]
    Corrupt {
        /// The segment.
        path: PathBuf,
        /// Where the last whole record ends.
        offset: u64,
        /// What is wrong.
        reason: &'static str,
    },
}

// === impl SegmentReader ===

impl SegmentReader {
    pub(crate) fn open(path: &Path) -> Result<Self, ReadError> {
        let file = File::open(path).map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
        Ok(Self {
            path: path.to_owned(),
            file,
            page: Vec::with_capacity(PAGE),
            at: 0,
            page_start: 0,
            good_end: 0,
            joined: Vec::new(),
            record: Vec::new(),
        })
    }

    /// The next record, decompressed; none at the end. After an error there is nothing more to read.
    pub(crate) fn next_record(&mut self) -> Result<Option<&[u8]>, ReadError> {
        self.next_record_if(|_| true)
    }

    /// The next record whose first byte is wanted, or cannot be told without decompressing it. The others are passed over.
    pub(crate) fn next_record_if(&mut self, wanted: impl Fn(u8) -> bool) -> Result<Option<&[u8]>, ReadError> {
        self.joined.clear();
        let mut expected_first = true;
        loop {
            if !self.has_fragment()? {
                if expected_first {
                    return Ok(None);
                }
                return Err(self.corrupt("ends within a record"));
            }
            let flags = self.page.get(self.at).copied().unwrap_or_default();
            let kind = Kind::from_byte(flags).ok_or_else(|| self.corrupt("unknown fragment type"))?;
            if kind == Kind::PageEnd {
                if self.page.iter().skip(self.at).any(|byte| *byte != 0) {
                    return Err(self.corrupt("padding is not zero"));
                }
                self.at = self.page.len();
                continue;
            }
            if matches!(kind, Kind::Full | Kind::First) != expected_first {
                return Err(self.corrupt("fragments are out of order"));
            }
            self.take_fragment()?;
            expected_first = false;
            if matches!(kind, Kind::Full | Kind::Last) {
                if first_byte(flags, &self.joined).is_some_and(|first| !wanted(first)) {
                    self.good_end = self.page_start + self.at as u64;
                    self.joined.clear();
                    expected_first = true;
                    continue;
                }
                decompress(flags, &self.joined, &mut self.record).map_err(|reason| self.corrupt(reason))?;
                self.good_end = self.page_start + self.at as u64;
                return Ok(Some(&self.record));
            }
        }
    }

    /// Whether there is anything at the position, after reading on where the page is used up.
    fn has_fragment(&mut self) -> Result<bool, ReadError> {
        while self.at >= self.page.len() {
            // A page that was not full was the last one.
            if !self.page.is_empty() && self.page.len() < PAGE {
                return Ok(false);
            }
            self.page_start += self.page.len() as u64;
            self.page.clear();
            self.at = 0;
            let read = (&mut self.file).take(PAGE as u64).read_to_end(&mut self.page);
            read.map_err(|source| ReadError::Io { path: self.path.clone(), source })?;
            if self.page.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Moves the data of the fragment at the position to `joined`.
    fn take_fragment(&mut self) -> Result<(), ReadError> {
        let rest = self.page.get(self.at..).unwrap_or_default();
        let Some((&[_, len_high, len_low, c0, c1, c2, c3], behind)) = rest.split_first_chunk::<HEADER>()
        else {
            return Err(self.corrupt("ends within a fragment's header"));
        };
        let size = usize::from(u16::from_be_bytes([len_high, len_low]));
        let Some(data) = behind.get(..size) else {
            return Err(self.corrupt("ends within a fragment"));
        };
        if crc32c::crc32c(data) != u32::from_be_bytes([c0, c1, c2, c3]) {
            return Err(self.corrupt("checksum does not match"));
        }
        self.joined.extend_from_slice(data);
        self.at += HEADER + size;
        Ok(())
    }

    fn corrupt(&self, reason: &'static str) -> ReadError {
        ReadError::Corrupt { path: self.path.clone(), offset: self.good_end, reason }
    }
}
