//! The rules' own metrics, under Prometheus' names.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// `rule_group="file;group"`
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct GroupLabels {
    pub rule_group: String,
}

type GroupGauge = Family<GroupLabels, Gauge<f64, AtomicU64>>;
type GroupCounter = Family<GroupLabels, Counter>;

/// All of them.
#[derive(Debug, Clone)]
pub(crate) struct RuleMetrics {
    pub evaluations: GroupCounter,
    pub failures: GroupCounter,
    pub iterations: GroupCounter,
    pub iterations_missed: GroupCounter,
    pub evaluation_duration: Histogram,
    pub group_duration: Histogram,
    pub interval: GroupGauge,
    pub last_evaluation: GroupGauge,
    pub last_duration: GroupGauge,
    pub rules: GroupGauge,
    pub last_samples: GroupGauge,
}

impl RuleMetrics {
    pub(crate) fn register(registry: &mut Registry, prefix: &str) -> Self {
        let buckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0];
        let metrics = Self {
            evaluations: Family::default(),
            failures: Family::default(),
            iterations: Family::default(),
            iterations_missed: Family::default(),
            evaluation_duration: Histogram::new(buckets),
            group_duration: Histogram::new(buckets),
            interval: Family::default(),
            last_evaluation: Family::default(),
            last_duration: Family::default(),
            rules: Family::default(),
            last_samples: Family::default(),
        };
        for (name, help, counter) in [
            ("rule_evaluations", "The total number of rule evaluations", &metrics.evaluations),
            ("rule_evaluation_failures", "The total number of rule evaluation failures", &metrics.failures),
            (
                "rule_group_iterations",
                "The total number of scheduled rule group evaluations, whether executed or missed",
                &metrics.iterations,
            ),
            (
                "rule_group_iterations_missed",
                "The total number of rule group evaluations missed due to slow rule group evaluation",
                &metrics.iterations_missed,
            ),
        ] {
            registry.register(format!("{prefix}_{name}"), help, counter.clone());
        }
        for (name, help, gauge) in [
            ("rule_group_interval_seconds", "The interval of a rule group", &metrics.interval),
            (
                "rule_group_last_evaluation_timestamp_seconds",
                "The timestamp of the last rule group evaluation in seconds",
                &metrics.last_evaluation,
            ),
            (
                "rule_group_last_duration_seconds",
                "The duration of the last rule group evaluation",
                &metrics.last_duration,
            ),
            ("rule_group_rules", "The number of rules", &metrics.rules),
            (
                "rule_group_last_evaluation_samples",
                "The number of samples returned during the last rule group evaluation",
                &metrics.last_samples,
            ),
        ] {
            registry.register(format!("{prefix}_{name}"), help, gauge.clone());
        }
        registry.register(
            format!("{prefix}_rule_evaluation_duration_seconds"),
            "The duration for a rule to execute",
            metrics.evaluation_duration.clone(),
        );
        registry.register(
            format!("{prefix}_rule_group_duration_seconds"),
            "The duration of rule group evaluations",
            metrics.group_duration.clone(),
        );
        metrics
    }

    pub(crate) fn forget(&self, labels: &GroupLabels) {
        for family in [&self.evaluations, &self.failures, &self.iterations, &self.iterations_missed] {
            family.remove(labels);
        }
        for family in
            [&self.interval, &self.last_evaluation, &self.last_duration, &self.rules, &self.last_samples]
        {
            family.remove(labels);
        }
    }
}
