//! Where the buckets of all histograms of a chunk lie.

use model::{CUSTOM_BUCKETS_SCHEMA, Span, bucket_count, is_stored_schema};

use super::flavor::View;
use crate::chunk::{
    ChunkError,
    bits::{BitReader, BitWriter},
    varbit,
};

/// What does not change from histogram to histogram.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    pub(super) schema: i32,
    pub(super) zero_threshold: f64,
    /// Positive, then negative.
    pub(super) spans: [Vec<Span>; 2],
    /// Bounds of custom buckets.
    pub(super) custom_values: Vec<f64>,
}

// === impl Layout ===

impl Layout {
    pub(super) fn of<V>(sample: &View<'_, V>) -> Self {
        Self {
            schema: sample.schema,
            zero_threshold: sample.zero_threshold,
            spans: sample.sides.each_ref().map(|side| side.spans.to_vec()),
            custom_values: sample.custom_values.to_vec(),
        }
    }

    /// Whether only the buckets of `sample` may lie elsewhere: the resolution and the zero bucket are the same.
    pub(super) fn agrees<V>(&self, sample: &View<'_, V>) -> bool {
        self.schema == sample.schema && self.zero_threshold == sample.zero_threshold
    }

    /// Whether the bounds are the same, or none are listed.
    pub(super) fn agrees_on_bounds<V>(&self, sample: &View<'_, V>) -> bool {
        sample.schema != CUSTOM_BUCKETS_SCHEMA || self.custom_values == sample.custom_values
    }

    pub(super) fn bucket_counts(&self) -> [usize; 2] {
        self.spans.each_ref().map(|spans| bucket_count(spans))
    }

    pub(super) fn write(&self, out: &mut BitWriter) {
        put_zero_threshold(out, self.zero_threshold);
        varbit::put_int(out, i64::from(self.schema));
        for spans in &self.spans {
            varbit::put_uint(out, spans.len() as u64);
            for span in spans {
                varbit::put_uint(out, u64::from(span.length));
                varbit::put_int(out, i64::from(span.offset));
            }
        }
        if self.schema == CUSTOM_BUCKETS_SCHEMA {
            varbit::put_uint(out, self.custom_values.len() as u64);
            for bound in &self.custom_values {
                put_bound(out, *bound);
            }
        }
    }

    /// Reads a layout of no more buckets than the rest of the chunk can hold one histogram for: `least` bits a bucket.
    pub(super) fn read(reader: &mut BitReader<'_>, least: usize) -> Result<Self, ChunkError> {
        let zero_threshold = read_zero_threshold(reader)?;
        let stored = varbit::read_int(reader)?;
        let schema = i32::try_from(stored).ok().filter(|schema| is_stored_schema(*schema));
        let schema = schema.ok_or(ChunkError::UnknownSchema(stored))?;
        let spans = [read_spans(reader)?, read_spans(reader)?];
        let mut custom_values = Vec::new();
        if schema == CUSTOM_BUCKETS_SCHEMA {
            for _ in 0..varbit::read_uint(reader)? {
                custom_values.push(read_bound(reader)?);
            }
        }
        let layout = Self { schema, zero_threshold, spans, custom_values };
        let [positive, negative] = layout.bucket_counts();
        if positive.saturating_add(negative).saturating_mul(least) > reader.remaining() {
            return Err(ChunkError::Corrupt("ends too early"));
        }
        Ok(layout)
    }
}

/// Vectors grow as items are read: the chunk's end stops a count that is a lie.
fn read_spans(reader: &mut BitReader<'_>) -> Result<Vec<Span>, ChunkError> {
    let mut spans = Vec::new();
    for _ in 0..varbit::read_uint(reader)? {
        let length = u32::try_from(varbit::read_uint(reader)?);
        let offset = i32::try_from(varbit::read_int(reader)?);
        let (Ok(length), Ok(offset)) = (length, offset) else {
            return Err(ChunkError::Corrupt("span is too large"));
        };
        spans.push(Span { offset, length });
    }
    Ok(spans)
}

/// A power of two 2^-243 … 2^10 is written as the byte of its exponent + 244, 0 as a byte 0, anything else behind a byte 255.
const EXPONENT_BASE: u64 = 1023 - 244;
const SIGNIFICAND: u64 = (1 << 52) - 1;

fn put_zero_threshold(out: &mut BitWriter, threshold: f64) {
    if threshold == 0.0 {
        return out.put(0, 8);
    }
    let bits = threshold.to_bits();
    // The sign is the highest bit of what is shifted: no negative number comes out in the range.
    let power = (bits >> 52).checked_sub(EXPONENT_BASE).filter(|power| (1..=254).contains(power));
    match power {
        Some(power) if bits & SIGNIFICAND == 0 => out.put(power, 8),
        _ => {
            out.put(255, 8);
            out.put(bits, 64);
        }
    }
}

fn read_zero_threshold(reader: &mut BitReader<'_>) -> Result<f64, ChunkError> {
    Ok(match reader.bits(8)? {
        0 => 0.0,
        255 => f64::from_bits(reader.long_bits(64)?),
        power => f64::from_bits((power + EXPONENT_BASE) << 52),
    })
}

/// The largest multiple of 0.001 that is written as a whole number: its class takes 4 bytes.
const MAX_THOUSANDTHS: f64 = 33_554_430.0;

/// A multiple of 0.001 is written as number of thousandths + 1, anything else behind a 0.
fn put_bound(out: &mut BitWriter, bound: f64) {
    let thousandths = bound * 1000.0;
    let whole = thousandths.round();
    if (0.0..=MAX_THOUSANDTHS).contains(&thousandths) && whole / 1000.0 == bound {
        varbit::put_uint(out, whole as u64 + 1);
    } else {
        out.put(0, 1);
        out.put(bound.to_bits(), 64);
    }
}

fn read_bound(reader: &mut BitReader<'_>) -> Result<f64, ChunkError> {
    Ok(match varbit::read_uint(reader)? {
        0 => f64::from_bits(reader.long_bits(64)?),
        thousandths => (thousandths - 1) as f64 / 1000.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold(value: f64) -> Vec<u8> {
        let mut out = BitWriter::default();
        put_zero_threshold(&mut out, value);
        let back = read_zero_threshold(&mut BitReader::new(out.bytes())).unwrap();
        assert_eq!(back, value);
        out.bytes().to_vec()
    }

    #[test]
    fn usual_thresholds_take_a_byte() {
        assert_eq!(threshold(0.0), [0]);
        assert_eq!(threshold(2f64.powi(-128)), [116], "the default of client libraries");
        assert_eq!(threshold(2f64.powi(-243)), [1]);
        assert_eq!(threshold(2f64.powi(10)), [254]);
        for other in [2f64.powi(-244), 2f64.powi(11), 0.001, -1.0, f64::INFINITY, f64::from_bits(1)] {
            let mut want = vec![255];
            want.extend_from_slice(&other.to_be_bytes());
            assert_eq!(threshold(other), want, "{other}");
        }
    }

    fn bound(value: f64) -> Vec<u8> {
        let mut out = BitWriter::default();
        put_bound(&mut out, value);
        let back = read_bound(&mut BitReader::new(out.bytes())).unwrap();
        assert_eq!(back, value);
        out.bytes().to_vec()
    }

    #[test]
    fn decimal_bounds_are_short() {
        // 1 thousandth more than 0: class of 3 bits, 001.
        assert_eq!(bound(0.0), [0b1000_1000]);
        // 5 + 1 = 110.
        assert_eq!(bound(0.005), [0b1011_0000]);
        // 10000 + 1 in 18 bits.
        assert_eq!(bound(10.0), [0b1111_1000, 0b0010_0111, 0b0001_0001]);
        assert_eq!(bound(33_554.430).len(), 4);
        for other in [33_554.431, -1.0, 0.0005, f64::INFINITY] {
            assert_eq!(bound(other).len(), 9, "{other}");
        }
    }
}
