//! Floats as the change of their bits: only those between the leading and the trailing zeros are written.
//!
//! ```text
//! 0                                                     same value
//! 10 <significant bits>                                 in the window of the change before
//! 11 <leading 5b> <significant count 6b> <significant>  in a new window; 64 significant bits are counted as 0
//! ```

use super::{ChunkError, bits::BitReader};

/// Most leading zeros that the 5 bits for them can tell.
const MAX_LEADING: u32 = 31;

/// Where the significant bits of changes lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    leading: u8,
    trailing: u8,
}

impl Window {
    /// What a writer begins with: no change lies within.
    pub(super) const NONE: Self = Self { leading: 0xff, trailing: 0 };
    /// What a reader begins with: all bits.
    pub(super) const WHOLE: Self = Self { leading: 0, trailing: 0 };

    /// Leading zeros, number of significant bits, and a mask without the trailing zeros.
    #[inline]
    pub(super) fn parts(self) -> (u32, u32, u64) {
        (self.leading.into(), self.significant(), !0 << self.trailing)
    }

    /// The window with so many leading zeros and significant bits.
    #[inline]
    pub(super) fn from_parts(leading: u32, significant: u32) -> Self {
        Self { leading: leading as u8, trailing: (64 - leading - significant) as u8 }
    }

    /// The narrowest window for a change.
    #[inline]
    pub(super) fn of(change: u64) -> Self {
        Self {
            leading: change.leading_zeros().min(MAX_LEADING) as u8,
            trailing: change.trailing_zeros() as u8,
        }
    }

    /// Whether a change, whose narrowest window is `narrow`, can be written in this one.
    #[inline]
    pub(super) fn holds(self, narrow: Self) -> bool {
        narrow.leading >= self.leading && narrow.trailing >= self.trailing
    }

    /// Number of significant bits.
    #[inline]
    pub(super) fn significant(self) -> u32 {
        64 - u32::from(self.leading) - u32::from(self.trailing)
    }

    /// The significant bits of a change that the window holds.
    #[inline]
    pub(super) fn cut(self, change: u64) -> u64 {
        change >> self.trailing
    }

    /// The 11 bits that describe the window.
    #[inline]
    pub(super) fn header(self) -> u64 {
        // 64 significant bits are written as 0: 0 itself cannot occur.
        u64::from(self.leading) << 6 | u64::from(self.significant() & 63)
    }

    /// The window that [`Window::header`] describes.
    #[inline]
    pub(super) fn from_header(header: u32) -> Option<Self> {
        let leading = header >> 6;
        let significant = (header.wrapping_sub(1) & 63) + 1;
        let trailing = (64 - leading).checked_sub(significant)?;
        Some(Self { leading: leading as u8, trailing: trailing as u8 })
    }

    #[inline]
    pub(super) fn read_header(reader: &mut BitReader<'_>) -> Result<Self, ChunkError> {
        Self::from_header(reader.bits(11)? as u32).ok_or(ChunkError::Corrupt("value has more than 64 bits"))
    }

    /// Reads a change whose significant bits lie in this window.
    #[inline]
    pub(super) fn read_change(self, reader: &mut BitReader<'_>) -> Result<u64, ChunkError> {
        Ok(reader.long_bits(self.significant())? << self.trailing)
    }
}

/// Writes a change with `put(value, count of bits)`.
#[inline]
pub(super) fn put_change(window: &mut Window, change: u64, mut put: impl FnMut(u64, u32)) {
    if change == 0 {
        put(0, 1);
        return;
    }
    let narrow = Window::of(change);
    if window.holds(narrow) {
        put(0b10, 2);
    } else {
        *window = narrow;
        put(0b11 << 11 | window.header(), 13);
    }
    put(window.cut(change), window.significant());
}

/// Reads what [`put_change`] writes.
#[inline]
pub(super) fn read_change(reader: &mut BitReader<'_>, window: &mut Window) -> Result<u64, ChunkError> {
    match reader.ones(2)? {
        0 => return Ok(0),
        1 => {}
        _ => *window = Window::read_header(reader)?,
    }
    window.read_change(reader)
}
