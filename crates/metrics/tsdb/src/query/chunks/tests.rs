//! Chunks merged as samples are: with sources made up here, and over the life of a database.

mod database;
mod merging;

use model::{Columns, HistogramPoint, Millis, bucket_indexes};
use storage::{Chunk, ChunkReader};

use super::ALL_TIME;
use crate::chunk::{Encoding, decode};

/// The chunks of a series, which must be as they were promised.
fn read_chunks(reader: &mut dyn ChunkReader) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    while let Some(chunk) = reader.next() {
        let chunk = chunk.unwrap();
        let columns = decoded([&chunk]);
        assert_eq!((columns.oldest(), columns.newest()), (Some(chunk.min_time), Some(chunk.max_time)));
        // As many floats may be in what grows in the head; chunks of histograms end by their bytes.
        assert!(columns.timestamps.len() <= 240, "{} samples", columns.len());
        assert!(chunk.data.len() <= 3000, "{} bytes", chunk.data.len());
        let last = chunks.last().map(|last| last.max_time);
        assert!(last.is_none_or(|last| last < chunk.min_time), "{last:?} is not before {}", chunk.min_time);
        chunks.push(chunk);
    }
    assert!(reader.next().is_none(), "the end is the end");
    chunks
}

fn decoded<'a>(chunks: impl IntoIterator<Item = &'a Chunk>) -> Columns {
    let mut columns = Columns::default();
    for chunk in chunks {
        let encoding = Encoding::from_byte(chunk.encoding.number()).unwrap();
        decode(encoding, &chunk.data, usize::MAX, ALL_TIME, &mut columns).unwrap();
    }
    columns
}

/// The samples as they can be compared: chunks have the empty buckets of their neighbours, too, and what is known of resets depends on
/// which sample is before.
fn plain(columns: &Columns) -> Vec<String> {
    let floats = columns.timestamps.iter().zip(&columns.values);
    let floats = floats.map(|(timestamp, value)| (*timestamp, format!("{value:?}")));
    let histograms = columns.histograms.iter().map(|point| (point.timestamp, histogram_text(point)));
    let mut all: Vec<_> = floats.chain(histograms).collect();
    all.sort_by_key(|(timestamp, _)| *timestamp);
    all.into_iter().map(|(timestamp, text)| format!("{timestamp} {text}")).collect()
}

fn histogram_text(point: &HistogramPoint) -> String {
    let histogram = &point.histogram;
    let filled = |spans: &[_], buckets: &[f64]| {
        let all = bucket_indexes(spans).zip(buckets.iter().copied());
        all.filter(|(_, count)| *count != 0.0).collect::<Vec<_>>()
    };
    let positive = filled(&histogram.positive_spans, &histogram.positive_buckets);
    let negative = filled(&histogram.negative_spans, &histogram.negative_buckets);
    let (schema, zero) = (histogram.schema, (histogram.zero_threshold, histogram.zero_count));
    format!("{schema} {zero:?} {} {:?} {positive:?} {negative:?}", histogram.count, histogram.sum)
}

/// What of the samples lies in a range.
fn within(columns: &Columns, (min_time, max_time): (Millis, Millis)) -> Columns {
    let mut part = Columns::default();
    for (timestamp, value) in columns.timestamps.iter().zip(&columns.values) {
        if (min_time..=max_time).contains(timestamp) {
            part.push(*timestamp, *value);
        }
    }
    let is_in = |point: &&HistogramPoint| (min_time..=max_time).contains(&point.timestamp);
    part.histograms.extend(columns.histograms.iter().filter(is_in).cloned());
    part
}
