//! From series to answers.

use std::{mem, sync::Arc};

use model::{Columns, HistogramPoint, Millis};
use rustc_hash::FxHashMap;
use vector::{SameLabelset, Steps, has_duplicates};

use super::{Executor, Series, names::without_metadata};
use crate::{
    engine::{EngineError, RangeSeries, Sample, SampleValue, Value, budget::Memory},
    plan::Vector,
};

impl Executor<'_> {
    /// The series of a vector over all steps. Each row becomes samples at once: what a series lacks costs nothing from here on.
    pub(crate) fn range_series(&self, vector: &Vector) -> Result<Vec<RangeSeries>, EngineError> {
        let mut all = Vec::new();
        self.vector(vector, &mut |series| {
            self.context.budget.charge(Memory::of_columns(series.samples()).with_labels(&series.labels))?;
            all.push(range_series(series, self.steps));
            Ok(())
        })?;
        Ok(all)
    }
}

/// The answer of an instant query: series in the order in which they came.
pub(crate) fn vector_value(all: Vec<Series>, steps: Steps) -> Result<Value, EngineError> {
    let samples: Vec<Sample> = all
        .into_iter()
        .filter_map(|series| {
            let labels = if series.drop_name { without_metadata(&series.labels) } else { series.labels };
            let value = match series.histograms.into_iter().next() {
                Some((_, histogram)) => SampleValue::Histogram(histogram),
                None => SampleValue::Float(series.floats.get(0)?),
            };
            Some(Sample { labels, timestamp: steps.start(), value })
        })
        .collect();
    if has_duplicates(samples.iter().map(|sample| &sample.labels)) {
        return Err(SameLabelset.into());
    }
    Ok(Value::Vector(samples))
}

/// The answer of a query for samples over time: series in order of their labels. Those with the same labels become one, unless they meet.
pub(crate) fn matrix_value(all: Vec<RangeSeries>) -> Result<Value, EngineError> {
    let mut series = merge(all)?;
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok(Value::Matrix(series))
}

fn merge(all: Vec<RangeSeries>) -> Result<Vec<RangeSeries>, EngineError> {
    if !has_duplicates(all.iter().map(|series| &series.labels)) {
        return Ok(all);
    }
    let mut merged: Vec<RangeSeries> = Vec::new();
    let mut index = FxHashMap::default();
    for series in all {
        match index.get(&series.labels) {
            None => {
                index.insert(series.labels.clone(), merged.len());
                merged.push(series);
            }
            Some(at) => {
                let target: &mut RangeSeries = &mut merged[*at];
                absorb(&mut target.samples, series.samples)?;
            }
        }
    }
    Ok(merged)
}

/// Takes over samples of other times.
fn absorb(target: &mut Columns, other: Columns) -> Result<(), EngineError> {
    let mut floats: Vec<(Millis, f64)> = Vec::with_capacity(target.values.len() + other.values.len());
    for columns in [&*target, &other] {
        floats.extend(columns.timestamps.iter().copied().zip(columns.values.iter().copied()));
    }
    floats.sort_by_key(|(time, _)| *time);
    let mut histograms = mem::take(&mut target.histograms);
    histograms.extend(other.histograms);
    histograms.sort_by_key(|point| point.timestamp);

    let has_float = |time: &Millis| floats.binary_search_by_key(time, |(time, _)| *time).is_ok();
    if floats.windows(2).any(|pair| pair[0].0 == pair[1].0)
        || histograms.windows(2).any(|pair| pair[0].timestamp == pair[1].timestamp)
        || histograms.iter().any(|point| has_float(&point.timestamp))
    {
        return Err(SameLabelset.into());
    }
    (target.timestamps, target.values) = floats.into_iter().unzip();
    target.histograms = histograms;
    Ok(())
}

fn range_series(series: Series, steps: Steps) -> RangeSeries {
    let mut samples = Columns::default();
    let count = series.floats.count();
    samples.timestamps.reserve_exact(count);
    samples.values.reserve_exact(count);
    for (step, value) in series.floats.iter() {
        samples.push(steps.at(step), value);
    }
    samples.histograms = series
        .histograms
        .into_iter()
        .map(|(step, histogram)| HistogramPoint {
            timestamp: steps.at(step),
            histogram: Arc::unwrap_or_clone(histogram),
        })
        .collect();
    let labels = if series.drop_name { without_metadata(&series.labels) } else { series.labels };
    RangeSeries { labels, samples }
}
