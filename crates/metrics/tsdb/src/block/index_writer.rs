//! Writes the index of a block: its series in one pass, the lists of series by label from what was written.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use disk::{Fs, FsFile};
use model::Labels;

use super::{
    BlockError, ChunkMeta,
    index_format::{HEADER, MAGIC, POSTINGS_ALIGNMENT, SERIES_ALIGNMENT, Toc, VERSION},
    postings_writer::{ListNote, ListNotes, NameCounts, each_list},
    read_failure,
    series_scan::SeriesScan,
    texts::Texts,
    write_failure,
};
use crate::encoding::{put_str, put_uvarint, put_varint, uvarint_len};

/// Bytes that are written at once.
const BUFFER: usize = 1 << 20;

/// Takes series in the order of their labels. Beside the texts, which others own, it holds some 16 bytes a series at most.
pub(crate) struct IndexWriter<'a> {
    path: PathBuf,
    file: Box<dyn FsFile>,
    buffer: Vec<u8>,
    /// Bytes in the file, those in the buffer included.
    offset: u64,
    toc: Toc,
    texts: Texts<'a>,
    names: NameCounts,
    series: u64,
    last: Option<Labels>,
    entry: Vec<u8>,
}

// === impl IndexWriter ===

impl<'a> IndexWriter<'a> {
    /// Starts the file with all names and values that any series has.
    pub(crate) fn create(fs: &Arc<dyn Fs>, path: &Path, texts: Texts<'a>) -> Result<Self, BlockError> {
        let file = fs.create(path).map_err(write_failure(path))?;
        let mut writer = Self {
            path: path.to_owned(),
            file,
            buffer: Vec::with_capacity(BUFFER + 4096),
            offset: 0,
            toc: Toc::default(),
            texts,
            names: NameCounts::default(),
            series: 0,
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
        for text in texts.iter() {
            entry.clear();
            put_str(&mut entry, text);
            self.put_checked(&entry, &mut checksum)?;
        }
        self.texts = texts;
        self.put(&checksum.to_be_bytes())
    }

    /// Adds a series whose labels come behind all before; its chunks are in order of time. Returns its number.
    pub(crate) fn add_series(&mut self, labels: &Labels, chunks: &[ChunkMeta]) -> Result<u32, BlockError> {
        if self.last.as_ref().is_some_and(|last| last >= labels) {
            return Err(self.inconsistent("series are not in the order of their labels"));
        }
        self.pad(SERIES_ALIGNMENT)?;
        let number = u32::try_from(self.offset / SERIES_ALIGNMENT as u64)
            .map_err(|_| BlockError::TooLarge("series take more than 64 GiB of the index"))?;
        let mut entry = std::mem::take(&mut self.entry);
        entry.clear();
        put_uvarint(&mut entry, labels.len() as u64);
        for (name, value) in labels.iter() {
            let name = self.symbol(name)?;
            put_uvarint(&mut entry, u64::from(name));
            put_uvarint(&mut entry, u64::from(self.symbol(value)?));
            self.names.count(name);
        }
        put_chunks(&mut entry, chunks);
        let mut size = Vec::with_capacity(5);
        put_uvarint(&mut size, entry.len() as u64);
        self.put(&size)?;
        self.put(&entry)?;
        self.put(&crc32c::crc32c(&entry).to_be_bytes())?;
        self.entry = entry;
        self.series += 1;
        self.last = Some(labels.clone());
        Ok(number)
    }

    /// Writes the lists and the tables and makes the file durable.
    pub(crate) fn finish(&mut self) -> Result<(), BlockError> {
        let section = (self.toc.series, self.offset);
        // They are read back from the file.
        self.flush()?;
        self.pad(POSTINGS_ALIGNMENT)?;
        self.toc.label_indices = self.offset;
        self.toc.postings = self.offset;
        let all = self.write_all_postings(section)?;
        let (notes, table) = self.write_label_postings(section, table_entry_size("", "", all))?;
        self.write_postings_table(all, &notes, table)?;
        let toc = self.toc.encode();
        self.put(&toc)?;
        self.flush()?;
        self.file.sync().map_err(write_failure(&self.path))
    }

    /// The list of all series; returns where it is.
    fn write_all_postings(&mut self, section: (u64, u64)) -> Result<u64, BlockError> {
        let path = self.path.clone();
        let offset = self.offset;
        let mut checksum = self.begin_postings(self.series)?;
        let mut scan = SeriesScan::open(&path, section.0, section.1).map_err(read_failure(&path))?;
        while let Some((series, _)) = scan.next_series().map_err(read_failure(&path))? {
            self.put_checked(&series.to_be_bytes(), &mut checksum)?;
        }
        self.put(&checksum.to_be_bytes())?;
        Ok(offset)
    }

    /// The lists by label; returns which there are, and the size of the table's entries with what `table` says of it so far.
    fn write_label_postings(
        &mut self,
        section: (u64, u64),
        mut table: usize,
    ) -> Result<(ListNotes, usize), BlockError> {
        let path = self.path.clone();
        let mut notes = ListNotes::default();
        for part in std::mem::take(&mut self.names).parts(self.series) {
            each_list(&path, section, &part, |label, series| {
                let offset = self.write_postings(series).map_err(ListError::Write)?;
                let (name, value) = self.label(label).map_err(ListError::Write)?;
                table += table_entry_size(name, value, offset);
                notes.push(ListNote { label, series: series.len() as u32 });
                Ok(())
            })
            .map_err(|error| match error {
                ListError::Read(source) => read_failure(&path)(source),
                ListError::Write(error) => error,
            })?;
        }
        Ok((notes, table))
    }

    fn write_postings(&mut self, series: &[u32]) -> Result<u64, BlockError> {
        self.pad(POSTINGS_ALIGNMENT)?;
        let offset = self.offset;
        let mut checksum = self.begin_postings(series.len() as u64)?;
        let mut bytes = Vec::with_capacity(4096);
        for part in series.chunks(1024) {
            bytes.clear();
            bytes.extend(part.iter().flat_map(|number| number.to_be_bytes()));
            self.put_checked(&bytes, &mut checksum)?;
        }
        self.put(&checksum.to_be_bytes())?;
        Ok(offset)
    }

    /// What is in front of a list's series; returns the checksum so far.
    fn begin_postings(&mut self, series: u64) -> Result<u32, BlockError> {
        let series = usize::try_from(series).unwrap_or(usize::MAX);
        let mut checksum = 0;
        self.put(&section_size(series.saturating_mul(4).saturating_add(4))?.to_be_bytes())?;
        self.put_checked(&section_size(series)?.to_be_bytes(), &mut checksum)?;
        Ok(checksum)
    }

    fn write_postings_table(&mut self, all: u64, notes: &ListNotes, size: usize) -> Result<(), BlockError> {
        self.toc.label_indices_table = self.offset;
        self.toc.postings_table = self.offset;
        let mut checksum = 0;
        self.put(&section_size(size + 4)?.to_be_bytes())?;
        self.put_checked(&section_size(notes.len() + 1)?.to_be_bytes(), &mut checksum)?;
        let mut entry = Vec::new();
        put_table_entry(&mut entry, "", "", all);
        self.put_checked(&entry, &mut checksum)?;
        // The lists lie one behind the other, as they were written.
        let mut offset = postings_end(all, self.series);
        for note in notes.iter() {
            let (name, value) = self.label(note.label)?;
            entry.clear();
            put_table_entry(&mut entry, name, value, offset);
            self.put_checked(&entry, &mut checksum)?;
            offset = postings_end(offset, u64::from(note.series));
        }
        self.put(&checksum.to_be_bytes())
    }

    fn symbol(&self, text: &str) -> Result<u32, BlockError> {
        self.texts.number(text).ok_or_else(|| self.inconsistent("a label is not among the symbols"))
    }

    fn label(&self, (name, value): (u32, u32)) -> Result<(&'a str, &'a str), BlockError> {
        let label = self.texts.get(name).zip(self.texts.get(value));
        label.ok_or_else(|| self.inconsistent("a symbol does not exist"))
    }

    fn inconsistent(&self, reason: &'static str) -> BlockError {
        BlockError::Inconsistent { path: self.path.clone(), reason }
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

/// Bytes of what [`put_table_entry`] writes.
fn table_entry_size(name: &str, value: &str, offset: u64) -> usize {
    let text = |text: &str| uvarint_len(text.len() as u64) + text.len();
    1 + text(name) + text(value) + uvarint_len(offset)
}

/// Where the list behind the one at `offset` with so many series begins.
fn postings_end(offset: u64, series: u64) -> u64 {
    // Length, count, series, checksum: always a multiple of the alignment.
    offset + 4 + 4 + 4 * series + 4
}

/// Sizes and counts of sections have 32 bits.
fn section_size(size: usize) -> Result<u32, BlockError> {
    u32::try_from(size).map_err(|_| BlockError::TooLarge("a section of the index is larger than 4 GiB"))
}

/// Why the lists could not be written.
enum ListError {
    Read(std::io::Error),
    Write(BlockError),
}

impl From<std::io::Error> for ListError {
    fn from(source: std::io::Error) -> Self {
        Self::Read(source)
    }
}
