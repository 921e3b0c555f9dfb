//! Merging the chunks of one stream into batches: in time order, without repeats.

use std::{ops::Range, sync::Arc};

use model::{Labels, Nanos};
use rustc_hash::FxHashSet;
use streams::{Direction, LineBatch, LineBatchBuilder, QueryError, Wanted};

use super::{
    chunk::{Chunk, ChunkSource, Row},
    filter::TextFilter,
};

/// Entries of a batch at most.
const BATCH_ROWS: usize = 8192;
/// Bytes of text after which a batch is handed out.
const BATCH_TEXT: usize = 4 << 20;
/// Entries of one time that are compared each with each; more are hashed.
const COMPARE: usize = 8;

/// What the entries are wanted for; shared by all parts of one query.
pub(crate) struct Purpose {
    pub(crate) direction: Direction,
    pub(crate) wanted: Wanted,
    pub(crate) filter: TextFilter,
    /// What an entry has where its metadata is not wanted.
    pub(crate) no_metadata: Labels,
}

/// The entries of one stream from several sources.
pub(crate) struct Merge {
    stream: Labels,
    cursors: Vec<Cursor>,
    purpose: Arc<Purpose>,
    /// Entries of one time that are chosen and not yet handed out.
    group: std::vec::IntoIter<Row>,
    group_time: Nanos,
}

/// A source and the chunk it is in.
struct Cursor {
    source: Box<dyn ChunkSource>,
    distinct: bool,
    chunk: Option<Chunk>,
    /// What is left of the chunk.
    rest: Range<usize>,
}

// === impl Purpose ===

impl Purpose {
    /// Adds an entry to the batch unless the filter refuses it; `false` when the batch is full and the entry was not added.
    fn add(&self, batch: &mut LineBatchBuilder, time: Nanos, line: &[u8], metadata: &Labels) -> bool {
        if !self.filter.is_empty() && !self.filter.accepts(line) {
            return true;
        }
        self.add_accepted(batch, time, line, metadata)
    }

    /// As `add`, for a line that is known to pass.
    pub(crate) fn add_accepted(
        &self,
        batch: &mut LineBatchBuilder,
        time: Nanos,
        line: &[u8],
        metadata: &Labels,
    ) -> bool {
        let line = if self.wanted.lines { line } else { &[] };
        if self.wanted.metadata {
            batch.push(time, line, metadata)
        } else {
            batch.push(time, line, &self.no_metadata)
        }
    }
}

/// Whether a batch should be handed out.
pub(crate) fn is_full(batch: &LineBatchBuilder) -> bool {
    batch.len() >= BATCH_ROWS || batch.text_bytes() >= BATCH_TEXT
}

// === impl Merge ===

impl Merge {
    pub(crate) fn new(stream: Labels, sources: Vec<Box<dyn ChunkSource>>, purpose: Arc<Purpose>) -> Self {
        let cursor = |source: Box<dyn ChunkSource>| Cursor {
            distinct: source.is_distinct(),
            source,
            chunk: None,
            rest: 0..0,
        };
        Self {
            stream,
            cursors: sources.into_iter().map(cursor).collect(),
            purpose,
            group: Vec::new().into_iter(),
            group_time: 0,
        }
    }

    /// The next batch; `None` after the last.
    pub(crate) fn next_batch(&mut self) -> Result<Option<LineBatch>, QueryError> {
        let mut batch = LineBatchBuilder::new(self.stream.clone());
        while !is_full(&batch) {
            if let Some(row) = self.group.next() {
                let added = self.purpose.add(&mut batch, self.group_time, &row.line, &row.metadata);
                if !added {
                    // The batch is full: the row comes first in the next one.
                    let rest: Vec<Row> = std::iter::once(row).chain(self.group.by_ref()).collect();
                    self.group = rest.into_iter();
                    break;
                }
                continue;
            }
            let Some((best, time, runner_up)) = self.best()? else {
                break;
            };
            let alone = runner_up.is_none_or(|other| other != time);
            if alone
                && (self.cursors[best].distinct
                    || self.cursors[best].next_differs(time, self.purpose.direction))
            {
                if !self.cursors[best].drain_until(runner_up, &self.purpose, &mut batch) {
                    break;
                }
            } else {
                self.gather(time)?;
            }
        }
        Ok((!batch.is_empty()).then(|| batch.finish()))
    }

    /// The cursor that comes first, its time, and the time of the one that comes second.
    fn best(&mut self) -> Result<Option<(usize, Nanos, Option<Nanos>)>, QueryError> {
        let direction = self.purpose.direction;
        let mut best: Option<(usize, Nanos)> = None;
        let mut runner_up: Option<Nanos> = None;
        for (at, cursor) in self.cursors.iter_mut().enumerate() {
            let Some(time) = cursor.time(direction)? else {
                continue;
            };
            match best {
                Some((_, first)) if !before(direction, time, first) => {
                    if runner_up.is_none_or(|second| before(direction, time, second)) {
                        runner_up = Some(time);
                    }
                }
                _ => {
                    runner_up = best.map(|(_, first)| first);
                    best = Some((at, time));
                }
            }
        }
        Ok(best.map(|(at, time)| (at, time, runner_up)))
    }

    /// Takes all entries of one time from all cursors, without repeats.
    fn gather(&mut self, time: Nanos) -> Result<(), QueryError> {
        let direction = self.purpose.direction;
        let mut rows: Vec<Row> = Vec::new();
        for cursor in &mut self.cursors {
            let own = rows.len();
            while cursor.time(direction)? == Some(time) {
                rows.extend(cursor.take(direction));
            }
            if direction == Direction::Backward {
                rows[own..].reverse();
            }
        }
        let mut rows = without_repeats(rows);
        if direction == Direction::Backward {
            rows.reverse();
        }
        self.group = rows.into_iter();
        self.group_time = time;
        Ok(())
    }
}

// === impl Cursor ===

impl Cursor {
    /// The time of its next entry; `None` at the end.
    fn time(&mut self, direction: Direction) -> Result<Option<Nanos>, QueryError> {
        if self.rest.is_empty() {
            self.chunk = self.source.next_chunk()?;
            self.rest = self.chunk.as_ref().map_or(0..0, Chunk::range);
        }
        let Some(chunk) = &self.chunk else {
            return Ok(None);
        };
        Ok(front(&self.rest, direction).map(|at| chunk.timestamp(at)))
    }

    /// Whether the entry after the next one surely has another time.
    fn next_differs(&self, time: Nanos, direction: Direction) -> bool {
        let second = match direction {
            Direction::Forward => self.rest.start + 1..self.rest.end,
            Direction::Backward => self.rest.start..self.rest.end.saturating_sub(1),
        };
        match (&self.chunk, front(&second, direction)) {
            (Some(chunk), Some(at)) => chunk.timestamp(at) != time,
            _ => false,
        }
    }

    fn take(&mut self, direction: Direction) -> Option<Row> {
        let at = front(&self.rest, direction)?;
        advance(&mut self.rest, direction);
        self.chunk.as_ref().map(|chunk| chunk.row(at))
    }

    /// Moves entries into the batch as long as they come before `limit` and cannot repeat one another; `false` when the batch is full.
    fn drain_until(&mut self, limit: Option<Nanos>, purpose: &Purpose, batch: &mut LineBatchBuilder) -> bool {
        let direction = purpose.direction;
        let Some(chunk) = &self.chunk else {
            return true;
        };
        while let Some(at) = front(&self.rest, direction) {
            let time = chunk.timestamp(at);
            if limit.is_some_and(|limit| !before(direction, time, limit)) {
                return true;
            }
            if !self.distinct && !self.next_differs(time, direction) {
                return true;
            }
            if !purpose.add(batch, time, chunk.line(at), chunk.metadata(at)) {
                return false;
            }
            advance(&mut self.rest, direction);
            if is_full(batch) {
                return false;
            }
        }
        true
    }
}

fn before(direction: Direction, a: Nanos, b: Nanos) -> bool {
    match direction {
        Direction::Forward => a < b,
        Direction::Backward => a > b,
    }
}

fn front(rest: &Range<usize>, direction: Direction) -> Option<usize> {
    if rest.is_empty() {
        return None;
    }
    Some(match direction {
        Direction::Forward => rest.start,
        Direction::Backward => rest.end - 1,
    })
}

fn advance(rest: &mut Range<usize>, direction: Direction) {
    match direction {
        Direction::Forward => rest.start += 1,
        Direction::Backward => rest.end -= 1,
    }
}

/// Keeps the first of equal rows.
pub(crate) fn without_repeats(mut rows: Vec<Row>) -> Vec<Row> {
    if rows.len() <= COMPARE {
        let mut kept: Vec<Row> = Vec::with_capacity(rows.len());
        for row in rows {
            if !kept.iter().any(|other| other.line == row.line && other.metadata == row.metadata) {
                kept.push(row);
            }
        }
        return kept;
    }
    let mut seen = FxHashSet::default();
    rows.retain(|row| seen.insert((row.line.clone(), row.metadata.clone())));
    rows
}
