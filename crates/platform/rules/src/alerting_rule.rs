//! Alerting rules and the life of their alerts: inactive → pending → firing → resolved.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use model::{ALERT_NAME, Labels, METRIC_NAME, Matcher, Millis};

use crate::{Alert, AlertState, EvalError, Evaluator, ExpandContext, ResultSample, expand::Expander};

/// How long a resolved alert is kept, so that its resolution is sent even to an Alertmanager that was away.
const RESOLVED_RETENTION: Millis = 15 * 60 * 1000;
/// The series that show alerts.
const ALERTS: &str = "ALERTS";
/// The series that alerts find their state in after a restart.
const ALERTS_FOR_STATE: &str = "ALERTS_FOR_STATE";
const ALERT_STATE: &str = "alertstate";

/// An alerting rule, as configured.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertingRule {
    /// The alert's name.
    pub name: String,
    /// Its expression.
    pub expression: String,
    /// `for`
    pub hold: Duration,
    /// `keep_firing_for`
    pub keep_firing_for: Duration,
    /// Labels, templates not expanded.
    pub labels: BTreeMap<String, String>,
    /// Annotations, templates not expanded.
    pub annotations: BTreeMap<String, String>,
}

/// The alerts of one rule, by their labels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alerts {
    active: BTreeMap<Labels, Alert>,
    /// Whether the state from before a restart was looked for. Until then, nothing is sent or stored.
    restored: bool,
}

impl AlertingRule {
    /// Moves the alerts on to `at` and returns the series that show them. `offset` is the group's query offset.
    pub(crate) fn evaluate(
        &self,
        evaluator: &Arc<dyn Evaluator>,
        context: &ExpandContext,
        alerts: &mut Alerts,
        at: Millis,
        offset: Millis,
        limit: u64,
    ) -> Result<Vec<ResultSample>, EvalError> {
        let samples = evaluator.evaluate(&self.expression, at - offset)?;
        let current = self.current_alerts(evaluator, context, &samples, at)?;
        let current_labels: std::collections::BTreeSet<Labels> =
            current.iter().map(|alert| alert.labels.clone()).collect();
        for alert in current {
            match alerts.active.get_mut(&alert.labels) {
                Some(known) if known.state != AlertState::Inactive => {
                    known.value = alert.value;
                    known.annotations = alert.annotations;
                    known.keep_firing_since = None;
                }
                _ => {
                    alerts.active.insert(alert.labels.clone(), alert);
                }
            }
        }
        self.move_on(alerts, &current_labels, at);
        let shown = alerts.active.values().filter(|alert| alert.state != AlertState::Inactive).count();
        if limit > 0 && shown as u64 > limit {
            alerts.active.clear();
            return Err(EvalError(format!("exceeded limit of {limit} with {shown} alerts")));
        }
        Ok(if alerts.restored { alerts.samples() } else { Vec::new() })
    }

    fn current_alerts(
        &self,
        evaluator: &Arc<dyn Evaluator>,
        context: &ExpandContext,
        samples: &[ResultSample],
        at: Millis,
    ) -> Result<Vec<Alert>, EvalError> {
        let expander = Expander::new(context, evaluator.clone(), at);
        let mut seen = std::collections::HashSet::with_capacity(samples.len());
        let mut current = Vec::with_capacity(samples.len());
        for sample in samples {
            let expand = |text: &str| expander.expand(text, &sample.labels, sample.value);
            let mut labels = sample.labels.to_builder();
            labels.remove(METRIC_NAME);
            for (name, text) in &self.labels {
                labels.set(name, &expand(text));
            }
            labels.set(ALERT_NAME, &self.name);
            let labels = labels.build();
            if !seen.insert(labels.clone()) {
                return Err(EvalError(
                    "vector contains metrics with the same labelset after applying alert labels".into(),
                ));
            }
            let annotations =
                self.annotations.iter().map(|(name, text)| (name.as_str(), expand(text))).collect();
            current.push(Alert {
                state: AlertState::Pending,
                labels,
                annotations,
                value: sample.value,
                active_at: at,
                fired_at: None,
                resolved_at: None,
                last_sent_at: None,
                valid_until: 0,
                keep_firing_since: None,
            });
        }
        Ok(current)
    }

    fn move_on(&self, alerts: &mut Alerts, current: &std::collections::BTreeSet<Labels>, at: Millis) {
        let hold = millis(self.hold);
        let keep_firing_for = millis(self.keep_firing_for);
        alerts.active.retain(|labels, alert| {
            if current.contains(labels) {
                alert.keep_firing_since = None;
            } else {
                let mut keeps_firing = false;
                if alert.state == AlertState::Firing && keep_firing_for > 0 {
                    let since = *alert.keep_firing_since.get_or_insert(at);
                    keeps_firing = at - since < keep_firing_for;
                }
                let forgotten = alert.resolved_at.is_some_and(|resolved| at - resolved > RESOLVED_RETENTION);
                if alert.state == AlertState::Pending || forgotten {
                    return false;
                }
                if !keeps_firing {
                    if alert.state != AlertState::Inactive {
                        alert.state = AlertState::Inactive;
                        alert.resolved_at = Some(at);
                    }
                    return true;
                }
            }
            if alert.state == AlertState::Pending && at - alert.active_at >= hold {
                alert.state = AlertState::Firing;
                alert.fired_at = Some(at);
            }
            true
        });
    }

    /// Takes over since when alerts have been active from the series they left before a restart.
    ///
    /// Time that the daemon was down does not count as time that an alert was pending; at least `grace` remains then.
    pub(crate) fn restore(
        &self,
        evaluator: &dyn Evaluator,
        alerts: &mut Alerts,
        at: Millis,
        outage_tolerance: Duration,
        grace: Duration,
    ) -> Result<(), EvalError> {
        alerts.restored = true;
        let hold = millis(self.hold);
        if hold < millis(grace) || alerts.active.is_empty() {
            return Ok(());
        }
        let mut matchers =
            vec![Matcher::equal(METRIC_NAME, ALERTS_FOR_STATE), Matcher::equal(ALERT_NAME, &self.name)];
        matchers.extend(
            self.labels
                .iter()
                .filter(|(_, text)| !text.contains("{{"))
                .map(|(name, value)| Matcher::equal(name, value)),
        );
        let left = evaluator.newest(&matchers, at - millis(outage_tolerance), at)?;
        for (labels, written_at, active_seconds) in left {
            let Some(alert) = alerts.active.get_mut(&labels.without_metric_name()) else { continue };
            if alert.state == AlertState::Inactive || model::is_stale(active_seconds) {
                continue;
            }
            let was_active_at = (active_seconds * 1000.0) as Millis;
            let spent = written_at - was_active_at;
            let remaining = hold - spent;
            alert.active_at = if remaining <= 0 {
                // It fired before the restart: the expression still has a result, so it fires on.
                was_active_at
            } else if remaining < millis(grace) {
                at + millis(grace) - hold
            } else {
                was_active_at + (at - written_at)
            };
        }
        Ok(())
    }

    /// The state of the alert that is worst off.
    pub(crate) fn state(alerts: &Alerts) -> AlertState {
        alerts.active.values().map(|alert| alert.state).max().unwrap_or(AlertState::Inactive)
    }
}

impl Alerts {
    /// All alerts that are not resolved.
    pub(crate) fn active(&self) -> impl Iterator<Item = &Alert> {
        self.active.values().filter(|alert| alert.state != AlertState::Inactive)
    }

    /// Whether the state from before a restart was looked for.
    pub(crate) fn is_restored(&self) -> bool {
        self.restored
    }

    /// There is no state from before a restart to look for: the group is new in a running daemon.
    pub(crate) fn set_restored(&mut self) {
        self.restored = true;
    }

    /// The alerts that are due to be sent, marked as sent at `at`.
    pub(crate) fn take_due(&mut self, at: Millis, resend_delay: Millis, interval: Millis) -> Vec<Alert> {
        if !self.restored {
            return Vec::new();
        }
        self.active
            .values_mut()
            .filter(|alert| alert.needs_sending(at, resend_delay))
            .map(|alert| {
                alert.last_sent_at = Some(at);
                // Two missed sendings may pass before an Alertmanager takes the alert for resolved.
                alert.valid_until = at + 4 * resend_delay.max(interval);
                alert.clone()
            })
            .collect()
    }

    fn samples(&self) -> Vec<ResultSample> {
        let mut samples = Vec::with_capacity(2 * self.active.len());
        for alert in self.active() {
            let mut labels = alert.labels.to_builder();
            labels.set(METRIC_NAME, ALERTS_FOR_STATE);
            samples.push(ResultSample { labels: labels.build(), value: (alert.active_at / 1000) as f64 });
            labels.set(METRIC_NAME, ALERTS).set(ALERT_STATE, alert.state.as_str());
            samples.push(ResultSample { labels: labels.build(), value: 1.0 });
        }
        samples
    }
}

pub(crate) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}
