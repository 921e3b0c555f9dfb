//! From bytes to whole lines, with bounds.

use std::{fs::File, io, os::unix::fs::FileExt};

use bytes::Bytes;
use memchr::{memchr, memrchr};

/// Reads a file's whole lines in order, a block at a time. A last line without its newline waits until it has one.
#[derive(Debug)]
pub(crate) struct LineReader {
    /// Where the next byte is read.
    offset: u64,
    /// The beginning of a line whose end was not read yet; it ends at `offset`.
    partial: Vec<u8>,
    /// The line under way is too long: its bytes are thrown away up to the newline.
    skipping: bool,
}

/// What one read gave.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// Whole lines without their newlines, slices of one block.
    pub lines: Vec<Bytes>,
    /// Bytes read from the file; 0 at its end.
    pub bytes: usize,
    /// Lines that were longer than the bound and were thrown away.
    pub too_long: u64,
}

impl LineReader {
    pub(crate) fn starting_at(offset: u64) -> Self {
        Self { offset, partial: Vec::new(), skipping: false }
    }

    /// Where the next byte is read.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The offset behind the last whole line.
    pub(crate) fn lines_end(&self) -> u64 {
        self.offset - self.partial.len() as u64
    }

    /// Reads at most `most` bytes.
    pub(crate) fn read(&mut self, file: &File, most: usize, max_line: usize) -> io::Result<Read> {
        let mut block = std::mem::take(&mut self.partial);
        let kept = block.len();
        block.resize(kept + most, 0);
        let read = match file.read_at(&mut block[kept..], self.offset) {
            Ok(read) => read,
            Err(error) => {
                block.truncate(kept);
                self.partial = block;
                return Err(error);
            }
        };
        block.truncate(kept + read);
        self.offset += read as u64;
        let mut outcome = Read { bytes: read, ..Read::default() };
        let Some(last) = memrchr(b'\n', &block[kept..]).map(|at| kept + at) else {
            self.keep(block, max_line, &mut outcome);
            return Ok(outcome);
        };
        let rest = block.split_off(last + 1);
        self.split(&Bytes::from(block), max_line, &mut outcome);
        self.keep(rest, max_line, &mut outcome);
        Ok(outcome)
    }

    /// The last line, when nobody will end it any more.
    pub(crate) fn finish(&mut self) -> Option<Bytes> {
        let partial = std::mem::take(&mut self.partial);
        (!partial.is_empty()).then(|| partial.into())
    }

    fn split(&mut self, block: &Bytes, max_line: usize, outcome: &mut Read) {
        let mut start = 0;
        while let Some(length) = memchr(b'\n', &block[start..]) {
            if self.skipping {
                // The end of a line that was counted when it grew too long.
                self.skipping = false;
            } else if length > max_line {
                outcome.too_long += 1;
            } else {
                outcome.lines.push(block.slice(start..start + length));
            }
            start += length + 1;
        }
    }

    fn keep(&mut self, rest: Vec<u8>, max_line: usize, outcome: &mut Read) {
        if self.skipping {
            return;
        }
        if rest.len() > max_line {
            outcome.too_long += 1;
            self.skipping = true;
            return;
        }
        self.partial = rest;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(content).expect("written");
        file
    }

    fn read_all(content: &[u8], block: usize, max_line: usize) -> (Vec<Bytes>, u64, LineReader) {
        let file = file(content);
        let mut reader = LineReader::starting_at(0);
        let (mut lines, mut too_long) = (Vec::new(), 0);
        loop {
            let read = reader.read(&file, block, max_line).expect("readable");
            too_long += read.too_long;
            lines.extend(read.lines);
            if read.bytes == 0 {
                return (lines, too_long, reader);
            }
        }
    }

    #[test]
    fn lines_are_the_same_for_every_block_size() {
        let content = b"one\n\ntwo \xff\r\nthree is longer\npart";
        let whole: Vec<&[u8]> = vec![b"one", b"", b"two \xff\r", b"three is longer"];
        for block in 1..40 {
            let (lines, too_long, mut reader) = read_all(content, block, 100);
            assert_eq!(lines, whole, "block {block}");
            assert_eq!(too_long, 0);
            assert_eq!(reader.lines_end(), content.len() as u64 - 4);
            assert_eq!(reader.finish().as_deref(), Some(&b"part"[..]));
        }
    }

    #[test]
    fn a_line_over_the_bound_is_counted_once_and_skipped() {
        for block in 1..40 {
            let (lines, too_long, mut reader) =
                read_all(b"ok\n0123456789abcdef\nfine\nlong at the end", block, 8);
            assert_eq!(lines, [&b"ok"[..], b"fine"], "block {block}");
            assert_eq!(too_long, 2, "block {block}");
            assert_eq!(reader.finish(), None);
        }
    }
}
