//! Queries to Loki. Source: Loki's HTTP API, Grafana's data plane contract for log frames.

use std::collections::HashMap;

use serde_json::{Map, json};

use super::{
    frame::{Column, Field, Frame},
    interval, legend,
    prometheus::series_frame,
    request::{Format, Query},
    run::{QueryError, ask, read_answer},
    series::{Answer, Answered, Series, Stream},
    table,
    variables::Variables,
};
use crate::{model::DataSource, upstream::Upstream};

/// Lines asked for unless query or data source say, as Grafana has it.
const DEFAULT_MAX_LINES: i64 = 1000;

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub expr: String,
    pub step_ms: i64,
    pub from_ms: i64,
    pub to_ms: i64,
    pub limit: i64,
}

/// Works out the step and fills in the variables.
pub(super) fn plan(query: &Query, source: &DataSource) -> Plan {
    let range_ms = query.range.length_ms();
    let safe = interval::safe(range_ms);
    let base = query.interval_ms.max(1);
    let own = [&query.step, &query.interval]
        .into_iter()
        .find_map(|text| if text.contains('$') { None } else { interval::parse(text) });
    let step_ms = own.unwrap_or(base).max(safe);
    let whole = query.instant;
    let variables = Variables {
        interval_ms: base.max(safe),
        rate_interval_ms: base.max(safe),
        range_ms,
        rate_interval: interval::format(base.max(safe)),
        // A range for a rate: the step, or all of the time for an instant.
        auto: Some(interval::format(if whole { (range_ms / 1000).max(1) * 1000 } else { step_ms })),
    };
    let limit = query
        .max_lines
        .or_else(|| source.setting("maxLines").and_then(|text| text.parse().ok()).filter(|lines| *lines > 0))
        .unwrap_or(DEFAULT_MAX_LINES);
    Plan {
        expr: variables.fill(&query.expr),
        step_ms,
        from_ms: query.range.from_ms,
        to_ms: query.range.to_ms,
        limit,
    }
}

/// Asks for a range or an instant.
pub(super) async fn run(
    query: &Query,
    source: &DataSource,
    upstream: &Upstream,
    value_name: &str,
) -> Result<Vec<Frame>, QueryError> {
    if query.query_type == "stream" {
        return Err(QueryError::not_supported("streaming log queries"));
    }
    let plan = plan(query, source);
    let nanos = |ms: i64| format!("{ms}000000");
    let direction = if query.forward { "forward" } else { "backward" };
    let mut parameters = vec![
        ("query", plan.expr.clone()),
        ("limit", plan.limit.to_string()),
        ("direction", direction.to_owned()),
    ];
    let path = if query.instant {
        parameters.push(("time", nanos(plan.to_ms)));
        "loki/api/v1/query"
    } else {
        parameters.push(("start", nanos(plan.from_ms)));
        parameters.push(("end", nanos(plan.to_ms)));
        parameters.push(("step", format!("{}ms", plan.step_ms)));
        "loki/api/v1/query_range"
    };
    let body = ask(upstream, path, parameters, false).await?;
    Ok(frames(query, &plan, read_answer(body).await?, value_name))
}

/// The answer as frames: one of log lines, or one a series.
pub(super) fn frames(query: &Query, plan: &Plan, answered: Answered, value_name: &str) -> Vec<Frame> {
    let Answered { answer, warnings, .. } = answered;
    let mut frames = match answer {
        Answer::Streams(streams) => vec![log_frame(query, streams)],
        Answer::Matrix(series) => metric_frames(query, plan, series, Some(plan.step_ms), value_name),
        Answer::Vector(series) => metric_frames(query, plan, series, None, value_name),
        Answer::Scalar(series) => metric_frames(query, plan, vec![series], None, value_name),
        Answer::Text(..) => Vec::new(),
    };
    if let Some(first) = frames.first_mut() {
        first.meta.insert("executedQueryString".into(), format!("Expr: {}", plan.expr).into());
        for text in &warnings {
            first.notice("warning", text);
        }
    }
    frames
}

fn metric_frames(
    query: &Query,
    plan: &Plan,
    series: Vec<Series>,
    step_ms: Option<i64>,
    value_name: &str,
) -> Vec<Frame> {
    if query.format == Format::Table {
        return vec![table::frame(&query.ref_id, &series, value_name)];
    }
    let frame_type = if step_ms.is_some() { "timeseries-multi" } else { "numeric-multi" };
    series
        .into_iter()
        .map(|series| {
            let name = legend::name(&query.legend_format, &series.labels, &plan.expr);
            let mut meta = Map::new();
            meta.insert("type".into(), frame_type.into());
            meta.insert("typeVersion".into(), json!([0, 1]));
            series_frame(series, name, &query.ref_id, step_ms, meta)
        })
        .collect()
}

/// All lines in one frame, in the order of time that was asked for. A line's id tells it from others of the same nanosecond.
fn log_frame(query: &Query, streams: Vec<Stream>) -> Frame {
    let mut rows: Vec<(i64, usize, String)> = Vec::new();
    let mut labels = Vec::with_capacity(streams.len());
    for (at, stream) in streams.into_iter().enumerate() {
        rows.extend(stream.times.into_iter().zip(stream.lines).map(|(time, line)| (time, at, line)));
        labels.push(stream.labels);
    }
    if query.forward {
        rows.sort_by_key(|(time, ..)| *time);
    } else {
        rows.sort_by_key(|(time, ..)| std::cmp::Reverse(*time));
    }
    let mut seen: HashMap<String, u32> = HashMap::new();
    let ids = rows
        .iter()
        .map(|(time, at, line)| {
            let labels = labels.get(*at).map(legend::selector).unwrap_or_default();
            let id = format!("{time}_{:08x}", fnv1a(&[&labels, line]));
            let count = seen.entry(id.clone()).or_default();
            *count += 1;
            let id = if *count > 1 { format!("{id}_{}", *count - 1) } else { id };
            format!("{id}_{}", query.ref_id)
        })
        .collect();
    let row_labels = rows.iter().map(|(_, at, _)| labels.get(*at).cloned().unwrap_or_default()).collect();
    let times: Vec<_> = rows.iter().map(|(time, ..)| *time).collect();
    let fields = vec![
        Field::new("labels", Column::Labels(row_labels)),
        Field::new("Time", Column::Time(times.clone())),
        Field::new("Line", Column::Text(rows.into_iter().map(|(.., line)| line).collect())),
        Field::new("tsNs", Column::Text(times.iter().map(ToString::to_string).collect())),
        Field::new("id", Column::Text(ids)),
    ];
    let mut meta = Map::new();
    meta.insert("typeVersion".into(), json!([0, 0]));
    meta.insert("preferredVisualisationType".into(), "logs".into());
    meta.insert("custom".into(), json!({"frameType": "LabeledTimeValues"}));
    Frame { name: String::new(), ref_id: query.ref_id.clone(), meta, fields }
}

/// FNV-1a, 32 bits: short, and the same on every machine.
fn fnv1a(parts: &[&str]) -> u32 {
    parts
        .iter()
        .flat_map(|part| part.bytes().chain([0]))
        .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
