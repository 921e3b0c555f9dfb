//! Decides by the notification log whether an integration has to be told.

use std::time::Duration;

use jiff::Timestamp;

use super::{Flush, NotifyReason, Pipeline};
use crate::{
    FlushAlert, Integration,
    log::{LogEntry, LogKey},
};

/// What was decided, and what the log is to say once it is done.
pub(super) struct Decision {
    pub reason: NotifyReason,
    pub key: LogKey,
    /// Fingerprints, sorted.
    pub firing: Vec<u64>,
    /// Fingerprints, sorted.
    pub resolved: Vec<u64>,
}

impl Pipeline {
    pub(super) fn decide(&self, integration: &Integration, flush: &Flush, alerts: &[FlushAlert]) -> Decision {
        let key = LogKey {
            group_key: flush.group_key.clone(),
            receiver: flush.route.options.receiver.clone(),
            integration: integration.name.to_owned(),
            index: integration.index,
        };
        let fingerprints = |resolved: bool| {
            let chosen = alerts.iter().filter(|alert| alert.resolved == resolved);
            let mut fingerprints: Vec<u64> = chosen.map(|alert| alert.alert.fingerprint()).collect();
            fingerprints.sort_unstable();
            fingerprints
        };
        let (firing, resolved) = (fingerprints(false), fingerprints(true));
        let situation = Situation {
            firing: &firing,
            resolved: &resolved,
            send_resolved: integration.send_resolved,
            repeat_interval: flush.route.options.repeat_interval,
            now: flush.now,
        };
        let reason = situation.reason(self.log.get(&key).as_ref());
        Decision { reason, key, firing, resolved }
    }
}

/// What an integration may have to be told.
pub(super) struct Situation<'a> {
    pub firing: &'a [u64],
    pub resolved: &'a [u64],
    pub send_resolved: bool,
    pub repeat_interval: Duration,
    pub now: Timestamp,
}

impl Situation<'_> {
    /// Compares with what was told last.
    pub fn reason(&self, told: Option<&LogEntry>) -> NotifyReason {
        let Some(told) = told else {
            return if self.firing.is_empty() {
                NotifyReason::DoNotNotify
            } else {
                NotifyReason::FirstNotification
            };
        };
        if !is_subset(self.firing, &told.firing) {
            return if told.firing.is_empty() {
                NotifyReason::FirstNotification
            } else {
                NotifyReason::NewAlertsInGroup
            };
        }
        // Even where resolved alerts are not sent: the log must forget that they fired.
        if self.firing.is_empty() {
            return if told.firing.is_empty() {
                NotifyReason::DoNotNotify
            } else {
                NotifyReason::AllAlertsResolved
            };
        }
        if self.send_resolved && !is_subset(self.resolved, &told.resolved) {
            return NotifyReason::NewResolvedAlerts;
        }
        let repeat_at = told.told_at.saturating_add(self.repeat_interval).unwrap_or(Timestamp::MAX);
        if repeat_at < self.now { NotifyReason::RepeatIntervalElapsed } else { NotifyReason::DoNotNotify }
    }
}

/// Whether all of `some` are in `all`, which is sorted.
fn is_subset(some: &[u64], all: &[u64]) -> bool {
    some.iter().all(|fingerprint| all.binary_search(fingerprint).is_ok())
}
