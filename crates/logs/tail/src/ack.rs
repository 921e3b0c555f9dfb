//! Acknowledgements: which parts of a file the receiver has.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;

/// A share in one chunk of a file. The file's position moves over the chunk once [`Ack::done`] was called on every share of it, and on
/// those of all chunks before it.
///
/// A share that is merely dropped counts as not delivered: the position stays before its chunk until a restart reads it again.
#[derive(Debug)]
pub struct Ack(Arc<Shares>);

#[derive(Debug)]
struct Shares {
    tracker: Arc<Tracker>,
    sequence: u64,
    open: AtomicU32,
}

/// One file's chunks in flight and the end of those that are done without a gap.
#[derive(Debug)]
pub(crate) struct Tracker {
    committed: AtomicU64,
    window: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    /// Sequence of the first chunk in `chunks`.
    first: u64,
    chunks: VecDeque<InFlight>,
}

#[derive(Debug)]
struct InFlight {
    /// Offset in the file behind the chunk.
    end: u64,
    done: bool,
}

// === impl Ack ===

impl Ack {
    /// Says that what this share stands for is taken care of.
    pub fn done(self) {
        if self.0.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.tracker.complete(self.0.sequence);
        }
    }
}

impl Clone for Ack {
    /// Another share, to be acknowledged by itself.
    fn clone(&self) -> Self {
        self.0.open.fetch_add(1, Ordering::Relaxed);
        Self(self.0.clone())
    }
}

// === impl Tracker ===

impl Tracker {
    /// A file that is done up to an offset.
    pub(crate) fn starting_at(offset: u64) -> Arc<Self> {
        Arc::new(Self { committed: AtomicU64::new(offset), window: Mutex::default() })
    }

    /// The offset up to which everything is done.
    pub(crate) fn committed(&self) -> u64 {
        self.committed.load(Ordering::Acquire)
    }

    /// Whether chunks are on their way.
    pub(crate) fn is_idle(&self) -> bool {
        self.window.lock().chunks.is_empty()
    }

    /// Registers the chunk that ends at an offset and returns its first share.
    pub(crate) fn begin(self: &Arc<Self>, end: u64) -> Ack {
        let mut window = self.window.lock();
        let sequence = window.first + window.chunks.len() as u64;
        window.chunks.push_back(InFlight { end, done: false });
        Ack(Arc::new(Shares { tracker: self.clone(), sequence, open: AtomicU32::new(1) }))
    }

    fn complete(&self, sequence: u64) {
        let mut window = self.window.lock();
        let at = usize::try_from(sequence.wrapping_sub(window.first)).unwrap_or(usize::MAX);
        let Some(chunk) = window.chunks.get_mut(at) else { return };
        chunk.done = true;
        while let Some(chunk) = window.chunks.front().filter(|chunk| chunk.done) {
            self.committed.store(chunk.end, Ordering::Release);
            window.chunks.pop_front();
            window.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_waits_for_every_earlier_chunk() {
        let tracker = Tracker::starting_at(10);
        let (first, second, third) = (tracker.begin(20), tracker.begin(30), tracker.begin(40));
        second.done();
        assert_eq!(tracker.committed(), 10);
        first.done();
        assert_eq!(tracker.committed(), 30);
        assert!(!tracker.is_idle());
        third.done();
        assert_eq!(tracker.committed(), 40);
        assert!(tracker.is_idle());
    }

    #[test]
    fn every_share_counts_and_a_lost_one_holds_the_position() {
        let tracker = Tracker::starting_at(0);
        let ack = tracker.begin(5);
        let (one, two) = (ack.clone(), ack.clone());
        ack.done();
        one.done();
        assert_eq!(tracker.committed(), 0);
        drop(two);
        assert_eq!(tracker.committed(), 0);
    }
}
