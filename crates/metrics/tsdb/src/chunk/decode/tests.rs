//! What the decoder says is what a plain one says that looks at every bit on its own.

use std::ops::ControlFlow;

use model::{Columns, Millis};
use proptest::prelude::*;

use crate::chunk::{
    ChunkError, Encoding, Newest, Xor2Encoder, XorEncoder, decode, decode_each, decode_newest, tests::series,
};

const ALL: (Millis, Millis) = (Millis::MIN, Millis::MAX);

/// A stream of bits, one at a time.
struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Result<u64, ChunkError> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.position / 8).ok_or(ChunkError::Corrupt("ends too early"))?;
            value = value << 1 | u64::from(byte >> (7 - self.position % 8) & 1);
            self.position += 1;
        }
        Ok(value)
    }

    fn uvarint(&mut self) -> Result<u64, ChunkError> {
        let mut value = 0;
        for index in 0..10 {
            let byte = self.take(8)?;
            if index == 9 && byte > 1 {
                break;
            }
            value |= (byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(ChunkError::Corrupt("number does not fit 64 bits"))
    }

    fn delta_of_delta(&mut self) -> Result<i64, ChunkError> {
        for size in [0, 14, 17, 20] {
            if self.take(1)? == 0 {
                let bits = if size == 0 { 0 } else { self.take(size)? as i64 };
                return Ok(if size > 0 && bits > 1 << (size - 1) { bits - (1 << size) } else { bits });
            }
        }
        Ok(self.take(64)? as i64)
    }
}

/// The samples before a fault, and the fault.
type Outcome = (Vec<(Millis, u64)>, Result<(), ChunkError>);

fn plain(chunk: &[u8], limit: usize, range: (Millis, Millis)) -> Outcome {
    let mut samples = Vec::new();
    let result = read_plainly(chunk, limit, range, &mut samples);
    (samples, result)
}

fn read_plainly(
    chunk: &[u8],
    limit: usize,
    (min_time, max_time): (Millis, Millis),
    samples: &mut Vec<(Millis, u64)>,
) -> Result<(), ChunkError> {
    let mut bits = Bits { bytes: chunk, position: 0 };
    let count = (bits.take(16)? as usize).min(limit);
    let (mut timestamp, mut delta, mut value) = (0i64, 0i64, 0u64);
    let (mut leading, mut significant) = (0, 64);
    for index in 0..count {
        if index == 0 {
            let zigzag = bits.uvarint()?;
            timestamp = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
            value = bits.take(64)?;
        } else {
            delta =
                if index == 1 { bits.uvarint()? as i64 } else { delta.wrapping_add(bits.delta_of_delta()?) };
            let next = timestamp.wrapping_add(delta);
            if next <= timestamp {
                return Err(ChunkError::Corrupt("times do not ascend"));
            }
            timestamp = next;
            if bits.take(1)? == 1 {
                if bits.take(1)? == 1 {
                    let header = bits.take(11)? as u32;
                    (leading, significant) = (header >> 6, if header & 63 == 0 { 64 } else { header & 63 });
                    if leading + significant > 64 {
                        return Err(ChunkError::Corrupt("value has more than 64 bits"));
                    }
                }
                value ^= bits.take(significant)? << (64 - leading - significant);
            }
        }
        if timestamp > max_time {
            return Ok(());
        }
        if timestamp >= min_time {
            samples.push((timestamp, value));
        }
    }
    Ok(())
}

fn columns(chunk: &[u8], limit: usize, range: (Millis, Millis)) -> Outcome {
    let mut columns = Columns::default();
    let result = decode(Encoding::Xor, chunk, limit, range, &mut columns);
    assert_eq!(columns.timestamps.len(), columns.values.len());
    let values = columns.values.iter().map(|value| value.to_bits());
    (columns.timestamps.iter().copied().zip(values).collect(), result)
}

/// Everything that reads XOR chunks, against the plain decoder.
fn check(chunk: &[u8], limit: usize, range: (Millis, Millis)) {
    let (samples, result) = plain(chunk, limit, range);
    assert_eq!(columns(chunk, limit, range), (samples.clone(), result.clone()));

    let newest = decode_newest(Encoding::Xor, chunk, limit, range).map(bits_of);
    assert_eq!(newest, result.map(|()| samples.last().copied()));

    let mut visited = Vec::new();
    let result = decode_each(chunk, limit, |timestamp, value| {
        visited.push((timestamp, value.to_bits()));
        if timestamp >= range.1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let (mut samples, mut want) = plain(chunk, limit, ALL);
    if let Some(last) = samples.iter().position(|(timestamp, _)| *timestamp >= range.1) {
        samples.truncate(last + 1);
        want = Ok(());
    }
    assert_eq!((visited, result), (samples, want));
}

fn bits_of(newest: Newest) -> Option<(Millis, u64)> {
    match newest {
        Newest::Nothing => None,
        Newest::Float(timestamp, value) => Some((timestamp, value.to_bits())),
        Newest::Histograms => panic!("these are floats"),
    }
}

fn encode(samples: &[(Millis, f64)]) -> Vec<u8> {
    let mut encoder = XorEncoder::new();
    samples.iter().for_each(|(timestamp, value)| encoder.append(*timestamp, *value));
    encoder.bytes().to_vec()
}

/// Samples as most series have them: regular times, and values that stay, grow by little, or wander.
fn regular() -> impl Strategy<Value = Vec<(Millis, f64)>> {
    let steps = prop_oneof![
        Just(vec![0.0]),
        prop::collection::vec(prop_oneof![6 => Just(0.0), 1 => Just(1.0)], 1..300),
        prop::collection::vec((0u32..40).prop_map(f64::from), 1..300),
        prop::collection::vec(-9.0f64..9.0, 1..300),
    ];
    (0..2_000_000_000_000i64, 0u32..100_000, steps, 1usize..300).prop_map(|(start, first, steps, count)| {
        let mut value = f64::from(first);
        let step = |(index, step)| {
            value += step;
            (start + 15_000 * index as i64, value)
        };
        steps.into_iter().cycle().take(count).enumerate().map(step).collect()
    })
}

fn chunks() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![regular().prop_map(|samples| encode(&samples)), series().prop_map(|samples| encode(&samples))]
}

/// Two of a chunk's times, or some others, and a limit.
fn views() -> impl Strategy<Value = (prop::sample::Index, prop::sample::Index, Option<i64>, usize)> {
    let limit = prop_oneof![2 => Just(usize::MAX), 1 => 0usize..310];
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), prop::option::of(-2i64..3), limit)
}

proptest! {
    #[test]
    fn chunks_are_read_as_by_a_plain_decoder(
        chunk in chunks(),
        view in views(),
        flips in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        keep in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let (from, to, shift, limit) = view;
        let times: Vec<Millis> = plain(&chunk, usize::MAX, ALL).0.into_iter().map(|sample| sample.0).collect();
        let range = match shift {
            Some(shift) if !times.is_empty() => (from.get(&times) + shift, to.get(&times) - shift),
            _ => ALL,
        };
        check(&chunk, limit, range);
        let mut broken = chunk;
        for flip in flips {
            let bit = flip.index(broken.len() * 8);
            broken[bit / 8] ^= 0x80 >> (bit % 8);
        }
        if let Some(keep) = keep {
            broken.truncate(keep.index(broken.len()));
        }
        check(&broken, limit, range);
        check(&broken, usize::MAX, ALL);
    }

    #[test]
    fn garbage_is_read_as_by_a_plain_decoder(
        count in 0u16..400,
        first in prop::option::of(any::<[u8; 12]>()),
        rest in prop::collection::vec(any::<u8>(), 0..3000),
        until in any::<i64>(),
    ) {
        // Times that begin anywhere, or so that much can follow.
        let first = first.map_or(vec![0; 9], Vec::from);
        let chunk = [&count.to_be_bytes()[..], &first, &[0x80, 0x80, 0x80, 0x01], &rest].concat();
        check(&chunk, usize::MAX, ALL);
        check(&chunk, usize::MAX, (0, until));
    }
}

#[test]
fn long_chunks_are_read_to_their_end() {
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 11 ^ state << 40
    };
    let mut timestamp = 0;
    let samples: Vec<_> = (0..5_000)
        .map(|_| {
            timestamp += 1 + (random() % (1 << (random() % 39))) as i64;
            (timestamp, f64::from_bits(random()))
        })
        .collect();
    let chunk = encode(&samples);
    assert!(chunk.len() > 50_000);
    check(&chunk, usize::MAX, ALL);
    for keep in (0..chunk.len()).step_by(1_013) {
        check(&chunk[..keep], usize::MAX, ALL);
    }
}

#[test]
fn times_may_be_at_the_ends_of_what_there_is() {
    for (first, delta) in [
        (Millis::MAX - 40 * 15_000, 15_000),
        (Millis::MIN, 15_000),
        (Millis::MIN, 1 << 56),
        (Millis::MIN + 5, -10),
        (0, i64::MAX / 50),
        (0, 0),
        (0, -1),
    ] {
        let samples: Vec<_> = (0..100i64).map(|n| (first.wrapping_add(delta.wrapping_mul(n)), 1.0)).collect();
        let chunk = encode(&samples);
        for until in [Millis::MIN, -1, 0, Millis::MAX - 1, Millis::MAX] {
            check(&chunk, usize::MAX, (Millis::MIN, until));
        }
    }
}

#[test]
fn the_newest_sample_in_a_range() {
    let samples: Vec<_> = (1..=100).map(|n| (n * 10, n as f64)).collect();
    let mut xor2 = Xor2Encoder::new();
    samples.iter().for_each(|(timestamp, value)| xor2.append(*timestamp, *value));
    for (encoding, chunk) in [(Encoding::Xor, encode(&samples)), (Encoding::Xor2, xor2.bytes().to_vec())] {
        let newest = |limit, range| decode_newest(encoding, &chunk, limit, range).unwrap();
        assert_eq!(newest(usize::MAX, ALL), Newest::Float(1000, 100.0));
        assert_eq!(newest(usize::MAX, (0, 505)), Newest::Float(500, 50.0));
        assert_eq!(newest(usize::MAX, (500, 500)), Newest::Float(500, 50.0));
        assert_eq!(newest(7, ALL), Newest::Float(70, 7.0));
        assert_eq!(newest(7, (0, 69)), Newest::Float(60, 6.0));
        assert_eq!(newest(usize::MAX, (501, 509)), Newest::Nothing);
        assert_eq!(newest(7, (71, 1000)), Newest::Nothing);
        assert_eq!(newest(0, ALL), Newest::Nothing);
        assert!(decode_newest(encoding, &chunk[..chunk.len() / 2], usize::MAX, ALL).is_err());
        assert!(decode_newest(encoding, &[], usize::MAX, ALL).is_err());
    }
    let histograms = decode_newest(Encoding::Histogram, &[0, 1, 0], usize::MAX, ALL);
    assert_eq!(histograms, Ok(Newest::Histograms));
}
