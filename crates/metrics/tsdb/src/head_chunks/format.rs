//! One chunk in a file: what stands before and behind its data.

use model::Millis;

use crate::encoding::{Decoder, Malformed, put_uvarint, uvarint_len};

/// First bytes of a file.
const MAGIC: u32 = 0x0130_bc91;
/// Version of the format.
const VERSION: u8 = 1;
/// What a file begins with: magic, version, three bytes of padding.
pub(super) const HEADER: [u8; 8] = {
    let [a, b, c, d] = MAGIC.to_be_bytes();
    [a, b, c, d, VERSION, 0, 0, 0]
};
/// Most bytes in a file: Prometheus maps as many at once.
pub(super) const MAX_FILE_BYTES: u64 = 128 << 20;
/// Bytes before the encoding: number of the series, times of the first and the last sample.
const BEFORE_ENCODING: usize = 24;
/// The bit of the encoding byte that says the chunk was taken out of order.
pub(crate) const OUT_OF_ORDER: u8 = 0x80;

/// A chunk to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewChunk<'a> {
    pub(crate) series_ref: u64,
    pub(crate) min_time: Millis,
    pub(crate) max_time: Millis,
    /// The encoding as block chunks have it, with [`OUT_OF_ORDER`] where that is so.
    pub(crate) encoding: u8,
    pub(crate) data: &'a [u8],
}

/// A chunk as it was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) series_ref: u64,
    pub(super) min_time: Millis,
    pub(super) max_time: Millis,
    /// Without [`OUT_OF_ORDER`].
    pub(super) encoding: u8,
    pub(super) out_of_order: bool,
    pub(super) data: &'a [u8],
    /// Bytes of all of it.
    pub(super) size: usize,
}

/// Why there is no chunk where one should be.
pub(super) type Reason = &'static str;

// === impl NewChunk ===

impl NewChunk<'_> {
    /// Bytes it takes in a file.
    pub(super) fn size(&self) -> usize {
        BEFORE_ENCODING + 1 + uvarint_len(self.data.len() as u64) + self.data.len() + 4
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let start = out.len();
        for number in [self.series_ref, self.min_time as u64, self.max_time as u64] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.push(self.encoding);
        put_uvarint(out, self.data.len() as u64);
        out.extend_from_slice(self.data);
        let checksum = crc32c::crc32c(out.get(start..).unwrap_or_default());
        out.extend_from_slice(&checksum.to_be_bytes());
    }
}

// === impl Record ===

impl<'a> Record<'a> {
    /// The chunk at the front of `bytes`, its checksum verified. None where the file is used up: Prometheus makes files longer than
    /// what it writes into them, and no series has the number 0.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Option<Self>, Reason> {
        let (front, _) = bytes.split_at(bytes.len().min(BEFORE_ENCODING));
        if front.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let (record, checked, checksum) = Self::parse_fields(bytes).map_err(|Malformed(reason)| reason)?;
        if crc32c::crc32c(checked) != checksum {
            return Err("checksum does not match");
        }
        Ok(Some(record))
    }

    fn parse_fields(bytes: &'a [u8]) -> Result<(Self, &'a [u8], u32), Malformed> {
        let mut decoder = Decoder::new(bytes);
        let series_ref = decoder.be64()?;
        let (min_time, max_time) = (decoder.be64()? as Millis, decoder.be64()? as Millis);
        let encoding = decoder.byte()?;
        let data = decoder.bytes()?;
        let checked = bytes.len() - decoder.remaining();
        let checksum = decoder.be32()?;
        let record = Self {
            series_ref,
            min_time,
            max_time,
            encoding: encoding & !OUT_OF_ORDER,
            out_of_order: encoding & OUT_OF_ORDER != 0,
            data,
            size: checked + 4,
        };
        Ok((record, bytes.get(..checked).unwrap_or_default(), checksum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_laid_out_as_prometheus_does() {
        let chunk = NewChunk { series_ref: 7, min_time: -1, max_time: 258, encoding: 1, data: b"ab" };
        let mut bytes = Vec::new();
        chunk.put(&mut bytes);
        let mut want = vec![0, 0, 0, 0, 0, 0, 0, 7];
        want.extend([0xff; 8]);
        want.extend([0, 0, 0, 0, 0, 0, 1, 2, 1, 2, b'a', b'b']);
        want.extend(crc32c::crc32c(&want).to_be_bytes());
        assert_eq!(bytes, want);
        assert_eq!(chunk.size(), bytes.len());
        assert_eq!(HEADER, [0x01, 0x30, 0xbc, 0x91, 1, 0, 0, 0]);
    }

    #[test]
    fn the_top_bit_of_the_encoding_is_no_part_of_it() {
        let chunk =
            NewChunk { series_ref: 7, min_time: 1, max_time: 2, encoding: 1 | OUT_OF_ORDER, data: b"ab" };
        let mut bytes = Vec::new();
        chunk.put(&mut bytes);
        let record = Record::parse(&bytes).unwrap().unwrap();
        assert_eq!((record.encoding, record.out_of_order, record.size), (1, true, bytes.len()));
    }

    #[test]
    fn zeros_are_an_end_and_half_a_chunk_is_damage() {
        assert_eq!(Record::parse(&[]), Ok(None));
        assert_eq!(Record::parse(&[0; 100]), Ok(None));
        let chunk = NewChunk { series_ref: 7, min_time: 1, max_time: 2, encoding: 1, data: b"ab" };
        let mut bytes = Vec::new();
        chunk.put(&mut bytes);
        for size in 8..bytes.len() {
            Record::parse(&bytes[..size]).expect_err("a part is missing");
        }
    }
}
