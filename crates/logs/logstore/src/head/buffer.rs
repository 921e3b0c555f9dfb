//! The entries of one stream in memory.
//!
//! Entries gather in a small open tail; a full tail is sorted by time and frozen into a block. Blocks are shared with readers, who so
//! never copy more than the tail. Blocks overlap in time only where entries came late; whoever reads merges them.

use std::sync::Arc;

use bytes::Bytes;
use model::{Labels, Nanos};
use parking_lot::Mutex;
use streams::{Entry, TooFarBehind};

use super::NEVER;
use crate::stream_index::StreamId;

/// Entries in the open tail at most.
const TAIL: usize = 1024;

/// Bytes an entry takes in memory.
pub(crate) fn entry_bytes(entry: &Entry) -> u64 {
    let metadata = if entry.metadata.is_empty() { 0 } else { entry.metadata.heap_bytes() };
    (size_of::<Entry>() + entry.line.len() + metadata) as u64
}

/// A stream's buffer.
pub(crate) struct StreamBuffer {
    pub(crate) id: StreamId,
    pub(crate) labels: Labels,
    state: Mutex<State>,
}

/// Entries that no longer change, sorted by time; those of one time in the order in which they came. Never empty.
#[derive(Debug)]
pub(crate) struct Block {
    entries: Vec<Entry>,
}

/// What an insertion added.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
}

/// Extent of a buffer's entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) first: Nanos,
    pub(crate) last: Nanos,
}

struct State {
    blocks: Vec<Arc<Block>>,
    tail: Vec<Entry>,
    /// Times of all entries in `blocks` and `tail`.
    extent: Option<Extent>,
    /// The youngest time the stream ever had, also in earlier generations.
    newest: Option<Nanos>,
    /// The entry that came last, also in earlier generations.
    last: Option<Entry>,
    /// When something came last, or [`NEVER`] where nobody has told the time yet.
    last_push: Nanos,
}

// === impl Block ===

impl Block {
    /// Sorts and freezes entries; `None` where there are none.
    pub(crate) fn new(mut entries: Vec<Entry>) -> Option<Self> {
        // Stable, and linear where the entries are sorted already.
        entries.sort_by_key(|entry| entry.timestamp);
        (!entries.is_empty()).then_some(Self { entries })
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn first(&self) -> Nanos {
        self.entries.first().map_or(0, |entry| entry.timestamp)
    }

    pub(crate) fn last(&self) -> Nanos {
        self.entries.last().map_or(0, |entry| entry.timestamp)
    }
}

// === impl StreamBuffer ===

impl StreamBuffer {
    pub(crate) fn new(id: StreamId, labels: Labels) -> Self {
        let state = State {
            blocks: Vec::new(),
            tail: Vec::new(),
            extent: None,
            newest: None,
            last: None,
            last_push: NEVER,
        };
        Self { id, labels, state: Mutex::new(state) }
    }

    /// The buffer of the same stream in the next generation: empty, but it remembers how far the stream has come.
    pub(crate) fn successor(&self) -> Self {
        let state = self.state.lock();
        // A copy, for a slice would keep the whole push request in memory.
        let last = state
            .last
            .as_ref()
            .map(|entry| Entry { line: Bytes::copy_from_slice(&entry.line), ..entry.clone() });
        let next = State {
            blocks: Vec::new(),
            tail: Vec::new(),
            extent: None,
            newest: state.newest,
            last,
            last_push: state.last_push,
        };
        Self { id: self.id, labels: self.labels.clone(), state: Mutex::new(next) }
    }

    /// Leaves out entries that repeat the one before them, and those more than `window` older than the youngest, which are listed in
    /// `late`. Changes nothing in the buffer.
    pub(crate) fn admit(
        &self,
        mut entries: Vec<Entry>,
        window: Nanos,
        late: &mut Vec<TooFarBehind>,
    ) -> Vec<Entry> {
        let state = self.state.lock();
        let mut newest = state.newest;
        let mut refused: Vec<usize> = Vec::new();
        let mut last = state.last.as_ref();
        for (at, entry) in entries.iter().enumerate() {
            if last.is_some_and(|last| same(last, entry)) {
                refused.push(at);
                continue;
            }
            let oldest = newest.map_or(NEVER, |newest| newest.saturating_sub(window));
            if entry.timestamp < oldest {
                late.push(TooFarBehind { stream: self.labels.clone(), timestamp: entry.timestamp, oldest });
                refused.push(at);
                continue;
            }
            newest = newest.max(Some(entry.timestamp));
            last = Some(entry);
        }
        drop(state);
        if !refused.is_empty() {
            let mut refused = refused.into_iter().peekable();
            let mut at = 0;
            entries.retain(|_| {
                let keep = refused.next_if_eq(&at).is_none();
                at += 1;
                keep
            });
        }
        entries
    }

    /// Adds entries, but for those that repeat the one before them.
    pub(super) fn insert(&self, entries: Vec<Entry>, now: Nanos) -> Added {
        let mut added = Added::default();
        let mut state = self.state.lock();
        state.last_push = state.last_push.max(now);
        for entry in entries {
            let repeats = match state.tail.last() {
                Some(last) => same(last, &entry),
                None => state.last.as_ref().is_some_and(|last| same(last, &entry)),
            };
            if repeats {
                continue;
            }
            added.entries += 1;
            added.bytes += entry_bytes(&entry);
            state.push(entry);
        }
        if let Some(last) = state.tail.last() {
            let last = last.clone();
            state.last = Some(last);
        }
        added
    }

    /// Its entries with `start <= time < end`, as blocks, the oldest first where they do not overlap.
    pub(crate) fn read(&self, start: Nanos, end: Nanos) -> Vec<Arc<Block>> {
        let (mut blocks, tail) = {
            let state = self.state.lock();
            let within = |first: Nanos, last: Nanos| first < end && last >= start;
            if !state.extent.is_some_and(|extent| within(extent.first, extent.last)) {
                return Vec::new();
            }
            let blocks: Vec<_> =
                state.blocks.iter().filter(|block| within(block.first(), block.last())).cloned().collect();
            let in_tail = state.tail.iter().filter(|entry| entry.timestamp >= start && entry.timestamp < end);
            (blocks, in_tail.cloned().collect::<Vec<_>>())
        };
        blocks.extend(Block::new(tail).map(Arc::new));
        blocks
    }

    /// Times of its first and last entry, if it has any.
    pub(crate) fn extent(&self) -> Option<Extent> {
        self.state.lock().extent
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.extent().is_none()
    }

    /// When something came last; [`NEVER`] where that is not known.
    pub(super) fn last_push(&self) -> Nanos {
        self.state.lock().last_push
    }

    pub(super) fn note_time(&self, now: Nanos) {
        let mut state = self.state.lock();
        if state.last_push == NEVER {
            state.last_push = now;
        }
    }
}

// === impl State ===

impl State {
    fn push(&mut self, entry: Entry) {
        let time = entry.timestamp;
        let extent = self.extent.get_or_insert(Extent { first: time, last: time });
        extent.first = extent.first.min(time);
        extent.last = extent.last.max(time);
        self.newest = self.newest.max(Some(time));
        if self.tail.len() >= TAIL {
            let full = std::mem::take(&mut self.tail);
            self.blocks.extend(Block::new(full).map(Arc::new));
        }
        self.tail.push(entry);
    }
}

/// Whether two entries are the same in all parts.
pub(crate) fn same(a: &Entry, b: &Entry) -> bool {
    a.timestamp == b.timestamp && a.line == b.line && a.metadata == b.metadata
}
