//! `/series`, `/labels`, `/label/<name>/values`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::Serialize;
use service::spawn_blocking;
use storage::{LabelQuery, Queryable, SelectHints};

use super::{
    ApiError, ApiState, json,
    params::{Params, invalid},
};

/// Texts of a list that is short.
const SHORT: usize = 2000;

/// Looks at a series for a text of the list that take no longer than it does to make such a list.
const FEW: usize = 1 << 20;

pub(super) async fn series(State(state): State<Arc<ApiState>>, params: Params) -> Result<Response, ApiError> {
    if params.all("match[]").next().is_none() {
        return Err(ApiError::BadData("no match[] parameter provided".into()));
    }
    let limit = params.limit()?;
    let (start, end) = params.range()?;
    let selectors = params.selectors().map_err(|text| invalid("match[]", text))?;
    if end < start {
        return json::success(Vec::<model::Labels>::new());
    }
    let db = state.db()?;
    spawn_blocking(move || {
        let querier = db.querier(start, end)?;
        // No samples are wanted: the storage need not read any.
        let hints = SelectHints { start, end, function: "series".into(), ..SelectHints::default() };
        let mut found = Vec::new();
        for matchers in &selectors {
            let before = found.len();
            let mut set = querier.select(&hints, matchers)?;
            while let Some(series) = set.next() {
                found.push(series?.labels);
                // Each set is in order: what is behind so many is not among the first.
                if limit > 0 && found.len() - before > limit {
                    break;
                }
            }
        }
        if selectors.len() > 1 {
            found.sort_unstable();
            found.dedup();
        }
        answer(found, limit)
    })
    .await?
}

pub(super) async fn names(State(state): State<Arc<ApiState>>, params: Params) -> Result<Response, ApiError> {
    list(&state, &params, None).await
}

pub(super) async fn values(
    State(state): State<Arc<ApiState>>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    if name.is_empty() {
        return Ok(super::unknown().await);
    }
    let name = unescape_name(&name).unwrap_or(name);
    list(&state, &params, Some(name)).await
}

/// The values of a label among the series that are asked for, cut to the limit; the names of labels where none is named.
async fn list(state: &ApiState, params: &Params, label: Option<String>) -> Result<Response, ApiError> {
    let limit = params.limit()?;
    let (start, end) = params.range()?;
    // One more than asked for tells whether there was more.
    let asked = if limit == 0 { 0 } else { limit.saturating_add(1) };
    let query = LabelQuery { selectors: params.selectors().map_err(ApiError::BadData)?, limit: asked };
    if end < start {
        return json::success(Vec::<String>::new());
    }
    let querier = state.db()?.querier(start, end)?;
    // As with queries: a short list is there before another thread wakes up.
    let texts = querier.texts_at_most(label.as_deref());
    let series =
        query.selectors.iter().map(|matchers| querier.at_most(matchers)).fold(0, usize::saturating_add);
    let is_short = texts <= SHORT && texts.max(1).saturating_mul(series) <= FEW;
    let work = move || {
        let found = match &label {
            Some(name) => querier.label_values(name, &query)?,
            None => querier.label_names(&query)?,
        };
        answer(found, limit)
    };
    if is_short { work() } else { spawn_blocking(work).await? }
}

/// The first `limit` of what was found, all where it is 0.
fn answer<T: Serialize>(mut found: Vec<T>, limit: usize) -> Result<Response, ApiError> {
    let is_cut = limit > 0 && found.len() > limit;
    if is_cut {
        found.truncate(limit);
    }
    json::with_warnings(found, if is_cut { &[json::TRUNCATED] } else { &[] })
}

/// `U__http_2e_status` is `http.status`: any character but letters, digits and underscores as `_<hex>_`, an underscore as two. `None`
/// for a name that is not escaped, or not well: it means itself then.
fn unescape_name(name: &str) -> Option<String> {
    let escaped = name.strip_prefix("U__")?;
    let mut plain = String::new();
    let mut rest = escaped;
    while let Some(at) = rest.find('_') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('_') {
            plain.push('_');
            rest = after;
            continue;
        }
        let (code, after) = rest.split_once('_')?;
        plain.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
        rest = after;
    }
    plain.push_str(rest);
    (!plain.is_empty()).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::unescape_name;

    #[test]
    fn escaped_names() {
        let check =
            |name: &str, want: Option<&str>| assert_eq!(unescape_name(name).as_deref(), want, "{name}");
        check("job", None);
        check("U__http_2e_status", Some("http.status"));
        check("U__a__b", Some("a_b"));
        check("U__a_zz_", None);
        check("", None);
    }
}
