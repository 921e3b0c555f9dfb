//! `/targets`, `/targets/metadata`, `/metadata`, `/alertmanagers`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::Response};
use jiff::Timestamp;
use model::{Labels, Millis};
use scrape::{PoolState, Target};
use serde::Serialize;
use serde_json::json;
use storage::Metadata;

use super::{
    ApiError, ApiState, json as answer,
    params::{Params, invalid},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ActiveTarget<'a> {
    discovered_labels: &'a Labels,
    labels: &'a Labels,
    scrape_pool: &'a str,
    scrape_url: &'a str,
    global_url: String,
    last_error: String,
    last_scrape: String,
    last_scrape_duration: f64,
    health: &'static str,
    scrape_interval: String,
    scrape_timeout: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DroppedTarget<'a> {
    discovered_labels: &'a Labels,
    scrape_pool: &'a str,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct MetadataEntry {
    #[serde(rename = "type")]
    metric_type: &'static str,
    help: String,
    unit: String,
}

pub(super) async fn targets(
    State(state): State<Arc<ApiState>>,
    params: Params,
) -> Result<Response, ApiError> {
    let pools = pools(&state, params.get("scrapePool"));
    let wanted = params.get("state").to_ascii_lowercase();
    let external = crate::app::external_url(&state.flags);
    let mut data = serde_json::Map::new();
    let shows = |state: &str| ["", "any", state].contains(&wanted.as_str());
    let active: Vec<ActiveTarget<'_>> = match shows("active") {
        false => Vec::new(),
        true => pools
            .iter()
            .flat_map(|pool| pool.active.iter().map(|target| active(pool, target, &external)))
            .collect(),
    };
    data.insert("activeTargets".into(), json!(active));
    let dropped: Vec<DroppedTarget<'_>> = match shows("dropped") {
        false => Vec::new(),
        true => pools
            .iter()
            .flat_map(|pool| {
                pool.dropped.iter().map(|target| DroppedTarget {
                    discovered_labels: &target.discovered,
                    scrape_pool: &pool.job.job_name,
                })
            })
            .collect(),
    };
    data.insert("droppedTargets".into(), json!(dropped));
    // Of all pools, whichever is asked for; null where none are.
    let all = self::pools(&state, "");
    let counts: Option<BTreeMap<&str, usize>> = shows("dropped")
        .then(|| all.iter().map(|pool| (pool.job.job_name.as_str(), pool.dropped_count)).collect());
    data.insert("droppedTargetCounts".into(), json!(counts));
    answer::success(data)
}

fn active<'a>(pool: &'a PoolState, target: &'a Target, external: &str) -> ActiveTarget<'a> {
    let status = target.status();
    ActiveTarget {
        discovered_labels: &target.discovered,
        labels: &target.labels,
        scrape_pool: &pool.job.job_name,
        scrape_url: target.url.as_str(),
        global_url: global_url(target, external),
        last_error: status.last_error,
        last_scrape: rfc3339(status.last_scrape),
        last_scrape_duration: status.last_duration.as_secs_f64(),
        health: status.health.as_str(),
        scrape_interval: config::format_prometheus(target.interval),
        scrape_timeout: config::format_prometheus(target.timeout),
    }
}

/// The target's address as others reach it: a loopback address becomes the daemon's external host.
fn global_url(target: &Target, external: &str) -> String {
    let mut url = target.url.clone();
    let is_loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if is_loopback
        && let Ok(external) = url::Url::parse(external)
        && let Some(host) = external.host_str()
    {
        let _ = url.set_host(Some(host));
    }
    url.into()
}

pub(super) async fn metadata(
    State(state): State<Arc<ApiState>>,
    params: Params,
) -> Result<Response, ApiError> {
    let limit = at_most(&params, "limit")?;
    // Zero takes all here, and none in `limit`.
    let per_metric = at_most(&params, "limit_per_metric")?.filter(|limit| *limit > 0);
    let wanted = params.get("metric");
    let mut all: BTreeMap<String, Vec<MetadataEntry>> = BTreeMap::new();
    for target in pools(&state, "").iter().flat_map(|pool| pool.active.clone()) {
        for (family, metadata) in target.metadata() {
            if (!wanted.is_empty() && family != wanted)
                || (limit.is_some_and(|limit| all.len() >= limit) && !all.contains_key(&family))
            {
                continue;
            }
            let entries = all.entry(family).or_default();
            let entry = entry(metadata);
            if !entries.contains(&entry) && per_metric.is_none_or(|most| entries.len() < most) {
                entries.push(entry);
            }
        }
    }
    answer::success(all)
}

pub(super) async fn targets_metadata(
    State(state): State<Arc<ApiState>>,
    params: Params,
) -> Result<Response, ApiError> {
    let limit = at_most(&params, "limit")?;
    let wanted = params.get("metric");
    let matchers = match params.get("match_target") {
        "" => Vec::new(),
        text => {
            promql::syntax::parse_labels(text).map_err(|error| invalid("match_target", error.to_string()))?
        }
    };
    let mut all = Vec::new();
    for target in pools(&state, "").iter().flat_map(|pool| pool.active.clone()) {
        // As in the original, a target gives all of its metrics or none.
        if limit.is_some_and(|limit| all.len() >= limit) {
            break;
        }
        if !matchers.iter().all(|matcher| matcher.matches(target.labels.value(matcher.name()))) {
            continue;
        }
        for (family, metadata) in target.metadata() {
            if !wanted.is_empty() && family != wanted {
                continue;
            }
            let entry = entry(metadata);
            let mut shown = json!({"target": target.labels, "type": entry.metric_type, "help": entry.help, "unit": entry.unit});
            if wanted.is_empty()
                && let Some(shown) = shown.as_object_mut()
            {
                shown.insert("metric".into(), family.into());
            }
            all.push(shown);
        }
    }
    answer::success(all)
}

pub(super) async fn alertmanagers(State(state): State<Arc<ApiState>>) -> Result<Response, ApiError> {
    let active: Vec<_> =
        state.notifier.alertmanagers().iter().map(|url| json!({ "url": url.as_str() })).collect();
    answer::success(json!({ "activeAlertmanagers": active, "droppedAlertmanagers": [] }))
}

/// The most of something; `None` where it is not given or negative.
fn at_most(params: &Params, name: &str) -> Result<Option<usize>, ApiError> {
    let limit = params.integer(name).map_err(|_| ApiError::BadData(format!("{name} must be a number")))?;
    Ok(limit.and_then(|limit| usize::try_from(limit).ok()))
}

/// The pool of this name, or all.
pub(super) fn pools(state: &ApiState, wanted: &str) -> Vec<Arc<PoolState>> {
    let all = state.scrape.get().map(|scrape| scrape.pools()).unwrap_or_default();
    all.into_iter().filter(|pool| wanted.is_empty() || pool.job.job_name == wanted).collect()
}

fn entry(metadata: Metadata) -> MetadataEntry {
    MetadataEntry { metric_type: metadata.metric_type.as_str(), help: metadata.help, unit: metadata.unit }
}

/// A moment as the API prints it; Go's zero time for a moment that has not come.
pub(super) fn rfc3339(at: Millis) -> String {
    match Timestamp::from_millisecond(at) {
        Ok(moment) if at != 0 => format!("{moment:.3}"),
        _ => "0001-01-01T00:00:00Z".into(),
    }
}
