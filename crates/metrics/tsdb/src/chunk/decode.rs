//! Reads a chunk of any kind in one tight loop, into columns.

use std::ops::ControlFlow;

use model::{Columns, HistogramPoint, Millis};

use super::{
    ChunkError, Encoding,
    bits::BitReader,
    histogram::{DecodedHistogram, Flavor, Floats, Integers, decode_histograms},
    window::{Window, read_change},
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
    decode_each(chunk, limit, floats_into(columns, range))
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
    let mut reader = BitReader::new(chunk.get(2..).unwrap_or_default());
    let mut timestamp = reader.varint()?;
    let mut value = reader.long_bits(64)?;
    if visit(timestamp, f64::from_bits(value)).is_break() || count == 1 {
        return Ok(());
    }
    let mut delta = reader.uvarint()? as i64;
    let mut window = Window::WHOLE;
    for index in 1..count {
        if index > 1 {
            delta = delta.wrapping_add(read_delta_of_delta(&mut reader)?);
        }
        let next = timestamp.wrapping_add(delta);
        if next <= timestamp {
            return Err(ChunkError::Corrupt("times do not ascend"));
        }
        timestamp = next;
        value ^= read_change(&mut reader, &mut window)?;
        if visit(timestamp, f64::from_bits(value)).is_break() {
            return Ok(());
        }
    }
    Ok(())
}

#[inline]
fn read_delta_of_delta(reader: &mut BitReader<'_>) -> Result<i64, ChunkError> {
    let size = match reader.ones(4)? {
        0 => return Ok(0),
        1 => 14,
        2 => 17,
        3 => 20,
        _ => return Ok(reader.long_bits(64)? as i64),
    };
    let bits = reader.bits(size)? as i64;
    // The largest positive number has the sign bit set and nothing else.
    Ok(if bits > 1 << (size - 1) { bits - (1 << size) } else { bits })
}
