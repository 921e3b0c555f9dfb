//! LEB128 integers, and a reader over bytes that may be anything.

/// Appends an unsigned integer.
pub(crate) fn put_unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed integer, zigzag.
pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_unsigned(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Reads from the front of a slice; `None` where it ends too early or makes no sense.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            if shift == 63 && *byte > 1 {
                return None;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A length and so many bytes.
    pub(crate) fn text(&mut self) -> Option<&'a [u8]> {
        let size = usize::try_from(self.unsigned()?).ok()?;
        self.bytes(size)
    }

    pub(crate) fn bytes(&mut self, size: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(size)?;
        self.rest = rest;
        Some(taken)
    }

    /// `count`, but no more than can follow when each takes at least `size` bytes: what may be allocated on the data's word.
    pub(crate) fn at_most(&self, count: u64, size: usize) -> usize {
        usize::try_from(count).unwrap_or(usize::MAX).min(self.rest.len() / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_read_back() {
        let mut out = Vec::new();
        let unsigned = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        let signed = [0, -1, 1, i64::MIN, i64::MAX, -300];
        unsigned.iter().for_each(|value| put_unsigned(&mut out, *value));
        signed.iter().for_each(|value| put_signed(&mut out, *value));
        let mut reader = Reader::new(&out);
        for value in unsigned {
            assert_eq!(reader.unsigned(), Some(value));
        }
        for value in signed {
            assert_eq!(reader.signed(), Some(value));
        }
        assert!(reader.is_empty());
    }

    #[test]
    fn overlong_and_cut_integers_are_refused() {
        assert_eq!(Reader::new(&[0xff; 10]).unsigned(), None);
        assert_eq!(Reader::new(&[0x80; 3]).unsigned(), None);
        assert_eq!(Reader::new(&[5, 1, 2]).text(), None);
    }
}
