//! Answers to a query over a range, and to the same query at each of its steps.

use std::collections::BTreeMap;

use model::Labels;
use promql::{Engine, QueryOptions, SampleValue, Value, memory::MemoryStorage};

/// From, to, step.
pub type Times = (i64, i64, i64);

/// What a sample holds, comparable: the bits of a float, or the text of a histogram.
pub type Answer = BTreeMap<(i64, Labels), String>;

fn text(value: &SampleValue) -> String {
    match value {
        // There is one NaN as far as answers go.
        SampleValue::Float(value) if value.is_nan() => "NaN".to_owned(),
        SampleValue::Float(value) => format!("{value:?}"),
        SampleValue::Histogram(histogram) => format!("{histogram:?}"),
    }
}

/// What a range query gives, by time and series.
pub fn range(engine: &Engine, storage: &MemoryStorage, query: &str, times: Times) -> Result<Answer, String> {
    let result =
        engine.range(storage, query, times, &QueryOptions::default()).map_err(|error| error.to_string())?;
    let Value::Matrix(series) = result.value else { panic!("{query}") };
    let mut answer = Answer::new();
    for series in series {
        let floats = series.samples.timestamps.iter().zip(&series.samples.values);
        let floats = floats.map(|(time, value)| (*time, SampleValue::Float(*value)));
        let histograms = series.samples.histograms.iter();
        let histograms =
            histograms.map(|point| (point.timestamp, SampleValue::Histogram(point.histogram.clone().into())));
        for (time, value) in floats.chain(histograms) {
            answer.insert((time, series.labels.clone()), text(&value));
        }
    }
    Ok(answer)
}

/// The same of instant queries at its steps.
pub fn instants(
    engine: &Engine,
    storage: &MemoryStorage,
    query: &str,
    times: Times,
) -> Result<Answer, String> {
    let (from, to, step) = times;
    let mut answer = Answer::new();
    for time in (from..=to).step_by(step as usize) {
        let result = engine
            .instant(storage, query, time, &QueryOptions::default())
            .map_err(|error| error.to_string())?;
        let Value::Vector(samples) = result.value else { panic!("{query}") };
        for sample in samples {
            answer.insert((time, sample.labels), text(&sample.value));
        }
    }
    Ok(answer)
}
