//! Reads the index of a block from its mapping. Versions 1 to 3.

use std::path::{Path, PathBuf};

use disk::MappedFile;
use model::Labels;
use parking_lot::Mutex;
use rustc_hash::FxHashSet;

use super::{
    BlockError, ChunkMeta,
    index_format::{MAGIC, SERIES_ALIGNMENT, TOC, Toc, section},
    postings_table::PostingsTable,
    read_failure,
    series_entry::SeriesEntry,
    symbols::{SymbolCache, Symbols},
};
use crate::encoding::{Decoder, Malformed};

/// An index that is open.
pub(crate) struct IndexReader {
    pub(super) path: PathBuf,
    pub(super) file: MappedFile,
    version: u8,
    /// Where the symbol table is.
    symbols_at: u64,
    symbols: Symbols,
    pub(super) table: PostingsTable,
    /// Where the lists of series are that are long and whose checksum matches.
    pub(super) checked_lists: Mutex<FxHashSet<u64>>,
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
            checked_lists: Mutex::default(),
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

    pub(super) fn checked_section(&self, name: &'static str, offset: u64) -> Result<&[u8], BlockError> {
        let content = section(&self.file, offset).map_err(|source| reader_error(&self.path, name, source))?;
        content.ok_or_else(|| BlockError::Checksum { path: self.path.clone(), section: name })
    }

    pub(crate) fn table_bytes(&self) -> usize {
        self.symbols.table_bytes() + self.table.table_bytes()
    }

    /// Shows every symbol, in order.
    pub(crate) fn each_symbol<'a>(&'a self, visit: impl FnMut(&'a str)) -> Result<(), BlockError> {
        let walk = || Symbols::each(section(&self.file, self.symbols_at)?.unwrap_or_default(), visit);
        walk().map_err(|source| reader_error(&self.path, "symbol table", source))
    }

    pub(crate) fn label_names(&self) -> impl Iterator<Item = &str> {
        self.table.names()
    }

    /// Shows the symbols of name and value of each label of a series; its chunks are added to `chunks`.
    pub(crate) fn label_symbols(
        &self,
        series: u32,
        chunks: &mut Vec<ChunkMeta>,
        visit: impl FnMut((u32, u32)),
    ) -> Result<(), BlockError> {
        let read = || {
            let entry = self.entry(series)?;
            entry.pairs().for_each(visit);
            entry.read_chunks(chunks)
        };
        read().map_err(|source| reader_error(&self.path, "series", source))
    }

    /// The text of a symbol.
    pub(crate) fn symbol_text(&self, symbol: u32) -> Result<&str, BlockError> {
        let found = self.symbols.find(&self.file, symbol).and_then(|at| at.text(&self.file));
        found.map_err(|source| reader_error(&self.path, "symbol table", source))
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
            let labels = entry.resolve(&self.symbols, &self.file, symbols)?;
            entry.read_chunks(chunks)?;
            Ok(labels)
        };
        read().map_err(|source| reader_error(&self.path, "series", source))
    }

    pub(super) fn entry(&self, series: u32) -> Result<SeriesEntry<'_>, Malformed> {
        let offset = match self.version {
            1 => series as usize,
            _ => series as usize * SERIES_ALIGNMENT,
        };
        SeriesEntry::read(&self.file, offset)
    }
}

pub(super) fn reader_error(path: &Path, section: &'static str, source: Malformed) -> BlockError {
    BlockError::Decode { path: path.to_owned(), section, source }
}
