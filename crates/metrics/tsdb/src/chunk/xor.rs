//! Writes a chunk, sample by sample.

mod block;

pub(super) use block::{Block, Blocks};

use model::Millis;

use super::{
    bits::put_bits,
    window::{Window, put_change},
};
use crate::encoding::{put_uvarint, put_varint};

/// Bytes a chunk starts with room for: grown in steps, since most series end long before they fill a chunk.
const INITIAL_BYTES: usize = 48;
/// Bytes by which that room grows: doubling it would leave a quarter of all memory for chunks unused.
const GROWTH_BYTES: usize = 64;
/// Most bytes that a sample takes.
const MAX_SAMPLE_BYTES: usize = 19;

/// An open chunk. The caller sees to it that timestamps ascend and that there are at most 65,535 samples.
#[derive(Debug, Clone)]
pub(crate) struct XorEncoder {
    bytes: Vec<u8>,
    last_time: Millis,
    last_delta: u64,
    last_value: f64,
    /// Unused bits of the last byte.
    free: u8,
    window: Window,
    count: u16,
}

impl XorEncoder {
    pub(crate) fn new() -> Self {
        let mut bytes = Vec::with_capacity(INITIAL_BYTES);
        bytes.extend_from_slice(&[0, 0]);
        Self { bytes, last_time: 0, last_delta: 0, last_value: 0.0, free: 0, window: Window::NONE, count: 0 }
    }

    /// Number of samples.
    pub(crate) fn len(&self) -> u16 {
        self.count
    }

    /// The chunk as it is now.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn append(&mut self, timestamp: Millis, value: f64) {
        if self.bytes.capacity() - self.bytes.len() < MAX_SAMPLE_BYTES {
            self.bytes.reserve_exact(GROWTH_BYTES);
        }
        match self.count {
            0 => {
                put_varint(&mut self.bytes, timestamp);
                self.bytes.extend_from_slice(&value.to_bits().to_be_bytes());
            }
            1 => {
                let delta = timestamp.wrapping_sub(self.last_time) as u64;
                put_uvarint(&mut self.bytes, delta);
                self.put_value(value);
                self.last_delta = delta;
            }
            _ => {
                let delta = timestamp.wrapping_sub(self.last_time) as u64;
                self.put_delta_of_delta(delta.wrapping_sub(self.last_delta) as i64);
                self.put_value(value);
                self.last_delta = delta;
            }
        }
        self.last_time = timestamp;
        self.last_value = value;
        self.count = self.count.checked_add(1).expect("BUG: chunks are cut long before 65,535 samples");
        self.bytes[..2].copy_from_slice(&self.count.to_be_bytes());
    }

    #[inline]
    fn put(&mut self, value: u64, count: u32) {
        put_bits(&mut self.bytes, &mut self.free, value, count);
    }

    #[inline]
    fn put_delta_of_delta(&mut self, change: i64) {
        // Each class reaches from -(2^(n-1) - 1) to 2^(n-1): not two's complement, one more at the top.
        match change {
            0 => self.put(0, 1),
            -8_191..=8_192 => self.put(0b10 << 14 | change as u64 & 0x3fff, 16),
            -65_535..=65_536 => self.put(0b110 << 17 | change as u64 & 0x1_ffff, 20),
            -524_287..=524_288 => self.put(0b1110 << 20 | change as u64 & 0xf_ffff, 24),
            _ => {
                self.put(0b1111, 4);
                self.put(change as u64, 64);
            }
        }
    }

    #[inline]
    fn put_value(&mut self, value: f64) {
        let change = value.to_bits() ^ self.last_value.to_bits();
        let mut window = self.window;
        put_change(&mut window, change, |value, count| self.put(value, count));
        self.window = window;
    }
}
