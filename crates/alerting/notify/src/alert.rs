//! Alerts, and how two reports of one alert become one.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use model::Labels;
use routing::{MatcherMode, is_label_name};

/// An alert as it was reported last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What tells it from others; never empty.
    pub labels: Labels,
    /// What else is known. Unlike labels, these may be empty.
    pub annotations: BTreeMap<String, String>,
    /// Since when it fires.
    pub starts_at: Timestamp,
    /// When it is over: in the future while it fires.
    pub ends_at: Timestamp,
    /// Where it comes from, as a link.
    pub generator_url: String,
    /// When it was reported last.
    pub updated_at: Timestamp,
    /// Whether `ends_at` is only a guess of ours, to be moved by the next report.
    pub timeout: bool,
}

/// An alert in a notification: whether it counts as over was decided when the flush began, and time does not change it.
#[derive(Debug, Clone)]
pub struct FlushAlert {
    /// The alert.
    pub alert: Arc<Alert>,
    /// Whether it is over.
    pub resolved: bool,
}

/// An alert that is not one. The text is Alertmanager's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAlert(String);

impl Alert {
    /// What identifies the alert: a hash of its labels.
    pub fn fingerprint(&self) -> u64 {
        self.labels.fingerprint()
    }

    /// The alert's name, empty if it has none.
    pub fn name(&self) -> &str {
        self.labels.value(model::ALERT_NAME)
    }

    /// Whether it is over at that time.
    pub fn is_resolved_at(&self, time: Timestamp) -> bool {
        self.ends_at <= time
    }

    /// Refuses alerts without labels, with impossible names, or that end before they begin.
    pub fn validate(&self, mode: MatcherMode) -> Result<(), InvalidAlert> {
        let refuse = |text: String| Err(InvalidAlert(text));
        if self.ends_at < self.starts_at {
            return refuse("start time must be before end time".into());
        }
        if self.labels.is_empty() {
            return refuse("at least one label pair required".into());
        }
        if let Some((name, _)) = self.labels.iter().find(|(name, _)| !is_label_name(name, mode)) {
            return refuse(format!("invalid label set: invalid name {name:?}"));
        }
        if let Some(name) = self.annotations.keys().find(|name| !is_label_name(name, mode)) {
            return refuse(format!("invalid annotations: invalid name {name:?}"));
        }
        Ok(())
    }

    /// One alert of two reports of it, if they overlap in time; otherwise the newer report. The earliest start holds; an end that was
    /// reported holds against one that was guessed; of two ends the later.
    pub fn merged_into(&self, newer: Alert, now: Timestamp) -> Alert {
        let within = |time: Timestamp| time > self.starts_at && time < self.ends_at;
        if !within(newer.ends_at) && !within(newer.starts_at) {
            return newer;
        }
        if newer.updated_at < self.updated_at {
            return newer.combined(self.clone(), now);
        }
        self.combined(newer, now)
    }

    fn combined(&self, mut newer: Alert, now: Timestamp) -> Alert {
        newer.starts_at = newer.starts_at.min(self.starts_at);
        let ours_counts = if newer.is_resolved_at(now) { self.is_resolved_at(now) } else { !self.timeout };
        if ours_counts && self.ends_at > newer.ends_at {
            newer.ends_at = self.ends_at;
        }
        newer
    }
}

/// The order of alerts in notifications: by `job`, then `instance`, those without last; then by all labels.
pub(crate) fn notification_order(a: &Labels, b: &Labels) -> Ordering {
    for name in [model::JOB, model::INSTANCE] {
        let order = match (a.get(name), b.get(name)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => a.cmp(b),
        };
        if order.is_ne() {
            return order;
        }
    }
    a.cmp(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).expect("in range")
    }

    fn alert(starts: i64, ends: i64, updated: i64, timeout: bool) -> Alert {
        Alert {
            labels: Labels::from_pairs([("alertname", "x")]),
            annotations: BTreeMap::new(),
            starts_at: at(starts),
            ends_at: at(ends),
            generator_url: String::new(),
            updated_at: at(updated),
            timeout,
        }
    }

    #[test]
    fn reports_of_one_alert_are_merged() {
        // now is 0
        let check = |old: Alert, new: Alert, starts: i64, ends: i64| {
            let merged = old.merged_into(new, at(0));
            assert_eq!((merged.starts_at, merged.ends_at), (at(starts), at(ends)));
        };
        // Both timeouts: the newer end, the earlier start.
        check(alert(-60, 120, -60, true), alert(-30, 180, -10, true), -60, 180);
        // An explicit later end holds against a timeout.
        check(alert(-60, 240, -60, false), alert(-30, 180, -10, true), -60, 240);
        // A guessed later end does not hold against an explicit one.
        check(alert(-60, 240, -60, true), alert(-30, 180, -10, false), -60, 180);
        // Resolved: the newer report says so, though the old end lay in the future.
        check(alert(-60, 240, -60, true), alert(-60, -5, -5, false), -60, -5);
        // Both resolved: the later end.
        check(alert(-60, -2, -60, false), alert(-60, -5, -5, false), -60, -2);
        // No overlap: a new occurrence.
        check(alert(-60, -30, -60, false), alert(-10, 180, -10, false), -10, 180);
    }

    #[test]
    fn impossible_alerts_are_refused() {
        let check = |alert: Alert, want: &str| {
            let error = alert.validate(MatcherMode::Fallback).expect_err("invalid");
            assert_eq!(error.to_string(), want);
        };
        check(alert(10, 0, 0, false), "start time must be before end time");
        let mut bare = alert(0, 10, 0, false);
        bare.labels = Labels::empty();
        check(bare, "at least one label pair required");
        let mut unnamed = alert(0, 10, 0, false);
        unnamed.annotations.insert(String::new(), "x".into());
        check(unnamed, "invalid annotations: invalid name \"\"");
        let mut dotted = alert(0, 10, 0, false);
        dotted.labels = Labels::from_pairs([("a.b", "c")]);
        assert_eq!(dotted.validate(MatcherMode::Fallback), Ok(()));
        assert!(dotted.validate(MatcherMode::Classic).is_err());
    }
}
