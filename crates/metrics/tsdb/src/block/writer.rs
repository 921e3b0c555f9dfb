//! Makes a block.

use std::{
    borrow::Cow,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use disk::{Fs, publish_dir};
use model::{Labels, Millis};

use super::{
    Block, BlockError, BlockMeta, BlockStats, ChunkMeta, chunk_writer::ChunkWriter,
    index_writer::IndexWriter, texts::Texts, tombstones::Tombstones, write_failure,
};
use crate::{chunk::Encoding, filenames, head::ClosedChunk, head_chunks::ChunkData};

/// A block in the making, under a temporary name. Dropped unfinished, it leaves nothing but rubbish that the next start removes.
pub(crate) struct BlockWriter<'a> {
    fs: Arc<dyn Fs>,
    temporary: PathBuf,
    dir: PathBuf,
    meta: BlockMeta,
    index: IndexWriter<'a>,
    chunks: ChunkWriter,
    chunk_metas: Vec<ChunkMeta>,
    finished: bool,
}

/// A chunk to be written.
pub(crate) struct BlockChunk<'a> {
    min_time: Millis,
    max_time: Millis,
    encoding: Encoding,
    data: Cow<'a, [u8]>,
}

// === impl BlockChunk ===

impl<'a> BlockChunk<'a> {
    /// A chunk of another block.
    pub(crate) fn copied(meta: &ChunkMeta, encoding: Encoding, data: &'a [u8]) -> Self {
        Self { min_time: meta.min_time, max_time: meta.max_time, encoding, data: Cow::Borrowed(data) }
    }

    /// A chunk that was just encoded.
    pub(crate) fn encoded(min_time: Millis, max_time: Millis, encoding: Encoding, data: Vec<u8>) -> Self {
        Self { min_time, max_time, encoding, data: Cow::Owned(data) }
    }

    #[cfg(test)]
    pub(crate) fn sample_count(&self) -> u16 {
        self.encoding.sample_count(&self.data).unwrap_or_default()
    }

    /// A chunk of the head.
    pub(crate) fn closed(chunk: &'a ClosedChunk) -> Self {
        Self {
            min_time: chunk.min_time,
            max_time: chunk.max_time,
            encoding: chunk.encoding,
            data: Cow::Borrowed(&chunk.data),
        }
    }

    /// The chunk for the head to keep.
    pub(crate) fn into_closed(self) -> ClosedChunk {
        let Self { min_time, max_time, encoding, data } = self;
        ClosedChunk { min_time, max_time, encoding, data: ChunkData::Memory(data.into()) }
    }
}

// === impl BlockWriter ===

impl<'a> BlockWriter<'a> {
    /// Starts the block that `meta` describes, its figures excepted, in the folder `parent`. `texts` are all names and values that any
    /// of its series has.
    pub(crate) fn create(
        fs: Arc<dyn Fs>,
        parent: &Path,
        meta: BlockMeta,
        texts: Texts<'a>,
    ) -> Result<Self, BlockError> {
        let dir = parent.join(&meta.ulid);
        let temporary = parent.join(format!("{}{}", meta.ulid, filenames::BLOCK_IN_CREATION));
        let chunk_dir = temporary.join(filenames::CHUNKS);
        fs::create_dir_all(&chunk_dir).map_err(write_failure(&chunk_dir))?;
        let index = IndexWriter::create(&fs, &temporary.join(filenames::INDEX), texts).inspect_err(|_| {
            // Best effort: on a full disk each round would leave some more.
            let _ = fs::remove_dir_all(&temporary);
        })?;
        Ok(Self {
            chunks: ChunkWriter::new(Arc::clone(&fs), chunk_dir),
            fs,
            temporary,
            dir,
            meta: BlockMeta { stats: BlockStats::default(), ..meta },
            index,
            chunk_metas: Vec::new(),
            finished: false,
        })
    }

    #[cfg(test)]
    pub(crate) fn set_segment_size(&mut self, bytes: u64) {
        self.chunks.set_segment_size(bytes);
    }

    /// Adds a series whose labels come behind all before, with its chunks in order of time. Returns its number.
    pub(crate) fn add_series(
        &mut self,
        labels: &Labels,
        chunks: &[BlockChunk<'_>],
    ) -> Result<u32, BlockError> {
        self.chunk_metas.clear();
        for chunk in chunks {
            let reference = self.chunks.write(chunk.encoding, &chunk.data)?;
            self.chunk_metas.push(ChunkMeta {
                min_time: chunk.min_time,
                max_time: chunk.max_time,
                reference,
            });
            let samples = chunk.encoding.sample_count(&chunk.data).map_or(0, u64::from);
            let stats = &mut self.meta.stats;
            stats.num_chunks += 1;
            stats.num_samples += samples;
            if chunk.encoding.holds_histograms() {
                stats.num_histogram_samples += samples;
            } else {
                stats.num_float_samples += samples;
            }
        }
        self.meta.stats.num_series += 1;
        self.index.add_series(labels, &self.chunk_metas)
    }

    /// Gives the block its name; from then on it is there whatever happens.
    pub(crate) fn finish(self) -> Result<Block, BlockError> {
        self.finish_with(&Tombstones::default())
    }

    /// The same with some of it deleted already.
    pub(super) fn finish_with(mut self, deleted: &Tombstones) -> Result<Block, BlockError> {
        let fs = Arc::clone(&self.fs);
        self.chunks.finish()?;
        self.index.finish()?;
        self.meta.stats.num_tombstones = deleted.count();
        deleted.write(&*fs, &self.temporary.join(filenames::TOMBSTONES))?;
        self.meta.write(&*fs, &self.temporary.join(filenames::META))?;
        publish_dir(&*fs, &self.temporary, &self.dir).map_err(write_failure(&self.dir))?;
        self.finished = true;
        Block::open(&self.dir)
    }
}

impl Drop for BlockWriter<'_> {
    fn drop(&mut self) {
        if !self.finished {
            // Best effort: the next start removes it otherwise.
            let _ = fs::remove_dir_all(&self.temporary);
        }
    }
}
