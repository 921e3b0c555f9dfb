//! A stretch of one stream's entries in time order, wherever it lies.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use model::{Labels, Nanos};
use streams::{Direction, QueryError};

use crate::{head::Block, segment::Rows};

/// Entries of one stream, ascending in time whatever the direction of the query.
pub(crate) enum Chunk {
    /// From memory.
    Block(Arc<Block>, Range<usize>),
    /// From a segment.
    Rows(Arc<Rows>, Range<usize>),
}

/// One entry, on its own.
pub(crate) struct Row {
    pub(crate) line: Bytes,
    pub(crate) metadata: Labels,
}

/// Where chunks of one stream come from: in the direction of the query, not overlapping.
pub(crate) trait ChunkSource: Send {
    /// The next chunk, never an empty one.
    fn next_chunk(&mut self) -> Result<Option<Chunk>, QueryError>;

    /// Whether no entry occurs twice.
    fn is_distinct(&self) -> bool;
}

/// Blocks of a buffer that do not overlap, oldest first.
pub(crate) struct BlockSource {
    blocks: std::collections::VecDeque<Arc<Block>>,
    start: Nanos,
    end: Nanos,
    direction: Direction,
}

// === impl Chunk ===

impl Chunk {
    /// The indices it spans.
    pub(crate) fn range(&self) -> Range<usize> {
        match self {
            Self::Block(_, range) | Self::Rows(_, range) => range.clone(),
        }
    }

    pub(crate) fn timestamp(&self, at: usize) -> Nanos {
        match self {
            Self::Block(block, _) => block.entries()[at].timestamp,
            Self::Rows(rows, _) => rows.timestamp(at),
        }
    }

    pub(crate) fn line(&self, at: usize) -> &[u8] {
        match self {
            Self::Block(block, _) => &block.entries()[at].line,
            Self::Rows(rows, _) => rows.line(at),
        }
    }

    pub(crate) fn metadata(&self, at: usize) -> &Labels {
        match self {
            Self::Block(block, _) => &block.entries()[at].metadata,
            Self::Rows(rows, _) => rows.metadata(at),
        }
    }

    pub(crate) fn row(&self, at: usize) -> Row {
        let line = match self {
            Self::Block(block, _) => block.entries()[at].line.clone(),
            Self::Rows(rows, _) => rows.line_bytes(at),
        };
        Row { line, metadata: self.metadata(at).clone() }
    }
}

// === impl BlockSource ===

impl BlockSource {
    /// Sorts blocks into as few sources as possible without overlaps.
    pub(crate) fn runs(blocks: Vec<Arc<Block>>, start: Nanos, end: Nanos, direction: Direction) -> Vec<Self> {
        let mut runs: Vec<Vec<Arc<Block>>> = Vec::new();
        let mut blocks = blocks;
        blocks.sort_by_key(|block| block.first());
        for block in blocks {
            let fits = |run: &&mut Vec<Arc<Block>>| run.last().is_none_or(|last| last.last() < block.first());
            match runs.iter_mut().find(fits) {
                Some(run) => run.push(block),
                None => runs.push(vec![block]),
            }
        }
        let source = |run: Vec<Arc<Block>>| Self { blocks: run.into(), start, end, direction };
        runs.into_iter().map(source).collect()
    }
}

impl ChunkSource for BlockSource {
    fn next_chunk(&mut self) -> Result<Option<Chunk>, QueryError> {
        loop {
            let block = match self.direction {
                Direction::Forward => self.blocks.pop_front(),
                Direction::Backward => self.blocks.pop_back(),
            };
            let Some(block) = block else {
                return Ok(None);
            };
            let from = block.entries().partition_point(|entry| entry.timestamp < self.start);
            let to = block.entries().partition_point(|entry| entry.timestamp < self.end);
            if from < to {
                return Ok(Some(Chunk::Block(block, from..to)));
            }
        }
    }

    fn is_distinct(&self) -> bool {
        false
    }
}
