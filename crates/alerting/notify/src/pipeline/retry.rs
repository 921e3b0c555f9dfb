//! Tells an integration until it takes it, with growing pauses.

use std::{collections::BTreeMap, time::Duration};

use service::Stop;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::{Flush, Pipeline, dedup::Decision};
use crate::{
    FlushAlert, Integration, NotifyError,
    metrics::{FailedLabels, IntegrationLabels},
};

/// The first pause, and the longest; each is half as long again as the one before, give or take half.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const GROWTH: f64 = 1.5;
/// Shortest time that a notification gets, however short the group's interval.
const SHORTEST_DEADLINE: Duration = Duration::from_secs(10);

impl Pipeline {
    /// Delivers within the route's group interval, or fails.
    pub(super) async fn deliver(
        &self,
        integration: &Integration,
        flush: &Flush,
        alerts: &[FlushAlert],
        route_labels: &BTreeMap<String, String>,
        decision: &Decision,
        stop: &Stop,
    ) -> Result<(), NotifyError> {
        let labels = IntegrationLabels { integration: integration.name };
        self.metrics.notifications.get_or_create(&labels).inc();
        let told: Vec<FlushAlert> = if integration.send_resolved {
            alerts.to_vec()
        } else {
            alerts.iter().filter(|alert| !alert.resolved).cloned().collect()
        };
        if told.is_empty() {
            // Only what is over, for one who does not want to know: that counts as told.
            return Ok(());
        }
        let message = self.message(flush, &told, route_labels, decision.reason);
        let deadline = Instant::now() + flush.route.options.group_interval.max(SHORTEST_DEADLINE);
        let outcome = self.attempts(integration, &message, deadline, stop).await;
        if let Err(error) = &outcome {
            let labels = FailedLabels { integration: integration.name, reason: error.reason().as_str() };
            self.metrics.failed.get_or_create(&labels).inc();
        }
        outcome
    }

    async fn attempts(
        &self,
        integration: &Integration,
        message: &crate::Message,
        deadline: Instant,
        stop: &Stop,
    ) -> Result<(), NotifyError> {
        let (mut attempts, mut pause) = (0, FIRST_PAUSE);
        let mut last: Option<NotifyError> = None;
        loop {
            attempts += 1;
            let error = match self.attempt(integration, message, deadline).await {
                Ok(()) if attempts == 1 => {
                    debug!(%integration, group_key = message.group_key, "notified");
                    return Ok(());
                }
                Ok(()) => {
                    info!(%integration, group_key = message.group_key, attempts, "notified after failures");
                    return Ok(());
                }
                Err(error) => error,
            };
            if !error.is_retryable() {
                return Err(error);
            }
            let text = service::report(&error);
            if last.as_ref().is_none_or(|last| service::report(last) != text) {
                warn!(
                    %integration,
                    group_key = message.group_key,
                    attempts,
                    error = text,
                    "notification attempt failed, it is repeated"
                );
            }
            let give_up = |error| NotifyError::GivenUp { attempts, source: Some(Box::new(error)) };
            let jittered = pause.mul_f64(rand::random_range(0.5..1.5));
            if Instant::now() + jittered >= deadline {
                return Err(give_up(error));
            }
            tokio::select! {
                () = stop.requested() => return Err(give_up(error)),
                () = tokio::time::sleep(jittered) => {}
            }
            last = Some(error);
            pause = pause.mul_f64(GROWTH).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(
        &self,
        integration: &Integration,
        message: &crate::Message,
        deadline: Instant,
    ) -> Result<(), NotifyError> {
        let labels = IntegrationLabels { integration: integration.name };
        let started = Instant::now();
        let outcome = tokio::time::timeout_at(deadline, integration.notifier.notify(message))
            .await
            .unwrap_or_else(|_| Err(NotifyError::Timeout("the group's interval".into())));
        self.metrics.latency.get_or_create(&labels).observe(started.elapsed().as_secs_f64());
        self.metrics.requests.get_or_create(&labels).inc();
        if outcome.is_err() {
            self.metrics.requests_failed.get_or_create(&labels).inc();
        }
        outcome
    }
}
