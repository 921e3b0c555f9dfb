//! Sending alerts to Alertmanagers: every alert to every Alertmanager, through a bounded queue.

mod config;
mod deliver;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use jiff::Timestamp;
use model::{Labels, Millis};
use parking_lot::Mutex;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use relabel::{Rule, Verdict, relabel};
use service::{StillRunning, Stop, Tasks};
use tokio::sync::Notify;
use tracing::warn;
use url::Url;

pub use config::{AlertmanagerConfig, NotifierConfig, NotifierConfigError};

use crate::Alert;
use config::Checked;
use deliver::Destination;

/// An alert on its way to Alertmanagers. Source: Alertmanager API v2, `postableAlert`.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// The alert's labels.
    pub labels: Labels,
    /// Its annotations.
    pub annotations: Labels,
    /// When it began to fire, milliseconds.
    pub starts_at: Millis,
    /// When it was resolved, or until when it is to be taken as firing, milliseconds.
    pub ends_at: Millis,
    /// A link to its expression.
    pub generator_url: String,
}

/// Settings that do not change while the daemon runs.
#[derive(Debug, Clone)]
pub struct NotifierOptions {
    /// `--alertmanager.notification-queue-capacity`: over it, the oldest are dropped.
    pub queue_capacity: usize,
    /// `--alertmanager.notification-batch-size`: alerts in one request.
    pub batch_size: usize,
    /// Sent with every request.
    pub user_agent: String,
    /// What the metrics' names begin with: `prometheus`, `loki_prometheus`.
    pub metric_prefix: &'static str,
}

impl Default for NotifierOptions {
    fn default() -> Self {
        Self {
            queue_capacity: 10_000,
            batch_size: 256,
            user_agent: String::new(),
            metric_prefix: "prometheus",
        }
    }
}

/// Takes alerts at once and sends them in the background. Cheap to share.
pub struct Notifier {
    options: NotifierOptions,
    metrics: Metrics,
    state: Mutex<State>,
    tasks: Mutex<Option<Tasks>>,
}

#[derive(Default)]
struct State {
    external_labels: Labels,
    relabel: Vec<Rule>,
    destinations: Vec<Arc<Queue>>,
}

/// What waits for one block of Alertmanagers.
struct Queue {
    waiting: Mutex<VecDeque<Notification>>,
    arrived: Notify,
    /// The Alertmanagers of the block that are reached now, for the API.
    urls: Mutex<Vec<Url>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AlertmanagerLabels {
    alertmanager: String,
}

#[derive(Clone)]
struct Metrics {
    sent: Family<AlertmanagerLabels, Counter>,
    errors: Family<AlertmanagerLabels, Counter>,
    dropped: Counter,
    latency: Family<AlertmanagerLabels, Histogram, fn() -> Histogram>,
    queue_length: Gauge,
    queue_capacity: Gauge,
    discovered: Gauge,
}

impl Metrics {
    fn register(registry: &mut Registry, prefix: &str) -> Self {
        let buckets: fn() -> Histogram = || Histogram::new([0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0]);
        let metrics = Self {
            sent: Family::default(),
            errors: Family::default(),
            dropped: Counter::default(),
            latency: Family::new_with_constructor(buckets),
            queue_length: Gauge::default(),
            queue_capacity: Gauge::default(),
            discovered: Gauge::default(),
        };
        let name = |rest: &str| format!("{prefix}_notifications_{rest}");
        registry.register(name("sent"), "Total number of alerts sent", metrics.sent.clone());
        registry.register(
            name("errors"),
            "Total number of sent alerts affected by errors",
            metrics.errors.clone(),
        );
        registry.register(
            name("dropped"),
            "Total number of alerts dropped due to errors when sending to Alertmanager",
            metrics.dropped.clone(),
        );
        registry.register(
            name("latency_seconds"),
            "Latency quantiles for sending alert notifications",
            metrics.latency.clone(),
        );
        registry.register(
            name("queue_length"),
            "The number of alert notifications in the queue",
            metrics.queue_length.clone(),
        );
        registry.register(
            name("queue_capacity"),
            "The capacity of the alert notifications queue",
            metrics.queue_capacity.clone(),
        );
        registry.register(
            name("alertmanagers_discovered"),
            "The number of alertmanagers discovered and active",
            metrics.discovered.clone(),
        );
        metrics
    }
}

impl Notifier {
    /// A notifier without Alertmanagers.
    pub fn new(options: NotifierOptions, registry: &mut Registry) -> Arc<Self> {
        let metrics = Metrics::register(registry, options.metric_prefix);
        metrics.queue_capacity.set(options.queue_capacity as i64);
        Arc::new(Self { options, metrics, state: Mutex::default(), tasks: Mutex::new(None) })
    }

    /// Puts Alertmanagers in force. What waits for the ones before is handed to the new ones.
    pub fn apply(&self, checked: NotifierConfig, external_labels: Labels) {
        let NotifierConfig { alert_relabel, alertmanagers } = checked;
        let tasks = Tasks::new(&Stop::never());
        let destinations = alertmanagers.into_iter().map(|block| self.start(block, &tasks)).collect();
        let waiting = {
            let mut state = self.state.lock();
            let before = std::mem::replace(&mut state.destinations, destinations);
            state.external_labels = external_labels;
            state.relabel = alert_relabel;
            let waiting =
                before.first().map(|queue| std::mem::take(&mut *queue.waiting.lock())).unwrap_or_default();
            for queue in &state.destinations {
                queue.waiting.lock().extend(waiting.iter().cloned());
                queue.arrived.notify_one();
            }
            waiting.len()
        };
        tracing::debug!(waiting, "alertmanagers changed");
        if let Some(before) = self.tasks.lock().replace(tasks) {
            before.request_stop();
        }
    }

    fn start(&self, block: Checked, tasks: &Tasks) -> Arc<Queue> {
        let queue =
            Arc::new(Queue { waiting: Mutex::default(), arrived: Notify::new(), urls: Mutex::default() });
        let destination = Destination {
            block,
            queue: queue.clone(),
            batch_size: self.options.batch_size.max(1),
            user_agent: self.options.user_agent.clone(),
            metrics: self.metrics.clone(),
        };
        tasks.spawn("alertmanagers", destination.run(tasks.stop()));
        queue
    }

    /// Queues alerts for every Alertmanager. Never waits: over the capacity the oldest are dropped, counted and logged.
    pub fn send(&self, alerts: Vec<Notification>) {
        if alerts.is_empty() {
            return;
        }
        let state = self.state.lock();
        let alerts: Vec<Notification> =
            alerts.into_iter().filter_map(|alert| prepare(alert, &state)).collect();
        for queue in &state.destinations {
            let mut waiting = queue.waiting.lock();
            waiting.extend(alerts.iter().cloned());
            let over = waiting.len().saturating_sub(self.options.queue_capacity);
            if over > 0 {
                waiting.drain(..over);
                self.metrics.dropped.inc_by(over as u64);
                warn!(
                    dropped = over,
                    capacity = self.options.queue_capacity,
                    "alert notification queue is full, the oldest alerts are dropped"
                );
            }
            self.metrics.queue_length.set(waiting.len() as i64);
            queue.arrived.notify_one();
        }
    }

    /// The Alertmanagers that alerts are sent to now.
    pub fn alertmanagers(&self) -> Vec<Url> {
        self.state.lock().destinations.iter().flat_map(|queue| queue.urls.lock().clone()).collect()
    }

    /// Sends what waits, at most until the deadline, and stops.
    pub async fn finish(&self, deadline: Duration) -> Result<(), StillRunning> {
        let tasks = self.tasks.lock().take();
        match tasks {
            Some(tasks) => tasks.finish(deadline).await,
            None => Ok(()),
        }
    }
}

/// Adds external labels and applies `alert_relabel_configs`; `None` when they drop the alert.
fn prepare(mut alert: Notification, state: &State) -> Option<Notification> {
    let mut labels = alert.labels.to_builder();
    for (name, value) in state.external_labels.iter() {
        if labels.get(name).is_empty() {
            labels.set(name, value);
        }
    }
    if relabel(&state.relabel, &mut labels) == Verdict::Drop {
        return None;
    }
    alert.labels = labels.build();
    Some(alert)
}

impl Notification {
    /// The alert as it is sent.
    pub(crate) fn of(alert: &Alert, expression: &str, external_url: &str) -> Self {
        let query: String = url::form_urlencoded::byte_serialize(expression.as_bytes()).collect();
        Self {
            labels: alert.labels.clone(),
            annotations: alert.annotations.clone(),
            starts_at: alert.fired_at.unwrap_or(alert.active_at),
            ends_at: alert.resolved_at.unwrap_or(alert.valid_until),
            generator_url: format!("{external_url}/graph?g0.expr={query}&g0.tab=1"),
        }
    }
}

/// A moment as RFC 3339 with milliseconds; the Unix epoch where it cannot be said.
fn rfc3339(at: Millis) -> String {
    let moment = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{moment:.3}")
}
