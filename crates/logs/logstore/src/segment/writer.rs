//! Writing a segment: streams in order, entries of each in order, once each.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{
    ArrayRef, DictionaryArray, Int32Array, RecordBatch, StringArray, TimestampNanosecondArray, UInt64Array,
    builder::{StringBuilder, StringDictionaryBuilder},
    types::Int32Type,
};
use disk::{Fs, FsFile};
use model::{Labels, Nanos};
use parquet::{arrow::ArrowWriter, errors::ParquetError, file::metadata::KeyValue};
use rustc_hash::FxHashMap;
use ulid::Ulid;

use super::{
    Group, Layout, Origin, StreamRows, labels_json, schema, sidecar,
    tokens::{TokenFilter, TokenSet},
};
use crate::{
    files::{index_name, parquet_name},
    options::SegmentOptions,
};

/// Rows handed to the Parquet writer at once at most.
const BATCH_ROWS: usize = 8192;
/// Bytes of text handed to the Parquet writer at once (one line may go beyond).
const BATCH_TEXT: u64 = 8 << 20;
/// Metadata texts remembered, so that those which repeat are written as JSON once.
const KNOWN_METADATA: usize = 1024;

/// Why a segment could not be written. Nothing of it is left but temporary files.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("cannot write `{}`", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("cannot encode `{}`", .path.display())]
    Parquet { path: PathBuf, source: ParquetError },
}

/// A segment being written.
pub(crate) struct SegmentWriter {
    id: Ulid,
    dir: PathBuf,
    temporary: PathBuf,
    fs: Arc<dyn Fs>,
    options: SegmentOptions,
    parquet: ArrowWriter<FsWriter>,
    layout: Layout,
    filters: Vec<Option<TokenFilter>>,
    tokens: TokenSet,
    group: Group,
    batch: Batch,
    known_metadata: FxHashMap<Labels, String>,
}

/// Rows on their way to the Parquet writer.
#[derive(Default)]
struct Batch {
    timestamps: Vec<Nanos>,
    fingerprints: Vec<u64>,
    label_keys: Vec<i32>,
    label_texts: Vec<String>,
    /// Fingerprint of the stream whose entries are being added.
    current: u64,
    levels: StringDictionaryBuilder<Int32Type>,
    lines: StringBuilder,
    metadata: StringBuilder,
    text_bytes: u64,
}

/// Makes a file of ours a `Write`, and remembers how much was written.
struct FsWriter {
    file: Box<dyn FsFile>,
    size: u64,
}

// === impl SegmentWriter ===

impl SegmentWriter {
    pub(crate) fn create(
        id: Ulid,
        dir: &Path,
        fs: &Arc<dyn Fs>,
        options: &SegmentOptions,
        zstd_level: i32,
    ) -> Result<Self, WriteError> {
        let temporary = disk::temporary_path(&dir.join(parquet_name(id)));
        let file =
            fs.create(&temporary).map_err(|source| WriteError::Io { path: temporary.clone(), source })?;
        let writer = FsWriter { file, size: 0 };
        let parquet = ArrowWriter::try_new(writer, schema::schema(), Some(schema::properties(zstd_level)));
        Ok(Self {
            id,
            dir: dir.to_owned(),
            parquet: parquet.map_err(|source| WriteError::Parquet { path: temporary.clone(), source })?,
            temporary,
            fs: Arc::clone(fs),
            options: options.clone(),
            layout: Layout::default(),
            filters: Vec::new(),
            tokens: TokenSet::new(),
            group: Group::default(),
            batch: Batch::default(),
            known_metadata: FxHashMap::default(),
        })
    }

    /// Adds an entry. Streams come in the order of their labels, entries of a stream in the order of time, and none twice.
    pub(crate) fn add(
        &mut self,
        labels: &Labels,
        time: Nanos,
        line: &[u8],
        metadata: &Labels,
    ) -> Result<(), WriteError> {
        let row = self.group.rows.end;
        let bytes = line.len() as u64;
        if self.group.rows.is_empty() {
            (self.group.first, self.group.last) = (time, time);
        }
        self.group.rows.end += 1;
        self.group.first = self.group.first.min(time);
        self.group.last = self.group.last.max(time);
        self.group.text_bytes += bytes;
        match self.layout.streams.last_mut() {
            Some(stream) if stream.labels == *labels => {
                debug_assert!(stream.last <= time, "BUG: entries out of order");
                stream.rows.end += 1;
                stream.last = time;
                stream.text_bytes += bytes;
            }
            before => {
                debug_assert!(
                    before.is_none_or(|before| before.labels < *labels),
                    "BUG: streams out of order"
                );
                self.layout.streams.push(StreamRows {
                    labels: labels.clone(),
                    rows: row..row + 1,
                    first: time,
                    last: time,
                    text_bytes: bytes,
                });
                self.batch.begin_stream(labels);
            }
        }
        self.tokens.add_line(line);
        self.push_row(labels, time, line, metadata);
        if self.batch.timestamps.len() >= BATCH_ROWS || self.batch.text_bytes >= BATCH_TEXT {
            self.write_batch()?;
        }
        let rows = self.group.rows.end - self.group.rows.start;
        if rows >= self.options.row_group_lines as u64
            || self.group.text_bytes >= self.options.row_group_bytes
        {
            self.end_group()?;
        }
        Ok(())
    }

    /// Number of entries so far.
    pub(crate) fn rows(&self) -> u64 {
        self.group.rows.end
    }

    /// Writes the rest and gives the segment its name. When this returns, the segment is there for good.
    pub(crate) fn finish(mut self, origin: Origin) -> Result<(Ulid, Layout), WriteError> {
        self.end_group()?;
        self.layout.origin = origin;
        let origin = KeyValue::new(schema::ORIGIN_KEY.to_owned(), sidecar::origin_json(&self.layout.origin));
        self.parquet.append_key_value_metadata(origin);
        self.parquet.finish().map_err(|source| self.encoding_failed(source))?;
        let published = self.publish();
        published.map_err(|source| WriteError::Io { path: self.dir.join(parquet_name(self.id)), source })?;
        Ok((self.id, self.layout))
    }

    /// Gives up: removes what was written.
    pub(crate) fn abandon(self) {
        let Self { fs, temporary, .. } = self;
        // Best effort: the next start removes it otherwise.
        let _ = fs.remove_file(&temporary);
    }

    fn publish(&mut self) -> io::Result<()> {
        let writer = self.parquet.inner_mut();
        writer.file.sync()?;
        let sidecar = sidecar::encode(&mut self.layout, &self.filters, writer.size);
        disk::write_atomic(&*self.fs, &self.dir.join(index_name(self.id)), &sidecar)?;
        self.fs.rename(&self.temporary, &self.dir.join(parquet_name(self.id)))?;
        self.fs.sync_dir(&self.dir)
    }

    fn push_row(&mut self, labels: &Labels, time: Nanos, line: &[u8], metadata: &Labels) {
        let batch = &mut self.batch;
        if batch.label_texts.is_empty() {
            batch.begin_stream(labels);
        }
        batch.timestamps.push(time);
        batch.push_stream();
        batch.levels.append_option(level(labels, metadata));
        match std::str::from_utf8(line) {
            Ok(line) => batch.lines.append_value(line),
            Err(_) => batch.lines.append_value(String::from_utf8_lossy(line)),
        }
        batch.text_bytes += line.len() as u64;
        if metadata.is_empty() {
            batch.metadata.append_null();
            return;
        }
        if let Some(text) = self.known_metadata.get(metadata) {
            batch.metadata.append_value(text);
            return;
        }
        let mut json = Vec::new();
        labels_json::write(&mut json, metadata);
        let text = String::from_utf8(json).unwrap_or_default();
        batch.metadata.append_value(&text);
        if self.known_metadata.len() >= KNOWN_METADATA {
            self.known_metadata.clear();
        }
        self.known_metadata.insert(metadata.clone(), text);
    }

    fn write_batch(&mut self) -> Result<(), WriteError> {
        if self.batch.timestamps.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        let record = batch.finish().map_err(|error| ParquetError::External(Box::new(error)));
        let written = record.and_then(|record| self.parquet.write(&record));
        written.map_err(|source| self.encoding_failed(source))
    }

    fn end_group(&mut self) -> Result<(), WriteError> {
        self.write_batch()?;
        if self.group.rows.is_empty() {
            return Ok(());
        }
        self.parquet.flush().map_err(|source| self.encoding_failed(source))?;
        let end = self.group.rows.end;
        let next = Group { rows: end..end, ..Group::default() };
        self.layout.groups.push(std::mem::replace(&mut self.group, next));
        self.filters.push(self.tokens.take_filter());
        Ok(())
    }

    fn encoding_failed(&self, source: ParquetError) -> WriteError {
        let path = self.temporary.clone();
        match source {
            // Our own file's error comes back wrapped: a full disk has to be told from a bad value.
            ParquetError::External(cause) => match cause.downcast::<io::Error>() {
                Ok(source) => WriteError::Io { path, source: *source },
                Err(cause) => WriteError::Parquet { path, source: ParquetError::External(cause) },
            },
            source => WriteError::Parquet { path, source },
        }
    }
}

// === impl WriteError ===

impl WriteError {
    /// Whether the device is full.
    pub(crate) fn is_disk_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if disk::is_disk_full(source))
    }
}

// === impl Batch ===

impl Batch {
    fn begin_stream(&mut self, labels: &Labels) {
        let mut json = Vec::new();
        labels_json::write(&mut json, labels);
        self.label_texts.push(String::from_utf8(json).unwrap_or_default());
        self.current = labels.fingerprint();
    }

    fn push_stream(&mut self) {
        self.fingerprints.push(self.current);
        self.label_keys.push(self.label_texts.len() as i32 - 1);
    }

    fn finish(mut self) -> Result<RecordBatch, arrow_schema::ArrowError> {
        let texts = StringArray::from_iter_values(&self.label_texts);
        let labels =
            DictionaryArray::<Int32Type>::try_new(Int32Array::from(self.label_keys), Arc::new(texts))?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(TimestampNanosecondArray::from(self.timestamps).with_timezone("UTC")),
            Arc::new(UInt64Array::from(self.fingerprints)),
            Arc::new(labels),
            Arc::new(self.levels.finish()),
            Arc::new(self.lines.finish()),
            Arc::new(self.metadata.finish()),
        ];
        RecordBatch::try_new(schema::schema(), columns)
    }
}

/// What the `level` column says about an entry.
fn level<'a>(labels: &'a Labels, metadata: &'a Labels) -> Option<&'a str> {
    let own = || metadata.get("detected_level").or_else(|| metadata.get("level"));
    own().or_else(|| labels.get("level")).or_else(|| labels.get("detected_level"))
}

// === impl FsWriter ===

impl Write for FsWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
