//! Answers as JSON, written straight from columns.

use axum::response::{IntoResponse, Response};
use http::header;
use model::{Labels, Millis, write_json_members, write_json_text, write_value_json};
use promql::{QueryResult, RangeSeries, SampleValue, Value};
use serde::Serialize;

use super::ApiError;

/// Annotations that are listed; the rest is counted.
const MAX_ANNOTATIONS: usize = 10;

/// `{"status":"success","data":…}` of anything that serialises.
pub(super) fn success(data: impl Serialize) -> Result<Response, ApiError> {
    with_warnings(data, &[])
}

/// The same with warnings.
pub(super) fn with_warnings(data: impl Serialize, warnings: &[String]) -> Result<Response, ApiError> {
    let mut body = r#"{"status":"success","data":"#.to_owned();
    let data = serde_json::to_string(&data).map_err(|error| ApiError::Internal(error.to_string()))?;
    body.push_str(&data);
    write_annotations(&mut body, "warnings", warnings);
    body.push('}');
    Ok(answer(body))
}

/// The answer to a query. `limit` cuts the number of series; 0 means no limit.
pub(super) fn query_result(
    mut result: QueryResult,
    limit: usize,
    with_stats: bool,
) -> Result<Response, ApiError> {
    let cut = |count: usize| limit > 0 && count > limit;
    match &mut result.value {
        Value::Vector(samples) if cut(samples.len()) => {
            samples.truncate(limit);
            result.warnings.push("results truncated due to limit".into());
        }
        Value::Matrix(series) if cut(series.len()) => {
            series.truncate(limit);
            result.warnings.push("results truncated due to limit".into());
        }
        _ => {}
    }
    let mut body = String::with_capacity(1024);
    body.push_str(r#"{"status":"success","data":{"resultType":""#);
    body.push_str(result.value.type_name());
    body.push_str(r#"","result":"#);
    write_result(&mut body, &result.value)?;
    if with_stats {
        write_stats(&mut body, &result);
    }
    body.push('}');
    write_annotations(&mut body, "warnings", &result.warnings);
    write_annotations(&mut body, "infos", &result.infos);
    body.push('}');
    Ok(answer(body))
}

fn answer(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn write_result(body: &mut String, value: &Value) -> Result<(), ApiError> {
    match value {
        Value::Scalar { timestamp, value } => write_sample(body, *timestamp, *value),
        Value::String { timestamp, value } => {
            body.push('[');
            write_time(body, *timestamp);
            body.push(',');
            write_json_text(body, value);
            body.push(']');
        }
        Value::Vector(samples) => {
            body.push('[');
            for (at, sample) in samples.iter().enumerate() {
                separate(body, at);
                body.push_str(r#"{"metric":"#);
                write_labels(body, &sample.labels);
                match &sample.value {
                    SampleValue::Float(value) => {
                        body.push_str(r#","value":"#);
                        write_sample(body, sample.timestamp, *value);
                    }
                    SampleValue::Histogram(_) => return Err(histograms()),
                }
                body.push('}');
            }
            body.push(']');
        }
        Value::Matrix(series) => {
            body.push('[');
            for (at, series) in series.iter().enumerate() {
                separate(body, at);
                write_series(body, series)?;
            }
            body.push(']');
        }
    }
    Ok(())
}

fn write_series(body: &mut String, series: &RangeSeries) -> Result<(), ApiError> {
    if !series.samples.histograms.is_empty() {
        return Err(histograms());
    }
    body.push_str(r#"{"metric":"#);
    write_labels(body, &series.labels);
    body.push_str(r#","values":["#);
    let samples = series.samples.timestamps.iter().zip(&series.samples.values);
    for (at, (timestamp, value)) in samples.enumerate() {
        separate(body, at);
        write_sample(body, *timestamp, *value);
    }
    body.push_str("]}");
    Ok(())
}

fn histograms() -> ApiError {
    ApiError::Execution("not supported yet: native histograms in answers".into())
}

fn separate(body: &mut String, at: usize) {
    if at > 0 {
        body.push(',');
    }
}

fn write_sample(body: &mut String, timestamp: Millis, value: f64) {
    body.push('[');
    write_time(body, timestamp);
    body.push_str(",\"");
    let _ = write_value_json(body, value);
    body.push_str("\"]");
}

/// Seconds with three decimals at most, none where they are zero: as Prometheus prints them.
fn write_time(body: &mut String, timestamp: Millis) {
    if timestamp < 0 {
        body.push('-');
    }
    let magnitude = timestamp.unsigned_abs();
    body.push_str(&(magnitude / 1000).to_string());
    let fraction = magnitude % 1000;
    if fraction > 0 {
        body.push_str(&format!(".{fraction:03}"));
    }
}

fn write_labels(body: &mut String, labels: &Labels) {
    body.push('{');
    write_json_members(body, labels);
    body.push('}');
}

fn write_annotations(body: &mut String, key: &str, texts: &[String]) {
    if texts.is_empty() {
        return;
    }
    body.push_str(&format!(",\"{key}\":["));
    for (at, text) in texts.iter().take(MAX_ANNOTATIONS).enumerate() {
        separate(body, at);
        write_json_text(body, text);
    }
    let more = texts.len().saturating_sub(MAX_ANNOTATIONS);
    if more > 0 {
        let kind = if key == "infos" { "info" } else { "warning" };
        body.push(',');
        write_json_text(body, &format!("{more} more {kind} annotations omitted"));
    }
    body.push(']');
}

fn write_stats(body: &mut String, result: &QueryResult) {
    let stats = &result.stats;
    let (prepare, evaluate, sort) =
        (stats.preparation.as_secs_f64(), stats.evaluation.as_secs_f64(), stats.sorting.as_secs_f64());
    let stats = serde_json::json!({
        "timings": {
            "evalTotalTime": prepare + evaluate + sort,
            "resultSortTime": sort,
            "queryPreparationTime": prepare,
            "innerEvalTime": evaluate,
            "execQueueTime": 0.0,
            "execTotalTime": prepare + evaluate + sort,
        },
        "samples": {
            "totalQueryableSamples": stats.total_queryable_samples,
            "samplesRead": stats.samples_read,
            "peakSamples": stats.peak_samples,
        },
    });
    body.push_str(&format!(r#","stats":{stats}"#));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let time = |at: Millis| {
            let mut body = String::new();
            write_time(&mut body, at);
            body
        };
        assert_eq!(
            [time(0), time(1500), time(1_543_578_564_705), time(-1), time(-2000)],
            ["0", "1.500", "1543578564.705", "-0.001", "-2"]
        );
    }
}
