//! From the bytes that a client sends for a series' labels straight to the series, without decoding them.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::series::MemSeries;

const STRIPES: usize = 64;
/// Entries a stripe may always have; beyond, four for each series.
const ALWAYS: usize = 1024;

/// Keyed by a 128-bit hash with a seed of this process' own, so that nobody can prepare two label sets with one key.
/// One series may have several entries, for clients write the same labels in different ways.
pub(crate) struct RawCache {
    seed: u64,
    stripes: Vec<RwLock<FxHashMap<u128, Arc<MemSeries>>>>,
}

/// The key of some bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawKey(u128);

// === impl RawCache ===

impl RawCache {
    pub(crate) fn new() -> Self {
        Self {
            seed: RandomState::new().hash_one(0u8),
            stripes: (0..STRIPES).map(|_| RwLock::default()).collect(),
        }
    }

    pub(crate) fn key(&self, raw: &[u8]) -> RawKey {
        RawKey(xxh3_128_with_seed(raw, self.seed))
    }

    pub(crate) fn get(&self, key: RawKey) -> Option<Arc<MemSeries>> {
        self.stripe(key).read().get(&key.0).cloned()
    }

    /// Remembers a series; `series_count` bounds the cache, which forgets a stripe when it overflows.
    pub(crate) fn insert(&self, key: RawKey, series: Arc<MemSeries>, series_count: u64) {
        let limit = ALWAYS + series_count as usize * 4 / STRIPES;
        let mut stripe = self.stripe(key).write();
        if stripe.len() >= limit {
            stripe.clear();
        }
        stripe.insert(key.0, series);
    }

    /// Forgets the series that are dead.
    pub(crate) fn remove_dead(&self) {
        for stripe in &self.stripes {
            stripe.write().retain(|_, series| !series.is_dead());
        }
    }

    fn stripe(&self, key: RawKey) -> &RwLock<FxHashMap<u128, Arc<MemSeries>>> {
        &self.stripes[(key.0 >> 96) as usize % STRIPES]
    }
}
