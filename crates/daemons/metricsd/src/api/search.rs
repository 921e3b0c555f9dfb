//! `/search/{metric_names,label_names,label_values}`: what fits a text best, a line of JSON a batch (`--enable-feature=search-api`).
//! Source: Prometheus docs/querying/api.md.

mod scoring;

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use model::{METRIC_NAME, Millis, quote};
use serde_json::{Map, Value, json};
use service::spawn_blocking;
use storage::{LabelQuery, Metadata, Querier, QueryError, Queryable};

use super::{
    ApiError, ApiState, is_enabled,
    params::{Params, now},
    targets::pools,
};
use scoring::{Algorithm, Filter};

/// Results, and results a line, where a request does not say.
const USUAL: usize = 100;
/// Most texts of one request: each is compared with every name.
const MAX_TERMS: usize = 32;
/// Where the search begins where a request does not say, before its end.
const USUAL_RANGE: Millis = 60 * 60 * 1000;

/// What is asked, checked.
struct Search {
    query: LabelQuery,
    range: (Millis, Millis),
    filter: Filter,
    order: Order,
    include_score: bool,
    limit: usize,
    batch: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Ascending,
    Descending,
    /// The best first.
    Score,
}

struct Found {
    name: String,
    score: f64,
}

pub(super) async fn metric_names(
    State(state): State<Arc<ApiState>>,
    params: Params,
) -> Result<Response, ApiError> {
    let search = Search::of(&state, &params, "metric_names")?;
    let metadata = boolean(&params, "include_metadata", false)?.then(|| metadata(&state));
    respond(&state, search, "name", metadata, |querier, query| querier.label_values(METRIC_NAME, query)).await
}

pub(super) async fn label_names(
    State(state): State<Arc<ApiState>>,
    params: Params,
) -> Result<Response, ApiError> {
    let search = Search::of(&state, &params, "label_names")?;
    respond(&state, search, "name", None, |querier, query| querier.label_names(query)).await
}

pub(super) async fn label_values(
    State(state): State<Arc<ApiState>>,
    params: Params,
) -> Result<Response, ApiError> {
    let search = Search::of(&state, &params, "label_values")?;
    let label = match params.get("label") {
        "" => return Err(ApiError::BadData("missing required parameter \"label\"".into())),
        label => label.to_owned(),
    };
    respond(&state, search, "value", None, move |querier, query| querier.label_values(&label, query)).await
}

/// By family; of several targets the first one's.
fn metadata(state: &ApiState) -> HashMap<String, Metadata> {
    let mut all = HashMap::new();
    for target in pools(state, "").iter().flat_map(|pool| &pool.active) {
        for (family, metadata) in target.metadata() {
            all.entry(family).or_insert(metadata);
        }
    }
    all
}

async fn respond(
    state: &ApiState,
    search: Search,
    key: &'static str,
    metadata: Option<HashMap<String, Metadata>>,
    read: impl FnOnce(&dyn Querier, &LabelQuery) -> Result<Vec<String>, QueryError> + Send + 'static,
) -> Result<Response, ApiError> {
    let db = state.db()?;
    let body = spawn_blocking(move || -> Result<String, QueryError> {
        let (start, end) = search.range;
        let names = read(&*db.querier(start, end)?, &search.query)?;
        let found = search.choose(names);
        Ok(search.lines(&found, key, &metadata.unwrap_or_default()))
    })
    .await??;
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson; charset=utf-8")], body).into_response())
}

impl Search {
    fn of(state: &ApiState, params: &Params, endpoint: &str) -> Result<Self, ApiError> {
        if !is_enabled(&state.flags.enable_feature, "search-api") {
            return Err(ApiError::Unavailable("search API disabled".into()));
        }
        let bad = |text: String| Err(ApiError::BadData(text));
        let now = now();
        let time = |name: &str| params.optional_time(name).map_err(ApiError::BadData);
        let range = (time("start")?.unwrap_or(now - USUAL_RANGE), time("end")?.unwrap_or(now));
        if range.1 < range.0 {
            return bad("end timestamp must not be before start timestamp".into());
        }
        let query = LabelQuery { selectors: params.selectors().map_err(ApiError::BadData)?, limit: 0 };
        let terms = params.all("search[]").count();
        if terms > MAX_TERMS {
            return bad(format!("too many search[] terms: got {terms}, maximum is {MAX_TERMS}"));
        }
        let percent = match params.integer("fuzz_threshold").map(Option::unwrap_or_default) {
            Ok(percent @ 0..=100) => percent as u8,
            _ => {
                let text = quote(params.get("fuzz_threshold"));
                return bad(format!("invalid fuzz_threshold {text}: must be 0-100"));
            }
        };
        let algorithm = match params.get("fuzz_alg") {
            "" | "subsequence" => Algorithm::Subsequence,
            "jarowinkler" => Algorithm::JaroWinkler,
            other => {
                let other = quote(other);
                return bad(format!(
                    "unsupported fuzz_alg {other}: must be one of [subsequence jarowinkler]"
                ));
            }
        };
        let fold_case = !boolean(params, "case_sensitive", true)?;
        let include_score = boolean(params, "include_score", false)?;
        let order = Order::of(params, terms > 0, endpoint)?;
        let most = state.flags.search_max_limit;
        let limit = match positive(params, "limit")? {
            None if most > 0 => USUAL.min(most),
            None => USUAL,
            Some(limit) if most > 0 && limit > most => {
                let bound = "see --web.search.max-limit";
                return bad(format!("limit {limit} exceeds the configured maximum ({most}, {bound})"));
            }
            Some(limit) => limit,
        };
        let batch = positive(params, "batch_size")?.unwrap_or(USUAL);
        let filter = Filter::new(params.all("search[]"), algorithm, percent, fold_case);
        Ok(Self { query, range, filter, order, include_score, limit, batch })
    }

    /// What fits, in order; one more than the limit tells that there is more.
    fn choose(&self, names: Vec<String>) -> Vec<Found> {
        let scored = names.into_iter().filter_map(|name| {
            let score = self.filter.score(&name)?;
            Some(Found { name, score })
        });
        let mut found: Vec<Found> = scored.collect();
        match self.order {
            Order::Ascending => {}
            Order::Descending => found.reverse(),
            // Stable: names of one score stay in their order.
            Order::Score => found.sort_by(|one, other| other.score.total_cmp(&one.score)),
        }
        found.truncate(self.limit.saturating_add(1));
        found
    }

    /// A line a batch, the first one even where it is empty, and one that says that this is all.
    fn lines(&self, found: &[Found], key: &str, metadata: &HashMap<String, Metadata>) -> String {
        let shown = &found[..found.len().min(self.limit)];
        let mut batches: Vec<&[Found]> = shown.chunks(self.batch).collect();
        if batches.is_empty() {
            batches.push(&[]);
        }
        let mut lines = String::new();
        for batch in batches {
            let results: Vec<Value> = batch.iter().map(|found| self.result(found, key, metadata)).collect();
            lines.push_str(&json!({ "results": results }).to_string());
            lines.push('\n');
        }
        let end = json!({"status": "success", "has_more": found.len() > shown.len()});
        lines.push_str(&end.to_string());
        lines.push('\n');
        lines
    }

    fn result(&self, found: &Found, key: &str, metadata: &HashMap<String, Metadata>) -> Value {
        let mut result = Map::from_iter([(key.to_owned(), found.name.as_str().into())]);
        if self.include_score {
            result.insert("score".into(), found.score.into());
        }
        if let Some(known) = metadata.get(&found.name) {
            let members =
                [("type", known.metric_type.as_str()), ("help", &known.help), ("unit", &known.unit)];
            for (name, text) in members.into_iter().filter(|(_, text)| !text.is_empty()) {
                result.insert(name.into(), text.into());
            }
        }
        result.into()
    }
}

impl Order {
    fn of(params: &Params, has_terms: bool, endpoint: &str) -> Result<Self, ApiError> {
        let text = match (params.get("sort_by"), params.get("sort_dir")) {
            ("", dir) if !dir.is_empty() => "sort_dir is only valid when sort_by is set".to_owned(),
            ("score", dir) if !dir.is_empty() => "sort_dir is not supported for sort_by=score".to_owned(),
            (_, dir) if !["", "asc", "dsc"].contains(&dir) => {
                format!("invalid sort_dir {}: must be \"asc\" or \"dsc\"", quote(dir))
            }
            ("score", _) if !has_terms => "sort_by=score requires search[] to be set".to_owned(),
            ("score", _) => return Ok(Self::Score),
            ("alpha", "dsc") => return Ok(Self::Descending),
            ("" | "alpha", _) => return Ok(Self::Ascending),
            (by, _) => {
                format!("invalid sort_by {} for {endpoint}: must be \"alpha\" or \"score\"", quote(by))
            }
        };
        Err(ApiError::BadData(text))
    }
}

fn boolean(params: &Params, name: &str, usual: bool) -> Result<bool, ApiError> {
    let asked = params.boolean(name).map_err(|_| {
        ApiError::BadData(format!("invalid {name} {}: must be boolean", quote(params.get(name))))
    })?;
    Ok(asked.unwrap_or(usual))
}

fn positive(params: &Params, name: &str) -> Result<Option<usize>, ApiError> {
    let not_positive = || {
        ApiError::BadData(format!("invalid {name} {}: must be a positive integer", quote(params.get(name))))
    };
    match params.integer(name).map_err(|_| not_positive())? {
        None => Ok(None),
        Some(number @ 1..) => Ok(Some(usize::try_from(number).unwrap_or(usize::MAX))),
        Some(_) => Err(not_positive()),
    }
}
