//! XOR2: floats whose time and value are told together, so that a steady sample takes one bit.
//!
//! ```text
//! ┌──────────────────┬────────────────────────┬─────────────┬─────────┬───────────────────┬────────────┬───────────┬───────────┬─────
//! │ samples <2b, BE> │ start time header <1b> │ t0 <varint> │ v0 <8b> │ t1 - t0 <uvarint> │ v1 <value> │ s2 <pair> │ s3 <pair> │ …
//! └──────────────────┴────────────────────────┴─────────────┴─────────┴───────────────────┴────────────┴───────────┴───────────┴─────
//! pair   0                          time as expected, value unchanged
//!        10 <changed value>         time as expected
//!        110 <13b> <value>          the delta of time changes by a number in two's complement
//!        1110 <20b> <value>         so too
//!        11110 <64b> <value>        so too
//!        11111                      time as expected, the series is stale
//! value  0                          unchanged
//!        10 <significant bits>      in the window of the change before
//!        110 <window 11b> <…>       in a new window
//!        111                        the series is stale
//! changed value
//!        0 <significant bits>       in the window of the change before
//!        1 <window 11b> <…>         in a new window
//! ```
//!
//! Values change against the last one that is not the staleness marker. Behind each sample its start time may follow (`start_time`).

use std::ops::ControlFlow;

use model::{Millis, STALE_NAN, is_stale};

use super::{
    ChunkError, Encoding,
    bits::{BitReader, BitWriter},
    start_time::{LAST_START, StartTimes},
    varbit,
    window::Window,
};

/// Bytes before the first sample.
const HEADER: usize = 3;
/// Bytes a chunk starts with room for.
const INITIAL_BYTES: usize = 48;

/// An open chunk, without start times. The caller sees to it that timestamps ascend and that there are at most 65,535 samples.
#[derive(Debug, Clone)]
pub(crate) struct Xor2Encoder {
    out: BitWriter,
    last_time: Millis,
    last_delta: u64,
    /// The newest value that is not the staleness marker.
    last_value: u64,
    /// How far the sample before the newest lies behind its start time, which is 0.
    last_start_gap: i64,
    window: Window,
    count: u16,
}

// === impl Xor2Encoder ===

impl Xor2Encoder {
    pub(crate) fn new() -> Self {
        let mut bytes = Vec::with_capacity(INITIAL_BYTES);
        bytes.extend_from_slice(&[0; HEADER]);
        Self {
            out: BitWriter::behind(bytes),
            last_time: 0,
            last_delta: 0,
            last_value: 0,
            last_start_gap: 0,
            window: Window::NONE,
            count: 0,
        }
    }

    /// Number of samples.
    pub(crate) fn len(&self) -> u16 {
        self.count
    }

    /// The chunk as it is now.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.out.bytes()
    }

    pub(crate) fn append(&mut self, timestamp: Millis, value: f64) {
        let delta = timestamp.wrapping_sub(self.last_time) as u64;
        match self.count {
            0 => {
                self.out.put_varint(timestamp);
                self.out.put(value.to_bits(), 64);
            }
            1 => {
                self.out.put_uvarint(delta);
                self.put_value(value);
                self.last_delta = delta;
            }
            _ => {
                self.put_pair(delta.wrapping_sub(self.last_delta) as i64, value);
                self.last_delta = delta;
            }
        }
        if self.count >= LAST_START {
            self.put_start_time();
        }
        self.last_time = timestamp;
        if !is_stale(value) {
            self.last_value = value.to_bits();
        }
        self.count = self.count.checked_add(1).expect("BUG: chunks are cut long before 65,535 samples");
        self.out.bytes_mut()[..2].copy_from_slice(&self.count.to_be_bytes());
    }

    fn put_pair(&mut self, change: i64, value: f64) {
        match change {
            0 if is_stale(value) => return self.out.put(0b11111, 5),
            0 if value.to_bits() == self.last_value => return self.out.put(0, 1),
            0 => {
                self.out.put(0b10, 2);
                return self.put_change((0, 1), (1, 1), value.to_bits() ^ self.last_value);
            }
            -0x1000..=0xfff => self.out.put(0b110 << 13 | change as u64 & 0x1fff, 16),
            -0x8_0000..=0x7_ffff => self.out.put(0b1110 << 20 | change as u64 & 0xf_ffff, 24),
            _ => {
                self.out.put(0b11110, 5);
                self.out.put(change as u64, 64);
            }
        }
        self.put_value(value);
    }

    fn put_value(&mut self, value: f64) {
        let change = value.to_bits() ^ self.last_value;
        if is_stale(value) {
            self.out.put(0b111, 3);
        } else if change == 0 {
            self.out.put(0, 1);
        } else {
            self.put_change((0b10, 2), (0b110, 3), change);
        }
    }

    /// `known` and `new` announce a change in the window of the one before and one in a new window.
    fn put_change(&mut self, known: (u64, u32), new: (u64, u32), change: u64) {
        let narrow = Window::of(change);
        if self.window.holds(narrow) {
            self.out.put(known.0, known.1);
        } else {
            self.window = narrow;
            self.out.put(new.0, new.1);
            self.out.put(narrow.header(), 11);
        }
        self.out.put(self.window.cut(change), self.window.significant());
    }

    /// The start time is 0: its distance to the sample before the current one, then how that distance changes.
    fn put_start_time(&mut self) {
        let gap = self.last_time;
        if self.count == LAST_START {
            self.out.bytes_mut()[2] = LAST_START as u8;
            varbit::put_int(&mut self.out, gap);
        } else {
            varbit::put_int(&mut self.out, gap.wrapping_sub(self.last_start_gap));
        }
        self.last_start_gap = gap;
    }
}

/// Hands the first `limit` samples of a chunk to `visit`, until it breaks. Times are strictly ascending or the chunk is corrupt.
pub(crate) fn decode_xor2(
    chunk: &[u8],
    limit: usize,
    mut visit: impl FnMut(Millis, f64) -> ControlFlow<()>,
) -> Result<(), ChunkError> {
    let count = usize::from(Encoding::Xor2.sample_count(chunk)?).min(limit);
    let header = chunk.get(2).ok_or(ChunkError::Corrupt("ends too early"))?;
    let start_times = StartTimes::from_header(*header);
    let mut sample = Sample {
        reader: BitReader::new(chunk.get(HEADER..).unwrap_or_default()),
        timestamp: 0,
        delta: 0,
        value: 0,
        stale: false,
        window: Window::WHOLE,
    };
    for index in 0..count {
        match index {
            0 => sample.read_first()?,
            1 => sample.read_second()?,
            _ => sample.read_pair()?,
        }
        start_times.skip(&mut sample.reader, index)?;
        let value = if sample.stale { STALE_NAN } else { f64::from_bits(sample.value) };
        if visit(sample.timestamp, value).is_break() {
            break;
        }
    }
    Ok(())
}

/// The sample that was read last.
struct Sample<'a> {
    reader: BitReader<'a>,
    timestamp: Millis,
    delta: i64,
    /// The newest value that is not the staleness marker.
    value: u64,
    stale: bool,
    window: Window,
}

// === impl Sample ===

impl Sample<'_> {
    fn read_first(&mut self) -> Result<(), ChunkError> {
        self.timestamp = self.reader.varint()?;
        let value = self.reader.long_bits(64)?;
        self.stale = is_stale(f64::from_bits(value));
        if !self.stale {
            self.value = value;
        }
        Ok(())
    }

    fn read_second(&mut self) -> Result<(), ChunkError> {
        self.delta = self.reader.uvarint()? as i64;
        self.advance()?;
        self.read_value()
    }

    #[inline]
    fn read_pair(&mut self) -> Result<(), ChunkError> {
        let bits = match self.reader.ones(5)? {
            0 => {
                self.stale = false;
                return self.advance();
            }
            1 => {
                self.stale = false;
                self.advance()?;
                let new_window = self.reader.bits(1)? == 1;
                return self.read_change(new_window);
            }
            2 => 13,
            3 => 20,
            4 => 64,
            _ => {
                self.stale = true;
                return self.advance();
            }
        };
        let change = self.reader.long_bits(bits)? << (64 - bits);
        self.delta = self.delta.wrapping_add(change as i64 >> (64 - bits));
        self.advance()?;
        self.read_value()
    }

    #[inline]
    fn advance(&mut self) -> Result<(), ChunkError> {
        let next = self.timestamp.wrapping_add(self.delta);
        if next <= self.timestamp {
            return Err(ChunkError::Corrupt("times do not ascend"));
        }
        self.timestamp = next;
        Ok(())
    }

    fn read_value(&mut self) -> Result<(), ChunkError> {
        let ones = self.reader.ones(3)?;
        self.stale = ones == 3;
        match ones {
            1 => self.read_change(false),
            2 => self.read_change(true),
            _ => Ok(()),
        }
    }

    #[inline]
    fn read_change(&mut self, new_window: bool) -> Result<(), ChunkError> {
        if new_window {
            self.window = Window::read_header(&mut self.reader)?;
        }
        self.value ^= self.window.read_change(&mut self.reader)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
