//! Reads a chunk in one tight loop, into columns.

use std::ops::ControlFlow;

use model::{Columns, Millis};

use super::{ChunkError, bits::BitReader};
use crate::encoding::unzigzag;

/// Number of samples in a chunk.
pub(crate) fn sample_count(chunk: &[u8]) -> Result<u16, ChunkError> {
    let header = chunk.first_chunk::<2>().ok_or(ChunkError::Corrupt("ends too early"))?;
    Ok(u16::from_be_bytes(*header))
}

/// Appends the samples in `[min_time, max_time]`, of the first `limit` of the chunk, that are younger than the last one in `columns`.
pub(crate) fn decode_columns(
    chunk: &[u8],
    limit: usize,
    (min_time, max_time): (Millis, Millis),
    columns: &mut Columns,
) -> Result<(), ChunkError> {
    let min_time = match columns.timestamps.last() {
        Some(last) if *last >= min_time => last.saturating_add(1),
        _ => min_time,
    };
    let room = usize::from(sample_count(chunk)?).min(limit);
    columns.timestamps.reserve(room);
    columns.values.reserve(room);
    decode_each(chunk, limit, |timestamp, value| {
        if timestamp > max_time {
            return ControlFlow::Break(());
        }
        if timestamp >= min_time {
            columns.timestamps.push(timestamp);
            columns.values.push(value);
        }
        ControlFlow::Continue(())
    })
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
    let mut timestamp = unzigzag(reader.uvarint()?);
    let mut value = reader.long_bits(64)?;
    if visit(timestamp, f64::from_bits(value)).is_break() || count == 1 {
        return Ok(());
    }
    let mut delta = reader.uvarint()? as i64;
    let mut window = Window::default();
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

/// Where the significant bits of changed values lie.
#[derive(Default)]
struct Window {
    leading: u32,
    trailing: u32,
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

#[inline]
fn read_change(reader: &mut BitReader<'_>, window: &mut Window) -> Result<u64, ChunkError> {
    match reader.ones(2)? {
        0 => return Ok(0),
        1 => {}
        _ => {
            let header = reader.bits(11)? as u32;
            let leading = header >> 6;
            let significant = match header & 63 {
                0 => 64,
                bits => bits,
            };
            let Some(trailing) = (64 - leading).checked_sub(significant) else {
                return Err(ChunkError::Corrupt("value has more than 64 bits"));
            };
            *window = Window { leading, trailing };
        }
    }
    let significant = 64 - window.leading - window.trailing;
    Ok(reader.long_bits(significant)? << window.trailing)
}
