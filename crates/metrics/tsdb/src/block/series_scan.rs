//! Reads back the series section of an index that is being written.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use super::index_format::SERIES_ALIGNMENT;
use crate::encoding::{Decoder, Malformed};

/// Bytes that are read at once.
const BUFFER: usize = 256 << 10;
/// Bytes of a checksum.
const CHECKSUM: usize = 4;

/// Walks over the series in the order in which they were written. Through a small buffer, not a mapping: the section is as large as all
/// labels together, and what is read of it is not needed again.
pub(super) struct SeriesScan {
    file: BufReader<File>,
    at: u64,
    end: u64,
    entry: Vec<u8>,
}

// === impl SeriesScan ===

impl SeriesScan {
    /// Starts at `start`; `end` is the end of the section.
    pub(super) fn open(path: &Path, start: u64, end: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(start))?;
        Ok(Self { file: BufReader::with_capacity(BUFFER, file), at: start, end, entry: Vec::new() })
    }

    /// The number of the next series and where its labels begin; none at the end.
    pub(super) fn next_series(&mut self) -> io::Result<Option<(u32, Decoder<'_>)>> {
        let over = self.at % SERIES_ALIGNMENT as u64;
        if over > 0 {
            self.skip(SERIES_ALIGNMENT as u64 - over)?;
        }
        if self.at >= self.end {
            return Ok(None);
        }
        let number = self.at / SERIES_ALIGNMENT as u64;
        let size = self.uvarint()?;
        self.entry.clear();
        (&mut self.file).take(size).read_to_end(&mut self.entry)?;
        self.at += self.entry.len() as u64;
        self.skip(CHECKSUM as u64)?;
        let number = u32::try_from(number).map_err(|_| damaged(Malformed("series lies too far behind")))?;
        Ok(Some((number, Decoder::new(&self.entry))))
    }

    fn uvarint(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 10];
        for (at, byte) in bytes.iter_mut().enumerate() {
            self.file.read_exact(std::slice::from_mut(byte))?;
            self.at += 1;
            if *byte < 0x80 {
                return Decoder::new(bytes.get(..=at).unwrap_or_default()).uvarint().map_err(damaged);
            }
        }
        Err(damaged(Malformed("number does not fit 64 bits")))
    }

    fn skip(&mut self, mut bytes: u64) -> io::Result<()> {
        self.at += bytes;
        while bytes > 0 {
            let have = self.file.fill_buf()?.len();
            if have == 0 {
                // Padding behind the last series that is not there yet.
                return Ok(());
            }
            let taken = have.min(usize::try_from(bytes).unwrap_or(usize::MAX));
            self.file.consume(taken);
            bytes -= taken as u64;
        }
        Ok(())
    }
}

pub(super) fn damaged(source: Malformed) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, source)
}
