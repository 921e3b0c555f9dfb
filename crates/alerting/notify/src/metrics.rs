//! Metrics under Alertmanager's names.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::FailureReason;

/// What the engine counts.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    pub notifications: Family<IntegrationLabels, Counter>,
    pub failed: Family<FailedLabels, Counter>,
    pub requests: Family<IntegrationLabels, Counter>,
    pub requests_failed: Family<IntegrationLabels, Counter>,
    pub latency: Family<IntegrationLabels, Histogram, fn() -> Histogram>,
    pub suppressed: Family<ReasonLabels, Counter>,
    pub groups: Gauge,
    pub group_limit_reached: Counter,
    pub alerts_limited: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct IntegrationLabels {
    pub integration: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct FailedLabels {
    pub integration: &'static str,
    pub reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ReasonLabels {
    pub reason: &'static str,
}

impl Metrics {
    pub fn register(registry: &mut Registry) -> Self {
        let buckets: fn() -> Histogram = || Histogram::new([1.0, 5.0, 10.0, 15.0, 20.0]);
        let metrics = Self {
            notifications: Family::default(),
            failed: Family::default(),
            requests: Family::default(),
            requests_failed: Family::default(),
            latency: Family::new_with_constructor(buckets),
            suppressed: Family::default(),
            groups: Gauge::default(),
            group_limit_reached: Counter::default(),
            alerts_limited: Counter::default(),
        };
        registry.register(
            "alertmanager_notifications",
            "The total number of attempted notifications",
            metrics.notifications.clone(),
        );
        registry.register(
            "alertmanager_notifications_failed",
            "The total number of failed notifications",
            metrics.failed.clone(),
        );
        registry.register(
            "alertmanager_notification_requests",
            "The total number of attempted notification requests",
            metrics.requests.clone(),
        );
        registry.register(
            "alertmanager_notification_requests_failed",
            "The total number of failed notification requests",
            metrics.requests_failed.clone(),
        );
        registry.register(
            "alertmanager_notification_latency_seconds",
            "The latency of notifications in seconds",
            metrics.latency.clone(),
        );
        registry.register(
            "alertmanager_notifications_suppressed",
            "The total number of notifications suppressed for being silenced, inhibited, outside of active time intervals or \
             within muted time intervals",
            metrics.suppressed.clone(),
        );
        registry.register(
            "alertmanager_dispatcher_aggregation_groups",
            "Number of active aggregation groups",
            metrics.groups.clone(),
        );
        registry.register(
            "alertmanager_dispatcher_aggregation_group_limit_reached",
            "Number of times when dispatcher failed to create new aggregation group due to limit",
            metrics.group_limit_reached.clone(),
        );
        registry.register(
            "alertmanager_alerts_limited",
            "The total number of alerts that were not taken because of a limit",
            metrics.alerts_limited.clone(),
        );
        for integration in crate::receivers::INTEGRATIONS {
            let labels = IntegrationLabels { integration };
            let _ = metrics.notifications.get_or_create(&labels);
            let _ = metrics.requests.get_or_create(&labels);
            let _ = metrics.requests_failed.get_or_create(&labels);
            let _ = metrics.latency.get_or_create(&labels);
            for reason in FailureReason::ALL {
                let reason = reason.as_str();
                let _ = metrics.failed.get_or_create(&FailedLabels { integration, reason });
            }
        }
        metrics
    }
}
