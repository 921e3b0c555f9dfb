//! Reads the index of a block from its mapping. Versions 1 to 3.

use std::path::{Path, PathBuf};

use disk::MappedFile;
use model::Labels;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::{
    BlockError, ChunkMeta,
    index_format::{MAGIC, SERIES_ALIGNMENT, TOC, Toc, section},
    postings_table::PostingsTable,
    read_failure,
    symbols::{SymbolAt, Symbols},
};
use crate::{
    encoding::{Decoder, Malformed},
    query::PostingsSource,
};

/// An index that is open.
pub(crate) struct IndexReader {
    path: PathBuf,
    file: MappedFile,
    version: u8,
    /// Where the symbol table is.
    symbols_at: u64,
    symbols: Symbols,
    table: PostingsTable,
}

/// Symbols remembered at most: who walks over a whole block meets all of them, most once.
const MOST_CACHED: usize = 1 << 16;

/// Symbols found so far: a query meets the same few again and again.
#[derive(Default)]
pub(crate) struct SymbolCache(FxHashMap<u32, SymbolAt>);

/// A series as the index has it.
struct SeriesEntry<'a> {
    /// Symbols of names and values, in turn.
    labels: SmallVec<[u32; 32]>,
    chunks: Decoder<'a>,
}

// === impl IndexReader ===

impl IndexReader {
    pub(crate) fn open(path: &Path) -> Result<Self, BlockError> {
        let file = MappedFile::open(path).map_err(read_failure(path))?;
        let mut reader = Self {
            path: path.to_owned(),
            file,
            version: 0,
            symbols_at: 0,
            symbols: Symbols::default(),
            table: PostingsTable::default(),
        };
        reader.read_header()?;
        let toc = reader.read_toc()?;
        let in_section = |section| move |source| reader_error(path, section, source);

        let content = reader.checked_section("symbol table", toc.symbols)?;
        let first = reader.version == 1;
        let symbols =
            Symbols::read(content, toc.symbols as usize + 4, first).map_err(in_section("symbol table"))?;
        let content = reader.checked_section("postings offset table", toc.postings_table)?;
        let table = PostingsTable::read(content, toc.postings_table as usize + 4, !first)
            .map_err(in_section("postings offset table"))?;
        reader.symbols_at = toc.symbols;
        reader.symbols = symbols;
        reader.table = table;
        Ok(reader)
    }

    fn read_header(&mut self) -> Result<(), BlockError> {
        let mut decoder = Decoder::new(&self.file);
        match (decoder.be32(), decoder.byte()) {
            (Ok(MAGIC), Ok(version @ 1..=3)) => {
                self.version = version;
                Ok(())
            }
            (Ok(magic), Ok(version)) => Err(BlockError::Format {
                path: self.path.clone(),
                reason: format!("magic {magic:#010x}, version {version} is not a known kind of index"),
            }),
            (Err(source), _) | (_, Err(source)) => Err(reader_error(&self.path, "header", source)),
        }
    }

    fn read_toc(&self) -> Result<Toc, BlockError> {
        const SECTION: &str = "table of contents";
        let start = self.file.len().saturating_sub(TOC);
        let toc = Toc::decode(self.file.get(start..).unwrap_or_default());
        toc.map_err(|source| reader_error(&self.path, SECTION, source))?
            .ok_or_else(|| BlockError::Checksum { path: self.path.clone(), section: SECTION })
    }

    fn checked_section(&self, name: &'static str, offset: u64) -> Result<&[u8], BlockError> {
        let content = section(&self.file, offset).map_err(|source| reader_error(&self.path, name, source))?;
        content.ok_or_else(|| BlockError::Checksum { path: self.path.clone(), section: name })
    }

    pub(crate) fn table_bytes(&self) -> usize {
        self.symbols.table_bytes() + self.table.table_bytes()
    }

    /// Shows every symbol, in order.
    pub(crate) fn each_symbol<'a>(&'a self, mut visit: impl FnMut(&'a str)) -> Result<(), BlockError> {
        let mut walk = || {
            let mut decoder = Decoder::new(section(&self.file, self.symbols_at)?.unwrap_or_default());
            for _ in 0..decoder.be32()? {
                visit(decoder.str()?);
            }
            Ok(())
        };
        walk().map_err(|source| reader_error(&self.path, "symbol table", source))
    }

    pub(crate) fn label_names(&self) -> impl Iterator<Item = &str> {
        self.table.names()
    }

    /// The labels of a series; its chunks are added to `chunks`.
    pub(crate) fn series(
        &self,
        series: u32,
        symbols: &mut SymbolCache,
        chunks: &mut Vec<ChunkMeta>,
    ) -> Result<Labels, BlockError> {
        let mut read = || {
            let entry = self.entry(series)?;
            let labels = self.labels(&entry, symbols)?;
            read_chunks(entry.chunks, chunks)?;
            Ok(labels)
        };
        read().map_err(|source| reader_error(&self.path, "series", source))
    }

    fn entry(&self, series: u32) -> Result<SeriesEntry<'_>, Malformed> {
        let offset = match self.version {
            1 => series as usize,
            _ => series as usize * SERIES_ALIGNMENT,
        };
        let mut decoder =
            Decoder::new(self.file.get(offset..).ok_or(Malformed("series lies outside of the file"))?);
        let content = decoder.bytes()?;
        if crc32c::crc32c(content) != decoder.be32()? {
            return Err(Malformed("checksum of a series does not match"));
        }
        let mut decoder = Decoder::new(content);
        let mut labels = SmallVec::new();
        for _ in 0..decoder.count(2)? {
            for _ in ["name", "value"] {
                let symbol =
                    u32::try_from(decoder.uvarint()?).map_err(|_| Malformed("symbol does not exist"))?;
                labels.push(symbol);
            }
        }
        Ok(SeriesEntry { labels, chunks: decoder })
    }

    fn labels(&self, entry: &SeriesEntry<'_>, symbols: &mut SymbolCache) -> Result<Labels, Malformed> {
        let mut pairs: SmallVec<[(&str, &str); 16]> = SmallVec::new();
        for pair in entry.labels.chunks_exact(2) {
            let &[name, value] = pair else { continue };
            let pair = (self.symbol(name, symbols)?, self.symbol(value, symbols)?);
            let in_order = pairs.last().is_none_or(|(last, _)| *last < pair.0);
            if !in_order || pair.1.is_empty() {
                return Err(Malformed("labels of a series are not in order"));
            }
            pairs.push(pair);
        }
        Ok(Labels::from_sorted(pairs))
    }

    fn symbol(&self, symbol: u32, cache: &mut SymbolCache) -> Result<&str, Malformed> {
        let at = match cache.0.get(&symbol) {
            Some(at) => *at,
            None => {
                let at = self.symbols.find(&self.file, symbol)?;
                if cache.0.len() >= MOST_CACHED {
                    cache.0.clear();
                }
                cache.0.insert(symbol, at);
                at
            }
        };
        at.text(&self.file)
    }
}

fn read_chunks(mut decoder: Decoder<'_>, chunks: &mut Vec<ChunkMeta>) -> Result<(), Malformed> {
    let (mut end, mut reference) = (0i64, 0i64);
    for number in 0..decoder.count(3)? {
        let first = number == 0;
        let min_time = if first { decoder.varint()? } else { end.wrapping_add(decoder.uvarint()? as i64) };
        end = min_time.wrapping_add(decoder.uvarint()? as i64);
        reference = if first { decoder.uvarint()? as i64 } else { reference.wrapping_add(decoder.varint()?) };
        chunks.push(ChunkMeta { min_time, max_time: end, reference: reference as u64 });
    }
    Ok(())
}

fn reader_error(path: &Path, section: &'static str, source: Malformed) -> BlockError {
    BlockError::Decode { path: path.to_owned(), section, source }
}

impl PostingsSource for IndexReader {
    /// Where the list is in the file.
    type List<'a> = u64;
    type Error = BlockError;

    fn all(&self) -> Result<Vec<u32>, BlockError> {
        let mut all = Vec::new();
        if let Some(list) = self.table.all() {
            self.read(list, &mut all)?;
        }
        Ok(all)
    }

    fn series_count(&self) -> usize {
        // A guess that needs no reading: series entries are seldom smaller than this.
        self.file.len() / 128
    }

    fn find(&self, name: &str, value: &str) -> Result<Option<u64>, BlockError> {
        let found = self.table.find(&self.file, name, value);
        found.map_err(|source| reader_error(&self.path, "postings offset table", source))
    }

    fn values<'a>(&'a self, name: &str, visit: &mut dyn FnMut(&str, u64)) -> Result<(), BlockError> {
        let walked = self.table.values(&self.file, name, visit);
        walked.map_err(|source| reader_error(&self.path, "postings offset table", source))
    }

    fn read(&self, list: u64, out: &mut Vec<u32>) -> Result<(), BlockError> {
        let content = self.checked_section("postings", list)?;
        let mut decoder = Decoder::new(content);
        let mut read = || {
            let count = decoder.be32()? as usize;
            let bytes =
                decoder.take(count.checked_mul(4).ok_or(Malformed("count is larger than the data"))?)?;
            out.extend(bytes.as_chunks::<4>().0.iter().map(|number| u32::from_be_bytes(*number)));
            Ok(())
        };
        read().map_err(|source| reader_error(&self.path, "postings", source))
    }

    fn with_value(&self, series: u32, name: &str, visit: &mut dyn FnMut(&str)) -> Result<(), BlockError> {
        let mut find = || {
            let entry = self.entry(series)?;
            for pair in entry.labels.chunks_exact(2) {
                let &[label, value] = pair else { continue };
                if self.symbols.find(&self.file, label)?.text(&self.file)? == name {
                    visit(self.symbols.find(&self.file, value)?.text(&self.file)?);
                    return Ok(());
                }
            }
            visit("");
            Ok(())
        };
        find().map_err(|source| reader_error(&self.path, "series", source))
    }
}
