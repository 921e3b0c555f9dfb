//! What is counted about pushes, under Loki's names.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use wire::loki_push::PushedEntry;

use super::{Reason, label_text::LabelPairs, validate};

/// Counters of all tenants; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct IngestMetrics {
    bytes: Family<TenantLabels, Counter>,
    metadata_bytes: Family<TenantLabels, Counter>,
    lines: Family<TenantLabels, Counter>,
    discarded_lines: Family<DiscardLabels, Counter>,
    discarded_bytes: Family<DiscardLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TenantLabels {
    tenant: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DiscardLabels {
    reason: &'static str,
    tenant: String,
}

impl IngestMetrics {
    /// Registers all of them.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "loki_distributor_bytes_received",
            "Bytes of lines and structured metadata received, by tenant",
            metrics.bytes.clone(),
        );
        registry.register(
            "loki_distributor_structured_metadata_bytes_received",
            "Bytes of structured metadata received, by tenant",
            metrics.metadata_bytes.clone(),
        );
        registry.register(
            "loki_distributor_lines_received",
            "Lines received, by tenant",
            metrics.lines.clone(),
        );
        registry.register(
            "loki_discarded_samples",
            "Lines that were not taken, by reason and tenant",
            metrics.discarded_lines.clone(),
        );
        registry.register(
            "loki_discarded_bytes",
            "Bytes that were not taken, by reason and tenant",
            metrics.discarded_bytes.clone(),
        );
        metrics
    }

    /// Counts a request that was read.
    pub(super) fn received(&self, tenant: &str, streams: &[(LabelPairs, Vec<PushedEntry>)]) {
        let entries = || streams.iter().flat_map(|(_, entries)| entries);
        let line_bytes: usize = entries().map(|entry| entry.line.len()).sum();
        let metadata_bytes: usize = entries().map(validate::metadata_size).sum();
        let labels = TenantLabels { tenant: tenant.to_owned() };
        self.bytes.get_or_create(&labels).inc_by((line_bytes + metadata_bytes) as u64);
        self.metadata_bytes.get_or_create(&labels).inc_by(metadata_bytes as u64);
        self.lines.get_or_create(&labels).inc_by(entries().count() as u64);
    }

    /// Counts what was not taken.
    pub fn discarded(&self, reason: Reason, tenant: &str, lines: usize, bytes: usize) {
        let labels = DiscardLabels { reason: reason.as_str(), tenant: tenant.to_owned() };
        self.discarded_lines.get_or_create(&labels).inc_by(lines as u64);
        self.discarded_bytes.get_or_create(&labels).inc_by(bytes as u64);
    }
}
