//! Reads a chunk of any kind in one tight loop, into columns.

use std::ops::{ControlFlow, Range};

use model::{Columns, HistogramPoint, Millis};

use super::{
    ChunkError, Encoding,
    histogram::{DecodedHistogram, Flavor, Floats, Integers, decode_histograms},
    xor::{Block, Blocks},
    xor2::decode_xor2,
};

/// Number of samples in a chunk of floats.
pub(crate) fn sample_count(chunk: &[u8]) -> Result<u16, ChunkError> {
    Encoding::Xor.sample_count(chunk)
}

/// Appends the samples in `[min_time, max_time]`, of the first `limit` of a chunk, that are younger than the last one in `columns`.
/// Integer histograms become float histograms.
pub(crate) fn decode(
    encoding: Encoding,
    chunk: &[u8],
    limit: usize,
    range: (Millis, Millis),
    columns: &mut Columns,
) -> Result<(), ChunkError> {
    match encoding {
        Encoding::Xor => decode_columns(chunk, limit, range, columns),
        Encoding::Xor2 => {
            reserve(encoding, chunk, limit, columns)?;
            decode_xor2(chunk, limit, floats_into(columns, range))
        }
        Encoding::Histogram | Encoding::HistogramSt => {
            decode_histograms::<Integers>(encoding, chunk, limit, histograms_into(columns, range))
        }
        Encoding::FloatHistogram | Encoding::FloatHistogramSt => {
            decode_histograms::<Floats>(encoding, chunk, limit, histograms_into(columns, range))
        }
    }
}

/// [`decode`] of [`Encoding::Xor`], which nearly all chunks have.
pub(crate) fn decode_columns(
    chunk: &[u8],
    limit: usize,
    range: (Millis, Millis),
    columns: &mut Columns,
) -> Result<(), ChunkError> {
    reserve(Encoding::Xor, chunk, limit, columns)?;
    let range = (start(columns, range.0), range.1);
    let mut blocks = Blocks::new(chunk, usize::from(sample_count(chunk)?).min(limit));
    while let Some(Block { timestamps, values, result }) = blocks.next(range.1) {
        let inside = inside(timestamps, range);
        columns.timestamps.extend_from_slice(&timestamps[inside.clone()]);
        columns.values.extend_from_slice(&values[inside]);
        result?;
    }
    Ok(())
}

/// Which of some ascending times are in a range.
#[inline]
fn inside(timestamps: &[Millis], (min_time, max_time): (Millis, Millis)) -> Range<usize> {
    let (Some(first), Some(last)) = (timestamps.first(), timestamps.last()) else {
        return 0..0;
    };
    if min_time <= *first && *last <= max_time {
        return 0..timestamps.len();
    }
    let start = timestamps.partition_point(|timestamp| *timestamp < min_time);
    start..timestamps.partition_point(|timestamp| *timestamp <= max_time).max(start)
}

/// The newest float in a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Newest {
    /// No sample is in the range.
    Nothing,
    /// The sample's time and value, which may be a staleness marker.
    Float(Millis, f64),
    /// The chunk's samples are histograms: they were not read.
    Histograms,
}

/// Finds the newest sample in `[min_time, max_time]`, of the first `limit` of a chunk. No other is kept.
pub(crate) fn decode_newest(
    encoding: Encoding,
    chunk: &[u8],
    limit: usize,
    range: (Millis, Millis),
) -> Result<Newest, ChunkError> {
    let mut newest = Newest::Nothing;
    match encoding {
        Encoding::Xor => {
            let mut blocks = Blocks::new(chunk, usize::from(sample_count(chunk)?).min(limit));
            while let Some(Block { timestamps, values, result }) = blocks.next(range.1) {
                let inside = inside(timestamps, range);
                if let (Some(timestamp), Some(value)) =
                    (timestamps[inside.clone()].last(), values[inside].last())
                {
                    newest = Newest::Float(*timestamp, *value);
                }
                result?;
            }
        }
        Encoding::Xor2 => decode_xor2(chunk, limit, |timestamp, value| {
            if timestamp > range.1 {
                return ControlFlow::Break(());
            }
            if timestamp >= range.0 {
                newest = Newest::Float(timestamp, value);
            }
            ControlFlow::Continue(())
        })?,
        Encoding::Histogram
        | Encoding::HistogramSt
        | Encoding::FloatHistogram
        | Encoding::FloatHistogramSt => return Ok(Newest::Histograms),
    }
    Ok(newest)
}

fn reserve(encoding: Encoding, chunk: &[u8], limit: usize, columns: &mut Columns) -> Result<(), ChunkError> {
    let room = usize::from(encoding.sample_count(chunk)?).min(limit);
    columns.timestamps.reserve(room);
    columns.values.reserve(room);
    Ok(())
}

/// The first moment from which samples are to be added.
fn start(columns: &Columns, min_time: Millis) -> Millis {
    match columns.newest() {
        Some(newest) if newest >= min_time => newest.saturating_add(1),
        _ => min_time,
    }
}

#[inline]
fn floats_into(
    columns: &mut Columns,
    (min_time, max_time): (Millis, Millis),
) -> impl FnMut(Millis, f64) -> ControlFlow<()> + '_ {
    let min_time = start(columns, min_time);
    move |timestamp, value| {
        if timestamp > max_time {
            return ControlFlow::Break(());
        }
        if timestamp >= min_time {
            columns.timestamps.push(timestamp);
            columns.values.push(value);
        }
        ControlFlow::Continue(())
    }
}

fn histograms_into<F: Flavor>(
    columns: &mut Columns,
    (min_time, max_time): (Millis, Millis),
) -> impl FnMut(Millis, DecodedHistogram<'_, F>) -> ControlFlow<()> + '_ {
    let min_time = start(columns, min_time);
    move |timestamp, decoded| {
        if timestamp > max_time {
            return ControlFlow::Break(());
        }
        if timestamp >= min_time {
            columns.histograms.push(HistogramPoint { timestamp, histogram: decoded.to_float() });
        }
        ControlFlow::Continue(())
    }
}

/// Hands the first `limit` samples of a chunk to `visit`, until it breaks. Times are strictly ascending or the chunk is corrupt.
#[inline]
pub(crate) fn decode_each(
    chunk: &[u8],
    limit: usize,
    mut visit: impl FnMut(Millis, f64) -> ControlFlow<()>,
) -> Result<(), ChunkError> {
    let count = usize::from(sample_count(chunk)?).min(limit);
    if count == 0 {
        return Ok(());
    }
    let mut blocks = Blocks::new(chunk, count);
    while let Some(Block { timestamps, values, result }) = blocks.next(Millis::MAX) {
        for (timestamp, value) in timestamps.iter().zip(values) {
            if visit(*timestamp, *value).is_break() {
                return Ok(());
            }
        }
        result?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
