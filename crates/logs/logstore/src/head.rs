//! Entries in memory: one generation of stream buffers, which is later sealed as a whole.
//!
//! A generation takes pushes until it is *cut*: a new one with the same streams and empty buffers takes its place, and the old one no
//! longer changes. It stays readable until the segments made of it are published; then it goes away whole, and with it the push requests
//! whose bytes its lines are slices of.

mod buffer;

#[cfg(test)]
mod tests;

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use model::{Labels, Nanos};
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use streams::Entry;

pub(crate) use buffer::{Block, StreamBuffer};

use crate::stream_index::{StreamId, StreamIndex};

/// A moment nothing was noted for.
const NEVER: Nanos = Nanos::MIN;

/// All buffers between two cuts.
pub(crate) struct Generation {
    table: RwLock<Table>,
    bytes: AtomicU64,
    entries: AtomicU64,
    /// When its first entry came, or [`NEVER`].
    born: AtomicI64,
}

#[derive(Default)]
struct Table {
    by_labels: FxHashMap<Labels, Arc<StreamBuffer>>,
    by_id: FxHashMap<StreamId, Arc<StreamBuffer>>,
}

/// A stream would be one too many.
pub(crate) struct OverLimit;

// === impl Generation ===

impl Generation {
    pub(crate) fn new() -> Self {
        Self {
            table: RwLock::default(),
            bytes: AtomicU64::new(0),
            entries: AtomicU64::new(0),
            born: AtomicI64::new(NEVER),
        }
    }

    /// The generation that follows this one: streams that got something since `idle_before`, with empty buffers.
    pub(crate) fn successor(&self, idle_before: Nanos) -> Self {
        let next = Self::new();
        let mut table = next.table.write();
        for buffer in self.table.read().by_labels.values() {
            if buffer.last_push() >= idle_before {
                table.insert(Arc::new(buffer.successor()));
            }
        }
        drop(table);
        next
    }

    /// The buffer of a stream, made if there is room for one more.
    pub(crate) fn buffer(
        &self,
        labels: &Labels,
        index: &RwLock<StreamIndex>,
        limit: u64,
    ) -> Result<(Arc<StreamBuffer>, bool), OverLimit> {
        if let Some(buffer) = self.table.read().by_labels.get(labels) {
            return Ok((Arc::clone(buffer), false));
        }
        let mut table = self.table.write();
        if let Some(buffer) = table.by_labels.get(labels) {
            return Ok((Arc::clone(buffer), false));
        }
        if limit > 0 && table.by_labels.len() as u64 >= limit {
            return Err(OverLimit);
        }
        let (id, labels) = index.write().intern(labels);
        let buffer = Arc::new(StreamBuffer::new(id, labels));
        table.insert(Arc::clone(&buffer));
        Ok((buffer, true))
    }

    /// Adds entries to one of its buffers. Returns how many were dropped because they repeat the entry before them.
    pub(crate) fn insert(&self, buffer: &StreamBuffer, entries: Vec<Entry>, now: Nanos) -> u64 {
        let offered = entries.len() as u64;
        let added = buffer.insert(entries, now);
        self.bytes.fetch_add(added.bytes, Ordering::Relaxed);
        self.entries.fetch_add(added.entries, Ordering::Relaxed);
        if self.born.load(Ordering::Relaxed) == NEVER {
            let _ = self.born.compare_exchange(NEVER, now, Ordering::Relaxed, Ordering::Relaxed);
        }
        offered - added.entries
    }

    /// The buffers of the given streams, in the given order.
    pub(crate) fn buffers(&self, ids: &[StreamId]) -> Vec<Arc<StreamBuffer>> {
        let table = self.table.read();
        ids.iter().filter_map(|id| table.by_id.get(id).cloned()).collect()
    }

    /// All buffers, sorted by labels.
    pub(crate) fn sorted_buffers(&self) -> Vec<Arc<StreamBuffer>> {
        let mut buffers: Vec<_> = self.table.read().by_labels.values().cloned().collect();
        buffers.sort_unstable_by(|a, b| a.labels.cmp(&b.labels));
        buffers
    }

    /// The ids of its streams, in no order.
    pub(crate) fn ids(&self) -> Vec<StreamId> {
        self.table.read().by_id.keys().copied().collect()
    }

    /// Forgets streams that have no entries here and got nothing since `idle_before`; returns how many.
    pub(crate) fn forget_idle(&self, idle_before: Nanos) -> u64 {
        let mut table = self.table.write();
        let Table { by_labels, by_id } = &mut *table;
        let before = by_labels.len();
        by_labels.retain(|_, buffer| {
            let keep = !buffer.is_empty() || buffer.last_push() >= idle_before;
            if !keep {
                by_id.remove(&buffer.id);
            }
            keep
        });
        (before - by_labels.len()) as u64
    }

    /// Whether a stream with entries got nothing since `idle_before`.
    pub(crate) fn has_idle(&self, idle_before: Nanos) -> bool {
        let table = self.table.read();
        table.by_labels.values().any(|buffer| !buffer.is_empty() && buffer.last_push() < idle_before)
    }

    /// Notes `now` for everything that came before the first tick told the time.
    pub(crate) fn note_time(&self, now: Nanos) {
        for buffer in self.table.read().by_labels.values() {
            buffer.note_time(now);
        }
        if self.entries() > 0 {
            let _ = self.born.compare_exchange(NEVER, now, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Number of streams, with and without entries.
    pub(crate) fn streams(&self) -> u64 {
        self.table.read().by_labels.len() as u64
    }

    /// Number of streams with entries.
    pub(crate) fn filled_streams(&self) -> u64 {
        let table = self.table.read();
        table.by_labels.values().filter(|buffer| !buffer.is_empty()).count() as u64
    }

    /// Bytes its entries take.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Number of its entries.
    pub(crate) fn entries(&self) -> u64 {
        self.entries.load(Ordering::Relaxed)
    }

    /// When its first entry came, if that is known.
    pub(crate) fn born(&self) -> Option<Nanos> {
        Some(self.born.load(Ordering::Relaxed)).filter(|born| *born != NEVER)
    }
}

// === impl Table ===

impl Table {
    fn insert(&mut self, buffer: Arc<StreamBuffer>) {
        self.by_id.insert(buffer.id, Arc::clone(&buffer));
        self.by_labels.insert(buffer.labels.clone(), buffer);
    }
}
