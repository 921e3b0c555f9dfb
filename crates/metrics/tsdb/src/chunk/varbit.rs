//! Numbers in one of nine classes: as many ones as the class has, a zero (but behind eight ones), the number in the bits of the class.
//!
//! ```text
//! 0                        10 <3b>          110 <6b>         1110 <9b>          11110 <12b>
//! 111110 <18b>             1111110 <25b>    11111110 <56b>   11111111 <64b>
//! ```

use super::{
    ChunkError,
    bits::{BitReader, BitWriter},
};

/// Bits of the classes from the second one on.
const WIDTHS: [u32; 8] = [3, 6, 9, 12, 18, 25, 56, 64];

/// Appends a signed number.
pub(super) fn put_int(out: &mut BitWriter, value: i64) {
    // Each class reaches from -(2^(n-1) - 1) to 2^(n-1): not two's complement, one more at the top.
    let fits = |width: u32| width == 64 || (1 - (1i64 << (width - 1))..=1 << (width - 1)).contains(&value);
    put(out, value as u64, fits);
}

/// Appends an unsigned number.
pub(super) fn put_uint(out: &mut BitWriter, value: u64) {
    put(out, value, |width| 64 - value.leading_zeros() <= width);
}

fn put(out: &mut BitWriter, value: u64, fits: impl Fn(u32) -> bool) {
    if value == 0 {
        out.put(0, 1);
        return;
    }
    let class = WIDTHS.iter().position(|width| fits(*width)).unwrap_or(WIDTHS.len() - 1);
    match class {
        7 => out.put(0xff, 8),
        _ => out.put((1 << (class + 2)) - 2, class as u32 + 2),
    }
    out.put(value, WIDTHS[class]);
}

/// Reads a signed number.
#[inline]
pub(super) fn read_int(reader: &mut BitReader<'_>) -> Result<i64, ChunkError> {
    let Some(width) = read_class(reader)? else {
        return Ok(0);
    };
    let bits = reader.long_bits(width)? as i64;
    Ok(if width < 64 && bits > 1 << (width - 1) { bits - (1 << width) } else { bits })
}

/// Reads an unsigned number.
pub(super) fn read_uint(reader: &mut BitReader<'_>) -> Result<u64, ChunkError> {
    match read_class(reader)? {
        Some(width) => reader.long_bits(width),
        None => Ok(0),
    }
}

/// Bits of the number that follows; none where it is 0.
#[inline]
fn read_class(reader: &mut BitReader<'_>) -> Result<Option<u32>, ChunkError> {
    let ones = reader.ones(8)? as usize;
    Ok(ones.checked_sub(1).and_then(|class| WIDTHS.get(class)).copied())
}
