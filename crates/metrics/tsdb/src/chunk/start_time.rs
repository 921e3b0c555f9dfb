//! Start times of samples, which lie between samples in some chunks and are read past.
//!
//! ```text
//! header  ┌───────────────────┬─────────────────────────────────────────────────────────┐
//!         │ first <1 bit>     │ from <7 bits>                                           │
//!         └───────────────────┴─────────────────────────────────────────────────────────┘
//!          sample 0 has one:    samples from this number on have one: a signed number in
//!          a varint             classes (`varbit`); 0 where none has
//! ```

use super::{ChunkError, bits::BitReader, varbit};

/// From this sample on an encoder writes start times even where there are none: the header could not name a later one.
pub(super) const LAST_START: u16 = 0x7f;

/// Which samples of a chunk have start times.
#[derive(Debug, Clone, Copy)]
pub(super) struct StartTimes {
    first: bool,
    from: u16,
}

impl StartTimes {
    /// No sample has.
    pub(super) const NONE: Self = Self { first: false, from: 0 };

    pub(super) fn from_header(header: u8) -> Self {
        Self { first: header & 0x80 != 0, from: u16::from(header & 0x7f) }
    }

    /// Reads past the start time of the sample that was just read, the one with number `index` from 0.
    #[inline]
    pub(super) fn skip(self, reader: &mut BitReader<'_>, index: usize) -> Result<(), ChunkError> {
        if index == 0 {
            if self.first {
                reader.varint()?;
            }
        } else if self.from > 0 && index >= usize::from(self.from) {
            varbit::read_int(reader)?;
        }
        Ok(())
    }
}
