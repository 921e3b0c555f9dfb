//! Writes the index of a block in one pass over its series.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use disk::{Fs, FsFile};
use model::Labels;
use rustc_hash::FxHashMap;

use super::{
    BlockError, ChunkMeta,
    index_format::{HEADER, MAGIC, POSTINGS_ALIGNMENT, SERIES_ALIGNMENT, Toc, VERSION},
    write_failure,
};
use crate::encoding::{put_str, put_uvarint, put_varint, uvarint_len};

/// Bytes that are written at once.
const BUFFER: usize = 1 << 20;

/// Takes series in the order of their labels.
pub(crate) struct IndexWriter {
    path: PathBuf,
    file: Box<dyn FsFile>,
    buffer: Vec<u8>,
    /// Bytes in the file, those in the buffer included.
    offset: u64,
    toc: Toc,
    symbols: FxHashMap<Box<str>, u32>,
    /// The texts by their numbers.
    texts: Vec<Box<str>>,
    /// Series by the symbols of name and value.
    postings: FxHashMap<(u32, u32), Vec<u32>>,
    all: Vec<u32>,
    last: Option<Labels>,
    entry: Vec<u8>,
}

// === impl IndexWriter ===

impl IndexWriter {
    /// Starts the file with all names and values that any series has: sorted, each once.
    pub(crate) fn create(fs: &Arc<dyn Fs>, path: &Path, texts: Vec<Box<str>>) -> Result<Self, BlockError> {
        let file = fs.create(path).map_err(write_failure(path))?;
        let symbols = texts.iter().zip(0u32..).map(|(text, number)| (text.clone(), number)).collect();
        let mut writer = Self {
            path: path.to_owned(),
            file,
            buffer: Vec::with_capacity(BUFFER + 4096),
            offset: 0,
            toc: Toc::default(),
            symbols,
            texts,
            postings: FxHashMap::default(),
            all: Vec::new(),
            last: None,
            entry: Vec::new(),
        };
        writer.put(&MAGIC.to_be_bytes())?;
        writer.put(&[VERSION])?;
        debug_assert_eq!(writer.offset, HEADER as u64);
        writer.write_symbols()?;
        writer.toc.series = writer.offset;
        Ok(writer)
    }

    fn write_symbols(&mut self) -> Result<(), BlockError> {
        self.toc.symbols = self.offset;
        let texts = std::mem::take(&mut self.texts);
        let size: usize = texts.iter().map(|text| uvarint_len(text.len() as u64) + text.len()).sum();
        let mut checksum = 0;
        self.put(&section_size(size + 4)?.to_be_bytes())?;
        self.put_checked(&section_size(texts.len())?.to_be_bytes(), &mut checksum)?;
        let mut entry = Vec::new();
        for text in &texts {
            entry.clear();
            put_str(&mut entry, text);
            self.put_checked(&entry, &mut checksum)?;
        }
        self.texts = texts;
        self.put(&checksum.to_be_bytes())
    }

    /// Adds a series whose labels come behind all before; its chunks are in order of time.
    pub(crate) fn add_series(&mut self, labels: &Labels, chunks: &[ChunkMeta]) -> Result<(), BlockError> {
        assert!(self.last.as_ref().is_none_or(|last| last < labels), "BUG: series out of order");
        self.pad(SERIES_ALIGNMENT)?;
        let number = u32::try_from(self.offset / SERIES_ALIGNMENT as u64)
            .map_err(|_| BlockError::TooLarge("series take more than 64 GiB of the index"))?;
        let mut entry = std::mem::take(&mut self.entry);
        entry.clear();
        put_uvarint(&mut entry, labels.len() as u64);
        for (name, value) in labels.iter() {
            let pair = (self.symbol(name), self.symbol(value));
            put_uvarint(&mut entry, u64::from(pair.0));
            put_uvarint(&mut entry, u64::from(pair.1));
            self.postings.entry(pair).or_default().push(number);
        }
        put_chunks(&mut entry, chunks);
        let mut size = Vec::with_capacity(5);
        put_uvarint(&mut size, entry.len() as u64);
        self.put(&size)?;
        self.put(&entry)?;
        self.put(&crc32c::crc32c(&entry).to_be_bytes())?;
        self.entry = entry;
        self.all.push(number);
        self.last = Some(labels.clone());
        Ok(())
    }

    /// Writes the lists and the tables and makes the file durable.
    pub(crate) fn finish(&mut self) -> Result<(), BlockError> {
        self.toc.label_indices = self.offset;
        self.toc.postings = self.offset;
        let mut table = Vec::new();
        let all = std::mem::take(&mut self.all);
        let offset = self.write_postings(&all)?;
        put_table_entry(&mut table, "", "", offset);
        // Symbols are sorted, and so are their numbers.
        let mut postings: Vec<_> = std::mem::take(&mut self.postings).into_iter().collect();
        postings.sort_unstable_by_key(|(pair, _)| *pair);
        for ((name, value), series) in &postings {
            let offset = self.write_postings(series)?;
            let (name, value) = (&self.texts[*name as usize], &self.texts[*value as usize]);
            put_table_entry(&mut table, name, value, offset);
        }
        self.toc.label_indices_table = self.offset;
        self.toc.postings_table = self.offset;
        let mut checksum = 0;
        self.put(&section_size(table.len() + 4)?.to_be_bytes())?;
        self.put_checked(&section_size(postings.len() + 1)?.to_be_bytes(), &mut checksum)?;
        self.put_checked(&table, &mut checksum)?;
        self.put(&checksum.to_be_bytes())?;
        let toc = self.toc.encode();
        self.put(&toc)?;
        self.flush()?;
        self.file.sync().map_err(write_failure(&self.path))
    }

    fn write_postings(&mut self, series: &[u32]) -> Result<u64, BlockError> {
        self.pad(POSTINGS_ALIGNMENT)?;
        let offset = self.offset;
        let mut checksum = 0;
        self.put(&section_size(series.len() * 4 + 4)?.to_be_bytes())?;
        self.put_checked(&section_size(series.len())?.to_be_bytes(), &mut checksum)?;
        let mut bytes = Vec::with_capacity(4096);
        for part in series.chunks(1024) {
            bytes.clear();
            bytes.extend(part.iter().flat_map(|number| number.to_be_bytes()));
            self.put_checked(&bytes, &mut checksum)?;
        }
        self.put(&checksum.to_be_bytes())?;
        Ok(offset)
    }

    fn symbol(&self, text: &str) -> u32 {
        *self.symbols.get(text).expect("BUG: every label's texts were given at the start")
    }

    fn pad(&mut self, alignment: usize) -> Result<(), BlockError> {
        let over = (self.offset % alignment as u64) as usize;
        if over > 0 {
            let zeros = [0; SERIES_ALIGNMENT];
            self.put(zeros.get(over..alignment).unwrap_or_default())?;
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), BlockError> {
        self.buffer.extend_from_slice(bytes);
        self.offset += bytes.len() as u64;
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        Ok(())
    }

    fn put_checked(&mut self, bytes: &[u8], checksum: &mut u32) -> Result<(), BlockError> {
        *checksum = crc32c::crc32c_append(*checksum, bytes);
        self.put(bytes)
    }

    fn flush(&mut self) -> Result<(), BlockError> {
        self.file.write_all(&self.buffer).map_err(write_failure(&self.path))?;
        self.buffer.clear();
        Ok(())
    }
}

fn put_chunks(entry: &mut Vec<u8>, chunks: &[ChunkMeta]) {
    put_uvarint(entry, chunks.len() as u64);
    let mut before: Option<&ChunkMeta> = None;
    for chunk in chunks {
        match before {
            None => put_varint(entry, chunk.min_time),
            Some(before) => put_uvarint(entry, chunk.min_time.wrapping_sub(before.max_time) as u64),
        }
        put_uvarint(entry, chunk.max_time.wrapping_sub(chunk.min_time) as u64);
        match before {
            None => put_uvarint(entry, chunk.reference),
            Some(before) => put_varint(entry, chunk.reference.wrapping_sub(before.reference) as i64),
        }
        before = Some(chunk);
    }
}

fn put_table_entry(table: &mut Vec<u8>, name: &str, value: &str, offset: u64) {
    table.push(2);
    put_str(table, name);
    put_str(table, value);
    put_uvarint(table, offset);
}

/// Sizes and counts of sections have 32 bits.
fn section_size(size: usize) -> Result<u32, BlockError> {
    u32::try_from(size).map_err(|_| BlockError::TooLarge("a section of the index is larger than 4 GiB"))
}
