//! Reads chunks a block of samples at a time.

use model::Millis;

use crate::chunk::{
    ChunkError,
    bits::BitReader,
    window::{Window, read_change},
};

/// Samples of a block: enough that what is done once a block does not count, few enough that a reader that wants only some does not wait.
const BLOCK: usize = 32;
/// Bytes of a chunk that are looked at together, a power of two. Nearly all chunks are smaller.
const VIEW_BYTES: usize = 1024;
/// Bytes that a peek reads.
const PEEK_BYTES: usize = 8;
/// Bits that a sample takes at most: how the delta changes, then a change of value in a new window.
const MAX_SAMPLE_BITS: usize = (4 + 64) + (2 + 11 + 64);
/// Bytes that a block takes at most, from the one in which it begins to the one behind.
const MAX_BLOCK_BYTES: usize = (BLOCK * MAX_SAMPLE_BITS).div_ceil(8) + 2;
/// Bytes of the count, before the first sample.
const COUNT_BYTES: usize = 2;
/// Deltas and times up to these are added without a look at overflow: a block of such deltas cannot reach the end of numbers.
const MAX_PLAIN_DELTA: i64 = 1 << 40;
const MAX_PLAIN_TIME: Millis = 1 << 60;
/// A position behind all chunks: what was read makes no sense, or only seldom.
const ODD: usize = usize::MAX / 2;

/// The samples of a chunk, in blocks. Times are strictly ascending or the chunk is corrupt.
///
/// Blocks are read twice at most: first as if all were well, with whatever lies behind the chunk's end, and nothing is checked that can be
/// checked at the block's end. If that cannot have been right, then again, sample by sample and carefully.
pub(crate) struct Blocks<'a> {
    chunk: &'a [u8],
    /// Samples that are still to be read.
    left: usize,
    /// Whether the first sample was read.
    begun: bool,
    newest: Sample,
    buffers: Buffers,
    /// Where in the chunk the view begins.
    view_start: usize,
}

/// Samples that follow each other; those before a fault come with it.
pub(crate) struct Block<'b> {
    pub(crate) timestamps: &'b [Millis],
    pub(crate) values: &'b [f64],
    pub(crate) result: Result<(), ChunkError>,
}

/// A sample, and what is to be known to read the next one.
#[derive(Clone, Copy)]
struct Sample {
    /// Where the next one begins, in bits from the begin of the view.
    position: usize,
    timestamp: Millis,
    delta: i64,
    /// The bits of the value.
    value: u64,
    window: Window,
}

/// Behind one pointer and of sizes that the compiler knows, so that the loop over a block needs few registers and no bounds checks.
struct Buffers {
    timestamps: [Millis; BLOCK],
    values: [f64; BLOCK],
    view: [u8; VIEW_BYTES + PEEK_BYTES],
}

impl<'a> Blocks<'a> {
    /// The first `count` samples.
    #[inline]
    pub(crate) fn new(chunk: &'a [u8], count: usize) -> Self {
        let (timestamps, values, mut view) = ([0; BLOCK], [0.0; BLOCK], [0; VIEW_BYTES + PEEK_BYTES]);
        let viewed = chunk.len().min(VIEW_BYTES);
        view[..viewed].copy_from_slice(&chunk[..viewed]);
        Self {
            chunk,
            left: count,
            begun: false,
            newest: Sample { position: 0, timestamp: Millis::MIN, delta: 0, value: 0, window: Window::WHOLE },
            buffers: Buffers { timestamps, values, view },
            view_start: 0,
        }
    }

    /// The next block, unless all samples were read or the newest is after `max_time`.
    #[inline]
    pub(crate) fn next(&mut self, max_time: Millis) -> Option<Block<'_>> {
        if self.left == 0 || self.newest.timestamp > max_time {
            return None;
        }
        let (read, result) = self.read(max_time);
        self.left = if result.is_ok() { self.left - read } else { 0 };
        let (timestamps, values) = (&self.buffers.timestamps[..read], &self.buffers.values[..read]);
        Some(Block { timestamps, values, result })
    }

    #[inline]
    fn read(&mut self, max_time: Millis) -> (usize, Result<(), ChunkError>) {
        let to = self.left.min(BLOCK);
        let mut from = 0;
        if !self.begun {
            self.begun = true;
            let begun = self.read_first(max_time);
            if begun.0 < 2 || begun.1.is_err() {
                return begun;
            }
            from = begun.0;
        }
        self.move_view();
        let Sample { timestamp, delta, .. } = self.newest;
        if (1..=MAX_PLAIN_DELTA).contains(&delta) && (-MAX_PLAIN_TIME..=MAX_PLAIN_TIME).contains(&timestamp) {
            let newest = self.buffers.read(self.newest, from, to);
            if newest.position <= (self.chunk.len() - self.view_start) * 8 {
                self.newest = newest;
                return (to, Ok(()));
            }
        }
        self.read_carefully(from, to, max_time)
    }

    /// Sees to it that all of the next block is in the view.
    #[inline]
    fn move_view(&mut self) {
        let read = self.newest.position / 8;
        if self.view_start + VIEW_BYTES >= self.chunk.len() || read + MAX_BLOCK_BYTES <= VIEW_BYTES {
            return;
        }
        self.view_start += read;
        self.newest.position -= read * 8;
        let rest = &self.chunk[self.view_start..];
        let viewed = rest.len().min(VIEW_BYTES);
        self.buffers.view[..viewed].copy_from_slice(&rest[..viewed]);
    }

    /// Reads the first two samples, of which the parts before the second one's value are whole bytes.
    #[inline(never)]
    fn read_first(&mut self, max_time: Millis) -> (usize, Result<(), ChunkError>) {
        let mut reader = BitReader::new(self.chunk.get(COUNT_BYTES..).unwrap_or_default());
        let first = reader.varint().and_then(|timestamp| Ok((timestamp, reader.long_bits(64)?)));
        match first {
            Ok((timestamp, value)) => {
                self.newest.timestamp = timestamp;
                self.newest.value = value;
                self.buffers.put(0, &self.newest);
            }
            Err(error) => return (0, Err(error)),
        }
        if self.left == 1 || self.newest.timestamp > max_time {
            return (1, Ok(()));
        }
        match reader.uvarint().and_then(|delta| self.finish_carefully(1, delta as i64, reader)) {
            Ok(()) => (2, Ok(())),
            Err(error) => (1, Err(error)),
        }
    }

    /// Reads samples `from..to` of a block, as far as `max_time` and the first one behind it, or to a fault.
    #[cold]
    #[inline(never)]
    fn read_carefully(
        &mut self,
        from: usize,
        to: usize,
        max_time: Millis,
    ) -> (usize, Result<(), ChunkError>) {
        for index in from..to {
            if self.newest.timestamp > max_time {
                return (index, Ok(()));
            }
            let mut reader = BitReader::at(&self.chunk[self.view_start..], self.newest.position);
            let sample = read_delta_of_delta(&mut reader).and_then(|change| {
                self.finish_carefully(index, self.newest.delta.wrapping_add(change), reader)
            });
            if let Err(error) = sample {
                return (index, Err(error));
            }
        }
        (to, Ok(()))
    }

    /// Reads the rest of a sample whose delta is known.
    fn finish_carefully(
        &mut self,
        index: usize,
        delta: i64,
        mut reader: BitReader<'_>,
    ) -> Result<(), ChunkError> {
        let newest = &mut self.newest;
        let timestamp = newest.timestamp.wrapping_add(delta);
        if timestamp <= newest.timestamp {
            return Err(ChunkError::Corrupt("times do not ascend"));
        }
        newest.timestamp = timestamp;
        newest.delta = delta;
        newest.value ^= read_change(&mut reader, &mut newest.window)?;
        newest.position = (self.chunk.len() - self.view_start) * 8 - reader.remaining();
        self.buffers.put(index, newest);
        Ok(())
    }
}

impl Buffers {
    #[inline]
    fn put(&mut self, index: usize, sample: &Sample) {
        self.timestamps[index] = sample.timestamp;
        self.values[index] = f64::from_bits(sample.value);
    }

    /// The next 57 bits, left-aligned; what lies behind them may be zeros or the next bits.
    ///
    /// It depends on nothing but the position, so that the processor reads the next sample before it is done with this one.
    #[inline(always)]
    fn peek(&self, position: usize) -> u64 {
        let at = position / 8 % VIEW_BYTES;
        let bytes = self.view[at..at + PEEK_BYTES].try_into().unwrap_or_default();
        u64::from_be_bytes(bytes) << (position % 8)
    }

    /// Reads samples `from..to` behind `newest`, which is the last of the block before. What cannot be right, or would need more care
    /// than it is worth, gives an odd position.
    #[inline(never)]
    fn read(&mut self, newest: Sample, from: usize, to: usize) -> Sample {
        let Sample { mut position, mut timestamp, mut delta, mut value, window } = newest;
        let (mut leading, mut significant, mut mask) = window.parts();
        let to = to.min(BLOCK);
        let mut index = from;
        while index < to {
            let mut word = self.peek(position);
            if word >> 63 == 0 {
                word <<= 1;
                position += 1;
            } else {
                let ones = word.leading_ones();
                let size = match ones {
                    1 => 14,
                    2 => 17,
                    3 => 20,
                    _ => return Sample { position: ODD, ..newest },
                };
                // The largest positive number has the sign bit set and nothing else: one less is in two's complement.
                let unused = 64 - size;
                delta += ((word << (ones + 1)).wrapping_sub(1 << unused) as i64 >> unused) + 1;
                if !(1..=MAX_PLAIN_DELTA).contains(&delta) {
                    return Sample { position: ODD, ..newest };
                }
                position += (ones + 1 + size) as usize;
                word = self.peek(position);
            }
            timestamp += delta;
            // At least 56 bits of the word are left.
            if word >> 63 == 0 {
                if word >> 53 == 0 {
                    // The rest of the word tells of samples that come at the times expected and have the same value: two zeros each.
                    let run = word.leading_zeros().div_ceil(2).min(28) as usize;
                    let end = (index + run).min(to);
                    timestamp = self.repeat(index, end, timestamp, delta, value);
                    position += 2 * (end - index) - 1;
                    index = end;
                    continue;
                }
                position += 1;
            } else {
                if word >> 62 == 0b10 {
                    position += 2;
                    word <<= 2;
                } else {
                    let Some(window) = Window::from_header((word >> 51) as u32 & 0x7ff) else {
                        return Sample { position: ODD, ..newest };
                    };
                    (leading, significant, mask) = window.parts();
                    position += 13;
                    word = self.peek(position);
                }
                if significant > 54 {
                    word = self.peek(position) >> 32 << 32 | self.peek(position + 32) >> 32;
                }
                value ^= word >> leading & mask;
                position += significant as usize;
            }
            self.timestamps[index] = timestamp;
            self.values[index] = f64::from_bits(value);
            index += 1;
        }
        Sample { position, timestamp, delta, value, window: Window::from_parts(leading, significant) }
    }

    /// Fills samples `from..to`, the first at `timestamp`, and returns the time of the last.
    #[inline(never)]
    fn repeat(&mut self, from: usize, to: usize, mut timestamp: Millis, delta: i64, value: u64) -> Millis {
        self.values[from..to].fill(f64::from_bits(value));
        timestamp -= delta;
        for time in &mut self.timestamps[from..to] {
            timestamp += delta;
            *time = timestamp;
        }
        timestamp
    }
}

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
