//! Writes the chunks of a block.

use std::{path::PathBuf, sync::Arc};

use disk::{Fs, FsFile};

use super::{
    BlockError,
    chunk_segments::{HEADER, MAGIC, VERSION},
    write_failure,
};
use crate::{chunk::Encoding, encoding::put_uvarint, filenames};

/// Most bytes in a file of chunks.
const SEGMENT_SIZE: u64 = 512 << 20;
/// Bytes that are written at once.
const BUFFER: usize = 1 << 20;

/// Writes chunks one behind the other, into as many files as they need.
pub(crate) struct ChunkWriter {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    segment_size: u64,
    /// The file being written; none before the first chunk.
    file: Option<Box<dyn FsFile>>,
    /// Files begun.
    segments: u32,
    /// Bytes in the file, those in the buffer included.
    offset: u64,
    buffer: Vec<u8>,
}

// === impl ChunkWriter ===

impl ChunkWriter {
    /// Writes into `dir`, which must exist.
    pub(crate) fn new(fs: Arc<dyn Fs>, dir: PathBuf) -> Self {
        Self {
            fs,
            dir,
            segment_size: SEGMENT_SIZE,
            file: None,
            segments: 0,
            offset: 0,
            buffer: Vec::with_capacity(BUFFER + 4096),
        }
    }

    #[cfg(test)]
    pub(crate) fn set_segment_size(&mut self, bytes: u64) {
        self.segment_size = bytes;
    }

    /// Writes a chunk; returns where it is.
    pub(crate) fn write(&mut self, encoding: Encoding, data: &[u8]) -> Result<u64, BlockError> {
        let most = data.len() as u64 + 16;
        if self.file.is_none() || self.offset + most > self.segment_size {
            self.next_segment()?;
        }
        let reference = u64::from(self.segments - 1) << 32 | self.offset;
        let before = self.buffer.len();
        put_uvarint(&mut self.buffer, data.len() as u64);
        let checked = self.buffer.len();
        self.buffer.push(encoding.as_byte());
        self.buffer.extend_from_slice(data);
        let checksum = crc32c::crc32c(self.buffer.get(checked..).unwrap_or_default());
        self.buffer.extend_from_slice(&checksum.to_be_bytes());
        self.offset += (self.buffer.len() - before) as u64;
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        Ok(reference)
    }

    /// Makes everything durable.
    pub(crate) fn finish(&mut self) -> Result<(), BlockError> {
        self.end_segment()?;
        self.fs.sync_dir(&self.dir).map_err(write_failure(&self.dir))
    }

    fn next_segment(&mut self) -> Result<(), BlockError> {
        self.end_segment()?;
        self.segments += 1;
        let path = filenames::chunk_segment(&self.dir, self.segments);
        self.file = Some(self.fs.create(&path).map_err(write_failure(&path))?);
        self.buffer.extend_from_slice(&MAGIC.to_be_bytes());
        self.buffer.extend_from_slice(&[VERSION, 0, 0, 0]);
        self.offset = HEADER as u64;
        Ok(())
    }

    fn end_segment(&mut self) -> Result<(), BlockError> {
        self.flush()?;
        match self.file.take() {
            Some(mut file) => file.sync().map_err(write_failure(&self.dir)),
            None => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), BlockError> {
        if let Some(file) = &mut self.file {
            file.write_all(&self.buffer).map_err(write_failure(&self.dir))?;
        }
        self.buffer.clear();
        Ok(())
    }
}
