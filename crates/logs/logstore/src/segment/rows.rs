//! Rows of a segment in memory, as columns.

use std::ops::Range;

use arrow_array::{Array, RecordBatch, StringArray, TimestampNanosecondArray};
use bytes::Bytes;
use memchr::memmem::Finder;
use model::{Labels, Nanos};
use parquet::errors::ParquetError;
use rustc_hash::FxHashMap;

use super::{labels_json, schema};

/// Rows as columns; columns that were not read are empty.
pub(crate) struct Rows {
    timestamps: TimestampNanosecondArray,
    text: Bytes,
    /// Where each line begins, and where the last one ends; empty where lines were not read.
    offsets: Vec<i32>,
    /// Empty where metadata was not read or there is none.
    metadata: Vec<Labels>,
    no_metadata: Labels,
}

/// The text of an array, shared without copying.
struct Text(StringArray);

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.0.value_data()
    }
}

// === impl Rows ===

impl Rows {
    /// The columns of a batch read from a segment.
    pub(super) fn new(batch: &RecordBatch) -> Result<Self, ParquetError> {
        let timestamps = column::<TimestampNanosecondArray>(batch, schema::TIMESTAMP)?
            .ok_or_else(|| ParquetError::General("column `timestamp` is missing".to_owned()))?
            .clone();
        let lines = column::<StringArray>(batch, schema::LINE)?;
        let (text, offsets) = match lines {
            Some(lines) => (Bytes::from_owner(Text(lines.clone())), lines.value_offsets().to_vec()),
            None => (Bytes::new(), Vec::new()),
        };
        let metadata = match column::<StringArray>(batch, schema::METADATA)? {
            Some(texts) if texts.null_count() < texts.len() => read_metadata(texts)?,
            _ => Vec::new(),
        };
        Ok(Self { timestamps, text, offsets, metadata, no_metadata: Labels::empty() })
    }

    /// No rows.
    pub(super) fn none() -> Self {
        Self {
            timestamps: TimestampNanosecondArray::from(Vec::<Nanos>::new()),
            text: Bytes::new(),
            offsets: Vec::new(),
            metadata: Vec::new(),
            no_metadata: Labels::empty(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.timestamps.len()
    }

    pub(crate) fn timestamps(&self) -> &[Nanos] {
        self.timestamps.values()
    }

    pub(crate) fn timestamp(&self, at: usize) -> Nanos {
        self.timestamps.values()[at]
    }

    /// A line's bytes; empty where lines were not read.
    pub(crate) fn line(&self, at: usize) -> &[u8] {
        &self.text[self.line_range(at)]
    }

    /// A line as a share of the page's text.
    pub(crate) fn line_bytes(&self, at: usize) -> Bytes {
        self.text.slice(self.line_range(at))
    }

    pub(crate) fn metadata(&self, at: usize) -> &Labels {
        self.metadata.get(at).unwrap_or(&self.no_metadata)
    }

    /// Adds to `hits` the indices within `range` of the lines that contain the text, ascending. Searches across lines in one go.
    pub(crate) fn find_lines(&self, text: &Finder<'_>, range: Range<usize>, hits: &mut Vec<usize>) {
        let size = text.needle().len();
        let Some(last) = self.offsets.get(range.end) else {
            return;
        };
        let end = *last as usize;
        let mut at = range.start;
        let mut from = self.offsets[at] as usize;
        while let Some(found) = text.find(&self.text[from..end]) {
            let place = from + found;
            // The line the hit begins in; lines between two hits are passed by bisection.
            at += self.offsets[at + 1..=range.end].partition_point(|line_end| *line_end as usize <= place);
            let line_end = self.offsets[at + 1] as usize;
            if place + size <= line_end {
                hits.push(at);
                from = line_end;
            } else {
                // The hit runs over the line's end: no hit, but one may begin right behind.
                from = place + 1;
            }
        }
    }

    fn line_range(&self, at: usize) -> Range<usize> {
        match (self.offsets.get(at), self.offsets.get(at + 1)) {
            (Some(start), Some(end)) => *start as usize..*end as usize,
            _ => 0..0,
        }
    }
}

/// A column of a batch in the type it must have, if it was read.
pub(super) fn column<'a, A: Array + 'static>(
    batch: &'a RecordBatch,
    name: &str,
) -> Result<Option<&'a A>, ParquetError> {
    let Some(column) = batch.column_by_name(name) else {
        return Ok(None);
    };
    match column.as_any().downcast_ref::<A>() {
        Some(array) => Ok(Some(array)),
        None => Err(ParquetError::General(format!("column `{name}` has type {}", column.data_type()))),
    }
}

/// Metadata of each row; equal texts are parsed once and share one copy.
fn read_metadata(texts: &StringArray) -> Result<Vec<Labels>, ParquetError> {
    let mut known: FxHashMap<&str, Labels> = FxHashMap::default();
    let mut metadata = Vec::with_capacity(texts.len());
    for text in texts {
        let labels = match text {
            None => Labels::empty(),
            Some(text) => match known.get(text) {
                Some(labels) => labels.clone(),
                None => {
                    let labels =
                        labels_json::read(text).map_err(|error| ParquetError::External(Box::new(error)))?;
                    known.insert(text, labels.clone());
                    labels
                }
            },
        };
        metadata.push(labels);
    }
    Ok(metadata)
}
