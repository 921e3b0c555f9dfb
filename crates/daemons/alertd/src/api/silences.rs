//! `/silences` and `/silence/{id}`.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, RawQuery, State, rejection::BytesRejection},
};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use model::{MatchOp, Matcher};
use notify::{Silence, SilenceError, SilenceState};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::report;
use tracing::{error, warn};

use super::{
    Api,
    answer::{Answer, read_json},
    filter::Parameters,
    times::{self, ApiTime},
};

/// A silence as clients send it. Every field is required by the API's description but `id` and `annotations`.
#[derive(Debug, Deserialize)]
pub(super) struct PostableSilence {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    matchers: Option<Vec<PostableMatcher>>,
    #[serde(default, rename = "startsAt")]
    starts_at: Option<String>,
    #[serde(default, rename = "endsAt")]
    ends_at: Option<String>,
    #[serde(default, rename = "createdBy")]
    created_by: Option<String>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
struct PostableMatcher {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    value: Option<String>,
    #[serde(default, rename = "isRegex")]
    is_regex: Option<bool>,
    #[serde(default, rename = "isEqual")]
    is_equal: Option<bool>,
}

/// A silence as clients see it.
#[derive(Debug, Serialize)]
pub(super) struct GettableSilence {
    id: String,
    status: GettableState,
    #[serde(rename = "updatedAt")]
    updated_at: ApiTime,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    comment: String,
    #[serde(rename = "createdBy")]
    created_by: String,
    #[serde(rename = "endsAt")]
    ends_at: ApiTime,
    matchers: Vec<GettableMatcher>,
    #[serde(rename = "startsAt")]
    starts_at: ApiTime,
}

#[derive(Debug, Serialize)]
struct GettableState {
    state: &'static str,
}

#[derive(Debug, Serialize)]
struct GettableMatcher {
    #[serde(rename = "isEqual")]
    is_equal: bool,
    #[serde(rename = "isRegex")]
    is_regex: bool,
    name: String,
    value: String,
}

impl GettableSilence {
    fn of(silence: &Silence, now: Timestamp) -> Self {
        Self {
            id: silence.id.clone(),
            status: GettableState { state: silence.state(now).as_str() },
            updated_at: ApiTime(silence.updated_at),
            annotations: silence.annotations.clone(),
            comment: silence.comment.clone(),
            created_by: silence.created_by.clone(),
            ends_at: ApiTime(silence.ends_at),
            matchers: silence
                .matchers
                .iter()
                .map(|matcher| GettableMatcher {
                    is_equal: !matcher.is_negative(),
                    is_regex: matches!(matcher.op(), MatchOp::Regex | MatchOp::NotRegex),
                    name: matcher.name().to_owned(),
                    value: matcher.value().to_owned(),
                })
                .collect(),
            starts_at: ApiTime(silence.starts_at),
        }
    }
}

/// GET: silences, those in force first and the next to end before others; then those to come; then those over, the latest first.
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<GettableSilence>>, Answer> {
    let parameters = Parameters::of(query.as_deref());
    let wanted = parameters.matchers("filter", api.engine.mode())?;
    let now = api.engine.now();
    let mut silences = api.engine.silences();
    silences.retain(|silence| {
        parameters.switch(silence.state(now).as_str())
            && wanted.iter().all(|matcher| silence.matchers.contains(matcher))
    });
    silences.sort_by_key(|silence| {
        let state = silence.state(now);
        let by_end = match state {
            SilenceState::Active => silence.ends_at,
            SilenceState::Pending => silence.starts_at,
            SilenceState::Expired => Timestamp::UNIX_EPOCH,
        };
        let latest = (state == SilenceState::Expired).then_some(silence.ends_at);
        (state, by_end, Reverse(latest))
    });
    Ok(Json(silences.iter().map(|silence| GettableSilence::of(silence, now)).collect()))
}

/// POST: makes a silence, or changes one.
pub(super) async fn set(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Answer> {
    let silence = read_json::<PostableSilence>("silence", &headers, body)?.into_silence(api.engine.now())?;
    match api.engine.set_silence(silence).await {
        Ok(id) => Ok(Json(json!({"silenceID": id}))),
        Err(error) => {
            warn!(error = report(&error), "silence not set");
            let status = match &error {
                SilenceError::NotFound => StatusCode::NOT_FOUND,
                SilenceError::Invalid(_) | SilenceError::Limit(_) => StatusCode::BAD_REQUEST,
                SilenceError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
            };
            Err(Answer::Text(status, report(&error)))
        }
    }
}

/// GET: one silence.
pub(super) async fn get(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
) -> Result<Json<GettableSilence>, Answer> {
    check_id(&id)?;
    let silence = api.engine.silence(&id).ok_or(Answer::Bare(StatusCode::NOT_FOUND))?;
    Ok(Json(GettableSilence::of(&silence, api.engine.now())))
}

/// DELETE: ends a silence. It stays in the list as one that is over.
pub(super) async fn expire(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Answer> {
    check_id(&id)?;
    match api.engine.expire_silence(&id).await {
        Ok(()) => Ok(StatusCode::OK),
        Err(SilenceError::NotFound) => Err(Answer::Bare(StatusCode::NOT_FOUND)),
        Err(error) => {
            error!(error = report(&error), "silence not expired");
            Err(Answer::Text(StatusCode::INTERNAL_SERVER_ERROR, report(&error)))
        }
    }
}

/// Refuses what is no UUID.
fn check_id(id: &str) -> Result<(), Answer> {
    let shape = id.chars().enumerate().all(|(at, c)| match at {
        8 | 13 | 18 | 23 => c == '-',
        _ => c.is_ascii_hexdigit(),
    });
    if shape && id.len() == 36 {
        return Ok(());
    }
    let text = format!("silenceID in path must be of type uuid: {id:?}");
    Err(Answer::coded(StatusCode::UNPROCESSABLE_ENTITY, 601, text))
}

impl PostableSilence {
    fn into_silence(self, now: Timestamp) -> Result<Silence, Answer> {
        let comment = self.comment.ok_or_else(|| Answer::required("comment"))?;
        let created_by = self.created_by.ok_or_else(|| Answer::required("createdBy"))?;
        let ends_at = self.ends_at.ok_or_else(|| Answer::required("endsAt"))?;
        let written = self.matchers.ok_or_else(|| Answer::required("matchers"))?;
        if written.is_empty() {
            let text = "matchers in body should have at least 1 items";
            return Err(Answer::coded(StatusCode::UNPROCESSABLE_ENTITY, 612, text));
        }
        let starts_at = self.starts_at.ok_or_else(|| Answer::required("startsAt"))?;
        let mut matchers = Vec::with_capacity(written.len());
        for (at, matcher) in written.into_iter().enumerate() {
            matchers.push(matcher.into_matcher(at)?);
        }
        let read = |text: &str| {
            let invalid = |error| format!("parsing silence body from \"\" failed, because {error}");
            times::read(Some(text))
                .map_err(|error| Answer::coded(StatusCode::BAD_REQUEST, 400, invalid(error)))
        };
        let starts_at = read(&starts_at)?.unwrap_or(now);
        let ends_at = read(&ends_at)?.unwrap_or(Timestamp::UNIX_EPOCH);
        if starts_at >= ends_at {
            return Err(Answer::bad_request("Failed to create silence: start time must be before end time"));
        }
        if ends_at < now {
            return Err(Answer::bad_request("Failed to create silence: end time can't be in the past"));
        }
        Ok(Silence {
            id: self.id.unwrap_or_default(),
            matchers,
            starts_at,
            ends_at,
            updated_at: now,
            created_by,
            comment,
            annotations: self.annotations.unwrap_or_default(),
        })
    }
}

impl PostableMatcher {
    fn into_matcher(self, at: usize) -> Result<Matcher, Answer> {
        let missing = |field: &str| Answer::required(&format!("matchers.{at}.{field}"));
        let is_regex = self.is_regex.ok_or_else(|| missing("isRegex"))?;
        let name = self.name.ok_or_else(|| missing("name"))?;
        let value = self.value.ok_or_else(|| missing("value"))?;
        let op = match (is_regex, self.is_equal.unwrap_or(true)) {
            (false, true) => MatchOp::Equal,
            (false, false) => MatchOp::NotEqual,
            (true, true) => MatchOp::Regex,
            (true, false) => MatchOp::NotRegex,
        };
        Matcher::new(op, &name, &value).map_err(|error| {
            Answer::bad_request(format!(
                "invalid silence: invalid label matcher {at}: invalid regular expression {value:?}: {}",
                error.source
            ))
        })
    }
}
