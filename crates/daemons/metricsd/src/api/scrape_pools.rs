//! `/scrape_pools`, `/scrape_pools/config`, `/targets/relabel_steps`: the jobs, how one is configured, and what its rules make of a target.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::Response};
use model::{Labels, LabelsBuilder};
use relabel::{RelabelConfig, Rule, Verdict, relabel};
use scrape::PoolState;
use serde::Serialize;
use serde_json::json;

use super::{ApiError, ApiState, json as answer, params::Params, targets::pools};

/// A rule as the API shows it, its defaults filled in.
#[derive(Serialize)]
struct ShownRule<'a> {
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    source_labels: &'a [String],
    separator: &'a str,
    regex: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    modulus: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_label: Option<&'a str>,
    replacement: &'a str,
    action: relabel::Action,
}

/// A rule and the labels after it; none once a rule has dropped the target.
#[derive(Serialize)]
struct Step<'a> {
    rule: ShownRule<'a>,
    output: Labels,
    keep: bool,
}

pub(super) async fn names(State(state): State<Arc<ApiState>>) -> Result<Response, ApiError> {
    let names: Vec<String> = pools(&state, "").iter().map(|pool| pool.job.job_name.clone()).collect();
    answer::success(json!({ "scrapePools": names }))
}

pub(super) async fn config(State(state): State<Arc<ApiState>>, params: Params) -> Result<Response, ApiError> {
    let pool = asked_for(&state, &params)?;
    let yaml = serde_yaml::to_string(&pool.job.file)
        .map_err(|error| ApiError::Internal(format!("error marshaling scrape config: {error}")))?;
    answer::success(json!({ "yaml": yaml }))
}

pub(super) async fn relabel_steps(
    State(state): State<Arc<ApiState>>,
    params: Params,
) -> Result<Response, ApiError> {
    let labels = match params.get("labels") {
        _ if params.get("scrapePool").is_empty() => BTreeMap::new(),
        "" => return Err(ApiError::BadData("no labels parameter provided".into())),
        text => serde_json::from_str::<BTreeMap<String, String>>(text)
            .map_err(|error| ApiError::BadData(format!("error parsing labels: {error}")))?,
    };
    let pool = asked_for(&state, &params)?;
    let rules = pool.job.file.relabel_configs.iter().zip(&pool.job.relabel);
    answer::success(json!({ "steps": steps(rules, Labels::from_pairs(&labels)) }))
}

fn steps<'a>(rules: impl Iterator<Item = (&'a RelabelConfig, &'a Rule)>, labels: Labels) -> Vec<Step<'a>> {
    let mut labels: LabelsBuilder = labels.to_builder();
    let mut keep = true;
    rules
        .map(|(shown, rule)| {
            keep = keep && relabel(std::slice::from_ref(rule), &mut labels) == Verdict::Keep;
            let output = if keep { labels.build() } else { Labels::empty() };
            Step { rule: ShownRule::of(shown), output, keep }
        })
        .collect()
}

fn asked_for(state: &ApiState, params: &Params) -> Result<Arc<PoolState>, ApiError> {
    match params.get("scrapePool") {
        "" => Err(ApiError::BadData("no scrapePool parameter provided".into())),
        name => pools(state, name).into_iter().next().ok_or_else(|| {
            ApiError::BadData(format!("error retrieving scrape config: scrape pool {name:?} not found"))
        }),
    }
}

impl<'a> ShownRule<'a> {
    fn of(rule: &'a RelabelConfig) -> Self {
        Self {
            source_labels: rule.source_labels.as_deref().unwrap_or_default(),
            separator: rule.separator.as_deref().unwrap_or(relabel::DEFAULT_SEPARATOR),
            regex: rule.regex.as_deref().unwrap_or(relabel::DEFAULT_REGEX),
            modulus: rule.modulus.filter(|modulus| *modulus > 0),
            target_label: rule.target_label.as_deref().filter(|label| !label.is_empty()),
            replacement: rule.replacement.as_deref().unwrap_or(relabel::DEFAULT_REPLACEMENT),
            action: rule.action.unwrap_or_default(),
        }
    }
}
