//! Running the queries of a request: side by side, each for itself.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Method, StatusCode};
use serde::Serialize;
use service::report;
use tokio::sync::Semaphore;
use tracing::debug;

use super::{
    frame::Frame,
    loki, prometheus,
    request::{Format, Query, QueryRequest},
    series::{self, AnswerError, Answered},
};
use crate::{
    model::{DataSource, DataSourceKind},
    store::Stores,
    upstream::{Upstream, UpstreamError, Upstreams},
};

/// Queries of one request that run at a time.
const PARALLEL_PER_REQUEST: usize = 8;
/// Queries that run at a time in all; more wait.
const PARALLEL: usize = 32;
/// How long a query waits for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(30);
/// Answers above this size are read off the async threads, in bytes.
const READ_APART_ABOVE: usize = 64 << 10;
/// Longest part of a data source's own error text that is passed on, in bytes.
const MAX_ERROR_BYTES: usize = 4096;

/// Runs queries.
pub(crate) struct QueryRunner {
    stores: Arc<Stores>,
    upstreams: Arc<Upstreams>,
    turns: Semaphore,
}

/// What became of the queries, by refId.
#[derive(Debug, Serialize)]
pub(crate) struct QueryOutcome {
    results: BTreeMap<String, QueryResult>,
}

#[derive(Debug, Serialize)]
struct QueryResult {
    status: u16,
    frames: Vec<Frame>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(rename = "errorSource", skip_serializing_if = "Option::is_none")]
    error_source: Option<&'static str>,
}

/// Why a query has no frames.
#[derive(Debug)]
pub(super) struct QueryError {
    status: StatusCode,
    message: String,
    /// Whose fault: `downstream` is the data source's.
    source: &'static str,
}

impl QueryOutcome {
    /// 200, or 207 when a query failed.
    pub(crate) fn status(&self) -> StatusCode {
        if self.results.values().any(|result| result.error.is_some()) {
            StatusCode::MULTI_STATUS
        } else {
            StatusCode::OK
        }
    }
}

impl QueryError {
    pub(super) fn not_supported(what: &str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message: format!("not supported yet: {what}"),
            source: "plugin",
        }
    }

    fn downstream(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), source: "downstream" }
    }
}

impl From<UpstreamError> for QueryError {
    fn from(error: UpstreamError) -> Self {
        Self::downstream(error.status(), report(&error))
    }
}

impl QueryRunner {
    pub(crate) fn new(stores: Arc<Stores>, upstreams: Arc<Upstreams>) -> Self {
        Self { stores, upstreams, turns: Semaphore::new(PARALLEL) }
    }

    /// Runs all queries. Dropping the future cancels what runs.
    pub(crate) async fn run(&self, request: QueryRequest) -> QueryOutcome {
        let tables = request.queries.iter().filter(|query| query.format == Format::Table).count();
        let running: Vec<_> = request.queries.iter().map(|query| self.run_named(query, tables > 1)).collect();
        let results = stream::iter(running).buffer_unordered(PARALLEL_PER_REQUEST).collect().await;
        QueryOutcome { results }
    }

    async fn run_named(&self, query: &Query, many_tables: bool) -> (String, QueryResult) {
        let value_name = if many_tables { format!("Value #{}", query.ref_id) } else { "Value".to_owned() };
        let result = self.run_one(query, &value_name).await;
        (query.ref_id.clone(), QueryResult::of(result))
    }

    async fn run_one(&self, query: &Query, value_name: &str) -> Result<Vec<Frame>, QueryError> {
        let source = self.source_of(query)?;
        if query.expr.trim().is_empty() {
            return Ok(Vec::new());
        }
        let turn = tokio::time::timeout(TURN_TIMEOUT, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(QueryError {
                status: StatusCode::SERVICE_UNAVAILABLE,
                message: format!("{PARALLEL} queries run already, try again"),
                source: "plugin",
            });
        };
        let upstream = || self.upstreams.of(&source);
        match source.kind() {
            DataSourceKind::Prometheus => prometheus::run(query, &source, &*upstream()?, value_name).await,
            DataSourceKind::Loki => loki::run(query, &source, &*upstream()?, value_name).await,
            DataSourceKind::Alertmanager | DataSourceKind::Other => {
                Err(QueryError::not_supported(&format!("queries to data sources of type {}", source.kind)))
            }
        }
    }

    fn source_of(&self, query: &Query) -> Result<Arc<DataSource>, QueryError> {
        let sources = &self.stores.data_sources;
        let found = match (&query.data_source, query.data_source_id) {
            (Some(name), _) if matches!(name.as_str(), "__expr__" | "-100") => {
                return Err(QueryError::not_supported("server-side expressions"));
            }
            (Some(name), _) if name.starts_with("-- ") || name == "grafana" => {
                return Err(QueryError::not_supported(&format!("queries to the data source {name}")));
            }
            (Some(name), _) if name == "default" => sources.default(),
            (Some(name), _) => sources.find(name),
            (None, Some(id)) => sources.by_id(id),
            (None, None) => sources.default(),
        };
        found.ok_or_else(|| QueryError {
            status: StatusCode::NOT_FOUND,
            message: match &query.data_source {
                Some(name) => format!("Data source {name} not found"),
                None => "Data source not found".to_owned(),
            },
            source: "plugin",
        })
    }
}

impl QueryResult {
    fn of(result: Result<Vec<Frame>, QueryError>) -> Self {
        match result {
            Ok(frames) => Self { status: 200, frames, error: None, error_source: None },
            Err(error) => {
                debug!(status = error.status.as_u16(), error = error.message, "query failed");
                Self {
                    status: error.status.as_u16(),
                    frames: Vec::new(),
                    error: Some(error.message),
                    error_source: Some(error.source),
                }
            }
        }
    }
}

/// Sends parameters as a form, or in the address, and returns the body of a successful answer.
pub(super) async fn ask(
    upstream: &Upstream,
    path: &str,
    parameters: Vec<(&'static str, String)>,
    use_get: bool,
) -> Result<Bytes, QueryError> {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .extend_pairs(upstream.custom_parameters())
        .finish();
    let request = if use_get {
        upstream.request(Method::GET, upstream.url(path, Some(&form))?)?
    } else {
        upstream
            .request(Method::POST, upstream.url(path, None)?)?
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form)
    };
    let (status, body) = upstream.fetch(request).await?;
    if status.is_success() {
        return Ok(body);
    }
    let message = match series::read(&body) {
        Err(AnswerError::Refused(message)) => message,
        // Loki and proxies answer in plain text.
        _ => plain_text(&body, status),
    };
    Err(QueryError::downstream(status, message))
}

fn plain_text(body: &[u8], status: StatusCode) -> String {
    let text = String::from_utf8_lossy(body.get(..MAX_ERROR_BYTES).unwrap_or(body));
    let text = text.trim();
    if text.is_empty() || text.starts_with('<') {
        format!("the data source answered {status}")
    } else {
        text.to_owned()
    }
}

/// Reads an answer; large ones beside the async threads.
pub(super) async fn read_answer(body: Bytes) -> Result<Answered, QueryError> {
    let answered = if body.len() > READ_APART_ABOVE {
        service::spawn_blocking(move || series::read(&body)).await.map_err(|error| QueryError {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            message: error.to_string(),
            source: "plugin",
        })?
    } else {
        series::read(&body)
    };
    answered.map_err(|error| match error {
        AnswerError::Refused(message) => QueryError::downstream(StatusCode::BAD_REQUEST, message),
        AnswerError::Unreadable(message) => QueryError::downstream(
            StatusCode::BAD_GATEWAY,
            format!("the data source's answer cannot be read: {message}"),
        ),
    })
}
