//! The symbol table of an index: every name and value once, found by number.

use std::{ops::Range, str};

use model::{Labels, SortedLabels};
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

/// Bytes of symbols remembered at most: who walks over a whole block meets all of them, most once.
const MOST_CACHED: usize = 4 << 20;

/// Symbols found so far: a query meets the same few again and again.
#[derive(Default)]
pub(crate) struct SymbolCache {
    /// Where in `texts` a symbol is.
    known: FxHashMap<u32, Range<u32>>,
    texts: String,
    labels: SortedLabels,
    /// The names of labels that are wanted, if not all are.
    wanted: Option<Vec<String>>,
    /// Which symbols are such names.
    names: FxHashMap<u32, bool>,
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
    /// A cache that leaves out all labels but these.
    pub(crate) fn of_names(names: &[String]) -> Self {
        Self { wanted: Some(names.to_vec()), ..Self::default() }
    }

    /// The labels that pairs of symbols stand for.
    pub(super) fn labels(
        &mut self,
        symbols: &Symbols,
        file: &[u8],
        pairs: impl Iterator<Item = (u32, u32)>,
    ) -> Result<Labels, Malformed> {
        if self.texts.len() > MOST_CACHED {
            self.texts.clear();
            self.known.clear();
        }
        self.labels.clear();
        let mut last = None;
        for (name, value) in pairs {
            // Symbols are numbered in their order.
            let in_order = last.is_none_or(|last| last < name);
            last = Some(name);
            if !self.wants(symbols, file, name)? {
                continue;
            }
            let value = self.find(symbols, file, value)?;
            let text = self.find(symbols, file, name)?;
            if !in_order || value.is_empty() {
                return Err(Malformed("labels of a series are not in order"));
            }
            let Self { labels, texts, .. } = self;
            labels.push(slice(texts, &text), slice(texts, &value));
        }
        Ok(self.labels.build())
    }

    fn wants(&mut self, symbols: &Symbols, file: &[u8], name: u32) -> Result<bool, Malformed> {
        let Some(wanted) = &self.wanted else {
            return Ok(true);
        };
        if let Some(is_wanted) = self.names.get(&name) {
            return Ok(*is_wanted);
        }
        let text = symbols.find(file, name)?.text(file)?;
        let is_wanted = wanted.iter().any(|wanted| wanted == text);
        self.names.insert(name, is_wanted);
        Ok(is_wanted)
    }

    fn find(&mut self, symbols: &Symbols, file: &[u8], symbol: u32) -> Result<Range<u32>, Malformed> {
        if let Some(range) = self.known.get(&symbol) {
            return Ok(range.clone());
        }
        let text = symbols.find(file, symbol)?.text(file)?;
        let size = |size| u32::try_from(size).map_err(|_| Malformed("symbol is too long"));
        let range = size(self.texts.len())?..size(self.texts.len() + text.len())?;
        self.texts.push_str(text);
        self.known.insert(symbol, range.clone());
        Ok(range)
    }
}

fn slice<'t>(texts: &'t str, range: &Range<u32>) -> &'t str {
    texts.get(range.start as usize..range.end as usize).unwrap_or_default()
}

// === impl SymbolAt ===

impl SymbolAt {
    pub(super) fn text(self, file: &[u8]) -> Result<&str, Malformed> {
        let bytes = file.get(self.start..self.start + self.size as usize);
        let bytes = bytes.ok_or(Malformed("symbol lies outside of the file"))?;
        str::from_utf8(bytes).map_err(|_| Malformed("symbol is not UTF-8"))
    }
}
