//! All samples in one answer.

use model::{Columns, CounterResetHint, HistogramPoint, Labels, Span};
use prost::Message;
use storage::Queryable;
use wire::{
    prometheus::{
        BucketSpan, Histogram, QueryResult, ReadResponse, Sample, TimeSeries,
        histogram::{Count, ResetHint, ZeroCount},
    },
    snappy_compress,
};

use super::{ReadError, Selection, labels::with_external};

/// The compressed answer. More than `limit` samples are refused; 0 for no limit.
pub(super) fn answer(
    db: &dyn Queryable,
    selections: &[Selection],
    external: &Labels,
    limit: u64,
) -> Result<Vec<u8>, ReadError> {
    let mut response = ReadResponse::default();
    for selection in selections {
        response.results.push(result(db, selection, external, limit)?);
    }
    Ok(snappy_compress(&response.encode_to_vec()))
}

fn result(
    db: &dyn Queryable,
    selection: &Selection,
    external: &Labels,
    limit: u64,
) -> Result<QueryResult, ReadError> {
    let Selection { min_time, max_time, matchers, hints } = selection;
    let querier = db.querier(*min_time, *max_time)?;
    let mut set = querier.select(hints, matchers)?;
    let (mut result, mut columns, mut count) = (QueryResult::default(), Columns::default(), 0);
    while let Some(series) = set.next() {
        let mut series = series?;
        columns.clear();
        series.samples.read(*min_time, *max_time, &mut columns)?;
        count += (columns.timestamps.len() + columns.histograms.len()) as u64;
        if limit > 0 && count > limit {
            return Err(ReadError::SampleLimit(limit));
        }
        let samples = columns.timestamps.iter().zip(&columns.values);
        result.timeseries.push(TimeSeries {
            labels: with_external(&series.labels, external),
            samples: samples
                .map(|(timestamp, value)| Sample { value: *value, timestamp: *timestamp })
                .collect(),
            histograms: columns.histograms.drain(..).map(histogram).collect(),
            exemplars: Vec::new(),
        });
    }
    Ok(result)
}

fn histogram(HistogramPoint { timestamp, histogram }: HistogramPoint) -> Histogram {
    let spans = |spans: &[Span]| {
        spans.iter().map(|span| BucketSpan { offset: span.offset, length: span.length }).collect()
    };
    let hint = match histogram.counter_reset_hint {
        CounterResetHint::Unknown => ResetHint::Unknown,
        CounterResetHint::NotReset => ResetHint::No,
        CounterResetHint::Reset => ResetHint::Yes,
        CounterResetHint::Gauge => ResetHint::Gauge,
    };
    Histogram {
        count: Some(Count::CountFloat(histogram.count)),
        sum: histogram.sum,
        schema: histogram.schema,
        zero_threshold: histogram.zero_threshold,
        zero_count: Some(ZeroCount::ZeroCountFloat(histogram.zero_count)),
        negative_spans: spans(&histogram.negative_spans),
        negative_counts: histogram.negative_buckets,
        positive_spans: spans(&histogram.positive_spans),
        positive_counts: histogram.positive_buckets,
        reset_hint: hint.into(),
        timestamp,
        custom_values: histogram.custom_values,
        ..Histogram::default()
    }
}
