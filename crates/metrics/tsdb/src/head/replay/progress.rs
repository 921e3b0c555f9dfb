//! How far a replay is.

use std::sync::atomic::{AtomicU64, Ordering};

/// How far reading the log has come: what `/api/v1/status/walreplay` tells. May be read from any thread.
#[derive(Debug, Default)]
pub struct ReplayProgress {
    min: AtomicU64,
    max: AtomicU64,
    current: AtomicU64,
}

// === impl ReplayProgress ===

impl ReplayProgress {
    /// First and last segment, and the one that is being read.
    pub fn get(&self) -> (u64, u64, u64) {
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        (load(&self.min), load(&self.max), load(&self.current))
    }

    pub(super) fn expect(&self, first: Option<u64>, last: Option<u64>) {
        self.min.store(first.or(last).unwrap_or_default(), Ordering::Relaxed);
        self.max.store(last.unwrap_or_default(), Ordering::Relaxed);
    }

    pub(super) fn at(&self, segment: u64) {
        self.current.store(segment, Ordering::Relaxed);
    }
}
