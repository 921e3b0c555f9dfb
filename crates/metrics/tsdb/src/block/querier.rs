//! Reads a block.

use std::sync::Arc;

use model::{Columns, Labels, Matcher, Millis};
use storage::{LabelQuery, QueryError, Series, SeriesReader};

use super::{Block, BlockError, ChunkMeta, chunk_querier::chunk_sources, symbols::SymbolCache};
use crate::{
    chunk::decode,
    error::read_error,
    intervals::Intervals,
    query::{ChunkSources, Part, PartSet, PostingsSource as _, at_most, label_names, label_values, matching},
};

/// A view on the samples of a block in a range.
pub(crate) struct BlockQuerier {
    block: Arc<Block>,
    min_time: Millis,
    max_time: Millis,
}

/// Walks over the series found.
pub(super) struct BlockSet {
    block: Arc<Block>,
    range: (Millis, Millis),
    series: std::vec::IntoIter<u32>,
    symbols: SymbolCache,
}

/// A series as the block has it.
pub(super) struct BlockSeries {
    pub(super) labels: Labels,
    /// Those that have samples about the range.
    pub(super) chunks: Vec<ChunkMeta>,
    pub(super) deleted: Option<Intervals>,
}

struct BlockReader {
    block: Arc<Block>,
    chunks: Vec<ChunkMeta>,
    deleted: Option<Intervals>,
}

// === impl BlockQuerier ===

impl BlockQuerier {
    pub(crate) fn new(block: Arc<Block>, min_time: Millis, max_time: Millis) -> Self {
        Self { block, min_time, max_time }
    }

    pub(super) fn find(&self, matchers: &[Matcher]) -> Result<BlockSet, QueryError> {
        let series = matching(&self.block.index, matchers).map_err(|error| self.error(error))?;
        Ok(BlockSet {
            block: Arc::clone(&self.block),
            range: (self.min_time, self.max_time),
            series: series.into_iter(),
            symbols: SymbolCache::default(),
        })
    }

    fn error(&self, error: BlockError) -> QueryError {
        block_error(&self.block, error)
    }
}

pub(super) fn block_error(block: &Block, error: BlockError) -> QueryError {
    read_error(format!("block {}", block.meta.ulid), error)
}

impl Part for BlockQuerier {
    fn select(
        &self,
        matchers: &[Matcher],
        projection: Option<&[String]>,
    ) -> Result<PartSet<Series>, QueryError> {
        let block = Arc::clone(&self.block);
        let mut found = self.find(matchers)?;
        if let Some(names) = projection {
            found.symbols = SymbolCache::of_names(names);
        }
        Ok(Box::new(found.map(move |found| {
            let BlockSeries { labels, chunks, deleted } = found?;
            let samples = Box::new(BlockReader { block: Arc::clone(&block), chunks, deleted });
            Ok(Series { labels, samples })
        })))
    }

    fn select_chunks(&self, matchers: &[Matcher]) -> Result<PartSet<ChunkSources>, QueryError> {
        let block = Arc::clone(&self.block);
        Ok(Box::new(self.find(matchers)?.map(move |found| Ok(chunk_sources(&block, found?)))))
    }

    fn label_names(&self, query: &LabelQuery) -> Result<Vec<String>, QueryError> {
        let index = &self.block.index;
        if query.selectors.is_empty() {
            return Ok(index.label_names().map(str::to_owned).collect());
        }
        let mut symbols = SymbolCache::default();
        let mut chunks = Vec::new();
        label_names(index, query, |series, visit| {
            chunks.clear();
            visit(&index.series(series, &mut symbols, &mut chunks)?);
            Ok(())
        })
        .map_err(|error| self.error(error))
    }

    fn label_values(&self, name: &str, query: &LabelQuery) -> Result<Vec<String>, QueryError> {
        label_values(&self.block.index, name, query).map_err(|error| self.error(error))
    }

    fn at_most(&self, matchers: &[Matcher]) -> Result<usize, QueryError> {
        at_most(&self.block.index, matchers).map_err(|error| self.error(error))
    }

    fn texts_at_most(&self, label: Option<&str>) -> usize {
        match label {
            Some(name) => self.block.index.value_count(name),
            None => self.block.index.label_names().count(),
        }
    }
}

// === impl BlockSet ===

impl BlockSet {
    /// A series, unless it has nothing in the range.
    fn series(&mut self, number: u32) -> Result<Option<BlockSeries>, BlockError> {
        let (min_time, max_time) = self.range;
        let mut chunks = Vec::new();
        let labels = self.block.index.series(number, &mut self.symbols, &mut chunks)?;
        let deleted = self.block.tombstones.of(number);
        chunks.retain(|chunk| {
            chunk.min_time <= max_time
                && chunk.max_time >= min_time
                && !deleted.is_some_and(|deleted| deleted.covers(chunk.min_time, chunk.max_time))
        });
        if chunks.is_empty() {
            return Ok(None);
        }
        Ok(Some(BlockSeries { labels, chunks, deleted: deleted.cloned() }))
    }
}

impl Iterator for BlockSet {
    type Item = Result<BlockSeries, QueryError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let number = self.series.next()?;
            match self.series(number) {
                Ok(Some(series)) => return Some(Ok(series)),
                Ok(None) => {}
                Err(error) => return Some(Err(block_error(&self.block, error))),
            }
        }
    }
}

// === impl BlockReader ===

impl BlockReader {
    fn read_chunks(&self, range: (Millis, Millis), columns: &mut Columns) -> Result<(), BlockError> {
        for chunk in self.chunks.iter().filter(|chunk| chunk.min_time <= range.1 && chunk.max_time >= range.0)
        {
            let (encoding, data) = self.block.chunk(chunk.reference)?;
            decode(encoding, data, usize::MAX, range, columns)
                .map_err(|error| self.block.chunk_error(chunk.reference, error))?;
        }
        Ok(())
    }
}

impl SeriesReader for BlockReader {
    fn read(&mut self, min_time: Millis, max_time: Millis, columns: &mut Columns) -> Result<(), QueryError> {
        let before = columns.timestamps.len();
        let read = self.read_chunks((min_time, max_time), columns);
        read.map_err(|error| block_error(&self.block, error))?;
        if let Some(deleted) = &self.deleted {
            deleted.remove_from(columns, before);
        }
        Ok(())
    }
}
