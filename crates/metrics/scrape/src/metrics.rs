//! Scraping's own metrics, under Prometheus' names.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// Labels of the per-job gauges.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct PoolLabels {
    pub scrape_job: String,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct ScrapeMetrics {
    pub pools: Counter,
    pub pool_targets: Family<PoolLabels, Gauge>,
    pub pool_exceeded_target_limit: Counter,
    pub samples_out_of_order: Counter,
    pub samples_out_of_bounds: Counter,
    pub samples_duplicate: Counter,
    pub exceeded_sample_limit: Counter,
    pub exceeded_body_size_limit: Counter,
    pub label_limit_exceeded: Counter,
    pub cache_flushed: Counter,
}

impl ScrapeMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        for (name, help, counter) in [
            (
                "prometheus_target_scrape_pools",
                "Total number of scrape pool creation attempts",
                &metrics.pools,
            ),
            (
                "prometheus_target_scrape_pool_exceeded_target_limit",
                "Total number of times scrape pools hit the target limit, during sync or config reload",
                &metrics.pool_exceeded_target_limit,
            ),
            (
                "prometheus_target_scrapes_sample_out_of_order",
                "Total number of samples rejected due to not being out of the expected order",
                &metrics.samples_out_of_order,
            ),
            (
                "prometheus_target_scrapes_sample_out_of_bounds",
                "Total number of samples rejected due to timestamp falling outside of the time bounds",
                &metrics.samples_out_of_bounds,
            ),
            (
                "prometheus_target_scrapes_sample_duplicate_timestamp",
                "Total number of samples rejected due to duplicate timestamps but different values",
                &metrics.samples_duplicate,
            ),
            (
                "prometheus_target_scrapes_exceeded_sample_limit",
                "Total number of scrapes that hit the sample limit and were rejected",
                &metrics.exceeded_sample_limit,
            ),
            (
                "prometheus_target_scrapes_exceeded_body_size_limit",
                "Total number of scrapes that hit the body size limit",
                &metrics.exceeded_body_size_limit,
            ),
            (
                "prometheus_target_scrape_pool_exceeded_label_limits",
                "Total number of times scrape pools hit the label limits, during sync or config reload",
                &metrics.label_limit_exceeded,
            ),
            (
                "prometheus_target_scrapes_cache_flush_forced",
                "How many times a scrape cache was flushed due to getting big while scrapes are failing",
                &metrics.cache_flushed,
            ),
        ] {
            registry.register(name, help, counter.clone());
        }
        registry.register(
            "prometheus_target_scrape_pool_targets",
            "Current number of targets in this scrape pool",
            metrics.pool_targets.clone(),
        );
        metrics
    }
}
