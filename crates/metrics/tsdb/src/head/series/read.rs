//! Reads a series as one view sees it.

use model::{Columns, Millis};
use parking_lot::MutexGuard;
use smallvec::SmallVec;

use super::{MemSeries, SeriesState};
use crate::{
    chunk::{Newest, decode, decode_newest},
    head::{closed::TakenChunk, isolation::View},
    head_chunks::{CurrentFiles, HeadChunkError, HeadChunks},
};

/// Bytes of an open chunk that are copied without an allocation: most have less.
const OPEN_BYTES: usize = 512;

/// Chunks in order of time, each with how many of its samples are visible.
type SeenChunks = SmallVec<[(TakenChunk, usize); 8]>;

/// Appends to `columns` the samples of a series in `[min_time, max_time]` that `view` sees.
pub(crate) fn read_series(
    series: &MemSeries,
    files: &HeadChunks,
    view: &View,
    range: (Millis, Millis),
    columns: &mut Columns,
) -> Result<(), HeadChunkError> {
    let before = columns.timestamps.len();
    let state = series.state();
    let late = state.late().map(|late| (late.take(view, range), files.files()));
    let deleted = state.deleted().cloned();
    let files = files.current_files();
    let Some((late, late_files)) = late else {
        read_in_order(state, &files, view, range, columns)?;
        if let Some(deleted) = deleted {
            deleted.remove_from(columns, before);
        }
        return Ok(());
    };
    let mut all = Columns::default();
    read_in_order(state, &files, view, range, &mut all)?;
    late.merge_into(view, &late_files, range, &mut all)?;
    if let Some(deleted) = deleted {
        deleted.remove_from(&mut all, 0);
    }
    columns.timestamps.append(&mut all.timestamps);
    columns.values.append(&mut all.values);
    columns.histograms.append(&mut all.histograms);
    Ok(())
}

/// Appends what is in order and seen, deleted or not; `files` were taken with the series locked, which it is no longer than needed.
fn read_in_order(
    state: MutexGuard<'_, SeriesState>,
    files: &CurrentFiles,
    view: &View,
    (min_time, max_time): (Millis, Millis),
    columns: &mut Columns,
) -> Result<(), HeadChunkError> {
    let (open_visible, hidden) = state.visible_of_open(view);
    let closed = state.closed_in((min_time, max_time), hidden);
    let open = state
        .open
        .as_ref()
        .filter(|open| open_visible > 0 && open.min_time() <= max_time && state.last_time >= min_time);
    if closed.is_empty() {
        if let Some(open) = open {
            decode(open.encoding(), open.bytes(), open_visible, (min_time, max_time), columns)?;
        }
        return Ok(());
    }
    // Its bytes are few: nobody has to wait until all is decoded.
    let open = open.map(|open| (open.encoding(), SmallVec::<[u8; OPEN_BYTES]>::from_slice(open.bytes())));
    drop(state);
    for (chunk, limit) in closed {
        chunk
            .show(files, |encoding, data| decode(encoding, data, limit, (min_time, max_time), columns))??;
    }
    if let Some((encoding, bytes)) = open {
        decode(encoding, &bytes, open_visible, (min_time, max_time), columns)?;
    }
    Ok(())
}

/// As [`read_series`], but samples before the newest may be left out.
pub(crate) fn read_newest(
    series: &MemSeries,
    files: &HeadChunks,
    view: &View,
    range: (Millis, Millis),
    columns: &mut Columns,
) -> Result<(), HeadChunkError> {
    let state = series.state();
    let mut newest = state.newest_of_open(view, range)?;
    let closed = match newest {
        Newest::Nothing => state.newest_closed_in(view, range).map(|closed| (closed, files.current_files())),
        Newest::Float(..) | Newest::Histograms => None,
    };
    drop(state);
    if let Some(((chunk, limit), files)) = closed {
        newest = chunk.show(&files, |encoding, data| decode_newest(encoding, data, limit, range))??;
    }
    match newest {
        Newest::Float(timestamp, value) => columns.push(timestamp, value),
        Newest::Nothing | Newest::Histograms => return read_series(series, files, view, range, columns),
    }
    Ok(())
}

// === impl SeriesState ===

impl SeriesState {
    /// The chunks in order that have samples in `[min_time, max_time]`, the open one copied, in order of time, each with how many of its
    /// samples `view` sees, the oldest: all of it where it is `usize::MAX`.
    pub(in crate::head) fn chunks_seen(
        &self,
        view: &View,
        (min_time, max_time): (Millis, Millis),
    ) -> SeenChunks {
        let (open_visible, hidden) = self.visible_of_open(view);
        let mut chunks = self.closed_in((min_time, max_time), hidden);
        if let Some(open) = &self.open
            && open_visible > 0
            && open.min_time() <= max_time
            && self.last_time >= min_time
        {
            let limit = if open_visible == usize::from(open.len()) { usize::MAX } else { open_visible };
            chunks.push((TakenChunk::Memory(open.to_closed(self.last_time)), limit));
        }
        chunks
    }

    /// The newest sample that `view` sees in a range, where it is a float in the open chunk and no other chunk can have a newer one;
    /// [`Newest::Histograms`] where that takes a look at more.
    fn newest_of_open(
        &self,
        view: &View,
        (min_time, max_time): (Millis, Millis),
    ) -> Result<Newest, HeadChunkError> {
        if self.late.is_some() || self.deleted().is_some() {
            return Ok(Newest::Histograms);
        }
        let Some(open) = &self.open else {
            return Ok(Newest::Nothing);
        };
        let (visible, _) = self.visible_of_open(view);
        let is_float = !open.encoding().holds_histograms();
        if is_float && visible == usize::from(open.len()) && (min_time..=max_time).contains(&self.last_time) {
            return Ok(Newest::Float(self.last_time, self.last_value));
        }
        Ok(decode_newest(open.encoding(), open.bytes(), visible, (min_time, max_time))?)
    }

    /// The newest of the closed chunks that have samples in a range, and how many of its samples `view` sees.
    fn newest_closed_in(&self, view: &View, range: (Millis, Millis)) -> Option<(TakenChunk, usize)> {
        let (_, hidden) = self.visible_of_open(view);
        self.closed_in(range, hidden).pop()
    }

    /// How many samples of the open chunk `view` sees, and how many of the closed ones, the newest, it must not see.
    fn visible_of_open(&self, view: &View) -> (usize, usize) {
        let hidden = match self.recent.iter().position(|commit| !view.sees(*commit)) {
            Some(first) => self.recent.len() - first,
            None => 0,
        };
        let open_count = self.open.as_ref().map_or(0, |open| usize::from(open.len()));
        (open_count.saturating_sub(hidden), hidden.saturating_sub(open_count))
    }

    /// The closed chunks that have samples in `[min_time, max_time]`, as [`SeriesState::chunks_seen`] has them, when the newest `hidden`
    /// samples of all closed chunks are not to be seen: a batch may have closed chunks as well.
    fn closed_in(&self, (min_time, max_time): (Millis, Millis), mut hidden: usize) -> SeenChunks {
        let mut closed = SeenChunks::new();
        for chunk in self.closed.newest_first() {
            if hidden == 0 && chunk.max_time() < min_time {
                break;
            }
            let limit = if hidden == 0 { usize::MAX } else { chunk.samples().saturating_sub(hidden) };
            hidden = hidden.saturating_sub(chunk.samples());
            if limit > 0 && chunk.min_time() <= max_time && chunk.max_time() >= min_time {
                closed.push((chunk, limit));
            }
        }
        closed.reverse();
        closed
    }
}
