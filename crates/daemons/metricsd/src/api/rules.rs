//! `/rules` and `/alerts`.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use model::Labels;
use rules::{Alert, GroupStatus, Rule, RuleStatus};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    ApiError, ApiState, json as answer,
    params::{Params, invalid, parse_integer},
    targets::rfc3339,
};

pub(super) async fn rules(State(state): State<Arc<ApiState>>, params: Params) -> Result<Response, ApiError> {
    let selectors = params.selectors().map_err(ApiError::BadData)?;
    let (records, alerts) = match params.get("type").to_ascii_lowercase().as_str() {
        "" => (true, true),
        "record" => (true, false),
        "alert" => (false, true),
        other => return Err(invalid("type", format!("not supported value {other:?}"))),
    };
    let exclude_alerts = params
        .boolean("exclude_alerts")
        .map_err(|error| invalid("exclude_alerts", format!("error converting exclude_alerts: {error}")))?
        .unwrap_or_default();
    let page = Page::of(&params)?;
    let wanted = |name: &str, value: &str| {
        let mut all = params.all(name).peekable();
        all.peek().is_none() || all.any(|given| given == value)
    };
    let all = state.rules.get().map(|rules| rules.groups()).unwrap_or_default();
    let first = match page.as_ref().map(|page| page.token.as_str()) {
        None | Some("") => 0,
        Some(token) => all.iter().position(|group| page_token(group) == token).ok_or_else(|| {
            let text = format!("invalid group_next_token '{token}'. were rule groups changed?");
            invalid("group_next_token", text)
        })?,
    };
    let (mut groups, mut next) = (Vec::new(), None);
    for group in &all[first..] {
        if !wanted("rule_group[]", &group.name) || !wanted("file[]", &group.file.to_string_lossy()) {
            continue;
        }
        let chosen: Vec<Value> = group
            .rules
            .iter()
            .filter(|status| wanted("rule_name[]", status.rule.name()))
            .filter(|status| match &status.rule {
                Rule::Recording(_) => records,
                Rule::Alerting(_) => alerts,
            })
            .filter(|status| {
                selectors.is_empty() || selectors.iter().any(|matchers| has_labels(status, matchers))
            })
            .map(|status| rule(status, exclude_alerts))
            .collect();
        // Its rules are filtered away.
        if chosen.is_empty() {
            continue;
        }
        if page.as_ref().is_some_and(|page| groups.len() == page.groups) {
            next = Some(page_token(group));
            break;
        }
        groups.push(shown(group, chosen));
    }
    let mut data = json!({ "groups": groups });
    if let Some(next) = next {
        data["groupNextToken"] = next.into();
    }
    answer::success(data)
}

/// Which part of the groups is asked for.
struct Page {
    groups: usize,
    /// The first group's; empty for the first page.
    token: String,
}

impl Page {
    fn of(params: &Params) -> Result<Option<Self>, ApiError> {
        let token = params.get("group_next_token");
        let text = match params.get("group_limit") {
            "" if token.is_empty() => return Ok(None),
            "" => {
                let text = "group_limit needs to be present in order to paginate over the groups";
                return Err(invalid("group_next_token", text.into()));
            }
            text => text,
        };
        let groups = parse_integer(text, "ParseInt").map_err(|error| {
            invalid("group_limit", format!("group_limit needs to be a valid number: {error}"))
        })?;
        match usize::try_from(groups) {
            Ok(groups @ 1..) => Ok(Some(Self { groups, token: token.to_owned() })),
            _ => Err(invalid("group_limit", "group_limit needs to be greater than 0".into())),
        }
    }
}

/// Names a group in the address of the page that begins with it.
fn page_token(group: &GroupStatus) -> String {
    let digest = Sha256::digest(format!("{};{}", group.file.to_string_lossy(), group.name));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) async fn alerts(State(state): State<Arc<ApiState>>) -> Result<Response, ApiError> {
    let groups = state.rules.get().map(|rules| rules.groups()).unwrap_or_default();
    let alerts: Vec<Value> =
        groups.iter().flat_map(|group| &group.rules).flat_map(|rule| &rule.alerts).map(alert).collect();
    answer::success(json!({ "alerts": alerts }))
}

fn has_labels(status: &RuleStatus, matchers: &[model::Matcher]) -> bool {
    let labels = match &status.rule {
        Rule::Recording(rule) => rule.labels.clone(),
        Rule::Alerting(rule) => Labels::from_pairs(&rule.labels),
    };
    matchers.iter().all(|matcher| matcher.matches(labels.value(matcher.name())))
}

fn shown(group: &GroupStatus, rules: Vec<Value>) -> Value {
    json!({
        "name": group.name,
        "file": group.file.to_string_lossy(),
        "rules": rules,
        "interval": group.interval.as_secs_f64(),
        "limit": group.limit,
        "evaluationTime": group.evaluation_time.as_secs_f64(),
        "lastEvaluation": rfc3339(group.last_evaluation),
    })
}

fn rule(status: &RuleStatus, exclude_alerts: bool) -> Value {
    let mut shown = Map::new();
    let mut put = |key: &str, value: Value| {
        shown.insert(key.into(), value);
    };
    match &status.rule {
        Rule::Recording(rule) => {
            put("name", json!(rule.name));
            put("query", json!(rule.expression));
            if !rule.labels.is_empty() {
                put("labels", json!(rule.labels));
            }
            put("type", json!("recording"));
        }
        Rule::Alerting(rule) => {
            put("state", json!(status.state.as_str()));
            put("name", json!(rule.name));
            put("query", json!(rule.expression));
            put("duration", json!(rule.hold.as_secs_f64()));
            put("keepFiringFor", json!(rule.keep_firing_for.as_secs_f64()));
            put("labels", json!(rule.labels));
            put("annotations", json!(rule.annotations));
            let alerts: Vec<Value> =
                if exclude_alerts { Vec::new() } else { status.alerts.iter().map(alert).collect() };
            put("alerts", json!(alerts));
            put("type", json!("alerting"));
        }
    }
    put("health", json!(status.health.as_str()));
    if !status.last_error.is_empty() {
        put("lastError", json!(status.last_error));
    }
    put("evaluationTime", json!(status.evaluation_time.as_secs_f64()));
    put("lastEvaluation", json!(rfc3339(status.last_evaluation)));
    Value::Object(shown)
}

fn alert(alert: &Alert) -> Value {
    let mut shown = json!({
        "labels": alert.labels,
        "annotations": alert.annotations,
        "state": alert.state.as_str(),
        "activeAt": rfc3339(alert.active_at),
        "value": exponent(alert.value),
    });
    if let (Some(since), Some(shown)) = (alert.keep_firing_since, shown.as_object_mut()) {
        shown.insert("keepFiringSince".into(), json!(rfc3339(since)));
    }
    shown
}

/// Go's `strconv.FormatFloat(value, 'e', -1, 64)`: `1e+00`.
fn exponent(value: f64) -> String {
    if !value.is_finite() {
        return model::format_value(value);
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn values_have_exponents() {
        let check = |value: f64, want: &str| assert_eq!(super::exponent(value), want);
        check(1.0, "1e+00");
        check(0.0, "0e+00");
        check(-1234.5, "-1.2345e+03");
        check(1e-10, "1e-10");
        check(f64::NAN, "NaN");
    }
}
