//! The agent's own metrics, under Promtail's names.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// What the agent counts. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub(crate) struct AgentMetrics {
    pub encoded_bytes: Family<Host, Counter>,
    pub sent_bytes: Family<Host, Counter>,
    pub sent_entries: Family<Host, Counter>,
    pub dropped_bytes: Family<Dropped, Counter>,
    pub dropped_entries: Family<Dropped, Counter>,
    pub mutated_bytes: Family<Dropped, Counter>,
    pub mutated_entries: Family<Dropped, Counter>,
    pub request_duration: Family<Request, Histogram, fn() -> Histogram>,
    pub batch_retries: Family<Tenant, Counter>,
    pub read_bytes: Family<Path, Gauge>,
    pub file_bytes: Family<Path, Gauge>,
    pub read_lines: Family<Path, Counter>,
    pub files_active: Gauge,
    pub targets_active: Gauge,
    pub targets_failed: Family<Failed, Counter>,
    pub reload_success: Counter,
    pub reload_fail: Counter,
}

/// A client.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Host {
    pub host: String,
}

/// Entries that were not sent, or not as they were.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Dropped {
    pub host: String,
    pub tenant: String,
    pub reason: &'static str,
}

/// Requests by outcome; -1 is a request without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Request {
    pub status_code: String,
    pub host: String,
}

/// A client's tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Tenant {
    pub host: String,
    pub tenant: String,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Path {
    pub path: String,
}

/// Why targets are not followed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Failed {
    pub reason: &'static str,
}

impl AgentMetrics {
    /// Registers all of them.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let durations: fn() -> Histogram =
            || Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]);
        let metrics = Self {
            encoded_bytes: Family::default(),
            sent_bytes: Family::default(),
            sent_entries: Family::default(),
            dropped_bytes: Family::default(),
            dropped_entries: Family::default(),
            mutated_bytes: Family::default(),
            mutated_entries: Family::default(),
            request_duration: Family::new_with_constructor(durations),
            batch_retries: Family::default(),
            read_bytes: Family::default(),
            file_bytes: Family::default(),
            read_lines: Family::default(),
            files_active: Gauge::default(),
            targets_active: Gauge::default(),
            targets_failed: Family::default(),
            reload_success: Counter::default(),
            reload_fail: Counter::default(),
        };
        let registry = registry.sub_registry_with_prefix("promtail");
        registry.register("encoded_bytes", "Bytes encoded and ready to send", metrics.encoded_bytes.clone());
        registry.register("sent_bytes", "Bytes sent", metrics.sent_bytes.clone());
        registry.register("sent_entries", "Log entries sent to the ingester", metrics.sent_entries.clone());
        registry.register(
            "dropped_bytes",
            "Bytes of entries that were given up",
            metrics.dropped_bytes.clone(),
        );
        registry.register(
            "dropped_entries",
            "Log entries that were given up",
            metrics.dropped_entries.clone(),
        );
        registry.register("mutated_bytes", "Bytes that were cut off entries", metrics.mutated_bytes.clone());
        registry.register("mutated_entries", "Log entries that were cut", metrics.mutated_entries.clone());
        registry.register(
            "request_duration_seconds",
            "Duration of send requests",
            metrics.request_duration.clone(),
        );
        registry.register("batch_retries", "Times a batch was sent again", metrics.batch_retries.clone());
        // Gauges with a counter's name, as the original has them.
        registry.register("read_bytes_total", "Bytes read of a file", metrics.read_bytes.clone());
        registry.register("file_bytes_total", "Size of a file", metrics.file_bytes.clone());
        registry.register("read_lines", "Lines read of a file", metrics.read_lines.clone());
        registry.register("files_active_total", "Files that are followed", metrics.files_active.clone());
        registry.register(
            "targets_active_total",
            "Targets that are followed",
            metrics.targets_active.clone(),
        );
        registry.register("targets_failed", "Targets that are not followed", metrics.targets_failed.clone());
        registry.register("config_reload_success", "Reloads that succeeded", metrics.reload_success.clone());
        registry.register("config_reload_fail", "Reloads that failed", metrics.reload_fail.clone());
        metrics
    }

    /// Forgets a file that is gone.
    pub(crate) fn forget_file(&self, path: &str) {
        let labels = Path { path: path.to_owned() };
        self.read_bytes.remove(&labels);
        self.file_bytes.remove(&labels);
        self.read_lines.remove(&labels);
    }

    /// Counts entries that a client gave up.
    pub(crate) fn count_dropped(
        &self,
        host: &str,
        tenant: &str,
        reason: &'static str,
        entries: u64,
        bytes: u64,
    ) {
        let labels = Dropped { host: host.to_owned(), tenant: tenant.to_owned(), reason };
        self.dropped_entries.get_or_create(&labels).inc_by(entries);
        self.dropped_bytes.get_or_create(&labels).inc_by(bytes);
    }
}
