//! The symbol table of an index: every name and value once, found by number.

use std::str;

use super::index_format::SAMPLING;
use crate::encoding::{Decoder, Malformed};

/// Positions of every 32nd symbol; the others are found by walking.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    /// Positions in the file.
    sampled: Vec<usize>,
    count: usize,
    /// Symbols are named by their offset in the file.
    by_offset: bool,
}

/// Where a symbol's text is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SymbolAt {
    start: usize,
    size: u32,
}

// === impl Symbols ===

impl Symbols {
    /// Walks over the table once. `content` is the section, `start` its position in the file.
    pub(super) fn read(content: &[u8], start: usize, by_offset: bool) -> Result<Self, Malformed> {
        let mut decoder = Decoder::new(content);
        let count = decoder.be32()? as usize;
        if count > decoder.remaining() {
            return Err(Malformed("count is larger than the data"));
        }
        let mut sampled = Vec::with_capacity(count / SAMPLING + 1);
        for number in 0..count {
            if number % SAMPLING == 0 {
                sampled.push(start + content.len() - decoder.remaining());
            }
            decoder.bytes()?;
        }
        Ok(Self { sampled, count, by_offset })
    }

    /// Finds a symbol by its number.
    pub(super) fn find(&self, file: &[u8], symbol: u32) -> Result<SymbolAt, Malformed> {
        let symbol = symbol as usize;
        let (from, skip) = if self.by_offset {
            (symbol, 0)
        } else {
            if symbol >= self.count {
                return Err(Malformed("symbol does not exist"));
            }
            let from = self.sampled.get(symbol / SAMPLING).ok_or(Malformed("symbol does not exist"))?;
            (*from, symbol % SAMPLING)
        };
        let mut decoder = Decoder::new(file.get(from..).ok_or(Malformed("symbol lies outside of the file"))?);
        for _ in 0..skip {
            decoder.bytes()?;
        }
        let text = decoder.bytes()?;
        Ok(SymbolAt {
            start: file.len() - decoder.remaining() - text.len(),
            size: u32::try_from(text.len()).map_err(|_| Malformed("symbol is too long"))?,
        })
    }

    pub(super) fn table_bytes(&self) -> usize {
        self.sampled.len() * size_of::<usize>()
    }
}

// === impl SymbolAt ===

impl SymbolAt {
    pub(super) fn text(self, file: &[u8]) -> Result<&str, Malformed> {
        let bytes = file.get(self.start..self.start + self.size as usize);
        let bytes = bytes.ok_or(Malformed("symbol lies outside of the file"))?;
        str::from_utf8(bytes).map_err(|_| Malformed("symbol is not UTF-8"))
    }
}
