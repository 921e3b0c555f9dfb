//! Answers as JSON, written straight from columns.

use axum::response::{IntoResponse, Response};
use http::header;
use model::{FloatHistogram, Labels, Millis, write_json_members, write_json_text, write_value_json};
use promql::{
    ExplainedOperator, HistogramBucket, QueryResult, RangeSeries, SampleValue, Value, histogram_buckets,
};
use serde::Serialize;

use super::{ApiError, stats::Spent};

/// Annotations that are listed; the rest is counted.
const MAX_ANNOTATIONS: usize = 10;
/// The warning that there was more than the limit.
pub(super) const TRUNCATED: &str = "results truncated due to limit";

/// `{"status":"success","data":…}` of anything that serialises.
pub(super) fn success(data: impl Serialize) -> Result<Response, ApiError> {
    with_warnings(data, &[])
}

/// The same with warnings.
pub(super) fn with_warnings(data: impl Serialize, warnings: &[&str]) -> Result<Response, ApiError> {
    let mut body = r#"{"status":"success","data":"#.to_owned();
    let data = serde_json::to_string(&data).map_err(|error| ApiError::Internal(error.to_string()))?;
    body.push_str(&data);
    write_annotations(&mut body, "warnings", warnings);
    body.push('}');
    Ok(answer(body))
}

/// Cuts the number of series; 0 means no limit.
pub(super) fn truncate(result: &mut QueryResult, limit: usize) {
    let cut = |count: usize| limit > 0 && count > limit;
    match &mut result.value {
        Value::Vector(samples) if cut(samples.len()) => {
            samples.truncate(limit);
            result.warnings.push(TRUNCATED.into());
        }
        Value::Matrix(series) if cut(series.len()) => {
            series.truncate(limit);
            result.warnings.push(TRUNCATED.into());
        }
        _ => {}
    }
}

/// The answer to a query, and what it took where that was asked for.
pub(super) fn query_result(result: &QueryResult, stats: Option<Spent>) -> Result<Response, ApiError> {
    let mut body = String::with_capacity(size_of_answer(&result.value));
    body.push_str(r#"{"status":"success","data":{"resultType":""#);
    body.push_str(result.value.type_name());
    body.push_str(r#"","result":"#);
    write_result(&mut body, &result.value);
    if let Some(spent) = stats {
        body.push_str(&format!(r#","stats":{}"#, spent.to_json(&result.samples_per_step)));
    }
    if let Some(explained) = &result.explained {
        body.push_str(&format!(r#","explain":{}"#, operator(explained)));
    }
    body.push('}');
    write_annotations(&mut body, "warnings", &result.warnings);
    write_annotations(&mut body, "infos", &result.infos);
    body.push('}');
    Ok(answer(body))
}

/// What an operator did: times in seconds. As deep as a query may be.
fn operator(explained: &ExplainedOperator) -> serde_json::Value {
    let ExplainedOperator { operator: name, expr, series, samples, bytes, samples_read, time, inputs } =
        explained;
    serde_json::json!({
        "operator": name,
        "expr": expr,
        "series": series,
        "samples": samples,
        "bytes": bytes,
        "samplesRead": samples_read,
        "time": time.as_secs_f64(),
        "inputs": inputs.iter().map(operator).collect::<Vec<_>>(),
    })
}

/// About how many bytes an answer has: growing copies what is there.
fn size_of_answer(value: &Value) -> usize {
    const FRAME: usize = 256;
    const LABELS: usize = 256;
    const SAMPLE: usize = 32;
    FRAME
        + match value {
            Value::Scalar { .. } | Value::String { .. } => SAMPLE,
            Value::Vector(samples) => samples.len() * (LABELS + SAMPLE),
            Value::Matrix(series) => {
                series.iter().map(|series| LABELS + series.samples.timestamps.len() * SAMPLE).sum()
            }
        }
}

fn answer(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn write_result(body: &mut String, value: &Value) {
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
                    SampleValue::Histogram(histogram) => {
                        body.push_str(r#","histogram":"#);
                        write_histogram_sample(body, sample.timestamp, histogram);
                    }
                }
                body.push('}');
            }
            body.push(']');
        }
        Value::Matrix(series) => {
            body.push('[');
            for (at, series) in series.iter().enumerate() {
                separate(body, at);
                write_series(body, series);
            }
            body.push(']');
        }
    }
}

/// Each kind of samples in an array of its own, which is there if it has any.
fn write_series(body: &mut String, series: &RangeSeries) {
    body.push_str(r#"{"metric":"#);
    write_labels(body, &series.labels);
    let samples = series.samples.timestamps.iter().zip(&series.samples.values);
    for (at, (timestamp, value)) in samples.enumerate() {
        body.push_str(if at == 0 { r#","values":["# } else { "," });
        write_sample(body, *timestamp, *value);
    }
    if !series.samples.timestamps.is_empty() {
        body.push(']');
    }
    for (at, point) in series.samples.histograms.iter().enumerate() {
        body.push_str(if at == 0 { r#","histograms":["# } else { "," });
        write_histogram_sample(body, point.timestamp, &point.histogram);
    }
    if !series.samples.histograms.is_empty() {
        body.push(']');
    }
    body.push('}');
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

fn write_histogram_sample(body: &mut String, timestamp: Millis, histogram: &FloatHistogram) {
    body.push('[');
    write_time(body, timestamp);
    body.push(',');
    write_histogram(body, histogram);
    body.push(']');
}

/// `{"count":"3","sum":"5.5","buckets":[[rule,"lower","upper","count"],…]}`, without `buckets` where all are empty.
fn write_histogram(body: &mut String, histogram: &FloatHistogram) {
    body.push_str(r#"{"count":""#);
    let _ = write_value_json(body, histogram.count);
    body.push_str(r#"","sum":""#);
    let _ = write_value_json(body, histogram.sum);
    body.push('"');
    let buckets = histogram_buckets(histogram);
    for (at, bucket) in buckets.iter().enumerate() {
        body.push_str(if at == 0 { r#","buckets":["# } else { "," });
        write_bucket(body, *bucket);
    }
    if !buckets.is_empty() {
        body.push(']');
    }
    body.push('}');
}

fn write_bucket(body: &mut String, bucket: HistogramBucket) {
    let rule = match (bucket.lower_inclusive, bucket.upper_inclusive) {
        (false, true) => '0',
        (true, false) => '1',
        (false, false) => '2',
        (true, true) => '3',
    };
    body.push('[');
    body.push(rule);
    for number in [bucket.lower, bucket.upper, bucket.count] {
        body.push_str(",\"");
        let _ = write_value_json(body, number);
        body.push('"');
    }
    body.push(']');
}

/// Seconds with three decimals at most, none where they are zero: as Prometheus prints them.
fn write_time(body: &mut String, timestamp: Millis) {
    if timestamp < 0 {
        body.push('-');
    }
    let magnitude = timestamp.unsigned_abs();
    let mut digits = itoa::Buffer::new();
    body.push_str(digits.format(magnitude / 1000));
    let fraction = magnitude % 1000;
    if fraction > 0 {
        // The leading one makes room for zeros.
        body.push('.');
        body.push_str(&digits.format(1000 + fraction)[1..]);
    }
}

fn write_labels(body: &mut String, labels: &Labels) {
    body.push('{');
    write_json_members(body, labels);
    body.push('}');
}

fn write_annotations<T: AsRef<str>>(body: &mut String, key: &str, texts: &[T]) {
    if texts.is_empty() {
        return;
    }
    body.push_str(&format!(",\"{key}\":["));
    for (at, text) in texts.iter().take(MAX_ANNOTATIONS).enumerate() {
        separate(body, at);
        write_json_text(body, text.as_ref());
    }
    let more = texts.len().saturating_sub(MAX_ANNOTATIONS);
    if more > 0 {
        let kind = if key == "infos" { "info" } else { "warning" };
        body.push(',');
        write_json_text(body, &format!("{more} more {kind} annotations omitted"));
    }
    body.push(']');
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
    #[test]
    fn histograms() {
        let histogram = FloatHistogram {
            zero_threshold: 0.25,
            zero_count: 2.0,
            count: 5.5,
            sum: f64::NAN,
            positive_spans: vec![model::Span { offset: 0, length: 3 }],
            positive_buckets: vec![1.5, 0.0, 2.0],
            ..FloatHistogram::default()
        };
        let mut body = String::new();
        write_histogram_sample(&mut body, 1500, &histogram);
        assert_eq!(
            body,
            r#"[1.500,{"count":"5.5","sum":"NaN","buckets":[[3,"-0.25","0.25","2"],[0,"0.5","1","1.5"],[0,"2","4","2"]]}]"#
        );
        body.clear();
        write_histogram(&mut body, &FloatHistogram::default());
        assert_eq!(body, r#"{"count":"0","sum":"0"}"#);
    }
}
