//! What Prometheus and Loki answer with, read into columns.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

/// A series of samples.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Series {
    pub labels: BTreeMap<String, String>,
    /// Nanoseconds since 1970.
    pub times: Vec<i64>,
    pub values: Vec<f64>,
}

/// A stream of log lines.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Stream {
    pub labels: BTreeMap<String, String>,
    /// Nanoseconds since 1970.
    pub times: Vec<i64>,
    pub lines: Vec<String>,
}

/// A query's result.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Matrix(Vec<Series>),
    /// Each series has one sample.
    Vector(Vec<Series>),
    Scalar(Series),
    /// A string literal's value.
    Text(i64, String),
    Streams(Vec<Stream>),
}

/// A result and what the data source has to say about it.
#[derive(Debug)]
pub(super) struct Answered {
    pub answer: Answer,
    pub warnings: Vec<String>,
    pub infos: Vec<String>,
    /// Whether there were native histograms, which are left out.
    pub has_histograms: bool,
}

/// What a data source says when it refuses, or why its answer cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AnswerError {
    Refused(String),
    Unreadable(String),
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    data: Option<Data<'a>>,
    #[serde(rename = "errorType", default)]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    infos: Vec<String>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(rename = "resultType", borrow)]
    result_type: Cow<'a, str>,
    #[serde(borrow)]
    result: &'a RawValue,
}

#[derive(Deserialize)]
struct MatrixItem {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<Sample>,
    histograms: Option<de::IgnoredAny>,
}

#[derive(Deserialize)]
struct VectorItem {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    value: Option<Sample>,
    histogram: Option<de::IgnoredAny>,
}

#[derive(Deserialize)]
struct StreamItem {
    #[serde(default)]
    stream: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<LogEntry>,
}

/// `[seconds, "value"]`.
struct Sample(i64, f64);

/// `["nanoseconds", "line"]`, perhaps with structured metadata behind.
struct LogEntry(i64, String);

/// Reads an answer of either data source.
pub(super) fn read(body: &[u8]) -> Result<Answered, AnswerError> {
    let unreadable = |error: serde_json::Error| AnswerError::Unreadable(error.to_string());
    let envelope: Envelope = serde_json::from_slice(body).map_err(unreadable)?;
    if envelope.status != "success" {
        let Envelope { error_type, error, .. } = envelope;
        return Err(AnswerError::Refused(match (error_type.as_str(), error.as_str()) {
            ("", "") => return Err(AnswerError::Unreadable("no status, no error".into())),
            ("", error) => error.to_owned(),
            (kind, error) => format!("{kind}: {error}"),
        }));
    }
    let Some(data) = envelope.data else { return Err(AnswerError::Unreadable("no data".into())) };
    let result = data.result.get();
    let mut has_histograms = false;
    let answer = match &*data.result_type {
        "matrix" => {
            let items: Vec<MatrixItem> = serde_json::from_str(result).map_err(unreadable)?;
            has_histograms = items.iter().any(|item| item.histograms.is_some());
            let items = items.into_iter().filter(|item| !item.values.is_empty());
            Answer::Matrix(items.map(|item| series(item.metric, item.values)).collect())
        }
        "vector" => {
            let items: Vec<VectorItem> = serde_json::from_str(result).map_err(unreadable)?;
            has_histograms = items.iter().any(|item| item.histogram.is_some());
            let items = items.into_iter().filter_map(|item| Some(series(item.metric, vec![item.value?])));
            Answer::Vector(items.collect())
        }
        "scalar" => {
            let sample: Sample = serde_json::from_str(result).map_err(unreadable)?;
            Answer::Scalar(series(BTreeMap::new(), vec![sample]))
        }
        "string" => {
            let (seconds, text): (f64, String) = serde_json::from_str(result).map_err(unreadable)?;
            Answer::Text(nanos(seconds), text)
        }
        "streams" => {
            let items: Vec<StreamItem> = serde_json::from_str(result).map_err(unreadable)?;
            Answer::Streams(items.into_iter().map(stream).collect())
        }
        other => return Err(AnswerError::Unreadable(format!("result type {other:?}"))),
    };
    Ok(Answered { answer, warnings: envelope.warnings, infos: envelope.infos, has_histograms })
}

fn series(labels: BTreeMap<String, String>, samples: Vec<Sample>) -> Series {
    let (times, values) = samples.into_iter().map(|Sample(time, value)| (time, value)).unzip();
    Series { labels, times, values }
}

fn stream(item: StreamItem) -> Stream {
    let (times, lines) = item.values.into_iter().map(|LogEntry(time, line)| (time, line)).unzip();
    Stream { labels: item.stream, times, lines }
}

/// Prometheus has milliseconds; more digits are the fraction's rounding.
fn nanos(seconds: f64) -> i64 {
    ((seconds * 1e3).round() as i64).saturating_mul(1_000_000)
}

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Sample;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time and a value")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut pair: A) -> Result<Sample, A::Error> {
                let missing = || de::Error::invalid_length(0, &self);
                let seconds: f64 = pair.next_element()?.ok_or_else(missing)?;
                let text: Cow<'_, str> = pair.next_element::<Text<'_>>()?.ok_or_else(missing)?.0;
                let value = text
                    .parse()
                    .map_err(|_| de::Error::invalid_value(de::Unexpected::Str(&text), &"a number"))?;
                Ok(Sample(nanos(seconds), value))
            }
        }
        deserializer.deserialize_seq(Visitor)
    }
}

/// A text that is borrowed where it can be.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for LogEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = LogEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time and a line")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut pair: A) -> Result<LogEntry, A::Error> {
                let missing = || de::Error::invalid_length(0, &self);
                let time: Cow<'_, str> = pair.next_element::<Text<'_>>()?.ok_or_else(missing)?.0;
                let line: String = pair.next_element()?.ok_or_else(missing)?;
                while pair.next_element::<de::IgnoredAny>()?.is_some() {}
                let time = time
                    .parse()
                    .map_err(|_| de::Error::invalid_value(de::Unexpected::Str(&time), &"nanoseconds"))?;
                Ok(LogEntry(time, line))
            }
        }
        deserializer.deserialize_seq(Visitor)
    }
}
