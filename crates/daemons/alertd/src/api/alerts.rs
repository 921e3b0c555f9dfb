//! `/alerts`: taking and listing them.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{RawQuery, State, rejection::BytesRejection},
};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use model::Labels;
use notify::{Alert, AlertStatus};
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::{
    Api,
    answer::{Answer, read_json},
    filter::{AlertFilter, Parameters},
    times::{self, ApiTime},
};

/// An alert as clients send it.
#[derive(Debug, Deserialize)]
pub(super) struct PostableAlert {
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    #[serde(default, rename = "startsAt")]
    starts_at: Option<String>,
    #[serde(default, rename = "endsAt")]
    ends_at: Option<String>,
    #[serde(default, rename = "generatorURL")]
    generator_url: Option<String>,
}

/// An alert as clients see it.
#[derive(Debug, Serialize)]
pub(super) struct GettableAlert {
    annotations: BTreeMap<String, String>,
    #[serde(rename = "endsAt")]
    ends_at: ApiTime,
    fingerprint: String,
    receivers: Vec<Named>,
    #[serde(rename = "startsAt")]
    starts_at: ApiTime,
    status: GettableStatus,
    #[serde(rename = "updatedAt")]
    updated_at: ApiTime,
    #[serde(rename = "generatorURL", skip_serializing_if = "String::is_empty")]
    generator_url: String,
    labels: Labels,
}

#[derive(Debug, Serialize)]
struct GettableStatus {
    #[serde(rename = "inhibitedBy")]
    inhibited_by: Vec<String>,
    #[serde(rename = "mutedBy")]
    muted_by: Vec<String>,
    #[serde(rename = "silencedBy")]
    silenced_by: Vec<String>,
    state: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Named {
    pub name: String,
}

impl GettableAlert {
    pub fn of(alert: &Alert, status: AlertStatus, receivers: &[String], muted_by: &[String]) -> Self {
        let suppressed = status.is_suppressed() || !muted_by.is_empty();
        Self {
            annotations: alert.annotations.clone(),
            ends_at: ApiTime(alert.ends_at),
            fingerprint: fingerprint_text(alert.fingerprint()),
            receivers: receivers.iter().map(|name| Named { name: name.clone() }).collect(),
            starts_at: ApiTime(alert.starts_at),
            status: GettableStatus {
                inhibited_by: status.inhibited_by.into_iter().map(fingerprint_text).collect(),
                muted_by: muted_by.to_vec(),
                silenced_by: status.silenced_by,
                state: if suppressed { "suppressed" } else { "active" },
            },
            updated_at: ApiTime(alert.updated_at),
            generator_url: alert.generator_url.clone(),
            labels: alert.labels.clone(),
        }
    }
}

fn fingerprint_text(fingerprint: u64) -> String {
    format!("{fingerprint:016x}")
}

/// GET: alerts that are not over, by fingerprint.
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<GettableAlert>>, Answer> {
    let filter = AlertFilter::of(&Parameters::of(query.as_deref()), api.engine.mode())?;
    let config = api.config();
    let labels_of_receivers = receiver_labels(&config);
    let now = api.engine.now();
    let mut alerts = api.engine.alerts();
    alerts.sort_by_cached_key(|alert| alert.fingerprint());
    let mut listed = Vec::new();
    for alert in alerts {
        if alert.is_resolved_at(now) || !filter.takes_labels(&alert.labels) {
            continue;
        }
        let receivers: Vec<String> =
            config.tree.matching(&alert.labels).iter().map(|route| route.options.receiver.clone()).collect();
        let takes = |name: &String| {
            labels_of_receivers.get(name).is_some_and(|labels| filter.takes_receiver(name, labels))
        };
        if !receivers.iter().any(takes) {
            continue;
        }
        let status = api.engine.status(&alert.labels);
        if filter.takes_status(&status) {
            listed.push(GettableAlert::of(&alert, status, &receivers, &[]));
        }
    }
    Ok(Json(listed))
}

/// The labels of each receiver.
pub(super) fn receiver_labels(config: &crate::Config) -> BTreeMap<String, BTreeMap<String, String>> {
    config.receivers.iter().map(|receiver| (receiver.name.clone(), receiver.all_labels())).collect()
}

/// POST: takes all alerts that are valid, and says what is wrong with the others.
pub(super) async fn take(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Answer> {
    let posted: Vec<PostableAlert> = read_json("alerts", &headers, body)?;
    if let Some(at) = posted.iter().position(|alert| alert.labels.is_none()) {
        return Err(Answer::required(&format!("{at}.labels")));
    }
    let now = api.engine.now();
    let resolve_timeout = api.config().resolve_timeout;
    let timeout_at = now.saturating_add(resolve_timeout).unwrap_or(Timestamp::MAX);
    let mut alerts = Vec::with_capacity(posted.len());
    for alert in posted {
        alerts.push(alert.into_alert(now, timeout_at)?);
    }
    let mut reasons = Vec::new();
    let mut valid = Vec::with_capacity(alerts.len());
    for alert in alerts {
        api.count_received(!alert.is_resolved_at(now));
        match alert.validate(api.engine.mode()) {
            Ok(()) => valid.push(alert),
            Err(error) => {
                api.count_invalid();
                reasons.push(error.to_string());
            }
        }
    }
    api.engine.put(valid);
    if reasons.is_empty() {
        return Ok(StatusCode::OK);
    }
    let reasons = reasons.join("\n");
    warn!(error = reasons, "some alerts are not valid");
    Err(Answer::bad_request(reasons))
}

impl PostableAlert {
    fn into_alert(self, now: Timestamp, timeout_at: Timestamp) -> Result<Alert, Answer> {
        let read = |text: Option<String>| {
            times::read(text.as_deref()).map_err(|error| {
                Answer::coded(
                    StatusCode::BAD_REQUEST,
                    400,
                    format!("parsing alerts body from \"\" failed, because {error}"),
                )
            })
        };
        let (starts_at, ends_at) = (read(self.starts_at)?, read(self.ends_at)?);
        Ok(Alert {
            labels: Labels::from_pairs(self.labels.unwrap_or_default()),
            annotations: self.annotations.unwrap_or_default(),
            starts_at: starts_at.or(ends_at).unwrap_or(now),
            ends_at: ends_at.unwrap_or(timeout_at),
            generator_url: self.generator_url.unwrap_or_default(),
            updated_at: now,
            timeout: ends_at.is_none(),
        })
    }
}
