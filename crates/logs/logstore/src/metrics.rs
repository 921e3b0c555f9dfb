//! The store's metrics, under the names Loki's dashboards ask for.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

/// Metrics of all stores of one process; clones share them.
#[derive(Debug, Clone)]
pub struct Metrics {
    pub(crate) streams: Family<Tenant, Gauge>,
    pub(crate) streams_created: Family<Tenant, Counter>,
    pub(crate) streams_removed: Family<Tenant, Counter>,
    pub(crate) chunks: Gauge,
    pub(crate) buffer_bytes: Gauge,
    pub(crate) duplicates: Counter,
    pub(crate) chunks_flushed: Family<FlushReason, Counter>,
    pub(crate) flush_failures: Counter,
    pub(crate) chunk_entries: Histogram,
    pub(crate) flush_seconds: Histogram,
    pub(crate) wal_records: Counter,
    pub(crate) wal_bytes: Counter,
    pub(crate) wal_disk_full: Counter,
    pub(crate) wal_corruptions: Family<Corruption, Counter>,
    pub(crate) wal_recovered_streams: Counter,
    pub(crate) wal_recovered_entries: Counter,
    pub(crate) wal_recovered_bytes: Counter,
    pub(crate) wal_replay_active: Gauge,
    pub(crate) wal_replay_seconds: Gauge<f64, std::sync::atomic::AtomicU64>,
    pub(crate) segments: Gauge,
    pub(crate) segment_bytes: Gauge,
    pub(crate) segments_damaged: Counter,
    pub(crate) segments_merged: Counter,
    pub(crate) segments_expired: Counter,
    pub(crate) row_groups_read: Counter,
    pub(crate) row_groups_skipped: Family<SkipReason, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Tenant {
    pub tenant: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct FlushReason {
    /// `full`, `max_age`, `idle`, `forced`.
    pub reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Corruption {
    /// `segment` for damage in the middle, `tail` for a torn end.
    pub r#type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct SkipReason {
    /// `time`, `token`.
    pub reason: &'static str,
}

// === impl Metrics ===

impl Metrics {
    /// Registers all metrics.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self::unregistered();
        metrics.register_buffers(registry);
        metrics.register_wal(registry);
        metrics.register_segments(registry);
        metrics
    }

    fn unregistered() -> Self {
        Self {
            streams: Family::default(),
            streams_created: Family::default(),
            streams_removed: Family::default(),
            chunks: Gauge::default(),
            buffer_bytes: Gauge::default(),
            duplicates: Counter::default(),
            chunks_flushed: Family::default(),
            flush_failures: Counter::default(),
            chunk_entries: Histogram::new(exponential_buckets(50.0, 2.0, 8)),
            flush_seconds: Histogram::new(exponential_buckets(0.01, 4.0, 8)),
            wal_records: Counter::default(),
            wal_bytes: Counter::default(),
            wal_disk_full: Counter::default(),
            wal_corruptions: Family::default(),
            wal_recovered_streams: Counter::default(),
            wal_recovered_entries: Counter::default(),
            wal_recovered_bytes: Counter::default(),
            wal_replay_active: Gauge::default(),
            wal_replay_seconds: Gauge::default(),
            segments: Gauge::default(),
            segment_bytes: Gauge::default(),
            segments_damaged: Counter::default(),
            segments_merged: Counter::default(),
            segments_expired: Counter::default(),
            row_groups_read: Counter::default(),
            row_groups_skipped: Family::default(),
        }
    }

    fn register_buffers(&self, registry: &mut Registry) {
        let ingester = registry.sub_registry_with_prefix("loki_ingester");
        ingester.register("memory_streams", "Streams in memory", self.streams.clone());
        ingester.register("streams_created", "Streams created in memory", self.streams_created.clone());
        ingester.register("streams_removed", "Streams removed from memory", self.streams_removed.clone());
        ingester.register(
            "memory_chunks",
            "Streams in memory that hold entries not sealed yet",
            self.chunks.clone(),
        );
        ingester.register("memory_bytes", "Bytes of entries in memory", self.buffer_bytes.clone());
        ingester.register(
            "duplicate_entries",
            "Entries dropped because they repeat the last of their stream",
            self.duplicates.clone(),
        );
        ingester.register("chunks_flushed", "Stream buffers sealed, by reason", self.chunks_flushed.clone());
        ingester.register("chunks_flush_failures", "Failed attempts to seal", self.flush_failures.clone());
        ingester.register(
            "chunk_entries",
            "Entries of a stream when it is sealed",
            self.chunk_entries.clone(),
        );
        ingester.register("flush_duration_seconds", "Time to write a segment", self.flush_seconds.clone());
    }

    fn register_wal(&self, registry: &mut Registry) {
        let wal = registry.sub_registry_with_prefix("loki_ingester_wal");
        wal.register("records_logged", "Records written to the write-ahead log", self.wal_records.clone());
        wal.register("logged_bytes", "Bytes written to the write-ahead log", self.wal_bytes.clone());
        wal.register(
            "disk_full_failures",
            "Writes that failed because the device is full",
            self.wal_disk_full.clone(),
        );
        wal.register(
            "corruptions",
            "Damage found in the write-ahead log, by type",
            self.wal_corruptions.clone(),
        );
        wal.register(
            "recovered_streams",
            "Streams found in the write-ahead log",
            self.wal_recovered_streams.clone(),
        );
        wal.register(
            "recovered_entries",
            "Entries found in the write-ahead log",
            self.wal_recovered_entries.clone(),
        );
        wal.register(
            "recovered_bytes",
            "Bytes of lines found in the write-ahead log",
            self.wal_recovered_bytes.clone(),
        );
        wal.register(
            "replay_active",
            "Whether the write-ahead log is being replayed",
            self.wal_replay_active.clone(),
        );
        wal.register("replay_duration_seconds", "Time the replay took", self.wal_replay_seconds.clone());
    }

    fn register_segments(&self, registry: &mut Registry) {
        let store = registry.sub_registry_with_prefix("logstore");
        store.register("segments", "Sealed segments", self.segments.clone());
        store.register("segment_bytes", "Bytes of sealed segments on disk", self.segment_bytes.clone());
        store.register(
            "segments_damaged",
            "Segments set aside because they cannot be read",
            self.segments_damaged.clone(),
        );
        store.register("segments_merged", "Segments replaced by merged ones", self.segments_merged.clone());
        store.register("segments_expired", "Segments deleted by retention", self.segments_expired.clone());
        store.register("row_groups_read", "Row groups read by queries", self.row_groups_read.clone());
        store.register(
            "row_groups_skipped",
            "Row groups that queries did not have to read, by reason",
            self.row_groups_skipped.clone(),
        );
    }
}
