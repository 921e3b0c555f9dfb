//! Reads the chunks of the head.

use model::{Labels, Millis};
use storage::QueryError;

use super::{closed::TakenChunk, isolation::View, series::MemSeries};
use crate::{
    block::BlockChunk,
    chunk::ChunkError,
    error::read_error,
    head_chunks::{ChunkFiles, HeadChunkError, HeadChunks},
    intervals::Intervals,
    query::{ChunkSource, ChunkSources, SourceChunk, Visible},
    recode::encode_samples,
};

/// Chunks of a series that ascend in time, as they were taken along from the locked series.
struct TakenChunks {
    labels: Labels,
    chunks: std::vec::IntoIter<(TakenChunk, Visible)>,
    files: ChunkFiles,
    deleted: Option<Intervals>,
}

/// The chunks of a series in `[min_time, max_time]`, with what `view` sees of them: those in order, then those out of order, each of which
/// may overlap all others.
pub(super) fn chunk_sources(
    series: &MemSeries,
    files: &HeadChunks,
    view: &View,
    range: (Millis, Millis),
) -> ChunkSources {
    let state = series.state();
    let in_order = state.chunks_seen(view, range);
    let late = state.late().map(|late| (late.chunks_seen(view, range), late.open_seen(view)));
    let deleted = state.deleted().cloned();
    let files = files.files();
    drop(state);
    let mut lists = vec![in_order.into_iter().map(with_visible).collect()];
    if let Some((closed, open)) = late {
        lists.extend(closed.into_iter().map(|chunk| vec![chunk]));
        let open = encode_samples(&open).into_iter().map(BlockChunk::into_closed);
        lists.push(open.map(|chunk| (TakenChunk::Memory(chunk), Visible::All)).collect());
    }
    let labels = series.labels();
    let sources = lists.into_iter().filter(|chunks| !chunks.is_empty()).map(|chunks: Vec<_>| {
        let (labels, files, deleted) = (labels.clone(), files.clone(), deleted.clone());
        Box::new(TakenChunks { labels, chunks: chunks.into_iter(), files, deleted }) as Box<dyn ChunkSource>
    });
    ChunkSources { labels: labels.clone(), sources: sources.collect() }
}

fn with_visible((chunk, count): (TakenChunk, usize)) -> (TakenChunk, Visible) {
    let visible = if count == usize::MAX { Visible::All } else { Visible::First(count) };
    (chunk, visible)
}

// === impl TakenChunks ===

impl TakenChunks {
    fn load(&self, (chunk, visible): (TakenChunk, Visible)) -> Result<SourceChunk, HeadChunkError> {
        let chunk = chunk.load(&self.files)?;
        Ok(SourceChunk {
            min_time: chunk.min_time,
            max_time: chunk.max_time,
            encoding: chunk.encoding,
            data: chunk.data.into_bytes(),
            visible,
        })
    }

    fn wrap(&self, error: HeadChunkError) -> QueryError {
        read_error(format!("series {} in the head", self.labels), error)
    }
}

impl ChunkSource for TakenChunks {
    fn next(&mut self) -> Option<Result<SourceChunk, QueryError>> {
        let chunk = self.chunks.next()?;
        Some(self.load(chunk).map_err(|error| self.wrap(error)))
    }

    fn deleted(&self) -> Option<&Intervals> {
        self.deleted.as_ref()
    }

    fn error(&self, error: ChunkError) -> QueryError {
        self.wrap(error.into())
    }
}
