//! One series of chunks from those of head and blocks.
//!
//! A chunk that is alone in its time is passed on as it is. Where chunks share time, or have samples that are not to be seen, they are
//! decoded, merged as the samples of queries are, and encoded anew: bit by bit, so that a long overlap needs no more memory than a short one.

use std::mem;

use bytes::Bytes;
use model::{Labels, Matcher, Millis};
use storage::{
    Chunk, ChunkEncoding, ChunkQuerier, ChunkReader, ChunkSeries, ChunkSeriesSet, QueryError, SelectHints,
};

use super::merge::{DbQuerier, MergedSet, PartSeries};
use crate::{
    block::BlockChunk,
    chunk::{ChunkError, Encoding, SAMPLES_PER_CHUNK},
    intervals::Intervals,
    recode::{Sample, encode_samples, read_samples},
};

/// Merged samples are encoded when there are as many, or when no other chunk follows them closely: ten chunks, of which the last may be
/// short.
const BATCH: usize = 10 * SAMPLES_PER_CHUNK as usize;
/// Where nothing is cut.
const ALL_TIME: (Millis, Millis) = (Millis::MIN, Millis::MAX);

/// The chunks of one series in one place: ascending in time.
pub(crate) trait ChunkSource: Send {
    /// The next chunk. Not called again after an error.
    fn next(&mut self) -> Option<Result<SourceChunk, QueryError>>;

    /// The stretches of time whose samples are deleted there.
    fn deleted(&self) -> Option<&Intervals>;

    /// Says that the chunk that was given last cannot be decoded.
    fn error(&self, error: ChunkError) -> QueryError;
}

/// A series as a part has it. Of two samples with one timestamp that of the earlier source stays.
pub(crate) struct ChunkSources {
    pub(crate) labels: Labels,
    pub(crate) sources: Vec<Box<dyn ChunkSource>>,
}

/// A chunk as it is stored.
pub(crate) struct SourceChunk {
    pub(crate) min_time: Millis,
    pub(crate) max_time: Millis,
    pub(crate) encoding: Encoding,
    pub(crate) data: Bytes,
    pub(crate) visible: Visible,
}

/// Which samples of a chunk a view sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Visible {
    All,
    /// As many, the oldest.
    First(usize),
    /// Those whose place says so.
    Only(Box<[bool]>),
}

/// The series of all parts, with their chunks.
struct MergedChunkSet {
    series: MergedSet<ChunkSources>,
    range: (Millis, Millis),
}

/// Merges the chunks of a series.
struct MergedChunks {
    /// Not read from yet.
    sources: Vec<Box<dyn ChunkSource>>,
    /// In the order of the sources.
    upcoming: Vec<Upcoming>,
    /// Samples outside of it are left out.
    range: (Millis, Millis),
    /// Decoded samples in order of time, each timestamp once.
    pending: Vec<Pending>,
    ready: std::vec::IntoIter<BlockChunk<'static>>,
    /// The newest time of all that was encoded or passed on.
    done: Option<Millis>,
    failed: bool,
}

/// A source and the next chunk of it.
struct Upcoming {
    chunk: Option<SourceChunk>,
    source: Box<dyn ChunkSource>,
    rank: usize,
}

struct Pending {
    timestamp: Millis,
    /// Number of its source.
    rank: usize,
    sample: Sample,
}

// === impl DbQuerier ===

impl ChunkQuerier for DbQuerier {
    fn select_chunks(
        &self,
        hints: &SelectHints,
        matchers: &[Matcher],
    ) -> Result<Box<dyn ChunkSeriesSet>, QueryError> {
        let sets =
            self.parts.iter().map(|part| part.select_chunks(matchers)).collect::<Result<Vec<_>, _>>()?;
        let range = if hints.disable_trimming { ALL_TIME } else { self.range };
        Ok(Box::new(MergedChunkSet { series: MergedSet::new(sets, hints.limit)?, range }))
    }
}

// === impl MergedChunkSet ===

impl ChunkSeriesSet for MergedChunkSet {
    fn next(&mut self) -> Option<Result<ChunkSeries, QueryError>> {
        let next = self.series.next()?;
        Some(next.map(|ChunkSources { labels, sources }| ChunkSeries {
            labels,
            chunks: Box::new(MergedChunks::new(sources, self.range)),
        }))
    }
}

// === impl ChunkSources ===

impl PartSeries for ChunkSources {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn merged_with(mut self, later: Vec<Self>) -> Self {
        self.sources.extend(later.into_iter().flat_map(|series| series.sources));
        self
    }
}

// === impl Visible ===

impl Visible {
    /// Whether the sample with this number is visible.
    fn has(&self, number: usize) -> bool {
        match self {
            Self::All => true,
            Self::First(count) => number < *count,
            Self::Only(places) => places.get(number).copied().unwrap_or_default(),
        }
    }
}

// === impl MergedChunks ===

impl MergedChunks {
    /// Leaves out samples outside of `range`, both ends inclusive.
    fn new(sources: Vec<Box<dyn ChunkSource>>, range: (Millis, Millis)) -> Self {
        Self {
            sources,
            upcoming: Vec::new(),
            range,
            pending: Vec::new(),
            ready: Vec::new().into_iter(),
            done: None,
            failed: false,
        }
    }

    fn next_chunk(&mut self) -> Result<Option<Chunk>, QueryError> {
        for (rank, source) in mem::take(&mut self.sources).into_iter().enumerate() {
            self.upcoming.push(Upcoming::new(source, rank)?);
        }
        loop {
            if let Some(chunk) = self.ready.next() {
                return Ok(Some(encoded(chunk)));
            }
            self.upcoming.retain(|upcoming| upcoming.chunk.is_some());
            let Some((at, min_time)) = self.first() else {
                if self.pending.is_empty() {
                    return Ok(None);
                }
                self.encode(self.pending.len());
                continue;
            };
            if self.pending.last().is_some_and(|last| last.timestamp < min_time) {
                self.encode(self.pending.len());
                continue;
            }
            if self.pending.is_empty()
                && let Some(chunk) = self.pass(at)?
            {
                return Ok(Some(chunk));
            }
            self.decode(at)?;
            self.encode_settled();
        }
    }

    /// The chunk that begins first, and when. Of those that begin together the earlier source's.
    fn first(&self) -> Option<(usize, Millis)> {
        let times = self.upcoming.iter().map(Upcoming::min_time).enumerate();
        let times = times.filter_map(|(at, time)| Some((at, time?)));
        times.min_by_key(|(_, time)| *time)
    }

    /// Takes a chunk as it is, if that is possible. The same chunk of other sources is dropped: for a while after a block was written the
    /// head has all of it, too.
    fn pass(&mut self, at: usize) -> Result<Option<Chunk>, QueryError> {
        let Some((encoding, candidate)) = self.upcoming.get(at).and_then(|upcoming| self.whole(upcoming))
        else {
            return Ok(None);
        };
        let (min_time, max_time, data) = (candidate.min_time, candidate.max_time, candidate.data.clone());
        let chunk = Chunk { min_time, max_time, encoding, data };
        let mut shared = false;
        for other in (0..self.upcoming.len()).filter(|other| *other != at) {
            let Some(upcoming) = self.upcoming.get(other) else { continue };
            let same = self.whole(upcoming).is_some_and(|(encoding, other)| {
                (other.min_time, other.max_time, encoding) == (min_time, max_time, chunk.encoding)
                    && other.data == chunk.data
            });
            if same {
                self.upcoming[other].advance()?;
            }
            shared |= self.upcoming[other].min_time().is_some_and(|time| time <= max_time);
        }
        if shared {
            return Ok(None);
        }
        self.upcoming[at].advance()?;
        self.done = Some(max_time);
        Ok(Some(chunk))
    }

    /// The next chunk of a source, if all of it is to be seen and everyone can read it.
    fn whole<'a>(&self, upcoming: &'a Upcoming) -> Option<(ChunkEncoding, &'a SourceChunk)> {
        let chunk = upcoming.chunk.as_ref()?;
        let encoding = chunk.encoding.on_the_wire()?;
        let deleted = upcoming.source.deleted();
        let is_whole = chunk.visible == Visible::All
            && chunk.min_time >= self.range.0
            && chunk.max_time <= self.range.1
            && self.done.is_none_or(|done| chunk.min_time > done)
            && !deleted.is_some_and(|deleted| deleted.overlaps(chunk.min_time, chunk.max_time))
            && chunk.encoding.sample_count(&chunk.data).is_ok_and(|count| count > 0);
        is_whole.then_some((encoding, chunk))
    }

    /// Moves the visible samples of a chunk to those that are pending.
    fn decode(&mut self, at: usize) -> Result<(), QueryError> {
        let upcoming = &mut self.upcoming[at];
        let Some(chunk) = &upcoming.chunk else {
            return Ok(());
        };
        let deleted = upcoming.source.deleted();
        let mut number = 0;
        let is_seen = |timestamp: Millis| {
            number += 1;
            chunk.visible.has(number - 1)
                && (self.range.0..=self.range.1).contains(&timestamp)
                && self.done.is_none_or(|done| timestamp > done)
                && !deleted.is_some_and(|deleted| deleted.contains(timestamp))
        };
        let mut samples = Vec::new();
        read_samples(chunk.encoding, &chunk.data, &mut samples, is_seen)
            .map_err(|error| upcoming.source.error(error))?;
        let rank = upcoming.rank;
        upcoming.advance()?;
        let samples = samples.into_iter().map(|(timestamp, sample)| Pending { timestamp, rank, sample });
        let overlap = self.pending.last().map(|last| last.timestamp);
        let begin = self.pending.len();
        self.pending.extend(samples);
        if self.pending.get(begin).is_some_and(|first| overlap >= Some(first.timestamp)) {
            self.pending.sort_by_key(|pending| (pending.timestamp, pending.rank));
            self.pending.dedup_by_key(|pending| pending.timestamp);
        }
        Ok(())
    }

    /// Encodes the pending samples that no further chunk can come between, once there are many.
    fn encode_settled(&mut self) {
        if self.pending.len() < BATCH {
            return;
        }
        let next = self.first().map(|(_, min_time)| min_time);
        let settled =
            self.pending.partition_point(|pending| next.is_none_or(|next| pending.timestamp < next));
        if settled >= BATCH {
            self.encode(settled);
        }
    }

    /// Encodes the oldest pending samples.
    fn encode(&mut self, count: usize) {
        let samples = self.pending.drain(..count).map(|pending| (pending.timestamp, pending.sample));
        let samples: Vec<_> = samples.collect();
        self.done = samples.last().map(|(timestamp, _)| *timestamp).or(self.done);
        self.ready = encode_samples(&samples).into_iter();
    }
}

impl ChunkReader for MergedChunks {
    fn next(&mut self) -> Option<Result<Chunk, QueryError>> {
        if self.failed {
            return None;
        }
        let next = self.next_chunk();
        self.failed = next.is_err();
        next.transpose()
    }
}

/// A chunk that was encoded anew.
fn encoded(chunk: BlockChunk<'_>) -> Chunk {
    let (min_time, max_time, encoding, data) = chunk.into_parts();
    let encoding = encoding.on_the_wire().expect("BUG: samples are encoded as everyone can read them");
    Chunk { min_time, max_time, encoding, data: data.into() }
}

// === impl Upcoming ===

impl Upcoming {
    fn new(source: Box<dyn ChunkSource>, rank: usize) -> Result<Self, QueryError> {
        let mut upcoming = Self { chunk: None, source, rank };
        upcoming.advance()?;
        Ok(upcoming)
    }

    fn min_time(&self) -> Option<Millis> {
        self.chunk.as_ref().map(|chunk| chunk.min_time)
    }

    fn advance(&mut self) -> Result<(), QueryError> {
        self.chunk = self.source.next().transpose()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
