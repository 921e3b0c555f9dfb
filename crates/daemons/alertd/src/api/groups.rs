//! `/alerts/groups`: alerts as they are notified.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use axum::{
    Json,
    extract::{RawQuery, State},
};
use model::Labels;
use serde::Serialize;

use super::{
    Api,
    alerts::{GettableAlert, Named, receiver_labels},
    answer::Answer,
    filter::{AlertFilter, Parameters},
};

#[derive(Debug, Serialize)]
pub(super) struct GettableGroup {
    alerts: Vec<GettableAlert>,
    labels: Labels,
    receiver: Named,
    #[serde(rename = "routeLabels")]
    route_labels: BTreeMap<String, String>,
}

/// GET: groups with at least one alert that is asked for, by labels and receiver.
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<GettableGroup>>, Answer> {
    let parameters = Parameters::of(query.as_deref());
    let filter = AlertFilter::of(&parameters, api.engine.mode())?;
    let muted_too = parameters.switch("muted");
    let config = api.config();
    let labels_of_receivers = receiver_labels(&config);
    let now = api.engine.now();
    let mut groups = api.engine.groups(
        |name| labels_of_receivers.get(name).is_some_and(|labels| filter.takes_receiver(name, labels)),
        |alert| !alert.is_resolved_at(now) && filter.takes_labels(&alert.labels),
    );
    // An alert in several groups names the receivers of them all.
    let mut receivers: HashMap<u64, Vec<String>> = HashMap::new();
    for group in &mut groups {
        group.alerts.retain(|alert| filter.takes_status(&api.engine.status(&alert.labels)));
        for alert in &group.alerts {
            receivers.entry(alert.fingerprint()).or_default().push(group.receiver.clone());
        }
    }
    receivers.values_mut().for_each(|names| names.sort());
    let listed = groups
        .into_iter()
        .filter(|group| !group.alerts.is_empty() && (muted_too || group.muted_by.is_empty()))
        .map(|group| GettableGroup {
            alerts: group
                .alerts
                .iter()
                .map(|alert| {
                    let of_alert = receivers.get(&alert.fingerprint()).map(Vec::as_slice).unwrap_or_default();
                    let status = api.engine.status(&alert.labels);
                    GettableAlert::of(alert, status, of_alert, &group.muted_by)
                })
                .collect(),
            labels: group.labels,
            receiver: Named { name: group.receiver },
            route_labels: group.route_labels,
        })
        .collect();
    Ok(Json(listed))
}
