//! `/query_exemplars`: the exemplars of all series that an expression selects.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use model::{Labels, Matcher, format_value};
use serde::Serialize;
use service::spawn_blocking;
use storage::Exemplar;

use super::{ApiError, ApiState, json, params::Params};

#[derive(Serialize)]
struct SeriesExemplars {
    #[serde(rename = "seriesLabels")]
    series: Labels,
    exemplars: Vec<ShownExemplar>,
}

#[derive(Serialize)]
struct ShownExemplar {
    labels: Labels,
    value: String,
    /// Seconds.
    timestamp: f64,
}

pub(super) async fn query(State(state): State<Arc<ApiState>>, params: Params) -> Result<Response, ApiError> {
    let (start, end) = params.range()?;
    if end < start {
        return Err(ApiError::BadData("end timestamp must not be before start timestamp".into()));
    }
    let expression = state.engine.parse(params.get("query"))?;
    let selectors: Vec<Vec<Matcher>> =
        expression.selectors().into_iter().map(|selector| selector.matchers.clone()).collect();
    if selectors.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let db = state.db()?;
    let found = spawn_blocking(move || db.exemplars(&selectors, start, end)).await?;
    let shown: Vec<_> = found
        .into_iter()
        .map(|(series, exemplars)| SeriesExemplars {
            series,
            exemplars: exemplars.into_iter().map(ShownExemplar::from).collect(),
        })
        .collect();
    json::success(shown)
}

impl From<Exemplar> for ShownExemplar {
    fn from(exemplar: Exemplar) -> Self {
        Self {
            labels: exemplar.labels,
            value: format_value(exemplar.value),
            timestamp: exemplar.timestamp.unwrap_or_default() as f64 / 1000.0,
        }
    }
}
