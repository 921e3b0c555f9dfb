//! Queries to Prometheus. Source: Prometheus' HTTP API, Grafana's documented rules for steps and alignment.

use serde_json::{Map, Value, json};

use super::{
    frame::{Column, Field, Frame},
    heatmap, interval, legend,
    request::{Format, Query},
    run::{QueryError, ask, read_answer},
    series::{Answer, Answered, Series},
    table,
    variables::Variables,
};
use crate::{model::DataSource, upstream::Upstream};

/// The scrape interval unless query or data source say.
const DEFAULT_SCRAPE_MS: i64 = 15_000;
/// Variables that stand for a step when they are all of a query's minimum step.
const STEP_VARIABLES: [&str; 2] = ["$__interval", "${__interval}"];
const RATE_VARIABLES: [&str; 2] = ["$__rate_interval", "${__rate_interval}"];

/// What is asked: the expression with its variables filled in, and when.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub expr: String,
    pub step_ms: i64,
    pub start_ms: i64,
    pub end_ms: i64,
    /// The range's end as asked, for instant queries.
    pub at_ms: i64,
}

/// Works out the step and fills in the variables.
pub(super) fn plan(query: &Query, source: &DataSource) -> Plan {
    let range_ms = query.range.length_ms();
    let source_interval = source.setting("timeInterval").and_then(|text| interval::parse(&text));
    let is = |variables: [&str; 2]| variables.contains(&query.interval.trim());
    let is_rate_step = is(RATE_VARIABLES);
    let own_interval = if query.interval.contains('$') { None } else { interval::parse(&query.interval) };
    let minimum = own_interval
        .or(Some(query.interval_ms).filter(|ms| *ms > 0))
        .or(source_interval)
        .unwrap_or(DEFAULT_SCRAPE_MS);
    let calculated = interval::calculate(range_ms, query.max_data_points, minimum);
    let adjusted = calculated.max(interval::safe(range_ms));
    let step_ms = if is_rate_step {
        interval::rate_interval(adjusted, source_interval.unwrap_or(DEFAULT_SCRAPE_MS))
    } else {
        adjusted.saturating_mul(query.interval_factor)
    };
    let rate_interval_ms = if is_rate_step {
        step_ms
    } else {
        let scrape = if is(STEP_VARIABLES) { Some(step_ms) } else { own_interval.or(source_interval) };
        interval::rate_interval(step_ms, scrape.unwrap_or(DEFAULT_SCRAPE_MS))
    };
    let variables = Variables {
        interval_ms: step_ms,
        rate_interval_ms,
        range_ms,
        rate_interval: interval::format_go(rate_interval_ms),
        auto: None,
    };
    Plan {
        expr: variables.fill(&query.expr),
        step_ms,
        start_ms: interval::align(query.range.from_ms, step_ms, query.utc_offset_ms),
        end_ms: interval::align(query.range.to_ms, step_ms, query.utc_offset_ms),
        at_ms: query.range.to_ms,
    }
}

/// Asks for a range, an instant, or both; the instant's frames come last, under `<refId>-Instant`.
pub(super) async fn run(
    query: &Query,
    source: &DataSource,
    upstream: &Upstream,
    value_name: &str,
) -> Result<Vec<Frame>, QueryError> {
    let plan = plan(query, source);
    let use_get = source.setting("httpMethod").is_some_and(|method| method.eq_ignore_ascii_case("GET"));
    let range = async {
        if !query.is_range {
            return Ok::<_, QueryError>(Vec::new());
        }
        let parameters = vec![
            ("query", plan.expr.clone()),
            ("start", seconds(plan.start_ms)),
            ("end", seconds(plan.end_ms)),
            ("step", seconds(plan.step_ms)),
        ];
        let body = ask(upstream, "api/v1/query_range", parameters, use_get).await?;
        Ok(frames(query, &plan, read_answer(body).await?, &query.ref_id, value_name))
    };
    let instant = async {
        if !query.instant {
            return Ok::<_, QueryError>(Vec::new());
        }
        let parameters = vec![("query", plan.expr.clone()), ("time", seconds(plan.at_ms))];
        let body = ask(upstream, "api/v1/query", parameters, use_get).await?;
        let ref_id = if query.is_range { format!("{}-Instant", query.ref_id) } else { query.ref_id.clone() };
        Ok(frames(query, &plan, read_answer(body).await?, &ref_id, value_name))
    };
    let (mut frames, more) = tokio::try_join!(range, instant)?;
    frames.extend(more);
    if query.exemplar
        && let Some(frame) = frames.first_mut()
    {
        frame.notice("info", "not supported yet: exemplars");
    }
    Ok(frames)
}

/// Seconds with milliseconds where there are any.
fn seconds(ms: i64) -> String {
    if ms % 1000 == 0 { (ms / 1000).to_string() } else { format!("{:.3}", ms as f64 / 1000.0) }
}

/// The answer as frames of the form the query asks for.
pub(super) fn frames(
    query: &Query,
    plan: &Plan,
    answered: Answered,
    ref_id: &str,
    value_name: &str,
) -> Vec<Frame> {
    let Answered { answer, warnings, infos, has_histograms } = answered;
    let (result_type, frame_type, step, series) = match answer {
        Answer::Matrix(series) => ("matrix", "timeseries-multi", Some(plan.step_ms), series),
        Answer::Vector(series) => ("vector", "numeric-multi", None, series),
        Answer::Scalar(series) => ("scalar", "numeric-multi", None, vec![series]),
        Answer::Text(time, text) => {
            let fields = vec![
                Field::new("Time", Column::Time(vec![time])),
                Field::new("Value", Column::Text(vec![text])),
            ];
            return vec![Frame { ref_id: ref_id.to_owned(), fields, ..Frame::default() }];
        }
        // Only Loki has streams, and reads them elsewhere.
        Answer::Streams(_) => return Vec::new(),
    };
    let name = |series: &Series| legend::name(&query.legend_format, &series.labels, &plan.expr);
    let mut frames = match query.format {
        Format::Table => vec![table::frame(ref_id, &series, value_name)],
        Format::Heatmap => vec![heatmap::frame(ref_id, series, name)],
        Format::TimeSeries => series
            .into_iter()
            .map(|series| {
                let name = name(&series);
                series_frame(series, name, ref_id, step, series_meta(frame_type, result_type))
            })
            .collect(),
    };
    if frames.is_empty() && has_histograms {
        frames.push(Frame { ref_id: ref_id.to_owned(), ..Frame::default() });
    }
    if let Some(first) = frames.first_mut() {
        first.meta.insert("executedQueryString".into(), executed(plan, step).into());
        for text in &warnings {
            first.notice("warning", text);
        }
        for text in &infos {
            first.notice("info", text);
        }
        if has_histograms {
            first.notice("warning", "not supported yet: native histograms are left out");
        }
    }
    frames
}

fn executed(plan: &Plan, step: Option<i64>) -> String {
    match step {
        Some(step) => format!("Expr: {}\nStep: {}", plan.expr, interval::format_go(step)),
        None => format!("Expr: {}", plan.expr),
    }
}

fn series_meta(frame_type: &str, result_type: &str) -> Map<String, Value> {
    let mut meta = Map::new();
    meta.insert("type".into(), frame_type.into());
    meta.insert("typeVersion".into(), json!([0, 1]));
    meta.insert("custom".into(), json!({"resultType": result_type}));
    meta
}

/// One series: time and value, its name where it has one.
pub(super) fn series_frame(
    series: Series,
    name: String,
    ref_id: &str,
    step_ms: Option<i64>,
    meta: Map<String, Value>,
) -> Frame {
    let mut time = Field::new("Time", Column::Time(series.times));
    if let Some(step_ms) = step_ms {
        time = time.config("interval", step_ms);
    }
    let mut value = Field::new("Value", Column::Number(series.values));
    value.labels = series.labels;
    if !name.is_empty() {
        value = value.config("displayNameFromDS", name.as_str());
    }
    Frame { name, ref_id: ref_id.to_owned(), meta, fields: vec![time, value] }
}
