//! Finds series by their labels and by their number, striped so that writers rarely meet.

use std::{
    collections::hash_map::Entry,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use model::Labels;
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::series::MemSeries;

/// Stripes a table has; a power of two.
const STRIPES: usize = 128;

/// The series that have one hash: hardly ever more than one.
type Bucket = SmallVec<[Arc<MemSeries>; 1]>;
type ByHash = FxHashMap<u64, Bucket>;
type ByRef = FxHashMap<u64, Arc<MemSeries>>;

/// All series in memory.
pub(crate) struct SeriesTable {
    by_hash: Vec<RwLock<ByHash>>,
    by_ref: Vec<RwLock<ByRef>>,
    count: AtomicU64,
}

// === impl SeriesTable ===

impl SeriesTable {
    pub(crate) fn new() -> Self {
        Self {
            by_hash: (0..STRIPES).map(|_| RwLock::default()).collect(),
            by_ref: (0..STRIPES).map(|_| RwLock::default()).collect(),
            count: AtomicU64::new(0),
        }
    }

    /// Number of series.
    pub(crate) fn len(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn by_ref(&self, series_ref: u64) -> Option<Arc<MemSeries>> {
        self.ref_stripe(series_ref).read().get(&series_ref).cloned()
    }

    pub(crate) fn by_labels(&self, hash: u64, labels: &Labels) -> Option<Arc<MemSeries>> {
        find(self.hash_stripe(hash).read().get(&hash)?, labels).cloned()
    }

    /// The series with these labels; where there is none, the one that `create` makes, which nobody can find before `create` returns.
    /// The flag says whether it was made.
    pub(crate) fn get_or_insert<E>(
        &self,
        hash: u64,
        labels: &Labels,
        create: impl FnOnce() -> Result<Arc<MemSeries>, E>,
    ) -> Result<(Arc<MemSeries>, bool), E> {
        match self.by_labels(hash, labels) {
            Some(series) => Ok((series, false)),
            None => self.insert_or_get(hash, labels, create),
        }
    }

    /// As [`SeriesTable::get_or_insert`], for a series that most likely is not there.
    pub(crate) fn insert_or_get<E>(
        &self,
        hash: u64,
        labels: &Labels,
        create: impl FnOnce() -> Result<Arc<MemSeries>, E>,
    ) -> Result<(Arc<MemSeries>, bool), E> {
        let mut stripe = self.hash_stripe(hash).write();
        let entry = stripe.entry(hash);
        if let Entry::Occupied(bucket) = &entry
            && let Some(series) = find(bucket.get(), labels)
        {
            return Ok((Arc::clone(series), false));
        }
        let series = create()?;
        self.ref_stripe(series.series_ref()).write().insert(series.series_ref(), Arc::clone(&series));
        entry.or_default().push(Arc::clone(&series));
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok((series, true))
    }

    /// Gives a series another number.
    pub(crate) fn renumber(&self, series: &Arc<MemSeries>, series_ref: u64) {
        let before = series.series_ref();
        self.ref_stripe(series_ref).write().insert(series_ref, Arc::clone(series));
        series.renumber(series_ref);
        self.ref_stripe(before).write().remove(&before);
    }

    /// Calls `visit` for every series, one stripe locked at a time.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&Arc<MemSeries>)) {
        for stripe in &self.by_ref {
            for series in stripe.read().values() {
                visit(series);
            }
        }
    }

    /// Removes the series that are dead; returns how many.
    pub(crate) fn remove_dead(&self) -> u64 {
        let mut removed = 0;
        for stripe in &self.by_hash {
            stripe.write().retain(|_, bucket| {
                let before = bucket.len();
                bucket.retain(|series| !series.is_dead());
                removed += (before - bucket.len()) as u64;
                !bucket.is_empty()
            });
        }
        for stripe in &self.by_ref {
            stripe.write().retain(|_, series| !series.is_dead());
        }
        self.count.fetch_sub(removed, Ordering::Relaxed);
        removed
    }

    fn hash_stripe(&self, hash: u64) -> &RwLock<ByHash> {
        // The map uses the low bits: take others here.
        &self.by_hash[(hash >> 32) as usize % STRIPES]
    }

    fn ref_stripe(&self, series_ref: u64) -> &RwLock<ByRef> {
        &self.by_ref[series_ref as usize % STRIPES]
    }
}

fn find<'a>(bucket: &'a Bucket, labels: &Labels) -> Option<&'a Arc<MemSeries>> {
    bucket.iter().find(|series| series.labels() == labels && !series.is_dead())
}
