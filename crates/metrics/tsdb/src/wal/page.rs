//! Facts of pages and fragments that writer and reader share.

/// Bytes in a page.
pub(super) const PAGE: usize = 32 * 1024;
/// Bytes before a fragment's data.
pub(super) const HEADER: usize = 7;
/// Bits of the type byte that hold the kind.
pub(super) const KIND_MASK: u8 = 0b0111;
/// The record is compressed with snappy.
pub(super) const SNAPPY: u8 = 0b0_1000;
/// The record is compressed with zstd.
pub(super) const ZSTD: u8 = 0b1_0000;

/// What part of a record a fragment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The rest of the page is empty.
    PageEnd,
    /// A whole record.
    Full,
    /// The first fragment of several.
    First,
    /// Neither first nor last.
    Middle,
    /// The last fragment of several.
    Last,
}

// === impl Kind ===

impl Kind {
    pub(super) fn of(first: bool, last: bool) -> Self {
        match (first, last) {
            (true, true) => Self::Full,
            (true, false) => Self::First,
            (false, true) => Self::Last,
            (false, false) => Self::Middle,
        }
    }

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte & KIND_MASK {
            0 => Self::PageEnd,
            1 => Self::Full,
            2 => Self::First,
            3 => Self::Middle,
            4 => Self::Last,
            _ => return None,
        })
    }

    pub(super) fn as_byte(self) -> u8 {
        match self {
            Self::PageEnd => 0,
            Self::Full => 1,
            Self::First => 2,
            Self::Middle => 3,
            Self::Last => 4,
        }
    }
}
