//! The symbol table of an index: every name and value once, found by number.

use std::{ops::Range, str};

use rustc_hash::FxHashMap;

use super::index_format::SAMPLING;
use crate::encoding::{Decoder, Malformed};

/// Positions of every 32nd symbol; the others are found by walking.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    /// Positions in the file.
    sampled: Vec<usize>,
    count: usize,
    /// Symbols are named by their offset in the file, which is in this range.
    by_offset: Option<Range<usize>>,
}

/// Symbols remembered at most: who walks over a whole block meets all of them, most once.
const MOST_CACHED: usize = 1 << 16;

/// Symbols found so far: a query meets the same few again and again.
#[derive(Default)]
pub(crate) struct SymbolCache(FxHashMap<u32, SymbolAt>);

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
        let by_offset = by_offset.then(|| start + content.len() - decoder.remaining()..start + content.len());
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
        let (from, skip) = if let Some(range) = &self.by_offset {
            if !range.contains(&symbol) {
                return Err(Malformed("symbol does not exist"));
            }
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

    /// Shows every symbol of a section's content, in order.
    pub(super) fn each<'a>(content: &'a [u8], mut visit: impl FnMut(&'a str)) -> Result<(), Malformed> {
        let mut decoder = Decoder::new(content);
        for _ in 0..decoder.be32()? {
            visit(decoder.str()?);
        }
        Ok(())
    }

    pub(super) fn table_bytes(&self) -> usize {
        self.sampled.len() * size_of::<usize>()
    }
}

// === impl SymbolCache ===

impl SymbolCache {
    /// The text of a symbol.
    pub(super) fn text<'a>(
        &mut self,
        symbols: &Symbols,
        file: &'a [u8],
        symbol: u32,
    ) -> Result<&'a str, Malformed> {
        let at = match self.0.get(&symbol) {
            Some(at) => *at,
            None => {
                let at = symbols.find(file, symbol)?;
                if self.0.len() >= MOST_CACHED {
                    self.0.clear();
                }
                self.0.insert(symbol, at);
                at
            }
        };
        at.text(file)
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
