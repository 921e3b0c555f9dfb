//! Reads a series as one view sees it.

use model::{Columns, Millis};
use smallvec::SmallVec;

use super::MemSeries;
use crate::{
    chunk::decode,
    head::{closed::TakenChunk, isolation::View},
    head_chunks::{HeadChunkError, HeadChunks},
};

/// Appends to `columns` the samples of a series in `[min_time, max_time]` that `view` sees.
pub(crate) fn read_series(
    series: &MemSeries,
    files: &HeadChunks,
    view: &View,
    range: (Millis, Millis),
    columns: &mut Columns,
) -> Result<(), HeadChunkError> {
    let state = series.state();
    let Some(late) = state.late().map(|late| late.take(view, range)) else {
        drop(state);
        return read_in_order(series, files, view, range, columns);
    };
    let deleted = state.deleted().cloned();
    let late_files = files.files();
    drop(state);
    let mut all = Columns::default();
    read_in_order(series, files, view, range, &mut all)?;
    late.merge_into(view, &late_files, range, &mut all)?;
    if let Some(deleted) = deleted {
        deleted.remove_from(&mut all, 0);
    }
    columns.timestamps.append(&mut all.timestamps);
    columns.values.append(&mut all.values);
    columns.histograms.append(&mut all.histograms);
    Ok(())
}

fn read_in_order(
    series: &MemSeries,
    files: &HeadChunks,
    view: &View,
    (min_time, max_time): (Millis, Millis),
    columns: &mut Columns,
) -> Result<(), HeadChunkError> {
    let before = columns.timestamps.len();
    let state = series.state();
    let mut hidden = match state.recent.iter().position(|commit| !view.sees(*commit)) {
        Some(first) => state.recent.len() - first,
        None => 0,
    };
    let open_count = state.open.as_ref().map_or(0, |open| usize::from(open.len()));
    let open_visible = open_count.saturating_sub(hidden);
    hidden = hidden.saturating_sub(open_count);
    // A batch may have closed chunks as well: hide its samples there too.
    let mut closed: SmallVec<[(TakenChunk, usize); 8]> = SmallVec::new();
    for chunk in state.closed.newest_first() {
        if hidden == 0 && chunk.max_time() < min_time {
            break;
        }
        let limit = if hidden == 0 { usize::MAX } else { chunk.samples().saturating_sub(hidden) };
        hidden = hidden.saturating_sub(chunk.samples());
        if chunk.min_time() <= max_time && chunk.max_time() >= min_time {
            closed.push((chunk, limit));
        }
    }
    // The open chunk is decoded into its own columns while the lock is held: it is short, and copying it would cost as much.
    let mut tail = Columns::default();
    if let Some(open) = &state.open
        && open_visible > 0
        && open.min_time() <= max_time
        && state.last_time >= min_time
    {
        let target = if closed.is_empty() { &mut *columns } else { &mut tail };
        decode(open.encoding(), open.bytes(), open_visible, (min_time, max_time), target)?;
    }
    let deleted = state.deleted().cloned();
    let files = files.files();
    drop(state);
    for (chunk, limit) in closed.into_iter().rev() {
        let chunk = chunk.load(&files)?;
        decode(chunk.encoding, &chunk.data, limit, (min_time, max_time), columns)?;
    }
    columns.timestamps.append(&mut tail.timestamps);
    columns.values.append(&mut tail.values);
    columns.histograms.append(&mut tail.histograms);
    if let Some(deleted) = deleted {
        deleted.remove_from(columns, before);
    }
    Ok(())
}
