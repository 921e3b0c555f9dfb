//! What the engine says about itself, under Prometheus' names.

use std::time::Duration;

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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Slice {
    slice: &'static str,
}

/// Counters and timers of an engine.
#[derive(Debug, Clone)]
pub(super) struct EngineMetrics {
    pub(super) running: Gauge,
    pub(super) samples: Counter,
    duration: Family<Slice, Histogram, fn() -> Histogram>,
}

impl EngineMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            running: Gauge::default(),
            samples: Counter::default(),
            duration: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.001, 4.0, 9))),
        };
        registry.register(
            "prometheus_engine_queries",
            "The current number of queries being executed or waiting",
            metrics.running.clone(),
        );
        registry.register(
            "prometheus_engine_query_samples",
            "The total number of samples loaded by all queries",
            metrics.samples.clone(),
        );
        registry.register(
            "prometheus_engine_query_duration_histogram_seconds",
            "Query timings",
            metrics.duration.clone(),
        );
        metrics
    }

    pub(super) fn observe(&self, slice: &'static str, duration: Duration) {
        self.duration.get_or_create(&Slice { slice }).observe(duration.as_secs_f64());
    }
}
