//! Batches appear whole or not at all: each commit has a number, and a reader knows which numbers it may see.
//!
//! A series remembers the commit numbers of its last samples as long as some reader may have to hide them. A number that was given out
//! before a reader came, and whose commit was over by then, is visible to it; any other is not.
//!
//! Whoever writes a block waits for the batches that may still bring samples of its time, whoever drops chunks for their readers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use model::Millis;
use parking_lot::{Condvar, Mutex};
use smallvec::SmallVec;

/// Gives out commit numbers and keeps account of readers.
#[derive(Default)]
pub(crate) struct Isolation {
    state: Mutex<State>,
    reader_left: Condvar,
    writer_left: Condvar,
}

#[derive(Default)]
struct State {
    last_commit: u64,
    /// Commits under way, ascending.
    open: Vec<u64>,
    last_reader: u64,
    readers: BTreeMap<u64, Reader>,
    last_writer: u64,
    /// The oldest moment each batch under way may bring samples of.
    writers: BTreeMap<u64, Millis>,
}

struct Reader {
    /// All commits below this one are visible to the reader.
    low: u64,
    /// The oldest moment it may read.
    min_time: Millis,
}

/// A batch under way.
pub(crate) struct Writer<'a> {
    isolation: &'a Isolation,
    number: u64,
}

/// The commits that a reader sees; while it lives, nothing it may read is dropped.
pub(crate) struct View {
    isolation: Arc<Isolation>,
    reader: u64,
    last_commit: u64,
    hidden: SmallVec<[u64; 4]>,
}

/// A commit under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CommitId {
    pub(crate) id: u64,
    /// Every reader, now and later, sees all commits below this one: series need not remember their numbers.
    pub(crate) watermark: u64,
}

// === impl Isolation ===

impl Isolation {
    /// Starts making a batch visible.
    pub(crate) fn begin(&self) -> CommitId {
        let mut state = self.state.lock();
        state.last_commit += 1;
        let id = state.last_commit;
        state.open.push(id);
        let watermark = state.watermark();
        CommitId { id, watermark }
    }

    /// Ends it: readers from now on see the batch.
    pub(crate) fn end(&self, commit: CommitId) {
        self.state.lock().open.retain(|id| *id != commit.id);
    }

    /// Every reader, now and later, sees all commits below this one.
    pub(crate) fn watermark(&self) -> u64 {
        self.state.lock().watermark()
    }

    /// A view on what is committed now, to read from `min_time` on.
    pub(crate) fn view(self: &Arc<Self>, min_time: Millis) -> View {
        let mut state = self.state.lock();
        state.last_reader += 1;
        let reader = state.last_reader;
        let low = state.open.first().copied().unwrap_or(state.last_commit + 1);
        state.readers.insert(reader, Reader { low, min_time });
        View {
            isolation: Arc::clone(self),
            reader,
            last_commit: state.last_commit,
            hidden: SmallVec::from_slice(&state.open),
        }
    }

    /// Registers a batch that takes samples from `min_time` on.
    pub(crate) fn writer(&self, min_time: Millis) -> Writer<'_> {
        let mut state = self.state.lock();
        state.last_writer += 1;
        let number = state.last_writer;
        state.writers.insert(number, min_time);
        Writer { isolation: self, number }
    }

    /// Waits until no batch that is under way now may bring anything older than `time`; false when `patience` is over before.
    pub(crate) fn wait_for_writers_before(&self, time: Millis, patience: Duration) -> bool {
        let mut state = self.state.lock();
        let newest = state.last_writer;
        let busy = |state: &mut State| state.writers.range(..=newest).any(|(_, min_time)| *min_time < time);
        !self.writer_left.wait_while_for(&mut state, busy, patience).timed_out()
    }

    /// Waits until no reader that is here now may read anything older than `time`; false when `patience` is over before.
    pub(crate) fn wait_for_readers_before(&self, time: Millis, patience: Duration) -> bool {
        let mut state = self.state.lock();
        let newest = state.last_reader;
        let busy =
            |state: &mut State| state.readers.range(..=newest).any(|(_, reader)| reader.min_time < time);
        !self.reader_left.wait_while_for(&mut state, busy, patience).timed_out()
    }
}

// === impl State ===

impl State {
    fn watermark(&self) -> u64 {
        let open = self.open.first().copied().unwrap_or(self.last_commit + 1);
        self.readers.values().map(|reader| reader.low).min().map_or(open, |low| low.min(open))
    }
}

// === impl View ===

impl View {
    /// Whether samples of this commit are visible.
    #[inline]
    pub(crate) fn sees(&self, commit: u64) -> bool {
        commit <= self.last_commit && !self.hidden.contains(&commit)
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.isolation.state.lock().readers.remove(&self.reader);
        self.isolation.reader_left.notify_all();
    }
}

// === impl Writer ===

impl Writer<'_> {
    /// Promises to take no samples before `min_time`.
    pub(crate) fn narrow(self, min_time: Millis) -> Self {
        self.isolation.state.lock().writers.insert(self.number, min_time);
        self
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.isolation.state.lock().writers.remove(&self.number);
        self.isolation.writer_left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_sees_what_was_over_when_it_was_made() {
        let isolation = Arc::new(Isolation::default());
        let first = isolation.begin();
        let second = isolation.begin();
        isolation.end(second);
        let view = isolation.view(0);
        isolation.end(first);
        let third = isolation.begin();
        isolation.end(third);
        assert!(!view.sees(first.id) && view.sees(second.id) && !view.sees(third.id));
        assert!(isolation.view(0).sees(first.id));
    }

    #[test]
    fn numbers_are_remembered_while_a_reader_needs_them() {
        let isolation = Arc::new(Isolation::default());
        let first = isolation.begin();
        let view = isolation.view(0);
        isolation.end(first);
        assert_eq!(isolation.begin().watermark, first.id);
        drop(view);
        assert_eq!(isolation.begin().watermark, first.id + 1);
    }

    #[test]
    fn waits_only_for_readers_of_old_samples() {
        let isolation = Arc::new(Isolation::default());
        let young = isolation.view(100);
        assert!(isolation.wait_for_readers_before(100, Duration::ZERO));
        let old = isolation.view(99);
        assert!(!isolation.wait_for_readers_before(100, Duration::from_millis(1)));
        drop(old);
        assert!(isolation.wait_for_readers_before(100, Duration::ZERO));
        drop(young);
    }

    #[test]
    fn waits_only_for_batches_of_old_samples() {
        let isolation = Isolation::default();
        let _young = isolation.writer(100);
        assert!(isolation.wait_for_writers_before(100, Duration::ZERO));
        let old = isolation.writer(99);
        assert!(!isolation.wait_for_writers_before(100, Duration::from_millis(1)));
        drop(old);
        assert!(isolation.wait_for_writers_before(100, Duration::ZERO));
    }
}
