//! `POST /api/ds/query`, as it is sent.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::time_range::TimeRange;

/// Queries in one request.
const MAX_QUERIES: usize = 100;
/// Longest query text, in bytes.
const MAX_EXPR_BYTES: usize = 256 << 10;
/// Points and lines that may be asked for.
const MAX_DATA_POINTS: i64 = 11_000;
const MAX_LINES: i64 = 50_000;

/// A request, checked.
#[derive(Debug, Clone)]
pub(crate) struct QueryRequest {
    pub queries: Vec<Query>,
}

/// One query. Texts may hold variables still.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub ref_id: String,
    pub range: TimeRange,
    /// Uid or name; none means the default.
    pub data_source: Option<String>,
    /// Number of the data source, the old way.
    pub data_source_id: Option<u64>,
    pub expr: String,
    pub legend_format: String,
    pub instant: bool,
    pub is_range: bool,
    pub exemplar: bool,
    pub format: Format,
    /// The query's minimum step, perhaps a variable.
    pub interval: String,
    /// Loki's step.
    pub step: String,
    pub interval_factor: i64,
    pub interval_ms: i64,
    pub max_data_points: i64,
    pub max_lines: Option<i64>,
    pub forward: bool,
    pub query_type: String,
    pub utc_offset_ms: i64,
}

/// The frames' form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    TimeSeries,
    Table,
    Heatmap,
}

/// Why a request is refused as a whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    /// It is not JSON of that shape.
    #[error("bad request data")]
    Json(#[from] serde_json::Error),
    /// No query.
    #[error("No queries found in query")]
    NoQueries,
    /// Too many queries.
    #[error("{count} queries are over the limit of {MAX_QUERIES}")]
    TooMany {
        /// How many were sent.
        count: usize,
    },
    /// A query is too long.
    #[error("query {ref_id} is longer than {MAX_EXPR_BYTES} bytes")]
    TooLong {
        /// Which.
        ref_id: String,
    },
    /// From or to does not hold.
    #[error("from and to must be milliseconds or like now-6h, and from not after to")]
    Range,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    from: Value,
    #[serde(default)]
    to: Value,
    #[serde(default)]
    queries: Vec<Map<String, Value>>,
}

impl QueryRequest {
    /// Reads a body. Hidden queries are left out.
    pub(crate) fn parse(body: &[u8], now_ms: i64) -> Result<Self, RequestError> {
        let body: Body = serde_json::from_slice(body)?;
        if body.queries.is_empty() {
            return Err(RequestError::NoQueries);
        }
        if body.queries.len() > MAX_QUERIES {
            return Err(RequestError::TooMany { count: body.queries.len() });
        }
        let queries = body
            .queries
            .iter()
            .filter(|model| !Model(model).flag("hide"))
            .map(|model| Model(model).query(&body, now_ms))
            .collect::<Result<_, _>>()?;
        Ok(Self { queries })
    }
}

/// A query as clients write it: keys may be missing, null, or of a neighbouring type.
struct Model<'a>(&'a Map<String, Value>);

impl Model<'_> {
    fn text(&self, key: &str) -> String {
        match self.0.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    fn flag(&self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    fn number(&self, key: &str) -> Option<i64> {
        match self.0.get(key)? {
            Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|value| value as i64)),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn query(&self, body: &Body, now_ms: i64) -> Result<Query, RequestError> {
        let ref_id: String = Some(self.text("refId"))
            .filter(|id| !id.is_empty())
            .map_or_else(|| "A".to_owned(), |id| id.chars().take(100).collect());
        let expr = self.text("expr");
        if expr.len() > MAX_EXPR_BYTES {
            return Err(RequestError::TooLong { ref_id });
        }
        let own = self.0.get("timeRange").and_then(Value::as_object);
        let bound = |key: &str, whole: &Value| {
            own.and_then(|own| own.get(key)).filter(|value| !value.is_null()).unwrap_or(whole).clone()
        };
        let range = TimeRange::parse(&bound("from", &body.from), &bound("to", &body.to), now_ms)
            .ok_or(RequestError::Range)?;
        let data_source = match self.0.get("datasource") {
            Some(Value::String(name)) => Some(name.clone()),
            Some(Value::Object(reference)) => ["uid", "type"]
                .into_iter()
                .find_map(|key| reference.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()))
                .map(str::to_owned),
            _ => None,
        };
        let query_type = self.text("queryType");
        let instant = self.flag("instant") || query_type == "instant";
        Ok(Query {
            ref_id,
            range,
            data_source,
            data_source_id: self.number("datasourceId").and_then(|id| u64::try_from(id).ok()),
            expr,
            legend_format: self.text("legendFormat"),
            instant,
            is_range: self.flag("range") || !instant,
            exemplar: self.flag("exemplar"),
            format: match self.text("format").as_str() {
                "table" => Format::Table,
                "heatmap" => Format::Heatmap,
                _ => Format::TimeSeries,
            },
            interval: self.text("interval"),
            step: self.text("step"),
            interval_factor: self.number("intervalFactor").unwrap_or(1).clamp(1, 1000),
            interval_ms: self.number("intervalMs").unwrap_or(1000).max(0),
            max_data_points: self.number("maxDataPoints").unwrap_or(100).clamp(1, MAX_DATA_POINTS),
            max_lines: self.number("maxLines").filter(|lines| *lines > 0).map(|lines| lines.min(MAX_LINES)),
            forward: self.text("direction") == "forward",
            query_type,
            utc_offset_ms: self.number("utcOffsetSec").unwrap_or(0).clamp(-86_400, 86_400) * 1000,
        })
    }
}
