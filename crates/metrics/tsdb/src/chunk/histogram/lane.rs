//! One number of a histogram, followed from sample to sample.

use crate::chunk::{
    ChunkError,
    bits::{BitReader, BitWriter},
    varbit,
    window::{Window, put_change, read_change},
};

/// How one number changes from sample to sample.
pub(crate) trait Lane: Clone + Default {
    type Value: Copy + Default + PartialOrd;

    /// The newest number.
    fn value(&self) -> Self::Value;

    /// Writes the first number of all, which may have either sign.
    fn put_first(&mut self, out: &mut BitWriter, value: Self::Value);

    /// Writes the first number of all, which has no sign.
    fn put_first_unsigned(&mut self, out: &mut BitWriter, value: Self::Value);

    fn put_next(&mut self, out: &mut BitWriter, value: Self::Value);

    /// Writes something in place of the count of a stale sample.
    fn put_stale(&mut self, out: &mut BitWriter);

    fn read_first(&mut self, reader: &mut BitReader<'_>) -> Result<(), ChunkError>;

    fn read_first_unsigned(&mut self, reader: &mut BitReader<'_>) -> Result<(), ChunkError>;

    fn read_next(&mut self, reader: &mut BitReader<'_>) -> Result<(), ChunkError>;
}

/// Integers are written as the change of their change. Unsigned ones are here by their bits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct IntegerLane {
    value: i64,
    delta: i64,
}

/// Floats are written as the change of their bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FloatLane {
    bits: u64,
    window: Window,
}

// === impl IntegerLane ===

impl Lane for IntegerLane {
    type Value = i64;

    fn value(&self) -> i64 {
        self.value
    }

    fn put_first(&mut self, out: &mut BitWriter, value: i64) {
        varbit::put_int(out, value);
        self.value = value;
    }

    fn put_first_unsigned(&mut self, out: &mut BitWriter, value: i64) {
        varbit::put_uint(out, value as u64);
        self.value = value;
    }

    fn put_next(&mut self, out: &mut BitWriter, value: i64) {
        let delta = value.wrapping_sub(self.value);
        varbit::put_int(out, delta.wrapping_sub(self.delta));
        *self = Self { value, delta };
    }

    fn put_stale(&mut self, out: &mut BitWriter) {
        // What readers make of it says nothing, and only stale samples may follow.
        varbit::put_int(out, 0);
    }

    fn read_first(&mut self, reader: &mut BitReader<'_>) -> Result<(), ChunkError> {
        self.value = varbit::read_int(reader)?;
        Ok(())
    }

    fn read_first_unsigned(&mut self, reader: &mut BitReader<'_>) -> Result<(), ChunkError> {
        self.value = varbit::read_uint(reader)? as i64;
        Ok(())
    }

    #[inline]
    fn read_next(&mut self, reader: &mut BitReader<'_>) -> Result<(), ChunkError> {
        self.delta = self.delta.wrapping_add(varbit::read_int(reader)?);
        self.value = self.value.wrapping_add(self.delta);
        Ok(())
    }
}

// === impl FloatLane ===

impl Default for FloatLane {
    fn default() -> Self {
        Self { bits: 0, window: Window::NONE }
    }
}

impl Lane for FloatLane {
    type Value = f64;

    fn value(&self) -> f64 {
        f64::from_bits(self.bits)
    }

    fn put_first(&mut self, out: &mut BitWriter, value: f64) {
        self.bits = value.to_bits();
        out.put(self.bits, 64);
    }

    fn put_first_unsigned(&mut self, out: &mut BitWriter, value: f64) {
        self.put_first(out, value);
    }

    fn put_next(&mut self, out: &mut BitWriter, value: f64) {
        let change = value.to_bits() ^ self.bits;
        put_change(&mut self.window, change, |value, count| out.put(value, count));
        self.bits = value.to_bits();
    }

    fn put_stale(&mut self, out: &mut BitWriter) {
        self.put_next(out, 0.0);
    }

    fn read_first(&mut self, reader: &mut BitReader<'_>) -> Result<(), ChunkError> {
        *self = Self { bits: reader.long_bits(64)?, window: Window::WHOLE };
        Ok(())
    }

    fn read_first_unsigned(&mut self, reader: &mut BitReader<'_>) -> Result<(), ChunkError> {
        self.read_first(reader)
    }

    #[inline]
    fn read_next(&mut self, reader: &mut BitReader<'_>) -> Result<(), ChunkError> {
        self.bits ^= read_change(reader, &mut self.window)?;
        Ok(())
    }
}
