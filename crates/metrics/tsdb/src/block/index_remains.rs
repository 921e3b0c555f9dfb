//! What is left of an index that may be damaged.

use std::{ops::Range, path::Path};

use disk::MappedFile;
use model::Labels;

use super::{
    BlockError, ChunkMeta,
    index_format::{HEADER, MAGIC, SERIES_ALIGNMENT, TOC, Toc, VERSION, section},
    index_reader::IndexReader,
    read_failure,
    series_entry::SeriesEntry,
    symbols::{SymbolCache, Symbols},
};
use crate::{
    encoding::{Decoder, Malformed},
    error::chain,
    query::PostingsSource,
};

/// The highest version there is today.
const NEWEST_VERSION: u8 = 3;

/// An index whose symbols can be read.
pub(super) struct IndexRemains {
    file: MappedFile,
    version: u8,
    /// Where the content of the symbol table is.
    symbols_at: Range<usize>,
    symbols: Symbols,
    /// Where series can be.
    series: Range<usize>,
    /// Whether that is known and not only the rest of the file.
    is_exact: bool,
    /// The index as a query reads it, where that is possible.
    reader: Option<IndexReader>,
}

/// Walks over the series, and over what is none.
pub(super) struct SeriesWalk<'a> {
    index: &'a IndexRemains,
    at: usize,
    labels: Labels,
    cache: SymbolCache,
    /// The bytes before the position are no series.
    in_gap: bool,
    gaps: u64,
}

// === impl IndexRemains ===

impl IndexRemains {
    /// None where nothing can be read; what is wrong is added to `problems`.
    pub(super) fn open(path: &Path, problems: &mut Vec<String>) -> Option<Self> {
        let reader = IndexReader::open(path).inspect_err(|error| problems.push(chain(error))).ok();
        let file = MappedFile::open(path).map_err(read_failure(path)).ok()?;
        let version = version(&file);
        let toc = Toc::decode(file.get(file.len().saturating_sub(TOC)..)?).ok().flatten();
        // The symbols come first, whatever the table of contents would say.
        let places = [toc.map(|toc| toc.symbols), Some(HEADER as u64)];
        let found = places.into_iter().flatten().find_map(|offset| {
            let content = section(&file, offset).ok().flatten()?;
            let start = usize::try_from(offset).ok()? + 4;
            let symbols = Symbols::read(content, start, version == 1).ok()?;
            Some((symbols, start..start + content.len()))
        });
        let Some((symbols, symbols_at)) = found else {
            problems.push("without the symbols of the index no label is known".to_owned());
            return None;
        };
        let series = series_range(toc, symbols_at.end + 4, file.len());
        let is_exact = toc.is_some();
        Some(Self { file, version, symbols_at, symbols, series, is_exact, reader })
    }

    pub(super) fn set_version(&mut self, version: u8) {
        self.version = version;
        let content = self.file.get(self.symbols_at.clone()).unwrap_or_default();
        if let Ok(symbols) = Symbols::read(content, self.symbols_at.start, version == 1) {
            self.symbols = symbols;
        }
    }

    pub(super) fn is_from_later_version(&self) -> bool {
        self.version > NEWEST_VERSION
    }

    pub(super) fn each_symbol<'a>(&'a self, visit: impl FnMut(&'a str)) -> Result<(), BlockError> {
        let content = self.file.get(self.symbols_at.clone()).unwrap_or_default();
        Symbols::each(content, visit).map_err(|_| BlockError::TooLarge("a symbol is not UTF-8"))
    }

    /// Number of series that the list of all has, if it can be read.
    pub(super) fn series_count(&self) -> Option<u64> {
        self.reader.as_ref()?.all().ok().map(|all| all.len() as u64)
    }

    pub(super) fn scan(&self) -> SeriesWalk<'_> {
        SeriesWalk {
            index: self,
            at: self.series.start,
            labels: Labels::empty(),
            cache: SymbolCache::default(),
            in_gap: false,
            gaps: 0,
        }
    }

    /// Whether all lists of series can be read and together name each label of each series.
    pub(super) fn check_lists(&self) -> Result<(), String> {
        let Some(reader) = &self.reader else {
            return Ok(()); // that it cannot be opened is known already
        };
        let all = reader.all().map_err(|error| chain(&error))?;
        if !all.is_sorted_by(|a, b| a < b) {
            return Err("the list of all series is not sorted".to_owned());
        }
        let mut labels = 0;
        let mut chunks = Vec::new();
        for series in &all {
            chunks.clear();
            // A series that cannot be read is counted where the series are.
            let _ = reader.label_symbols(*series, &mut chunks, |_| labels += 1);
        }
        let mut entries = 0;
        let mut list = Vec::new();
        let names: Vec<String> = reader.label_names().map(str::to_owned).collect();
        for name in names {
            let mut places = Vec::new();
            reader.values(&name, "", &mut |_, place| places.push(place)).map_err(|error| chain(&error))?;
            for place in places {
                list.clear();
                reader.read(place, &mut list).map_err(|error| chain(&error))?;
                if !list.iter().all(|series| all.binary_search(series).is_ok()) {
                    return Err(format!(
                        "a list of series with label `{name}` names one that does not exist"
                    ));
                }
                entries += list.len();
            }
        }
        if entries != labels {
            return Err(format!("lists of series have {entries} entries for {labels} labels"));
        }
        Ok(())
    }
}

/// The version that the header tells; where the header is damaged, that of most indexes.
fn version(file: &[u8]) -> u8 {
    let mut decoder = Decoder::new(file);
    match (decoder.be32(), decoder.byte()) {
        (_, Ok(version @ 1..=NEWEST_VERSION)) | (Ok(MAGIC), Ok(version @ 1..)) => version,
        _ => VERSION,
    }
}

/// Where series can be: behind the symbols, before what the table of contents has next.
fn series_range(toc: Option<Toc>, behind_symbols: usize, size: usize) -> Range<usize> {
    let Some(toc) = toc else {
        return behind_symbols..size;
    };
    let bounded = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(size);
    let behind = [toc.label_indices, toc.postings, toc.label_indices_table, toc.postings_table];
    let end = behind.into_iter().filter(|offset| *offset > toc.series).map(bounded).min();
    bounded(toc.series.max(behind_symbols as u64))..end.unwrap_or(size)
}

// === impl SeriesWalk ===

impl SeriesWalk<'_> {
    /// The number of the next series that can be read; its chunks are in `chunks`.
    pub(super) fn next_series(&mut self, chunks: &mut Vec<ChunkMeta>) -> Option<u32> {
        let alignment = if self.index.version == 1 { 1 } else { SERIES_ALIGNMENT };
        loop {
            self.at = self.at.next_multiple_of(alignment);
            if self.at >= self.index.series.end {
                self.gaps += u64::from(self.in_gap && self.index.is_exact);
                self.in_gap = false;
                return None;
            }
            let start = self.at;
            chunks.clear();
            if let Ok((labels, size)) = self.read(start, chunks) {
                self.gaps += u64::from(self.in_gap);
                self.in_gap = false;
                self.at += size;
                self.labels = labels;
                return u32::try_from(start / alignment).ok();
            }
            let skipped = self.index.file.get(start..start + alignment).unwrap_or_default();
            self.in_gap |= skipped.iter().any(|byte| *byte != 0);
            self.at += alignment;
        }
    }

    /// Labels of the series that was returned last.
    pub(super) fn take_labels(&mut self) -> Labels {
        std::mem::take(&mut self.labels)
    }

    /// Runs of bytes that were no series.
    pub(super) fn gaps(&self) -> u64 {
        self.gaps
    }

    fn read(&mut self, at: usize, chunks: &mut Vec<ChunkMeta>) -> Result<(Labels, usize), Malformed> {
        let IndexRemains { file, symbols, .. } = self.index;
        let entry = SeriesEntry::parse(file, at)?;
        // Bytes that are no series hardly ever come this far, so that few long checksums are computed in vain.
        let labels = entry.resolve(symbols, file, &mut self.cache)?;
        entry.read_chunks(chunks)?;
        if labels.is_empty() || !entry.is_intact() {
            return Err(Malformed("not a series"));
        }
        Ok((labels, entry.size))
    }
}
