//! The way of a group's alerts to its receiver, stage by stage. A stage takes alerts away or tells about them.

mod dedup;
mod inhibit;
mod retry;
mod set_notifies;
mod silence;
mod time_intervals;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use futures_util::future::join_all;
use jiff::Timestamp;
use model::Labels;
use routing::{Route, TimeInterval};
use service::Stop;
use tracing::error;

use crate::{
    Data, FlushAlert, Integration, Message, NotifyError, Templates, inhibitor::Inhibitor,
    log::NotificationLog, message::Subject, metrics::Metrics, silences::Silences,
};

/// Everything between a group and its receiver's integrations.
pub(crate) struct Pipeline {
    pub receivers: HashMap<String, Vec<Integration>>,
    pub inhibitor: Arc<Inhibitor>,
    pub silences: Arc<Silences>,
    pub log: Arc<NotificationLog>,
    pub time_intervals: HashMap<String, Vec<TimeInterval>>,
    pub templates: Templates,
    pub external_url: Arc<str>,
    pub metrics: Metrics,
}

/// One group's alerts at the moment when it is their turn.
pub(crate) struct Flush {
    pub route: Arc<Route>,
    pub group_labels: Labels,
    pub group_key: String,
    pub now: Timestamp,
    /// In the order of notifications.
    pub alerts: Vec<FlushAlert>,
}

/// What came of a flush.
pub(crate) struct Outcome {
    /// The time intervals that muted the group.
    pub muted_by: Vec<String>,
    /// Whether everyone who had to be told was.
    pub delivered: bool,
}

/// Why a receiver is told, or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotifyReason {
    /// There is nothing new.
    DoNotNotify,
    /// The receiver knows of no firing alert of the group.
    FirstNotification,
    /// An alert fires that it does not know of.
    NewAlertsInGroup,
    /// An alert is over that it does not know to be.
    NewResolvedAlerts,
    /// No alert fires any more.
    AllAlertsResolved,
    /// It was told long ago.
    RepeatIntervalElapsed,
}

/// A receiver could not be told.
struct Failure {
    integration: String,
    error: NotifyError,
}

impl NotifyReason {
    /// As notifications name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DoNotNotify => "none",
            Self::FirstNotification => "first notification",
            Self::NewAlertsInGroup => "new alerts added",
            Self::NewResolvedAlerts => "some alerts resolved",
            Self::AllAlertsResolved => "all alerts resolved",
            Self::RepeatIntervalElapsed => "repeat interval elapsed",
        }
    }
}

impl Pipeline {
    /// Takes a group's alerts through all stages. Ends early, as failed, when `stop` is requested between two attempts.
    pub async fn run(&self, flush: &Flush, stop: &Stop) -> Outcome {
        let alerts = self.without_inhibited(flush, flush.alerts.clone());
        let muted_by = if alerts.is_empty() { Vec::new() } else { self.muted_by_time(flush, alerts.len()) };
        if alerts.is_empty() || !muted_by.is_empty() {
            return Outcome { muted_by, delivered: true };
        }
        let alerts = self.without_silenced(flush, alerts);
        if alerts.is_empty() {
            return Outcome { muted_by, delivered: true };
        }
        let route_labels = self.route_labels(flush, &alerts);
        let integrations = self.receivers.get(&flush.route.options.receiver);
        let deliveries = integrations
            .into_iter()
            .flatten()
            .map(|integration| self.tell_integration(integration, flush, &alerts, &route_labels, stop));
        let mut delivered = true;
        for failure in join_all(deliveries).await.into_iter().filter_map(Result::err) {
            delivered = false;
            let Failure { integration, error } = failure;
            error!(
                receiver = flush.route.options.receiver,
                integration,
                group_key = flush.group_key,
                alerts = alerts.len(),
                error = service::report(&error),
                "notification failed"
            );
        }
        Outcome { muted_by, delivered }
    }

    async fn tell_integration(
        &self,
        integration: &Integration,
        flush: &Flush,
        alerts: &[FlushAlert],
        route_labels: &BTreeMap<String, String>,
        stop: &Stop,
    ) -> Result<(), Failure> {
        let decision = self.decide(integration, flush, alerts);
        if decision.reason == NotifyReason::DoNotNotify {
            return Ok(());
        }
        self.deliver(integration, flush, alerts, route_labels, &decision, stop)
            .await
            .map_err(|error| Failure { integration: integration.to_string(), error })?;
        self.set_notifies(flush, decision);
        Ok(())
    }

    fn message(
        &self,
        flush: &Flush,
        alerts: &[FlushAlert],
        route_labels: &BTreeMap<String, String>,
        reason: NotifyReason,
    ) -> Message {
        let data = Data::of(&self.subject(flush), route_labels.clone(), reason.as_str(), alerts);
        Message { group_key: flush.group_key.clone(), data: Arc::new(data) }
    }

    /// The labels of the flush's route with their templates run on some alerts.
    pub fn route_labels(&self, flush: &Flush, alerts: &[FlushAlert]) -> BTreeMap<String, String> {
        let labels = &flush.route.options.labels;
        if labels.is_empty() {
            return BTreeMap::new();
        }
        let data = Data::of(&self.subject(flush), labels.clone(), "unknown", alerts);
        self.templates.route_labels(labels, &data, |label, error| {
            error!(
                label,
                group_key = flush.group_key,
                error = service::report(&error),
                "route label cannot be rendered, it is left out"
            );
        })
    }

    fn subject<'a>(&'a self, flush: &'a Flush) -> Subject<'a> {
        Subject {
            receiver: &flush.route.options.receiver,
            group_labels: &flush.group_labels,
            external_url: &self.external_url,
        }
    }

    fn suppressed(&self, reason: &'static str, count: usize) {
        let labels = crate::metrics::ReasonLabels { reason };
        self.metrics.suppressed.get_or_create(&labels).inc_by(count as u64);
    }
}

impl fmt::Display for Integration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.name, self.index)
    }
}
