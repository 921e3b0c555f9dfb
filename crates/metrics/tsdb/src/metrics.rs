//! What the storage tells about itself, under Prometheus' names.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

/// `{type="float"}` and `{type="histogram"}`, the label of everything counted per sample.
type ByType = Family<[(&'static str, &'static str); 1], Counter>;
type Float = Gauge<f64, AtomicU64>;
/// `{block="01J…"}`, of few things only.
type ByBlock = Family<[(&'static str, String); 1], Gauge>;

const FLOAT: [(&str, &str); 1] = [("type", "float")];
const HISTOGRAM: [(&str, &str); 1] = [("type", "histogram")];

/// All metrics of one database. Clones count together.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) head: HeadMetrics,
    pub(crate) head_chunks: HeadChunkMetrics,
    pub(crate) wal: WalMetrics,
    /// Of the log of out-of-order samples.
    pub(crate) wbl: WalMetrics,
    pub(crate) blocks: BlockMetrics,
}

#[derive(Clone)]
pub(crate) struct HeadMetrics {
    pub(crate) series: Gauge,
    pub(crate) series_created: Counter,
    pub(crate) series_removed: Counter,
    pub(crate) series_refused: Counter,
    pub(crate) chunks: Gauge,
    pub(crate) chunks_created: Counter,
    pub(crate) chunks_removed: Counter,
    pub(crate) min_time: Gauge,
    pub(crate) max_time: Gauge,
    pub(crate) active_appenders: Gauge,
    pub(crate) appended: Typed,
    pub(crate) late_appended: Typed,
    pub(crate) out_of_bound: Typed,
    pub(crate) out_of_order: Typed,
    pub(crate) too_old: Typed,
    pub(crate) gc_seconds: Histogram,
    pub(crate) truncations: Counter,
    pub(crate) exemplars_appended: Counter,
    pub(crate) exemplars_in_storage: Gauge,
    pub(crate) chunks_mapped: Counter,
    pub(crate) chunk_writes_failed: Counter,
}

#[derive(Clone)]
pub(crate) struct HeadChunkMetrics {
    pub(crate) corruptions: Counter,
    pub(crate) bytes: Gauge,
}

#[derive(Clone)]
pub(crate) struct WalMetrics {
    pub(crate) corruptions: Counter,
    pub(crate) writes_failed: Counter,
    pub(crate) segment_current: Gauge,
    pub(crate) current_segment_bytes: Gauge,
    pub(crate) storage_size: Gauge,
    pub(crate) replay_seconds: Float,
    pub(crate) replay_unknown_refs: Counter,
    pub(crate) truncate_seconds: Histogram,
    pub(crate) truncations: Counter,
    pub(crate) truncations_failed: Counter,
    pub(crate) checkpoints: Counter,
    pub(crate) checkpoints_failed: Counter,
    pub(crate) unsupported_records: Counter,
}

#[derive(Clone)]
pub(crate) struct BlockMetrics {
    pub(crate) loaded: Gauge,
    pub(crate) bytes: Gauge,
    pub(crate) symbol_bytes: Gauge,
    pub(crate) lowest_timestamp: Gauge,
    pub(crate) retention_limit_bytes: Gauge,
    pub(crate) retention_limit_seconds: Gauge,
    pub(crate) retention_limit_percentage: Float,
    pub(crate) time_retentions: Counter,
    pub(crate) size_retentions: Counter,
    pub(crate) compactions: Counter,
    pub(crate) compactions_failed: Counter,
    pub(crate) compactions_triggered: Counter,
    pub(crate) vertical_compactions: Counter,
    pub(crate) compaction_seconds: Histogram,
    pub(crate) reloads: Counter,
    pub(crate) reloads_failed: Counter,
    pub(crate) unreadable: Gauge,
    pub(crate) unreadable_info: ByBlock,
}

/// The type of a sample, where metrics tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SampleType {
    Float,
    Histogram,
}

/// A counter for each type.
#[derive(Clone)]
pub(crate) struct Typed {
    pub(crate) floats: Counter,
    pub(crate) histograms: Counter,
}

// === impl Typed ===

impl Typed {
    pub(crate) fn of(&self, sample_type: SampleType) -> &Counter {
        match sample_type {
            SampleType::Float => &self.floats,
            SampleType::Histogram => &self.histograms,
        }
    }
}

// === impl Metrics ===

impl Metrics {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let mut register = Register { registry: registry.sub_registry_with_prefix("prometheus_tsdb") };
        let head = HeadMetrics::new(&mut register);
        let head_chunks = HeadChunkMetrics::new(&mut register);
        let wal = WalMetrics::new(&mut register);
        let wbl = WalMetrics::out_of_order(&wal, &mut register);
        let blocks = BlockMetrics::new(&mut register);
        Self { head, head_chunks, wal, wbl, blocks }
    }
}

impl HeadMetrics {
    fn new(r: &mut Register<'_>) -> Self {
        Self {
            series: r.gauge("head_series", "Total number of series in the head block"),
            series_created: r.counter("head_series_created", "Total number of series created in the head"),
            series_removed: r.counter("head_series_removed", "Total number of series removed in the head"),
            series_refused: r.counter(
                "head_series_refused",
                "Total number of series refused because of the limit on series",
            ),
            chunks: r.gauge("head_chunks", "Total number of chunks in the head block"),
            chunks_created: r.counter("head_chunks_created", "Total number of chunks created in the head"),
            chunks_removed: r.counter("head_chunks_removed", "Total number of chunks removed in the head"),
            min_time: r.gauge("head_min_time", "Minimum time bound of the head block, in milliseconds"),
            max_time: r.gauge("head_max_time", "Maximum timestamp of the head block, in milliseconds"),
            active_appenders: r
                .gauge("head_active_appenders", "Number of currently active appender transactions"),
            appended: r.by_type("head_samples_appended", "Total number of appended samples"),
            late_appended: r.by_type(
                "head_out_of_order_samples_appended",
                "Total number of appended out of order samples",
            ),
            out_of_bound: r.by_type(
                "out_of_bound_samples",
                "Total number of out of bound samples ingestion failed attempts",
            ),
            out_of_order: r.by_type(
                "out_of_order_samples",
                "Total number of out of order samples ingestion failed attempts",
            ),
            too_old: r.by_type(
                "too_old_samples",
                "Total number of samples refused because they are older than the out-of-order window",
            ),
            gc_seconds: r
                .seconds("head_gc_duration_seconds", "Runtime of garbage collection in the head block"),
            truncations: r.counter("head_truncations", "Total number of head truncations attempted"),
            exemplars_appended: r
                .counter("exemplar_exemplars_appended", "Total number of appended exemplars"),
            exemplars_in_storage: r
                .gauge("exemplar_exemplars_in_storage", "Number of exemplars currently in circular storage"),
            chunks_mapped: r.counter("mmap_chunks", "Total number of chunks that were memory-mapped"),
            chunk_writes_failed: r.counter(
                "head_chunk_writes_failed",
                "Total number of times that chunks could not be written to files and stayed in memory",
            ),
        }
    }
}

impl HeadChunkMetrics {
    fn new(r: &mut Register<'_>) -> Self {
        Self {
            corruptions: r.counter(
                "mmap_chunk_corruptions",
                "Total number of times that damage was found in files of head chunks",
            ),
            bytes: r.gauge("head_chunks_storage_size_bytes", "Size of the files of head chunks"),
        }
    }
}

impl WalMetrics {
    fn new(r: &mut Register<'_>) -> Self {
        Self {
            corruptions: r.counter("wal_corruptions", "Total number of WAL corruptions"),
            writes_failed: r.counter("wal_writes_failed", "Total number of WAL writes that failed"),
            segment_current: r
                .gauge("wal_segment_current", "WAL segment index that TSDB is currently writing to"),
            current_segment_bytes: r
                .gauge("wal_current_segment_bytes", "Bytes in the WAL segment that is being written"),
            storage_size: r.gauge("wal_storage_size_bytes", "Size of the write log directory"),
            replay_seconds: r.float("data_replay_duration_seconds", "Time taken to replay the data on disk"),
            replay_unknown_refs: r.counter(
                "wal_replay_unknown_refs",
                "Total number of unknown series references found during WAL replay",
            ),
            truncate_seconds: r.seconds("wal_truncate_duration_seconds", "Duration of WAL truncation"),
            truncations: r.counter("wal_truncations", "Total number of write log truncations attempted"),
            truncations_failed: r
                .counter("wal_truncations_failed", "Total number of write log truncations that failed"),
            checkpoints: r.counter("checkpoint_creations", "Total number of checkpoint creations attempted"),
            checkpoints_failed: r
                .counter("checkpoint_creations_failed", "Total number of checkpoint creations that failed"),
            unsupported_records: r.counter(
                "wal_replay_unsupported_records",
                "Total number of records that this version cannot load and leaves in the log",
            ),
        }
    }

    /// Those of the log of out-of-order samples. What a replay finds in it counts with the other log's; what it has no metric of its own
    /// for is not shown.
    fn out_of_order(wal: &Self, r: &mut Register<'_>) -> Self {
        Self {
            corruptions: wal.corruptions.clone(),
            writes_failed: r.counter(
                "out_of_order_wbl_writes_failed",
                "Total number of writes to the log of out-of-order samples that failed",
            ),
            segment_current: r.gauge(
                "out_of_order_wbl_segment_current",
                "Segment index of the log of out-of-order samples that is currently written to",
            ),
            storage_size: r.gauge(
                "out_of_order_wbl_storage_size_bytes",
                "Size of the directory of the log of out-of-order samples",
            ),
            truncations_failed: r.counter(
                "out_of_order_wbl_truncations_failed",
                "Total number of truncations of the log of out-of-order samples that failed",
            ),
            truncations: r.counter(
                "out_of_order_wbl_truncations",
                "Total number of truncations of the log of out-of-order samples attempted",
            ),
            replay_unknown_refs: r.counter(
                "wbl_replay_unknown_refs",
                "Total number of unknown series references found during WBL replay",
            ),
            unsupported_records: wal.unsupported_records.clone(),
            current_segment_bytes: Gauge::default(),
            replay_seconds: Float::default(),
            truncate_seconds: Histogram::new([]),
            checkpoints: Counter::default(),
            checkpoints_failed: Counter::default(),
        }
    }
}

impl BlockMetrics {
    fn new(r: &mut Register<'_>) -> Self {
        Self {
            loaded: r.gauge("blocks_loaded", "Number of currently loaded data blocks"),
            bytes: r.gauge(
                "storage_blocks_bytes",
                "The number of bytes that are currently used for local storage by all blocks",
            ),
            symbol_bytes: r.gauge(
                "symbol_table_size_bytes",
                "Size of the sampled symbol tables of all blocks in memory",
            ),
            lowest_timestamp: r
                .gauge("lowest_timestamp", "Lowest timestamp value stored in the database, in milliseconds"),
            retention_limit_bytes: r.gauge(
                "retention_limit_bytes",
                "Max number of bytes to be retained in the blocks, 0 if unlimited",
            ),
            retention_limit_seconds: r
                .gauge("retention_limit_seconds", "How long to retain samples in storage, 0 if for ever"),
            retention_limit_percentage: r.float(
                "retention_limit_percentage",
                "Max percentage of the storage's size to be retained in the blocks, 0 if unlimited",
            ),
            time_retentions: r.counter(
                "time_retentions",
                "Number of times that blocks were deleted because the time limit was exceeded",
            ),
            size_retentions: r.counter(
                "size_retentions",
                "Number of times that blocks were deleted because the size limit was exceeded",
            ),
            compactions: r.counter("compactions", "Total number of compactions that were executed"),
            compactions_failed: r.counter("compactions_failed", "Total number of compactions that failed"),
            compactions_triggered: r
                .counter("compactions_triggered", "Total number of triggered compactions"),
            vertical_compactions: r
                .counter("vertical_compactions", "Total number of compactions done on overlapping blocks"),
            compaction_seconds: r.seconds("compaction_duration_seconds", "Duration of compaction runs"),
            reloads: r.counter("reloads", "Number of times the database reloaded block data from disk"),
            reloads_failed: r.counter(
                "reloads_failures",
                "Number of times the database failed to reload block data from disk",
            ),
            unreadable: r
                .gauge("blocks_unreadable", "Number of blocks that could not be opened and are left out"),
            unreadable_info: r.by_block(
                "unreadable_block_info",
                "Names each block that could not be opened and is left out",
            ),
        }
    }
}

struct Register<'a> {
    registry: &'a mut Registry,
}

// === impl Register ===

impl Register<'_> {
    fn counter(&mut self, name: &str, help: &str) -> Counter {
        let counter = Counter::default();
        self.registry.register(name, help, counter.clone());
        counter
    }

    fn gauge(&mut self, name: &str, help: &str) -> Gauge {
        let gauge = Gauge::default();
        self.registry.register(name, help, gauge.clone());
        gauge
    }

    fn float(&mut self, name: &str, help: &str) -> Float {
        let gauge = Float::default();
        self.registry.register(name, help, gauge.clone());
        gauge
    }

    fn by_type(&mut self, name: &str, help: &str) -> Typed {
        let family = ByType::default();
        self.registry.register(name, help, family.clone());
        let [floats, histograms] = [&FLOAT, &HISTOGRAM].map(|label| family.get_or_create_owned(label));
        Typed { floats, histograms }
    }

    fn by_block(&mut self, name: &str, help: &str) -> ByBlock {
        let family = ByBlock::default();
        self.registry.register(name, help, family.clone());
        family
    }

    fn seconds(&mut self, name: &str, help: &str) -> Histogram {
        let histogram = Histogram::new(exponential_buckets(0.001, 4.0, 10));
        self.registry.register(name, help, histogram.clone());
        histogram
    }
}
