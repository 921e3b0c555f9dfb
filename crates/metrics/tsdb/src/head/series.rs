//! One series in memory: its open chunk, the closed ones, and the rules for what may be appended.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use model::{Columns, Labels, Millis};
use parking_lot::Mutex;
use smallvec::SmallVec;
use storage::{AppendError, Metadata};

use super::isolation::{CommitId, View};
use crate::{
    chunk::{
        ChunkError, MAX_CHUNK_BYTES, SAMPLES_PER_CHUNK, XorEncoder, decode_columns, predicted_end, range_end,
        sample_count,
    },
    intervals::Intervals,
};

/// A series in memory.
pub(crate) struct MemSeries {
    /// Its number in the log; never used again for another series.
    series_ref: u64,
    labels: Labels,
    /// Number of batches that hold the series, or [`DEAD`].
    holders: AtomicU32,
    state: Mutex<SeriesState>,
}

/// The series was removed: who still has a pointer to it must find it anew by its labels.
const DEAD: u32 = u32::MAX;

/// What changes as samples come.
#[derive(Default)]
pub(crate) struct SeriesState {
    closed: Vec<ClosedChunk>,
    open: Option<OpenChunk>,
    /// Commit numbers of the newest samples, oldest first, as far as a reader may have to hide them.
    recent: SmallVec<[u64; 2]>,
    /// The newest sample; kept when its chunk leaves memory.
    last: Option<(Millis, f64)>,
    metadata: Option<Box<Metadata>>,
    deleted: Option<Box<Intervals>>,
}

/// A chunk that gets no more samples.
#[derive(Debug, Clone)]
pub(crate) struct ClosedChunk {
    pub(crate) min_time: Millis,
    pub(crate) max_time: Millis,
    pub(crate) data: Arc<[u8]>,
}

struct OpenChunk {
    encoder: XorEncoder,
    min_time: Millis,
    max_time: Millis,
    /// A sample at or after this moment belongs to the next chunk.
    end: Millis,
}

/// The rules a batch goes by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AppendRules {
    /// Samples before this moment are out of bounds.
    pub(crate) min_valid_time: Millis,
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
    /// It is there already with the same value: no error, nothing to do.
    Known,
}

// === impl MemSeries ===

impl MemSeries {
    pub(crate) fn new(series_ref: u64, labels: Labels) -> Self {
        Self { series_ref, labels, holders: AtomicU32::new(0), state: Mutex::default() }
    }

    pub(crate) fn series_ref(&self) -> u64 {
        self.series_ref
    }

    pub(crate) fn labels(&self) -> &Labels {
        &self.labels
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
        let empty = state.closed.is_empty() && state.open.is_none();
        empty && self.holders.compare_exchange(0, DEAD, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.holders.load(Ordering::Acquire) == DEAD
    }
}

// === impl SeriesState ===

impl SeriesState {
    /// Whether a sample may be appended, by Prometheus' rules.
    pub(crate) fn check(
        &self,
        timestamp: Millis,
        value: f64,
        rules: AppendRules,
    ) -> Result<Verdict, AppendError> {
        if timestamp < rules.min_valid_time {
            return Err(AppendError::OutOfBounds);
        }
        let Some((last_time, last_value)) = self.last else {
            return Ok(Verdict::Take);
        };
        if timestamp > last_time {
            return Ok(Verdict::Take);
        }
        if timestamp < last_time {
            return Err(AppendError::OutOfOrder);
        }
        if last_value.to_bits() == value.to_bits() {
            return Ok(Verdict::Known);
        }
        Err(AppendError::Duplicate { timestamp, existing: last_value, new: value })
    }

    /// Appends a sample if it is younger than all before; `width` is the range of time that chunks must not cross the edges of.
    pub(crate) fn append(
        &mut self,
        timestamp: Millis,
        value: f64,
        commit: Option<CommitId>,
        width: Millis,
    ) -> Appended {
        if self.last.is_some_and(|(last, _)| timestamp <= last) {
            return Appended::Not;
        }
        let cut = self.open.as_mut().is_none_or(|open| open.is_over(timestamp));
        if cut {
            self.close();
            self.open = Some(OpenChunk::new(timestamp, width));
        }
        if let Some(open) = &mut self.open {
            open.encoder.append(timestamp, value);
            open.max_time = timestamp;
        }
        self.last = Some((timestamp, value));
        if let Some(commit) = commit {
            let settled = self.recent.iter().take_while(|id| **id < commit.watermark).count();
            self.recent.drain(..settled);
            self.recent.push(commit.id);
        }
        if cut { Appended::NewChunk } else { Appended::Same }
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.closed.push(open.freeze());
        }
    }

    /// The oldest and the newest sample's times.
    pub(crate) fn time_range(&self) -> Option<(Millis, Millis)> {
        let open = self.open.as_ref().map(|open| (open.min_time, open.max_time));
        let first = self.closed.first().map(|chunk| chunk.min_time).or(open.map(|(min, _)| min))?;
        let last = open.map(|(_, max)| max).or(self.closed.last().map(|chunk| chunk.max_time))?;
        Some((first, last))
    }

    pub(crate) fn chunk_count(&self) -> usize {
        self.closed.len() + usize::from(self.open.is_some())
    }

    /// The chunks that have samples in `[min_time, max_time]`, the open one copied.
    pub(crate) fn chunks_in(&self, min_time: Millis, max_time: Millis) -> Vec<ClosedChunk> {
        let open = self.open.as_ref().filter(|open| open.min_time <= max_time && open.max_time >= min_time);
        let mut chunks: Vec<_> = self.closed_in(min_time, max_time).cloned().collect();
        chunks.extend(open.map(|open| ClosedChunk {
            min_time: open.min_time,
            max_time: open.max_time,
            data: open.encoder.bytes().into(),
        }));
        chunks
    }

    fn closed_in(&self, min_time: Millis, max_time: Millis) -> impl Iterator<Item = &ClosedChunk> {
        let first = self.closed.partition_point(|chunk| chunk.max_time < min_time);
        self.closed.iter().skip(first).take_while(move |chunk| chunk.min_time <= max_time)
    }

    /// Drops the chunks that end before `time`; returns how many.
    pub(crate) fn truncate_before(&mut self, time: Millis) -> usize {
        let gone = self.closed.partition_point(|chunk| chunk.max_time < time);
        self.closed.drain(..gone);
        let open_gone = self.open.as_ref().is_some_and(|open| open.max_time < time);
        if open_gone {
            self.open = None;
        }
        if self.closed.is_empty() {
            self.closed.shrink_to(4);
        }
        if self.deleted.as_mut().is_some_and(|deleted| deleted.forget_before(time)) {
            self.deleted = None;
        }
        gone + usize::from(open_gone)
    }

    /// Hides the samples in `[min_time, max_time]`, as far as they are there now.
    pub(crate) fn delete(&mut self, min_time: Millis, max_time: Millis) {
        if let Some((oldest, newest)) = self.time_range() {
            self.deleted.get_or_insert_default().add(min_time.max(oldest), max_time.min(newest));
        }
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

/// Appends to `columns` the samples of a series in `[min_time, max_time]` that `view` sees.
pub(crate) fn read_series(
    series: &MemSeries,
    view: &View,
    min_time: Millis,
    max_time: Millis,
    columns: &mut Columns,
) -> Result<(), ChunkError> {
    let before = columns.timestamps.len();
    let state = series.state();
    let closed: SmallVec<[ClosedChunk; 8]> = state.closed_in(min_time, max_time).cloned().collect();
    let mut hidden = match state.recent.iter().position(|commit| !view.sees(*commit)) {
        Some(first) => state.recent.len() - first,
        None => 0,
    };
    // The open chunk is decoded into its own columns while the lock is held: it is short, and copying it would cost as much.
    let mut tail = Columns::default();
    if let Some(open) = &state.open {
        let visible = usize::from(open.encoder.len()).saturating_sub(hidden);
        hidden = hidden.saturating_sub(usize::from(open.encoder.len()));
        if visible > 0 && open.min_time <= max_time && open.max_time >= min_time {
            let target = if closed.is_empty() { &mut *columns } else { &mut tail };
            decode_columns(open.encoder.bytes(), visible, (min_time, max_time), target)?;
        }
    }
    // A batch may have closed chunks as well: hide its samples there too.
    let mut limits: SmallVec<[usize; 8]> = SmallVec::from_elem(usize::MAX, closed.len());
    if hidden > 0 {
        // Counted from the newest chunk of the series, not of the range.
        let skipped = state.closed.len() - state.closed.partition_point(|chunk| chunk.min_time <= max_time);
        for chunk in state.closed.iter().rev().take(skipped) {
            hidden = hidden.saturating_sub(usize::from(sample_count(&chunk.data)?));
        }
        for (chunk, limit) in closed.iter().zip(&mut limits).rev() {
            let count = usize::from(sample_count(&chunk.data)?);
            *limit = count.saturating_sub(hidden);
            hidden = hidden.saturating_sub(count);
        }
    }
    let deleted = state.deleted().cloned();
    drop(state);
    for (chunk, limit) in closed.iter().zip(limits) {
        decode_columns(&chunk.data, limit, (min_time, max_time), columns)?;
    }
    columns.timestamps.append(&mut tail.timestamps);
    columns.values.append(&mut tail.values);
    if let Some(deleted) = deleted {
        deleted.remove_from(columns, before);
    }
    Ok(())
}

// === impl OpenChunk ===

impl OpenChunk {
    fn new(start: Millis, width: Millis) -> Self {
        Self { encoder: XorEncoder::new(), min_time: start, max_time: start, end: range_end(start, width) }
    }

    /// Whether a sample at `timestamp` needs a new chunk.
    fn is_over(&mut self, timestamp: Millis) -> bool {
        let count = self.encoder.len();
        if count == SAMPLES_PER_CHUNK / 4 {
            self.end = predicted_end(self.min_time, self.max_time, self.end);
        }
        timestamp >= self.end
            || count >= 2 * SAMPLES_PER_CHUNK
            || self.encoder.bytes().len() > MAX_CHUNK_BYTES
    }

    fn freeze(self) -> ClosedChunk {
        ClosedChunk { min_time: self.min_time, max_time: self.max_time, data: self.encoder.bytes().into() }
    }
}
