//! Chunks of the head in files, in Prometheus' format: a full chunk leaves memory for `chunks_head/` and is read through a map.
//!
//! ```text
//! file   ┌───────────────────┬─────────────┬──────────────┬───────┬───────┬─────┬───────────────────┐
//!        │ magic 0130BC91 4b │ version 1b  │ padding 3b   │ chunk │ chunk │  …  │ zeros, or nothing │
//!        └───────────────────┴─────────────┴──────────────┴───────┴───────┴─────┴───────────────────┘
//! chunk  ┌───────────────┬─────────────┬─────────────┬─────────────┬───────────────┬──────┬───────────┐
//!        │ series ref 8b │ min time 8b │ max time 8b │ encoding 1b │ len <uvarint> │ data │ crc32c 4b │
//!        └───────────────┴─────────────┴─────────────┴─────────────┴───────────────┴──────┴───────────┘
//! ```
//!
//! All numbers are big endian; the checksum is over everything before it; the top bit of the encoding marks an out-of-order chunk. Files
//! are numbered from 1 without gaps and have at most 128 MiB (Prometheus, `tsdb/docs/format/head_chunks.md`).
//!
//! Nothing depends on these files: the log has every sample that is not in a block. They save memory, and time at the start. So a file is
//! synced only when it is full, a failed write is no one's loss, and what is damaged is dropped ([`open`]).
//!
//! [`open`]: HeadChunks::open

mod chunk;
mod data;
mod file;
mod format;
mod open;

#[cfg(test)]
mod tests;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::{ArcSwap, Guard};
use disk::Fs;
use model::Millis;
use parking_lot::Mutex;
use tracing::warn;

pub use chunk::HeadChunkError;
pub(crate) use chunk::{ChunkRef, MappedChunk};
pub(crate) use data::ChunkData;
pub(crate) use format::{NewChunk, OUT_OF_ORDER};

use crate::{filenames, metrics::HeadChunkMetrics};
use file::{ChunkFile, Failure};
use format::{HEADER, MAX_FILE_BYTES};
use open::{Opened, open_files};

/// The files of `chunks_head`.
///
/// *Threading*: all methods may be called from any thread. Writers wait for each other and for the disk; readers wait for nobody, unless
/// they want a chunk that is not flushed yet.
pub(crate) struct HeadChunks {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    metrics: HeadChunkMetrics,
    /// In order of their numbers. Exchanged with the writer locked.
    files: ArcSwap<Vec<Arc<ChunkFile>>>,
    writer: Mutex<Writer>,
}

/// The files that there were at some moment, kept readable.
#[derive(Clone, Default)]
pub(crate) struct ChunkFiles(Arc<Vec<Arc<ChunkFile>>>);

/// The same, not to be kept for long.
pub(crate) struct CurrentFiles(Guard<Arc<Vec<Arc<ChunkFile>>>>);

/// What was found in the files.
#[derive(Default)]
pub(crate) struct FoundChunks {
    /// Number of a series and a chunk of it that is in order, as they were written: the chunks of one series ascend in time.
    pub(crate) chunks: Vec<(u64, MappedChunk)>,
    /// The same for chunks out of order, which are in no order of time.
    pub(crate) out_of_order: Vec<(u64, MappedChunk)>,
    /// The highest number of a series that any chunk is of: no new series may get it.
    pub(crate) last_ref: u64,
}

struct Writer {
    /// None before the first chunk and after a truncation: files that were there at the start are never written to.
    current: Option<Arc<ChunkFile>>,
    /// Of the next file.
    number: u32,
    max_file_bytes: u64,
    /// Nobody knows what is on disk: nothing is written until the next start.
    broken: bool,
}

// === impl HeadChunks ===

impl HeadChunks {
    /// Opens the folder, making it if need be. Damage is cut off or dropped, named in the log, and counted; an error is only what keeps
    /// a file from being read, cut or removed.
    pub(crate) fn open(
        fs: Arc<dyn Fs>,
        dir: &Path,
        metrics: HeadChunkMetrics,
    ) -> io::Result<(Self, FoundChunks)> {
        fs::create_dir_all(dir)?;
        let Opened { files, chunks, out_of_order, last_ref, .. } = open_files(dir, &metrics)?;
        let writer = Writer {
            current: None,
            number: files.last().map_or(1, |file| file.number() + 1),
            max_file_bytes: MAX_FILE_BYTES,
            broken: false,
        };
        let files = files.into_iter().map(Arc::new).collect();
        let opened = Self {
            fs,
            dir: dir.to_owned(),
            metrics,
            files: ArcSwap::from_pointee(files),
            writer: Mutex::new(writer),
        };
        opened.tell_size();
        Ok((opened, FoundChunks { chunks, out_of_order, last_ref }))
    }

    #[cfg(test)]
    pub(crate) fn set_max_file_bytes(&self, bytes: u64) {
        self.writer.lock().max_file_bytes = bytes;
    }

    /// Writes a chunk; returns where it is. It can be read from now on, and is in the file after [`HeadChunks::flush`].
    ///
    /// After an error, here or there, all chunks since the last flush are forgotten, and where they were are others: see
    /// [`ChunkFiles::has_flushed`]. Chunks of one series must come in order of time, those marked as out of order excepted.
    pub(crate) fn write(&self, chunk: &NewChunk<'_>) -> io::Result<ChunkRef> {
        let mut writer = self.writer.lock();
        let file = self.file_for(&mut writer, chunk)?;
        let offset = file.append(chunk).map_err(|failure| self.failed(&mut writer, failure))?;
        Ok(ChunkRef::new(file.number(), offset as u32))
    }

    /// Puts what was written into the file: from then on the death of the process does not harm it.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut writer = self.writer.lock();
        writer.check()?;
        if let Some(file) = writer.current.clone() {
            file.flush().map_err(|failure| self.failed(&mut writer, failure))?;
        }
        self.tell_size();
        Ok(())
    }

    /// Whether nothing can be written any more until the next start.
    pub(crate) fn is_broken(&self) -> bool {
        self.writer.lock().broken
    }

    /// The files now. Who takes them with a series locked can read every chunk that the series has at that moment.
    pub(crate) fn files(&self) -> ChunkFiles {
        ChunkFiles(self.files.load_full())
    }

    /// The same for a moment: a reader of one series takes them without making other threads wait.
    pub(crate) fn current_files(&self) -> CurrentFiles {
        CurrentFiles(self.files.load())
    }

    /// Says that nobody needs the out-of-order chunks in files below this number.
    pub(crate) fn release_out_of_order(&self, before_file: u32) {
        for file in self.files.load().iter().filter(|file| file.number() < before_file) {
            file.release_out_of_order();
        }
    }

    /// Removes the files whose chunks all end before `time`, as far as no other is before them, and goes on in a new file. Files with
    /// out-of-order chunks stay until those are released.
    ///
    /// Who took [`HeadChunks::files`] before can read them to the end.
    pub(crate) fn truncate_before(&self, time: Millis) -> io::Result<()> {
        let mut writer = self.writer.lock();
        // Otherwise the current file would never become old.
        let sealed = match writer.current.clone().filter(|file| file.size() > HEADER.len() as u64) {
            Some(file) => self.seal(&mut writer, &file),
            None => Ok(()),
        };
        let files = self.files.load_full();
        let old = |file: &&Arc<ChunkFile>| {
            file.max_time() < time
                && !file.has_out_of_order()
                && writer.current.as_ref().is_none_or(|current| !Arc::ptr_eq(file, current))
        };
        // The oldest first: after a crash or an error in between no file is missing.
        let mut removed = 0;
        let result = files.iter().take_while(old).try_for_each(|file| {
            self.fs.remove_file(file.path())?;
            removed += 1;
            Ok(())
        });
        self.files.store(Arc::new(files.iter().skip(removed).cloned().collect()));
        self.tell_size();
        sealed.and(result)
    }

    /// The file that the chunk goes into.
    fn file_for(&self, writer: &mut Writer, chunk: &NewChunk<'_>) -> io::Result<Arc<ChunkFile>> {
        writer.check()?;
        if let Some(file) = writer.current.clone() {
            if file.size() + chunk.size() as u64 <= writer.max_file_bytes {
                return Ok(file);
            }
            self.seal(writer, &file)?;
        }
        let path = filenames::chunk_segment(&self.dir, writer.number);
        let file = Arc::new(ChunkFile::create(&*self.fs, writer.number, path)?);
        self.fs.sync_dir(&self.dir)?;
        writer.number += 1;
        writer.current = Some(Arc::clone(&file));
        let mut files = self.files.load_full().to_vec();
        files.push(Arc::clone(&file));
        self.files.store(Arc::new(files));
        Ok(file)
    }

    fn seal(&self, writer: &mut Writer, file: &ChunkFile) -> io::Result<()> {
        file.seal().map_err(|failure| self.failed(writer, failure))?;
        writer.current = None;
        Ok(())
    }

    fn failed(&self, writer: &mut Writer, failure: Failure) -> io::Error {
        match failure {
            Failure::Clean(error) => error,
            Failure::Broken(error) => {
                writer.broken = true;
                warn!(path = %self.dir.display(), %error, "chunks stay in memory until the next start");
                error
            }
        }
    }

    fn tell_size(&self) {
        let bytes: u64 = self.files.load().iter().map(|file| file.flushed()).sum();
        self.metrics.bytes.set(bytes as i64);
    }
}

// === impl Writer ===

impl Writer {
    fn check(&self) -> io::Result<()> {
        match self.broken {
            true => Err(io::Error::other("an earlier write left files in an unknown state")),
            false => Ok(()),
        }
    }
}

// === impl ChunkFiles ===

impl ChunkFiles {
    /// The data of a chunk, its checksum verified.
    pub(crate) fn read(&self, reference: ChunkRef) -> Result<ChunkData, HeadChunkError> {
        self.file(reference).ok_or_else(|| missing(reference))?.read(reference.offset())
    }

    /// Whether the chunk is in its file, and not only on the way.
    pub(crate) fn has_flushed(&self, reference: ChunkRef) -> bool {
        self.file(reference).is_some_and(|file| u64::from(reference.offset()) < file.flushed())
    }

    fn file(&self, reference: ChunkRef) -> Option<&ChunkFile> {
        find(&self.0, reference)
    }
}

// === impl CurrentFiles ===

impl CurrentFiles {
    /// Shows the data of a chunk, its checksum verified, without a copy.
    pub(crate) fn show<T>(
        &self,
        reference: ChunkRef,
        show: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, HeadChunkError> {
        find(&self.0, reference).ok_or_else(|| missing(reference))?.show(reference.offset(), show)
    }
}

fn find(files: &[Arc<ChunkFile>], reference: ChunkRef) -> Option<&ChunkFile> {
    let at = files.binary_search_by_key(&reference.file(), |file| file.number()).ok()?;
    files.get(at).map(|file| &**file)
}

fn missing(reference: ChunkRef) -> HeadChunkError {
    HeadChunkError::Missing { reference: reference.to_u64() }
}
