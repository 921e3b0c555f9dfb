//! The newest samples, in memory: what is appended goes to the log and here, what is older than some hours goes on into blocks.
//!
//! - `table` finds series by labels or number, `postings` by single labels (`label_groups` fills it), `raw_cache` by a client's bytes;
//!   `order` sorts them;
//! - `series` holds the chunks and the rules for what may be appended, `open_chunk` is the one that grows: of floats or of histograms;
//! - `batch` takes samples to the log and then to the series, `isolation` makes them appear at once;
//! - `ooo` has the samples that come out of order;
//! - `mapping` moves full chunks to files, `closed` is what a series then remembers of them;
//! - `replay` fills the head from the log at the start, and `loading` is how batches are taken meanwhile; `truncate` takes away what is in a block.
//!
//! *Locks* are taken in this order: the phase of loading, the turn of mapping, the order of the out-of-order log, a stripe of the table, the series without index, the index, the order, a series. The log's queue is taken last of all.

mod appender;
mod batch;
mod chunk_querier;
mod closed;
mod delete;
mod exemplars;
mod isolation;
mod label_groups;
mod loading;
mod mapping;
mod ooo;
mod open_chunk;
mod order;
mod posting_list;
mod postings;
mod querier;
mod raw_cache;
mod replay;
mod sample_records;
mod series;
mod table;
mod truncate;

#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

use model::{Labels, Millis};
use parking_lot::{Mutex, MutexGuard, RwLock};
use rustc_hash::FxHashMap;
use storage::{AppendError, CommitError};

pub(crate) use appender::HeadAppender;
pub use appender::{BatchSeries, RawBatch};
pub(crate) use closed::ClosedChunk;
pub(crate) use exemplars::ExemplarRing;
pub(crate) use isolation::Isolation;
pub(crate) use ooo::{LateCut, OutOfOrder, UncheckedNote};
pub(crate) use posting_list::PostingList;
pub(crate) use postings::{HeadIndex, Slot};
pub(crate) use querier::HeadQuerier;
pub(crate) use replay::Pending;
pub use replay::ReplayProgress;
pub(crate) use series::MemSeries;

use crate::{
    FloatEncoding,
    head_chunks::HeadChunks,
    metrics::{HeadMetrics, SampleType},
    wal::{Compression, Wal, WalRecord},
};
use isolation::Writer;
use loading::Loading;
use mapping::Mapping;
use open_chunk::ChunkForm;
use order::LabelOrder;
use raw_cache::RawCache;
use series::AppendRules;
use table::SeriesTable;

/// No sample yet: the times of an empty head.
const NO_MIN: Millis = Millis::MAX;
const NO_MAX: Millis = Millis::MIN;

/// What a head needs to know.
#[derive(Debug, Clone)]
pub(crate) struct HeadOptions {
    /// Width of the first blocks, milliseconds; chunks do not cross its multiples.
    pub(crate) chunk_range: Millis,
    /// Most series; 0 for no limit.
    pub(crate) max_series: u64,
    pub(crate) max_exemplars: usize,
    pub(crate) wal_compression: Compression,
}

/// The series and samples in memory.
pub(crate) struct Head {
    options: HeadOptions,
    metrics: HeadMetrics,
    table: SeriesTable,
    index: RwLock<HeadIndex>,
    /// Fits the index; used and changed with the index locked.
    order: LabelOrder,
    isolation: Arc<Isolation>,
    raw_cache: RawCache,
    exemplars: Mutex<ExemplarRing>,
    chunk_files: HeadChunks,
    mapping: Mapping,
    out_of_order: OutOfOrder,
    loading: Loading,
    /// Further numbers that the log has for series: those of one that was removed and came again before a restart.
    aliases: Mutex<FxHashMap<u64, Arc<MemSeries>>>,
    wal: OnceLock<Wal>,
    last_ref: AtomicU64,
    /// Series from this number on were made by this run.
    first_new_ref: AtomicU64,
    min_time: AtomicI64,
    max_time: AtomicI64,
    /// Samples before this moment are in blocks.
    min_valid_time: AtomicI64,
    /// Whether new chunks of floats have the newer encoding.
    xor2: AtomicBool,
}

// === impl Head ===

impl Head {
    pub(crate) fn new(
        options: HeadOptions,
        min_valid_time: Millis,
        chunk_files: HeadChunks,
        metrics: HeadMetrics,
    ) -> Self {
        Self {
            exemplars: Mutex::new(ExemplarRing::new(options.max_exemplars)),
            options,
            metrics,
            table: SeriesTable::new(),
            index: RwLock::default(),
            order: LabelOrder::default(),
            isolation: Arc::default(),
            raw_cache: RawCache::new(),
            chunk_files,
            mapping: Mapping::default(),
            out_of_order: OutOfOrder::new(),
            loading: Loading::new(),
            aliases: Mutex::default(),
            wal: OnceLock::new(),
            last_ref: AtomicU64::new(0),
            first_new_ref: AtomicU64::new(0),
            min_time: AtomicI64::new(NO_MIN),
            max_time: AtomicI64::new(NO_MAX),
            min_valid_time: AtomicI64::new(min_valid_time),
            xor2: AtomicBool::new(false),
        }
    }

    /// From now on batches are taken. `last_ref` is the highest number that the log, or any chunk in a file, has for a series.
    pub(crate) fn start_logging(&self, wal: Wal, last_ref: u64) {
        self.last_ref.fetch_max(last_ref, Ordering::Relaxed);
        self.first_new_ref.store(last_ref + 1, Ordering::Relaxed);
        assert!(self.wal.set(wal).is_ok(), "BUG: the log is set once");
    }

    pub(crate) fn wal(&self) -> Option<&Wal> {
        self.wal.get()
    }

    pub(crate) fn metrics(&self) -> &HeadMetrics {
        &self.metrics
    }

    pub(crate) fn isolation(&self) -> &Arc<Isolation> {
        &self.isolation
    }

    pub(crate) fn index(&self) -> &RwLock<HeadIndex> {
        &self.index
    }

    /// The files that closed chunks are in.
    pub(crate) fn chunk_files(&self) -> &HeadChunks {
        &self.chunk_files
    }

    /// All series, sorted by their labels.
    pub(crate) fn sorted_series(&self) -> Vec<Arc<MemSeries>> {
        self.order.all(&self.index.read())
    }

    pub(crate) fn exemplars(&self) -> MutexGuard<'_, ExemplarRing> {
        self.exemplars.lock()
    }

    pub(crate) fn chunk_range(&self) -> Millis {
        self.options.chunk_range
    }

    /// What new chunks are to be like.
    fn chunk_form(&self) -> ChunkForm {
        let floats = if self.xor2.load(Ordering::Relaxed) { FloatEncoding::Xor2 } else { FloatEncoding::Xor };
        ChunkForm { width: self.options.chunk_range, floats }
    }

    /// How new chunks of floats are encoded. One that is open goes on as it is until the next sample.
    pub(crate) fn set_float_encoding(&self, encoding: FloatEncoding) {
        self.xor2.store(encoding == FloatEncoding::Xor2, Ordering::Relaxed);
    }

    pub(crate) fn wal_compression(&self) -> Compression {
        self.options.wal_compression
    }

    pub(crate) fn series_count(&self) -> u64 {
        self.table.len()
    }

    /// Whether the log still needs to name this series.
    pub(crate) fn knows_ref(&self, series_ref: u64) -> bool {
        self.table.by_ref(series_ref).is_some() || self.aliases.lock().contains_key(&series_ref)
    }

    pub(crate) fn series_by_ref(&self, series_ref: u64) -> Option<Arc<MemSeries>> {
        self.table.by_ref(series_ref)
    }

    /// By any number that the log has for it.
    fn series_by_any_ref(&self, series_ref: u64) -> Option<Arc<MemSeries>> {
        self.table.by_ref(series_ref).or_else(|| self.aliases.lock().get(&series_ref).cloned())
    }

    /// The oldest sample's time, `Millis::MAX` while there is none.
    pub(crate) fn min_time(&self) -> Millis {
        self.min_time.load(Ordering::Acquire)
    }

    /// The newest sample's time, `Millis::MIN` while there is none.
    pub(crate) fn max_time(&self) -> Millis {
        self.max_time.load(Ordering::Acquire)
    }

    pub(crate) fn min_valid_time(&self) -> Millis {
        self.min_valid_time.load(Ordering::Acquire)
    }

    /// Whether any sample came yet.
    pub(crate) fn is_initialized(&self) -> bool {
        self.max_time() != NO_MAX
    }

    fn raw_cache(&self) -> &RawCache {
        &self.raw_cache
    }

    /// Starts a batch. What it goes by is not known while the head is empty, or loads.
    fn register_batch(&self) -> (Writer<'_>, Option<AppendRules>) {
        // Registered with the widest bound before the rules are looked up: whoever raises them meanwhile waits for it.
        let writer = self.isolation.writer(Millis::MIN);
        if !self.is_live() || !self.is_initialized() {
            return (writer, None);
        }
        let rules = self.append_rules();
        (writer.narrow(rules.min_valid_time), Some(rules))
    }

    /// Samples before this moment are refused. Half a block behind the newest, so that what is being compacted no longer changes.
    pub(crate) fn appendable_since(&self) -> Millis {
        let window = self.max_time().saturating_sub(self.options.chunk_range / 2);
        window.max(self.min_valid_time())
    }

    /// Lets the first sample ever say which time it is; returns the rules that follow from it.
    fn init_time(&self, timestamp: Millis) -> AppendRules {
        if self.max_time.compare_exchange(NO_MAX, timestamp, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.min_time.fetch_min(timestamp, Ordering::AcqRel);
        }
        self.append_rules()
    }

    fn extend_time(&self, min_time: Millis, max_time: Millis) {
        self.min_time.fetch_min(min_time, Ordering::AcqRel);
        let before = self.max_time.fetch_max(max_time, Ordering::AcqRel);
        self.metrics.max_time.set(before.max(max_time));
        self.metrics.min_time.set(self.min_time());
    }

    fn count_refusal(&self, error: &AppendError, sample_type: SampleType) {
        let counters = match error {
            AppendError::OutOfBounds => &self.metrics.out_of_bound,
            AppendError::OutOfOrder => &self.metrics.out_of_order,
            error if error.is_duplicate() => &self.metrics.out_of_order,
            AppendError::TooOld => &self.metrics.too_old,
            _ => return,
        };
        counters.of(sample_type).inc();
    }

    fn log(&self, records: Vec<WalRecord>) -> Result<(), CommitError> {
        match self.wal.get() {
            Some(wal) => wal.commit(records),
            None => Err(CommitError::Closed),
        }
    }

    /// The series with these labels; makes it unless that would be one too many.
    fn get_or_create(&self, labels: &Labels) -> Result<Arc<MemSeries>, AppendError> {
        let hash = labels.hash64();
        let (series, created) = self.table.get_or_insert(hash, labels, || {
            self.check_new_series(labels)?;
            let series_ref = self.last_ref.fetch_add(1, Ordering::Relaxed) + 1;
            if let Some(wal) = self.wal.get() {
                wal.announce(series_ref, labels.clone());
            }
            Ok(self.make_series(series_ref, labels))
        })?;
        if created {
            self.metrics.series_created.inc();
            self.metrics.series.inc();
        }
        Ok(series)
    }

    fn check_new_series(&self, labels: &Labels) -> Result<(), AppendError> {
        if labels.is_empty() {
            return Err(AppendError::InvalidLabels {
                labels: labels.clone(),
                reason: "a series needs at least one label",
            });
        }
        let limit = match self.options.max_series {
            0 => HeadIndex::MAX_SERIES,
            limit => limit.min(HeadIndex::MAX_SERIES),
        };
        // Checked under one stripe's lock only: as many writers as there are stripes may each add one more.
        if self.table.len() >= limit {
            self.metrics.series_refused.inc();
            return Err(AppendError::SeriesLimit { limit, labels: labels.clone() });
        }
        Ok(())
    }

    /// The series that the log names; makes it if it is not there under any number.
    fn load_series(&self, series_ref: u64, labels: &Labels) -> Arc<MemSeries> {
        let made: Result<_, Infallible> =
            self.table.insert_or_get(labels.hash64(), labels, || Ok(self.make_series(series_ref, labels)));
        let Ok((series, _)) = made;
        let number = series.series_ref();
        if number != series_ref {
            let mut other = series_ref;
            // Whoever wrote to it while the head loads gave it a new number; its chunks in files go by the old one, and shall do so.
            let first_new = self.first_new_ref.load(Ordering::Relaxed);
            if number >= first_new && series_ref < first_new {
                self.table.renumber(&series, series_ref);
                other = number;
            }
            self.aliases.lock().insert(other, Arc::clone(&series));
        }
        series
    }

    fn make_series(&self, series_ref: u64, labels: &Labels) -> Arc<MemSeries> {
        let series = Arc::new(MemSeries::new(series_ref, labels.clone()));
        self.add_to_index(&series);
        series
    }
}
