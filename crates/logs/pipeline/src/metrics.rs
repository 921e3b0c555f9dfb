//! Counters that every pipeline shares.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// `logentry_dropped_lines_total{reason}` and `logentry_dropped_lines_by_label_total{label_name,label_value}`. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct PipelineMetrics {
    dropped: Family<Reason, Counter>,
    dropped_by_label: Family<ByLabel, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByLabel {
    label_name: String,
    label_value: String,
}

impl PipelineMetrics {
    /// Registers both.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "logentry_dropped_lines",
            "A count of all log lines dropped as a result of a pipeline stage",
            metrics.dropped.clone(),
        );
        registry.register(
            "logentry_dropped_lines_by_label",
            "A count of all log lines dropped by a rate limit, by the label it is kept for",
            metrics.dropped_by_label.clone(),
        );
        metrics
    }

    /// Counts a line that a stage dropped.
    pub fn dropped(&self, reason: &str) {
        self.dropped_counter(reason).inc();
    }

    /// The counter of one reason, for a stage that drops often.
    pub(crate) fn dropped_counter(&self, reason: &str) -> Counter {
        self.dropped.get_or_create_owned(&Reason { reason: reason.to_owned() })
    }

    pub(crate) fn dropped_by_label(&self, name: &str, value: &str) {
        let labels = ByLabel { label_name: name.to_owned(), label_value: value.to_owned() };
        self.dropped_by_label.get_or_create(&labels).inc();
    }

    /// How many lines were dropped for a reason.
    pub fn dropped_lines(&self, reason: &str) -> u64 {
        self.dropped_counter(reason).get()
    }
}
