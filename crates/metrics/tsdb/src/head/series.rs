//! One series in memory: its open chunk, the closed ones, and the rules for what may be appended.
//!
//! What a series costs, in bytes; a test holds the sizes of the types to it:
//!
//! | part | bytes |
//! |---|---|
//! | [`MemSeries`] with the two counts of its `Arc` | 16 + 208 |
//! | the labels' text | its length + 16 |
//! | open chunk of floats: some 1.3 to 8 bytes a sample, grown by 64 | 48 … 1,088 |
//! | open chunk of histograms: the newest two times, with each bucket as it came and as it changes, beside the data | some 600 + 32 a bucket |
//! | each closed chunk, in a file | 24 |
//! | a closed chunk that waits for its file, about a second | its data + 16 + 56 |
//!
//! Beside that stand the tables that find it: see `table`, `postings` and `raw_cache`.

mod histograms;
mod read;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use model::{Labels, Millis};
use parking_lot::Mutex;
use smallvec::SmallVec;
use storage::{AppendError, Metadata};

use super::{
    closed::{ClosedChunk, ClosedChunks, TakenChunk},
    isolation::CommitId,
    ooo::LateSamples,
    open_chunk::{ChunkForm, OpenChunk},
};
use crate::{head_chunks::MappedChunk, intervals::Intervals};

pub(crate) use read::{read_newest, read_series};

/// A series in memory.
pub(crate) struct MemSeries {
    /// Its number in the log; never used again for another series. Changes only while the head loads.
    series_ref: AtomicU64,
    labels: Labels,
    /// Number of batches that hold the series, or [`DEAD`].
    holders: AtomicU32,
    state: Mutex<SeriesState>,
}

/// Series whose memory is asked for together, see [`MemSeries::touch`].
pub(super) const READ_AHEAD: usize = 16;

/// The series was removed: who still has a pointer to it must find it anew by its labels.
const DEAD: u32 = u32::MAX;

/// What changes as samples come.
pub(crate) struct SeriesState {
    closed: ClosedChunks,
    open: Option<OpenChunk>,
    /// Commit numbers of the newest samples, oldest first, as far as a reader may have to hide them.
    recent: SmallVec<[u64; RECENT]>,
    /// The newest sample, also when its chunk has left memory. [`NO_SAMPLE`] while there was none.
    last_time: Millis,
    /// The newest sample's value, unless it is a histogram.
    last_value: f64,
    metadata: Option<Box<Metadata>>,
    deleted: Option<Box<Intervals>>,
    /// Samples out of order; nearly all series have none.
    pub(super) late: Option<Box<LateSamples>>,
}

/// The time of a sample that never came: none may have it.
const NO_SAMPLE: Millis = Millis::MIN;
/// Commit numbers that a series keeps room for.
const RECENT: usize = 2;

/// The rules a batch goes by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AppendRules {
    /// Samples before this moment cannot be in order.
    pub(crate) min_valid_time: Millis,
    /// Samples from this moment on are taken out of order; none where no sample is.
    pub(crate) late_since: Option<Millis>,
}

/// What appending to a series did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Appended {
    /// The sample is in the open chunk.
    Same,
    /// It is in a new chunk.
    NewChunk,
    /// It is not younger than what is there and was left out.
    Not,
}

/// What is to be done with a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Append it.
    Take,
    /// Append it to those out of order.
    Late,
    /// It is there already with the same value: no error, nothing to do.
    Known,
}

/// Where a sample's time lies in its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Behind all samples.
    Behind,
    /// At the newest sample's very moment.
    OnNewest,
    /// Before the newest, and not too old.
    Late,
}

// === impl MemSeries ===

impl MemSeries {
    pub(crate) fn new(series_ref: u64, labels: Labels) -> Self {
        Self {
            series_ref: AtomicU64::new(series_ref),
            labels,
            holders: AtomicU32::new(0),
            state: Mutex::new(SeriesState::new()),
        }
    }

    pub(crate) fn series_ref(&self) -> u64 {
        self.series_ref.load(Ordering::Relaxed)
    }

    /// Goes by another number from now on, which the log has for it as well.
    pub(super) fn renumber(&self, series_ref: u64) {
        self.series_ref.store(series_ref, Ordering::Relaxed);
    }

    pub(crate) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Reads a little of each of its parts, so that they are in the cache when they are needed. Locks and counts wait for the memory they
    /// are on; plain reads of several series go on side by side.
    pub(super) fn touch(&self) -> u64 {
        let first = self.labels.iter().next().map_or(0, |(name, _)| name.len() as u64);
        first
            ^ self.series_ref()
            ^ u64::from(self.state.is_locked())
            ^ u64::from(self.holders.load(Ordering::Relaxed))
    }

    pub(crate) fn state(&self) -> parking_lot::MutexGuard<'_, SeriesState> {
        self.state.lock()
    }

    /// Keeps the series from being removed until [`MemSeries::release`]; false when it is removed already.
    pub(crate) fn hold(&self) -> bool {
        let add = |holders: u32| (holders < DEAD - 1).then(|| holders + 1);
        self.holders.fetch_update(Ordering::AcqRel, Ordering::Acquire, add).is_ok()
    }

    pub(crate) fn release(&self) {
        let before = self.holders.fetch_sub(1, Ordering::AcqRel);
        debug_assert!(before != 0 && before != DEAD, "BUG: released without hold");
    }

    /// Declares the series removed, unless a batch holds it or it has samples. To be called with its state locked.
    pub(crate) fn bury(&self, state: &SeriesState) -> bool {
        let empty = state.closed.is_empty() && state.open.is_none() && state.late.is_none();
        empty && self.holders.compare_exchange(0, DEAD, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.holders.load(Ordering::Acquire) == DEAD
    }
}

// === impl SeriesState ===

impl SeriesState {
    fn new() -> Self {
        Self {
            closed: ClosedChunks::default(),
            open: None,
            recent: SmallVec::new(),
            last_time: NO_SAMPLE,
            last_value: 0.0,
            metadata: None,
            deleted: None,
            late: None,
        }
    }

    /// Whether a sample may be appended, by Prometheus' rules.
    pub(crate) fn check(
        &self,
        timestamp: Millis,
        value: f64,
        rules: AppendRules,
    ) -> Result<Verdict, AppendError> {
        match self.check_time(timestamp, rules)? {
            Place::Behind => return Ok(Verdict::Take),
            Place::Late => return Ok(Verdict::Late),
            Place::OnNewest => {}
        }
        if self.ends_with_histogram() {
            return Err(AppendError::DuplicateOfHistogram { timestamp, new: value });
        }
        if self.last_value.to_bits() == value.to_bits() {
            return Ok(Verdict::Known);
        }
        Err(AppendError::Duplicate { timestamp, existing: self.last_value, new: value })
    }

    /// Where a sample belongs, of whatever kind it is.
    fn check_time(&self, timestamp: Millis, rules: AppendRules) -> Result<Place, AppendError> {
        let in_bounds = timestamp >= rules.min_valid_time;
        if in_bounds && timestamp > self.last_time {
            return Ok(Place::Behind);
        }
        if in_bounds && timestamp == self.last_time && timestamp != NO_SAMPLE {
            return Ok(Place::OnNewest);
        }
        match rules.late_since {
            Some(since) if timestamp >= since => Ok(Place::Late),
            Some(_) => Err(AppendError::TooOld),
            None if in_bounds => Err(AppendError::OutOfOrder),
            None => Err(AppendError::OutOfBounds),
        }
    }

    pub(crate) fn is_behind_newest(&self, timestamp: Millis) -> bool {
        timestamp > self.last_time
    }

    pub(crate) fn is_before_newest(&self, timestamp: Millis) -> bool {
        timestamp < self.last_time
    }

    /// Appends a sample if it is younger than all before.
    pub(crate) fn append(
        &mut self,
        timestamp: Millis,
        value: f64,
        commit: Option<CommitId>,
        form: ChunkForm,
    ) -> Appended {
        if timestamp <= self.last_time {
            return Appended::Not;
        }
        let last_time = self.last_time;
        let cut =
            self.open.as_mut().is_none_or(|open| !open.append(last_time, timestamp, value, form.floats));
        if cut {
            self.close();
            self.open = Some(OpenChunk::begin(timestamp, value, form));
        }
        (self.last_time, self.last_value) = (timestamp, value);
        self.note(commit);
        if cut { Appended::NewChunk } else { Appended::Same }
    }

    /// Remembers which commit the newest sample came with.
    fn note(&mut self, commit: Option<CommitId>) {
        if let Some(commit) = commit {
            let settled = self.recent.iter().take_while(|id| **id < commit.watermark).count();
            self.recent.drain(..settled);
            self.recent.push(commit.id);
            // A long query made it grow, and is over.
            if self.recent.spilled() && self.recent.len() <= RECENT {
                self.recent.shrink_to_fit();
            }
        }
    }

    /// Appends a sample of the log, unless it is in a chunk that the series already has.
    pub(crate) fn replay(&mut self, timestamp: Millis, value: f64, form: ChunkForm) -> Appended {
        if timestamp == self.last_time && self.open.is_none() {
            // Chunks in files come without the value of their last sample.
            self.last_value = value;
        }
        self.append(timestamp, value, None, form)
    }

    /// Takes in chunks that the series had in files before a restart; returns the times of the first and the last sample of them.
    ///
    /// To be called when the log names the series: for the first time, or anew because it had been removed and came again. Chunks that do
    /// not follow what is there by then are left out: the log has their samples as well.
    pub(crate) fn adopt(
        &mut self,
        chunks: impl Iterator<Item = MappedChunk> + Clone,
    ) -> Option<(Millis, Millis)> {
        chunks.clone().next()?;
        if self.open.is_some() || !self.closed.adopt(chunks) {
            return None;
        }
        let (first, last) = self.time_range()?;
        (self.last_time, self.last_value) = (last, f64::NAN);
        Some((first, last))
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.closed.push(open.to_closed(self.last_time));
        }
    }

    /// The closed chunks that are not in files yet, in order of time.
    pub(crate) fn waiting(&self) -> &[ClosedChunk] {
        self.closed.waiting()
    }

    /// Lets go of the oldest chunk that waits: it is in a file now.
    pub(crate) fn settle(&mut self, chunk: MappedChunk) {
        self.closed.settle(chunk);
    }

    /// The oldest and the newest sample's times.
    pub(crate) fn time_range(&self) -> Option<(Millis, Millis)> {
        let open = self.open.as_ref().map(|open| (open.min_time(), self.last_time));
        let first = self.closed.min_time().or(open.map(|(min, _)| min))?;
        let last = open.map(|(_, max)| max).or(self.closed.max_time())?;
        Some((first, last))
    }

    /// Number of chunks, those out of order included.
    pub(crate) fn chunk_count(&self) -> usize {
        let late = self.late().map_or(0, LateSamples::chunk_count);
        self.closed.len() + usize::from(self.open.is_some()) + late
    }

    /// The chunks that have samples in `[min_time, max_time]`, the open one copied, in order of time.
    pub(crate) fn chunks_in(&self, min_time: Millis, max_time: Millis) -> Vec<TakenChunk> {
        let open = self.open.as_ref().map(|open| TakenChunk::Memory(open.to_closed(self.last_time)));
        let all = open.into_iter().chain(self.closed.newest_first());
        let mut chunks: Vec<_> = all
            .skip_while(|chunk| chunk.min_time() > max_time)
            .take_while(|chunk| chunk.max_time() >= min_time)
            .collect();
        chunks.reverse();
        chunks
    }

    /// Drops the chunks that end before `time`; returns how many.
    pub(crate) fn truncate_before(&mut self, time: Millis) -> usize {
        let gone = self.closed.truncate_before(time);
        let open_gone = self.open.is_some() && self.last_time < time;
        if open_gone {
            self.open = None;
        }
        let oldest_late = self.late().and_then(LateSamples::time_range).map_or(time, |(first, _)| first);
        if self.deleted.as_mut().is_some_and(|deleted| deleted.forget_before(time.min(oldest_late))) {
            self.deleted = None;
        }
        gone + usize::from(open_gone)
    }

    /// Hides the samples in `[min_time, max_time]`, as far as they are there now.
    pub(crate) fn delete(&mut self, min_time: Millis, max_time: Millis) {
        // The log of samples out of order is read after this: what they have is not known yet, and the log's entry is bounded.
        let newest = self.whole_time_range().map_or(max_time, |(_, newest)| newest);
        self.deleted.get_or_insert_default().add(min_time, max_time.min(newest));
    }

    /// The stretches of time whose samples are deleted.
    pub(crate) fn deleted(&self) -> Option<&Intervals> {
        self.deleted.as_deref().filter(|deleted| !deleted.is_empty())
    }

    pub(crate) fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_deref()
    }

    pub(crate) fn set_metadata(&mut self, metadata: Metadata) {
        self.metadata = Some(Box::new(metadata));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chunk::Integers, head::open_chunk::HistogramChunk};

    #[test]
    fn sizes_are_as_the_table_says() {
        assert!(size_of::<MemSeries>() <= 208, "{}", size_of::<MemSeries>());
        assert!(size_of::<SeriesState>() <= 168, "{}", size_of::<SeriesState>());
        assert!(size_of::<OpenChunk>() <= 72, "{}", size_of::<OpenChunk>());
        assert_eq!(size_of::<Option<OpenChunk>>(), size_of::<OpenChunk>());
        assert!(size_of::<HistogramChunk<Integers>>() <= 400, "{}", size_of::<HistogramChunk<Integers>>());
        assert_eq!(size_of::<MappedChunk>(), 24);
        assert!(size_of::<ClosedChunk>() <= 56, "{}", size_of::<ClosedChunk>());
    }
}
