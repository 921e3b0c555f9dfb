//! Walks over all series of a block in the order of their labels, for whoever makes a new block of it.

use model::Labels;

use super::{Block, BlockError, ChunkMeta, symbols::SymbolCache};
use crate::{intervals::Intervals, query::PostingsSource};

/// Stands before one series of a block, or at the end.
pub(crate) struct BlockCursor<'a> {
    block: &'a Block,
    rest: std::vec::IntoIter<u32>,
    symbols: SymbolCache,
    next: Option<(Labels, CursorSeries<'a>)>,
}

/// What a block has of a series.
pub(crate) struct CursorSeries<'a> {
    pub(crate) chunks: Vec<ChunkMeta>,
    pub(crate) deleted: Option<&'a Intervals>,
}

// === impl BlockCursor ===

impl<'a> BlockCursor<'a> {
    pub(super) fn new(block: &'a Block) -> Result<Self, BlockError> {
        let mut cursor =
            Self { block, rest: block.index.all()?.into_iter(), symbols: SymbolCache::default(), next: None };
        cursor.advance()?;
        Ok(cursor)
    }

    pub(crate) fn block(&self) -> &'a Block {
        self.block
    }

    /// The labels of the series it stands before.
    pub(crate) fn labels(&self) -> Option<&Labels> {
        self.next.as_ref().map(|(labels, _)| labels)
    }

    /// Takes the series and goes on, if it has these labels.
    pub(crate) fn take_if(&mut self, labels: &Labels) -> Result<Option<CursorSeries<'a>>, BlockError> {
        let Some((_, series)) = self.next.take_if(|(next, _)| next == labels) else {
            return Ok(None);
        };
        self.advance()?;
        Ok(Some(series))
    }

    fn advance(&mut self) -> Result<(), BlockError> {
        let Some(number) = self.rest.next() else {
            return Ok(());
        };
        let mut chunks = Vec::new();
        let labels = self.block.index.series(number, &mut self.symbols, &mut chunks)?;
        let series = CursorSeries { chunks, deleted: self.block.tombstones.of(number) };
        self.next = Some((labels, series));
        Ok(())
    }
}
