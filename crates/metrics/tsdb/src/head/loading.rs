//! The time from the start until the log is replayed.
//!
//! Batches are taken all along. While the head loads, a batch is written to the log and nowhere else: the replay comes to it when it has
//! read what is older. So it is checked for nothing that only the series could tell; a sample that is not younger than its series' newest
//! is left out then without a word, as in every replay. The head answers no queries until it is live, and new series need no index until
//! then.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Head, MemSeries};

/// Whether the head loads or is live, and the series that are not in the index yet.
pub(super) struct Loading {
    /// Held by each commit, from before the log until its samples are where they belong.
    phase: RwLock<Phase>,
    live: AtomicBool,
    /// None once the head is live.
    unindexed: Mutex<Option<Vec<Arc<MemSeries>>>>,
}

/// What a commit has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Write the batch to the log.
    Loading,
    /// And append it.
    Live,
}

/// Keeps all commits waiting while the last of the log is read.
pub(super) struct LastStep<'a> {
    loading: &'a Loading,
    phase: RwLockWriteGuard<'a, Phase>,
}

// === impl Loading ===

impl Loading {
    pub(super) fn new() -> Self {
        Self {
            phase: RwLock::new(Phase::Loading),
            live: AtomicBool::new(false),
            unindexed: Mutex::new(Some(Vec::new())),
        }
    }

    /// What the holder's commit has to do, until it lets go.
    pub(super) fn phase(&self) -> RwLockReadGuard<'_, Phase> {
        self.phase.read()
    }

    pub(super) fn is_live(&self) -> bool {
        self.live.load(Ordering::Acquire)
    }

    /// Waits for the commits under way and keeps others from beginning.
    pub(super) fn last_step(&self) -> LastStep<'_> {
        LastStep { loading: self, phase: self.phase.write() }
    }
}

// === impl LastStep ===

impl LastStep<'_> {
    /// From now on batches are appended, and the head is read.
    pub(super) fn go_live(mut self, head: &Head) {
        let mut unindexed = self.loading.unindexed.lock();
        head.index.write().insert_all(unindexed.take().unwrap_or_default());
        drop(unindexed);
        self.loading.live.store(true, Ordering::Release);
        *self.phase = Phase::Live;
    }
}

// === impl Head ===

impl Head {
    /// Whether the log is replayed. Before, the head must not be queried.
    pub(crate) fn is_live(&self) -> bool {
        self.loading.is_live()
    }

    /// A head without a log to be replayed.
    #[cfg(test)]
    pub(crate) fn skip_replay(&self) {
        self.loading.last_step().go_live(self);
    }

    /// Makes a new series findable, at once or with others.
    pub(super) fn add_to_index(&self, series: &Arc<MemSeries>) {
        let mut unindexed = self.loading.unindexed.lock();
        match &mut *unindexed {
            Some(waiting) => waiting.push(Arc::clone(series)),
            None => self.index.write().insert(Arc::clone(series)),
        }
    }

    /// Puts the series that came so far into the index.
    pub(super) fn index_loaded(&self) {
        let mut unindexed = self.loading.unindexed.lock();
        if let Some(waiting) = &mut *unindexed {
            let series = std::mem::take(waiting);
            self.index.write().insert_all(series);
        }
    }
}
