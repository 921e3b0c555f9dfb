//! The out-of-order samples of one series: a short sorted list, and chunks of what was in it before.

use std::{mem, sync::Arc};

use model::{Columns, Millis};

use crate::{
    block::BlockChunk,
    chunk::decode,
    head::{
        closed::{ClosedChunk, TakenChunk},
        isolation::{CommitId, View},
    },
    head_chunks::{ChunkFiles, ChunkRef, HeadChunkError, MappedChunk},
    query::merge_columns,
    recode::{Sample, encode_samples},
};

/// Samples in the list, as many as Prometheus has there by default.
const CAPACITY: usize = 32;
/// Most milliseconds from the first to the last sample of a chunk in a file.
const MAX_SPAN: Millis = u32::MAX as Millis;
/// The commit of samples that came from the log: everyone sees them.
const BEFORE_ALL: u64 = 0;

/// What a series has out of order.
#[derive(Default)]
pub(crate) struct LateSamples {
    /// Ascending in time.
    open: Vec<LateSample>,
    /// In the order they were closed; they may overlap each other and everything else.
    closed: Vec<LateChunk>,
    /// The first of them that were there before a restart, in order of their places in files.
    adopted: usize,
}

#[derive(Debug)]
struct LateSample {
    timestamp: Millis,
    sample: Sample,
    commit: u64,
}

#[derive(Clone)]
struct LateChunk {
    chunk: TakenChunk,
    /// The commit of each sample, while a reader may have to hide one.
    commits: Option<Arc<[u64]>>,
}

/// What adding a sample did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// The list has a sample of this moment, which stays.
    Known,
    /// It is in the list.
    Added,
    /// It is in a new list: the one before was full and became a chunk.
    Closed,
}

/// The samples in a range of time as they are taken along from a locked series.
pub(crate) struct TakenLate {
    open: Columns,
    chunks: Vec<LateChunk>,
}

// === impl LateSamples ===

impl LateSamples {
    /// Adds a sample; without a commit everyone sees it.
    pub(crate) fn insert(&mut self, timestamp: Millis, sample: Sample, commit: Option<CommitId>) -> Inserted {
        if self.open.binary_search_by_key(&timestamp, |sample| sample.timestamp).is_ok() {
            return Inserted::Known;
        }
        let full = self.open.len() >= CAPACITY;
        if full {
            self.close(commit.map_or(u64::MAX, |commit| commit.watermark));
        }
        let at = self.open.partition_point(|sample| sample.timestamp < timestamp);
        let commit = commit.map_or(BEFORE_ALL, |commit| commit.id);
        self.open.insert(at, LateSample { timestamp, sample, commit });
        if full { Inserted::Closed } else { Inserted::Added }
    }

    /// Makes chunks of the list. Every reader sees the commits below `watermark`.
    pub(crate) fn close(&mut self, watermark: u64) {
        // All before one that everyone sees are seen by everyone, or nearly all.
        for chunk in self.closed.iter_mut().rev().take_while(|chunk| chunk.commits.is_some()) {
            chunk.commits.take_if(|commits| commits.iter().all(|commit| *commit < watermark));
        }
        let samples = mem::take(&mut self.open);
        let commits: Vec<_> = samples.iter().map(|sample| sample.commit).collect();
        let samples: Vec<_> = samples.into_iter().map(|late| (late.timestamp, late.sample)).collect();
        let mut begin = 0;
        while let Some((first, _)) = samples.get(begin) {
            let fits =
                |(time, _): &(Millis, _)| time.checked_sub(*first).is_some_and(|span| span <= MAX_SPAN);
            let end = begin + samples[begin..].partition_point(fits);
            for chunk in encode_samples(&samples[begin..end]).into_iter().map(BlockChunk::into_closed) {
                let last = begin + samples[begin..end].partition_point(|(time, _)| *time <= chunk.max_time);
                self.closed.push(LateChunk::new(chunk, &commits[begin..last], watermark));
                begin = last;
            }
        }
    }

    /// Takes in a chunk that the series had in a file before a restart.
    pub(crate) fn adopt(&mut self, chunk: MappedChunk) {
        self.closed.insert(self.adopted, LateChunk { chunk: TakenChunk::Mapped(chunk), commits: None });
        self.adopted += 1;
    }

    /// Takes those samples out of the list that are in the chunk at `reference`, if the series has one there, and drops the chunk that
    /// was made of the same samples since the restart.
    pub(crate) fn forget_those_in(
        &mut self,
        reference: ChunkRef,
        files: &ChunkFiles,
    ) -> Result<(), HeadChunkError> {
        let (adopted, since) = self.closed.split_at(self.adopted);
        let Ok(at) = adopted.binary_search_by_key(&Some(reference), LateChunk::reference) else {
            return Ok(());
        };
        let mut columns = Columns::default();
        let chunk = adopted[at].chunk.clone().load(files)?;
        if let Some(again) = since.iter().position(|late| late.is_same(&chunk, files)) {
            self.closed.remove(self.adopted + again);
        }
        decode(chunk.encoding, &chunk.data, usize::MAX, (Millis::MIN, Millis::MAX), &mut columns)?;
        self.open.retain(|sample| {
            let time = sample.timestamp;
            columns.timestamps.binary_search(&time).is_err()
                && columns.histograms.binary_search_by_key(&time, |point| point.timestamp).is_err()
        });
        Ok(())
    }

    /// The chunks that are not in files yet.
    pub(crate) fn waiting(&self) -> Vec<ClosedChunk> {
        let waiting = |late: &LateChunk| match &late.chunk {
            TakenChunk::Memory(chunk) => Some(chunk.clone()),
            TakenChunk::Mapped(_) => None,
        };
        self.closed.iter().filter_map(waiting).collect()
    }

    /// Lets go of the data of a chunk that is in a file now.
    pub(crate) fn settle(&mut self, mapped: MappedChunk) {
        let is_it = |late: &&mut LateChunk| {
            let chunk = &late.chunk;
            matches!(chunk, TakenChunk::Memory(_))
                && (chunk.min_time(), chunk.max_time()) == (mapped.min_time(), mapped.max_time())
        };
        if let Some(late) = self.closed.iter_mut().rev().find(is_it) {
            late.chunk = TakenChunk::Mapped(mapped);
        }
    }

    /// What is in the list.
    pub(crate) fn open(&self) -> impl Iterator<Item = (Millis, &Sample)> {
        self.open.iter().map(|late| (late.timestamp, &late.sample))
    }

    pub(crate) fn chunk_count(&self) -> usize {
        self.closed.len()
    }

    /// The first `count` chunks that were closed.
    pub(crate) fn first_chunks(&self, count: usize) -> Vec<TakenChunk> {
        self.closed.iter().take(count).map(|late| late.chunk.clone()).collect()
    }

    /// Drops the first `count` chunks; returns whether there is nothing left.
    pub(crate) fn drop_first(&mut self, count: usize) -> bool {
        self.closed.drain(..count.min(self.closed.len()));
        self.adopted = self.adopted.saturating_sub(count);
        self.closed.shrink_to_fit();
        self.closed.is_empty() && self.open.is_empty()
    }

    /// The lowest number of a file that has a chunk of these.
    pub(crate) fn first_file(&self) -> Option<u32> {
        self.closed.iter().filter_map(LateChunk::reference).map(ChunkRef::file).min()
    }

    /// Times of the oldest and the newest sample.
    pub(crate) fn time_range(&self) -> Option<(Millis, Millis)> {
        let open = self.open.first().zip(self.open.last());
        let open = open.map(|(first, last)| (first.timestamp, last.timestamp));
        let closed = self.closed.iter().map(|late| (late.chunk.min_time(), late.chunk.max_time()));
        closed.chain(open).reduce(|(min, max), (first, last)| (min.min(first), max.max(last)))
    }

    /// What `view` sees in `[min_time, max_time]`.
    pub(crate) fn take(&self, view: &View, (min_time, max_time): (Millis, Millis)) -> TakenLate {
        let mut open = Columns::default();
        for LateSample { timestamp, sample, commit } in &self.open {
            if (min_time..=max_time).contains(timestamp) && view.sees(*commit) {
                sample.push_to(*timestamp, &mut open);
            }
        }
        let overlaps =
            |late: &&LateChunk| late.chunk.min_time() <= max_time && late.chunk.max_time() >= min_time;
        TakenLate { open, chunks: self.closed.iter().filter(overlaps).cloned().collect() }
    }
}

// === impl LateChunk ===

impl LateChunk {
    fn new(chunk: ClosedChunk, commits: &[u64], watermark: u64) -> Self {
        let hidden = commits.iter().any(|commit| *commit >= watermark);
        Self { chunk: TakenChunk::Memory(chunk), commits: hidden.then(|| commits.into()) }
    }

    /// Where in the files it is, if it is.
    fn reference(&self) -> Option<ChunkRef> {
        match &self.chunk {
            TakenChunk::Mapped(chunk) => Some(chunk.reference()),
            TakenChunk::Memory(_) => None,
        }
    }

    /// Whether it has the very bytes of another.
    fn is_same(&self, other: &ClosedChunk, files: &ChunkFiles) -> bool {
        (self.chunk.min_time(), self.chunk.max_time()) == (other.min_time, other.max_time)
            && self.chunk.clone().load(files).is_ok_and(|chunk| *chunk.data == *other.data)
    }

    fn read(
        self,
        view: &View,
        files: &ChunkFiles,
        range: (Millis, Millis),
    ) -> Result<Columns, HeadChunkError> {
        let chunk = self.chunk.load(files)?;
        let mut columns = Columns::default();
        let Some(commits) = self.commits else {
            decode(chunk.encoding, &chunk.data, usize::MAX, range, &mut columns)?;
            return Ok(columns);
        };
        let mut all = Columns::default();
        decode(chunk.encoding, &chunk.data, usize::MAX, (Millis::MIN, Millis::MAX), &mut all)?;
        let is_wanted =
            |timestamp: Millis, commit: u64| (range.0..=range.1).contains(&timestamp) && view.sees(commit);
        // A chunk has samples of one kind.
        let floats = all.timestamps.iter().zip(&all.values).zip(commits.iter());
        for ((timestamp, value), _) in floats.filter(|((time, _), commit)| is_wanted(**time, **commit)) {
            columns.push(*timestamp, *value);
        }
        let histograms = all.histograms.into_iter().zip(commits.iter());
        columns.histograms.extend(
            histograms.filter(|(point, commit)| is_wanted(point.timestamp, **commit)).map(|(point, _)| point),
        );
        Ok(columns)
    }
}

// === impl TakenLate ===

impl TakenLate {
    /// Merges the samples into `columns`; of two with one timestamp the one that is there stays. `files` were taken with the series
    /// locked.
    pub(crate) fn merge_into(
        mut self,
        view: &View,
        files: &ChunkFiles,
        range: (Millis, Millis),
        columns: &mut Columns,
    ) -> Result<(), HeadChunkError> {
        for chunk in self.chunks {
            merge_columns(columns, &mut chunk.read(view, files, range)?);
        }
        merge_columns(columns, &mut self.open);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Isolation;

    const ALL: (Millis, Millis) = (Millis::MIN, Millis::MAX);

    fn read(late: &LateSamples, view: &View) -> Vec<Millis> {
        let mut columns = Columns::default();
        late.take(view, ALL).merge_into(view, &ChunkFiles::default(), ALL, &mut columns).unwrap();
        columns.timestamps
    }

    #[test]
    fn a_full_list_becomes_a_chunk_when_the_next_sample_comes() {
        let mut late = LateSamples::default();
        for number in (0..32).rev() {
            assert_eq!(late.insert(number * 10, Sample::Float(1.0), None), Inserted::Added);
        }
        assert_eq!((late.chunk_count(), late.open.len()), (0, 32));
        assert_eq!(late.insert(5, Sample::Float(1.0), None), Inserted::Closed);
        assert_eq!(late.insert(5, Sample::Float(2.0), None), Inserted::Known);
        assert_eq!((late.chunk_count(), late.open.len()), (1, 1));
        assert_eq!(late.time_range(), Some((0, 310)));
        let view = Arc::new(Isolation::default()).view(0);
        assert_eq!(read(&late, &view).len(), 33);
    }

    #[test]
    fn a_list_that_spans_months_becomes_several_chunks() {
        let mut late = LateSamples::default();
        for timestamp in [0, 1, MAX_SPAN, MAX_SPAN + 1, Millis::MAX] {
            late.insert(timestamp, Sample::Float(1.0), None);
        }
        late.close(u64::MAX);
        assert_eq!(late.chunk_count(), 3);
    }

    #[test]
    fn a_chunk_hides_what_a_view_must_not_see() {
        let isolation = Arc::new(Isolation::default());
        let first = isolation.begin();
        let mut late = LateSamples::default();
        late.insert(10, Sample::Float(1.0), Some(first));
        isolation.end(first);
        let view = isolation.view(0);
        let second = isolation.begin();
        (0..40).for_each(|number| {
            late.insert(number * 2, Sample::Float(1.0), Some(second));
        });
        isolation.end(second);
        assert_eq!(late.chunk_count(), 1);
        assert_eq!(read(&late, &view), [10]);
        assert_eq!(read(&late, &isolation.view(0)).len(), 40);
    }
}
