//! Appends records to segments. One thread at a time; `group_commit` sees to that.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use disk::{Fs, FsFile};

use super::{
    compression::WalRecord,
    page::{HEADER, Kind, PAGE},
};
use crate::filenames;

/// Writes one segment after the other. A segment is larger than asked for only when one record alone is.
pub(crate) struct SegmentWriter {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    segment_size: u64,
    index: u64,
    file: Box<dyn FsFile>,
    /// Bytes in the file.
    offset: u64,
    /// What is to be written next, reused.
    buffer: Vec<u8>,
}

// === impl SegmentWriter ===

impl SegmentWriter {
    /// Starts segment `index` in `dir`, which must exist. `segment_size` is in bytes and rounded down to whole pages.
    pub(crate) fn create(fs: Arc<dyn Fs>, dir: &Path, index: u64, segment_size: u64) -> io::Result<Self> {
        let file = fs.create(&filenames::wal_segment(dir, index))?;
        fs.sync_dir(dir)?;
        Ok(Self {
            fs,
            dir: dir.to_owned(),
            segment_size: (segment_size / PAGE as u64).max(1) * PAGE as u64,
            index,
            file,
            offset: 0,
            buffer: Vec::new(),
        })
    }

    /// The number of the segment that is being written.
    pub(crate) fn index(&self) -> u64 {
        self.index
    }

    /// Bytes in the segment that is being written.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Writes the records, in order; they are in the page cache when this returns.
    ///
    /// On an error the current segment is as it was, unless cutting off the half-written rest fails as well: then this is a
    /// [`WriteFailure::Broken`] and nothing may be written any more. Records that had filled a segment before stay in it: a replay may
    /// bring back a part of a batch that was refused, but never half a record.
    pub(crate) fn append<'a>(
        &mut self,
        records: impl IntoIterator<Item = &'a WalRecord>,
    ) -> Result<(), WriteFailure> {
        self.buffer.clear();
        for record in records {
            let end = self.offset + self.buffer.len() as u64;
            if end > 0 && !fits(end, record.data.len(), self.segment_size) {
                self.flush()?;
                self.next_segment()?;
            }
            self.push_record(record);
        }
        self.flush()
    }

    /// Makes everything written durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }

    /// Ends this segment, durably, and starts the next.
    pub(crate) fn next_segment(&mut self) -> Result<(), WriteFailure> {
        let used = (self.offset % PAGE as u64) as usize;
        if used > 0 {
            self.buffer.clear();
            self.buffer.resize(PAGE - used, 0);
            self.flush()?;
        }
        self.file.sync().map_err(WriteFailure::Broken)?;
        let next = self.index + 1;
        self.file = self.fs.create(&filenames::wal_segment(&self.dir, next)).map_err(WriteFailure::Clean)?;
        self.fs.sync_dir(&self.dir).map_err(WriteFailure::Clean)?;
        self.index = next;
        self.offset = 0;
        Ok(())
    }

    fn push_record(&mut self, record: &WalRecord) {
        let mut rest = record.data.as_slice();
        let mut first = true;
        loop {
            let used = ((self.offset + self.buffer.len() as u64) % PAGE as u64) as usize;
            let mut room = PAGE - used;
            if room < HEADER {
                self.buffer.resize(self.buffer.len() + room, 0);
                room = PAGE;
            }
            let (data, behind) = rest.split_at(rest.len().min(room - HEADER));
            let kind = Kind::of(first, behind.is_empty());
            self.buffer.push(kind.as_byte() | record.flag);
            self.buffer.extend_from_slice(&(data.len() as u16).to_be_bytes());
            self.buffer.extend_from_slice(&crc32c::crc32c(data).to_be_bytes());
            self.buffer.extend_from_slice(data);
            rest = behind;
            first = false;
            if rest.is_empty() {
                return;
            }
        }
    }

    fn flush(&mut self) -> Result<(), WriteFailure> {
        let size = self.buffer.len() as u64;
        let result = self.file.write_all(&self.buffer);
        self.buffer.clear();
        match result {
            Ok(()) => {
                self.offset += size;
                Ok(())
            }
            Err(error) => match self.file.truncate(self.offset) {
                Ok(()) => Err(WriteFailure::Clean(error)),
                Err(_) => Err(WriteFailure::Broken(error)),
            },
        }
    }
}

/// Whether a record of `size` bytes fits into a segment that has `end` bytes already.
fn fits(end: u64, size: usize, segment_size: u64) -> bool {
    let page = PAGE as u64;
    let room_in_page = (page - end % page) % page;
    let whole_pages = segment_size.saturating_sub(end + room_in_page) / page;
    let payload = (page - HEADER as u64) * whole_pages + room_in_page.saturating_sub(HEADER as u64);
    size as u64 <= payload
}

/// What a failed write leaves behind.
#[derive(Debug)]
pub(crate) enum WriteFailure {
    /// The segment is as it was before: the next write may succeed.
    Clean(io::Error),
    /// Nobody knows what is in the segment now: no further write is allowed.
    Broken(io::Error),
}
