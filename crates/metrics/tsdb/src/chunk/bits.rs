//! Streams of bits, most significant first, read and written through a 64-bit word.

use super::ChunkError;
use crate::encoding::{unzigzag, zigzag};

/// Appends `count` (1 … 64) low bits of `value` to a stream whose last byte has `free` unused bits.
#[inline]
pub(super) fn put_bits(bytes: &mut Vec<u8>, free: &mut u8, value: u64, count: u32) {
    debug_assert!((1..=64).contains(&count));
    let mut value = value << (64 - count);
    let mut left = count;
    let room = u32::from(*free);
    if room > 0 {
        if let Some(last) = bytes.last_mut() {
            *last |= ((value >> 56) as u8) >> (8 - room);
        }
        if left <= room {
            *free = (room - left) as u8;
            return;
        }
        value <<= room;
        left -= room;
    }
    while left >= 8 {
        bytes.push((value >> 56) as u8);
        value <<= 8;
        left -= 8;
    }
    if left > 0 {
        bytes.push((value >> 56) as u8);
    }
    *free = ((8 - left) % 8) as u8;
}

/// Writes a stream to its end.
#[derive(Debug, Clone, Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    /// Unused bits of the last byte.
    free: u8,
}

impl BitWriter {
    /// Begins behind whole bytes.
    pub(super) fn behind(bytes: Vec<u8>) -> Self {
        Self { bytes, free: 0 }
    }

    /// Appends `count` (1 … 64) low bits of `value`.
    #[inline]
    pub(super) fn put(&mut self, value: u64, count: u32) {
        put_bits(&mut self.bytes, &mut self.free, value, count);
    }

    /// Appends a signed varint, byte by byte.
    pub(super) fn put_varint(&mut self, value: i64) {
        self.put_uvarint(zigzag(value));
    }

    /// Appends an unsigned varint, byte by byte.
    pub(super) fn put_uvarint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.put(value & 0x7f | 0x80, 8);
            value >>= 7;
        }
        self.put(value, 8);
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was written, to change whole bytes in front.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

/// Reads a stream from its front.
pub(crate) struct BitReader<'a> {
    rest: &'a [u8],
    /// The next bits, left-aligned. Bits beyond `valid` are either zero or what the stream holds there.
    word: u64,
    valid: u32,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, word: 0, valid: 0 }
    }

    /// Makes at least 56 bits valid, fewer only at the end of the stream.
    #[inline]
    fn refill(&mut self) {
        if let Some(next) = self.rest.first_chunk::<8>() {
            self.word |= u64::from_be_bytes(*next) >> self.valid;
            let taken = (63 - self.valid) >> 3;
            self.rest = self.rest.get(taken as usize..).unwrap_or_default();
            self.valid |= 56;
            return;
        }
        while self.valid <= 56 {
            let Some((next, rest)) = self.rest.split_first() else {
                return;
            };
            self.word |= u64::from(*next) << (56 - self.valid);
            self.valid += 8;
            self.rest = rest;
        }
    }

    /// Reads 1 … 56 bits.
    #[inline]
    pub(super) fn bits(&mut self, count: u32) -> Result<u64, ChunkError> {
        debug_assert!((1..=56).contains(&count));
        if self.valid < count {
            self.refill();
            if self.valid < count {
                return Err(ChunkError::Corrupt("ends too early"));
            }
        }
        let value = self.word >> (64 - count);
        self.word <<= count;
        self.valid -= count;
        Ok(value)
    }

    /// Reads 1 … 64 bits.
    #[inline]
    pub(super) fn long_bits(&mut self, count: u32) -> Result<u64, ChunkError> {
        if count <= 56 {
            return self.bits(count);
        }
        let high = self.bits(count - 32)?;
        Ok(high << 32 | self.bits(32)?)
    }

    /// Counts the ones before the next zero, at most `most`, and takes that zero too.
    #[inline]
    pub(super) fn ones(&mut self, most: u32) -> Result<u32, ChunkError> {
        if self.valid <= most {
            self.refill();
        }
        let ones = self.word.leading_ones().min(most);
        let taken = if ones == most { most } else { ones + 1 };
        if taken > self.valid {
            return Err(ChunkError::Corrupt("ends too early"));
        }
        self.word <<= taken;
        self.valid -= taken;
        Ok(ones)
    }

    /// Goes on behind the first `position` bits.
    pub(super) fn at(bytes: &'a [u8], position: usize) -> Self {
        let (word, valid) = match (position % 8) as u32 {
            0 => (0, 0),
            read => {
                let byte = bytes.get(position / 8).copied().unwrap_or_default();
                (u64::from(byte) << (56 + read), 8 - read)
            }
        };
        Self { rest: bytes.get(position.div_ceil(8)..).unwrap_or_default(), word, valid }
    }

    /// Bits that are left, padding included.
    pub(super) fn remaining(&self) -> usize {
        // What the word holds beyond `valid` is not yet taken from `rest`.
        self.rest.len().saturating_mul(8).saturating_add(self.valid as usize)
    }

    pub(super) fn varint(&mut self) -> Result<i64, ChunkError> {
        Ok(unzigzag(self.uvarint()?))
    }

    pub(super) fn uvarint(&mut self) -> Result<u64, ChunkError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.bits(8)?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= (byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(ChunkError::Corrupt("number does not fit 64 bits"))
    }
}
