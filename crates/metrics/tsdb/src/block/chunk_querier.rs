//! Reads the chunks of a block.

use std::sync::Arc;

use storage::QueryError;

use super::{
    Block, BlockError, ChunkMeta,
    querier::{BlockSeries, block_error},
};
use crate::{
    chunk::ChunkError,
    intervals::Intervals,
    query::{ChunkSource, ChunkSources, SourceChunk, Visible},
};

/// The chunks of a series.
struct BlockChunks {
    block: Arc<Block>,
    chunks: std::vec::IntoIter<ChunkMeta>,
    /// Where the chunk is that was given last.
    reference: u64,
    deleted: Option<Intervals>,
}

/// The chunks of a series for the merge with other parts.
pub(super) fn chunk_sources(block: &Arc<Block>, series: BlockSeries) -> ChunkSources {
    let BlockSeries { labels, chunks, deleted } = series;
    let chunks = BlockChunks { block: Arc::clone(block), chunks: chunks.into_iter(), reference: 0, deleted };
    ChunkSources { labels, sources: vec![Box::new(chunks)] }
}

// === impl BlockChunks ===

impl BlockChunks {
    fn load(&mut self, meta: ChunkMeta) -> Result<SourceChunk, BlockError> {
        self.reference = meta.reference;
        let (encoding, data) = self.block.shared_chunk(meta.reference)?;
        let (min_time, max_time) = (meta.min_time, meta.max_time);
        Ok(SourceChunk { min_time, max_time, encoding, data, visible: Visible::All })
    }
}

impl ChunkSource for BlockChunks {
    fn next(&mut self) -> Option<Result<SourceChunk, QueryError>> {
        let meta = self.chunks.next()?;
        let loaded = self.load(meta);
        Some(loaded.map_err(|error| block_error(&self.block, error)))
    }

    fn deleted(&self) -> Option<&Intervals> {
        self.deleted.as_ref()
    }

    fn error(&self, error: ChunkError) -> QueryError {
        block_error(&self.block, self.block.chunk_error(self.reference, error))
    }
}
