//! One file of chunks: written at its end, read through a map.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

use arc_swap::{ArcSwap, Guard};
use disk::{Fs, FsFile, MappedFile};
use model::Millis;
use parking_lot::Mutex;

use super::{
    HeadChunkError,
    data::ChunkData,
    format::{HEADER, NewChunk, OUT_OF_ORDER, Record},
};

/// Bytes that are written at once.
const BUFFER: usize = 1 << 20;

/// A file that is open for reading, and for writing until it is sealed.
pub(super) struct ChunkFile {
    number: u32,
    path: PathBuf,
    /// What is mapped anew as the file grows; it outlives the file's name.
    source: File,
    /// The newest time of any chunk in it, `Millis::MIN` while there is none.
    max_time: AtomicI64,
    /// It has out-of-order chunks that someone may need.
    out_of_order: AtomicBool,
    /// Bytes in the file, which never change any more. Raised with the tail locked.
    flushed: AtomicU64,
    map: ArcSwap<MappedFile>,
    /// None once sealed.
    tail: Mutex<Option<Tail>>,
}

/// What is to be written next.
struct Tail {
    file: Box<dyn FsFile>,
    buffer: Vec<u8>,
}

/// What a failed write leaves behind.
#[derive(Debug)]
pub(super) enum Failure {
    /// The file is as it was at the last flush; what came since is forgotten.
    Clean(io::Error),
    /// Nobody knows what is on disk.
    Broken(io::Error),
}

// === impl ChunkFile ===

impl ChunkFile {
    /// Starts a file.
    pub(super) fn create(fs: &dyn Fs, number: u32, path: PathBuf) -> io::Result<Self> {
        let mut tail = Tail { file: fs.create(&path)?, buffer: Vec::with_capacity(BUFFER + 4096) };
        tail.buffer.extend_from_slice(&HEADER);
        Ok(Self {
            number,
            source: File::open(&path)?,
            path,
            max_time: AtomicI64::new(Millis::MIN),
            out_of_order: AtomicBool::new(false),
            flushed: AtomicU64::new(0),
            map: ArcSwap::default(),
            tail: Mutex::new(Some(tail)),
        })
    }

    /// A file that is finished, of which the first `size` bytes count.
    pub(super) fn sealed(
        number: u32,
        path: PathBuf,
        size: u64,
        max_time: Millis,
        out_of_order: bool,
    ) -> io::Result<Self> {
        let source = File::open(&path)?;
        Ok(Self {
            number,
            map: ArcSwap::from_pointee(MappedFile::prefix(&source, size as usize)?),
            source,
            path,
            max_time: AtomicI64::new(max_time),
            out_of_order: AtomicBool::new(out_of_order),
            flushed: AtomicU64::new(size),
            tail: Mutex::new(None),
        })
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn max_time(&self) -> Millis {
        self.max_time.load(Ordering::Acquire)
    }

    pub(super) fn has_out_of_order(&self) -> bool {
        self.out_of_order.load(Ordering::Acquire)
    }

    pub(super) fn release_out_of_order(&self) {
        self.out_of_order.store(false, Ordering::Release);
    }

    /// Bytes in the file, without what waits in memory.
    pub(super) fn flushed(&self) -> u64 {
        self.flushed.load(Ordering::Acquire)
    }

    /// Bytes in the file and in memory.
    pub(super) fn size(&self) -> u64 {
        let tail = self.tail.lock();
        self.flushed() + tail.as_ref().map_or(0, |tail| tail.buffer.len() as u64)
    }

    /// Adds a chunk; returns its offset. It can be read at once, but is in the file only after a flush.
    pub(super) fn append(&self, chunk: &NewChunk<'_>) -> Result<u64, Failure> {
        let mut slot = self.tail.lock();
        let tail = slot.as_mut().ok_or_else(sealed)?;
        let offset = self.flushed() + tail.buffer.len() as u64;
        chunk.put(&mut tail.buffer);
        self.max_time.fetch_max(chunk.max_time, Ordering::AcqRel);
        if chunk.encoding & OUT_OF_ORDER != 0 {
            self.out_of_order.store(true, Ordering::Release);
        }
        if tail.buffer.len() >= BUFFER {
            self.flush_tail(tail)?;
        }
        Ok(offset)
    }

    /// Puts everything into the file.
    pub(super) fn flush(&self) -> Result<(), Failure> {
        match &mut *self.tail.lock() {
            Some(tail) => self.flush_tail(tail),
            None => Ok(()),
        }
    }

    /// Ends the file, durably: chunks of a later file may only count when all before them are whole.
    pub(super) fn seal(&self) -> Result<(), Failure> {
        let mut slot = self.tail.lock();
        let Some(tail) = slot.as_mut() else {
            return Ok(());
        };
        self.flush_tail(tail)?;
        tail.file.sync().map_err(Failure::Broken)?;
        *slot = None;
        Ok(())
    }

    fn flush_tail(&self, tail: &mut Tail) -> Result<(), Failure> {
        let before = self.flushed();
        let result = tail.file.write_all(&tail.buffer);
        let size = tail.buffer.len() as u64;
        tail.buffer.clear();
        let Err(error) = result else {
            self.flushed.store(before + size, Ordering::Release);
            return Ok(());
        };
        if before == 0 {
            tail.buffer.extend_from_slice(&HEADER);
        }
        match tail.file.truncate(before) {
            Ok(()) => Err(Failure::Clean(error)),
            Err(_) => Err(Failure::Broken(error)),
        }
    }

    /// The data of the chunk at `offset`, its checksum verified.
    pub(super) fn read(&self, offset: u32) -> Result<ChunkData, HeadChunkError> {
        if let Some(data) = self.read_tail(offset)? {
            return Ok(ChunkData::Memory(data));
        }
        let map = self.mapped(offset)?;
        let map = MappedFile::clone(&map);
        let record = self.parse(map.get(offset as usize..).unwrap_or_default(), offset)?;
        // The data ends where the checksum begins.
        let end = offset as usize + record.size - 4;
        let start = end - record.data.len();
        Ok(ChunkData::Mapped { map, start: start as u32, end: end as u32 })
    }

    /// Shows the same, without taking hold of the map.
    pub(super) fn show<T>(&self, offset: u32, show: impl FnOnce(&[u8]) -> T) -> Result<T, HeadChunkError> {
        if let Some(data) = self.read_tail(offset)? {
            return Ok(show(&data));
        }
        let map = self.mapped(offset)?;
        let record = self.parse(map.get(offset as usize..).unwrap_or_default(), offset)?;
        Ok(show(record.data))
    }

    /// The data of a chunk that is not in the file yet.
    fn read_tail(&self, offset: u32) -> Result<Option<Arc<[u8]>>, HeadChunkError> {
        let at = u64::from(offset);
        if at < self.flushed() {
            return Ok(None);
        }
        let tail = self.tail.lock();
        // It may have been flushed while we waited for the lock.
        let Some((tail, at)) = tail.as_ref().zip(at.checked_sub(self.flushed())) else {
            return Ok(None);
        };
        let bytes = tail.buffer.get(at as usize..).unwrap_or_default();
        Ok(Some(self.parse(bytes, offset)?.data.into()))
    }

    fn parse<'a>(&self, bytes: &'a [u8], offset: u32) -> Result<Record<'a>, HeadChunkError> {
        let damaged = |reason| HeadChunkError::Damaged { path: self.path.clone(), offset, reason };
        Record::parse(bytes).map_err(damaged)?.ok_or_else(|| damaged("there is no chunk"))
    }

    /// A map that has the chunk at `offset`, if the file has it.
    fn mapped(&self, offset: u32) -> Result<Guard<Arc<MappedFile>>, HeadChunkError> {
        let map = self.map.load();
        if (offset as usize) < map.len() {
            return Ok(map);
        }
        // Those who write wait meanwhile, and others who want a longer map.
        let _tail = self.tail.lock();
        let flushed = self.flushed();
        // Chunks are flushed whole: a map that has the first byte of one has all of it.
        if (self.map.load().len() as u64) < flushed {
            let map = MappedFile::prefix(&self.source, flushed as usize)
                .map_err(|source| HeadChunkError::Map { path: self.path.clone(), source })?;
            self.map.store(Arc::new(map));
        }
        Ok(self.map.load())
    }
}

fn sealed() -> Failure {
    Failure::Clean(io::Error::other("BUG: a sealed file gets no more chunks"))
}
