//! What a notification says: the data of templates and of webhook bodies.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use model::Labels;
use serde::{Serialize, Serializer};

use crate::FlushAlert;

/// Everything that a receiver may tell about a group of alerts.
#[derive(Debug, Clone)]
pub struct Message {
    /// Names the group: `{}:{alertname="x"}`.
    pub group_key: String,
    /// The data of templates.
    pub data: Arc<Data>,
}

/// The data of templates, in the shape of webhook bodies. Source: Alertmanager docs/notifications.md.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Data {
    /// The receiver's name, with the characters escaped that mean something in regular expressions: so does the original.
    pub receiver: String,
    /// `firing` if one alert is, otherwise `resolved`.
    pub status: &'static str,
    /// The alerts, in the order of notifications.
    pub alerts: Vec<AlertData>,
    /// Why there is a notification.
    #[serde(rename = "notification_reason")]
    pub notification_reason: &'static str,
    /// The labels that make the group.
    #[serde(rename = "groupLabels")]
    pub group_labels: BTreeMap<String, String>,
    /// The labels that all alerts share.
    #[serde(rename = "commonLabels")]
    pub common_labels: BTreeMap<String, String>,
    /// The annotations that all alerts share.
    #[serde(rename = "commonAnnotations")]
    pub common_annotations: BTreeMap<String, String>,
    /// The labels of the route, templates run.
    #[serde(rename = "routeLabels")]
    pub route_labels: BTreeMap<String, String>,
    /// Where this daemon is reached.
    #[serde(rename = "externalURL")]
    pub external_url: String,
}

/// One alert of [`Data`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertData {
    /// `firing` or `resolved`.
    pub status: &'static str,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Since when it fires.
    #[serde(rename = "startsAt", with = "crate::times")]
    pub starts_at: Timestamp,
    /// When it was over; `None` while it fires, which is written as Go's zero time.
    #[serde(rename = "endsAt", serialize_with = "zero_time_for_none")]
    pub ends_at: Option<Timestamp>,
    /// Where it comes from.
    #[serde(rename = "generatorURL")]
    pub generator_url: String,
    /// The hash of its labels, in hexadecimal.
    pub fingerprint: String,
}

/// What is the same for all notifications of a flush.
#[derive(Debug, Clone)]
pub(crate) struct Subject<'a> {
    pub receiver: &'a str,
    pub group_labels: &'a Labels,
    pub external_url: &'a str,
}

pub(crate) const FIRING: &str = "firing";
pub(crate) const RESOLVED: &str = "resolved";

impl Data {
    /// Gathers the data of some alerts.
    pub(crate) fn of(
        subject: &Subject<'_>,
        route_labels: BTreeMap<String, String>,
        reason: &'static str,
        alerts: &[FlushAlert],
    ) -> Self {
        let firing = alerts.iter().any(|alert| !alert.resolved);
        let alerts: Vec<AlertData> = alerts.iter().map(AlertData::of).collect();
        Self {
            receiver: escape_regex(subject.receiver),
            status: if firing { FIRING } else { RESOLVED },
            notification_reason: reason,
            group_labels: to_map(subject.group_labels),
            common_labels: common(alerts.iter().map(|alert| &alert.labels)),
            common_annotations: common(alerts.iter().map(|alert| &alert.annotations)),
            route_labels,
            external_url: subject.external_url.to_owned(),
            alerts,
        }
    }
}

impl Data {
    /// The data of its first `count` alerts alone, as if there were no others.
    pub fn truncated(&self, count: usize) -> Self {
        let alerts: Vec<AlertData> = self.alerts.iter().take(count).cloned().collect();
        let firing = alerts.iter().any(|alert| alert.status == FIRING);
        Self {
            status: if firing { FIRING } else { RESOLVED },
            common_labels: common(alerts.iter().map(|alert| &alert.labels)),
            common_annotations: common(alerts.iter().map(|alert| &alert.annotations)),
            alerts,
            ..self.clone()
        }
    }
}

impl AlertData {
    fn of(FlushAlert { alert, resolved }: &FlushAlert) -> Self {
        Self {
            status: if *resolved { RESOLVED } else { FIRING },
            labels: to_map(&alert.labels),
            annotations: alert.annotations.clone(),
            starts_at: alert.starts_at,
            ends_at: resolved.then_some(alert.ends_at),
            generator_url: alert.generator_url.clone(),
            fingerprint: format!("{:016x}", alert.fingerprint()),
        }
    }
}

fn to_map(labels: &Labels) -> BTreeMap<String, String> {
    labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The pairs that all maps have.
fn common<'a>(mut maps: impl Iterator<Item = &'a BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let Some(mut common) = maps.next().cloned() else { return BTreeMap::new() };
    for map in maps {
        common.retain(|name, value| map.get(name) == Some(value));
    }
    common
}

/// As Go's `regexp.QuoteMeta`.
fn escape_regex(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn zero_time_for_none<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(time),
        None => serializer.serialize_str("0001-01-01T00:00:00Z"),
    }
}
