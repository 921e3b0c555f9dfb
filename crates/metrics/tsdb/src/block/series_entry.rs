//! One series in an index: `len <uvarint> content crc32c <4b>`, the content being symbols of labels, then chunks.

use model::Labels;
use smallvec::SmallVec;

use super::{
    ChunkMeta,
    symbols::{SymbolCache, Symbols},
};
use crate::encoding::{Decoder, Malformed};

/// A series as an index has it.
pub(super) struct SeriesEntry<'a> {
    /// Symbols of names and values, in turn.
    pub(super) labels: SmallVec<[u32; 32]>,
    chunks: Decoder<'a>,
    content: &'a [u8],
    checksum: u32,
    /// Bytes of all of it.
    pub(super) size: usize,
}

// === impl SeriesEntry ===

impl<'a> SeriesEntry<'a> {
    /// The entry at `offset` of a file.
    pub(super) fn read(file: &'a [u8], offset: usize) -> Result<Self, Malformed> {
        let entry = Self::parse(file, offset)?;
        if !entry.is_intact() {
            return Err(Malformed("checksum of a series does not match"));
        }
        Ok(entry)
    }

    /// The same without looking at the checksum: enough to see that there is none.
    pub(super) fn parse(file: &'a [u8], offset: usize) -> Result<Self, Malformed> {
        let bytes = file.get(offset..).ok_or(Malformed("series lies outside of the file"))?;
        let mut decoder = Decoder::new(bytes);
        let content = decoder.bytes()?;
        let checksum = decoder.be32()?;
        let size = bytes.len() - decoder.remaining();
        let mut decoder = Decoder::new(content);
        let mut labels = SmallVec::new();
        for _ in 0..decoder.count(2)? {
            for _ in ["name", "value"] {
                let symbol =
                    u32::try_from(decoder.uvarint()?).map_err(|_| Malformed("symbol does not exist"))?;
                labels.push(symbol);
            }
        }
        Ok(Self { labels, chunks: decoder, content, checksum, size })
    }

    pub(super) fn is_intact(&self) -> bool {
        crc32c::crc32c(self.content) == self.checksum
    }

    /// Symbols of name and value of each label.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (u32, u32)> {
        self.labels.as_chunks::<2>().0.iter().map(|[name, value]| (*name, *value))
    }

    /// Its labels in words.
    pub(super) fn resolve(
        &self,
        symbols: &Symbols,
        file: &[u8],
        cache: &mut SymbolCache,
    ) -> Result<Labels, Malformed> {
        cache.labels(symbols, file, self.pairs())
    }

    /// Adds its chunks.
    pub(super) fn read_chunks(&self, chunks: &mut Vec<ChunkMeta>) -> Result<(), Malformed> {
        let mut decoder = self.chunks;
        let (mut end, mut reference) = (0i64, 0i64);
        for number in 0..decoder.count(3)? {
            let first = number == 0;
            let min_time =
                if first { decoder.varint()? } else { end.wrapping_add(decoder.uvarint()? as i64) };
            end = min_time.wrapping_add(decoder.uvarint()? as i64);
            reference =
                if first { decoder.uvarint()? as i64 } else { reference.wrapping_add(decoder.varint()?) };
            chunks.push(ChunkMeta { min_time, max_time: end, reference: reference as u64 });
        }
        Ok(())
    }
}
