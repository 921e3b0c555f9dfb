//! Sealed segments: entries of many streams in one immutable Apache Parquet file, and a sidecar that makes reading it fast.
//!
//! The Parquet file stands on its own (see [`schema`] for its columns): any reader of the format can query it. The sidecar
//! ([`sidecar`]) says which rows are whose, and what cannot occur in a row group; it is made again from the Parquet file where it is
//! missing or damaged.
//!
//! **Invariant**: rows are sorted by stream (in the order of label sets) and then by time, and no entry occurs twice.
//!
//! A segment appears whole: both files are written under temporary names and synced, the sidecar is renamed first, the Parquet file
//! last. Which segments exist is thus the list of Parquet files. A segment that replaces others names them in its metadata, so that a
//! crash before their removal is made good at the next start.

mod input;
mod labels_json;
pub(crate) mod merge;
mod open;
mod rebuild;
mod rows;
pub(crate) mod scan;
mod schema;
mod sidecar;
pub(crate) mod tokens;
pub(crate) mod writer;

#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use disk::Fs;
use model::{Labels, Nanos};
use parking_lot::Mutex;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use serde::{Deserialize, Serialize};
use streams::QueryError;
use tracing::warn;
use ulid::Ulid;

pub(crate) use open::load_all;
pub(crate) use rows::Rows;

use crate::{
    files::{index_name, parquet_name},
    stream_index::{StreamId, StreamIndex},
};
use input::Input;
use tokens::TokenFilter;

/// A sealed segment. Where it was deleted or replaced, its files go when the last reader lets go of it.
pub(crate) struct Segment {
    pub(crate) id: Ulid,
    pub(crate) layout: Layout,
    /// The id of each stream, in the order of `layout.streams`.
    pub(crate) ids: Vec<StreamId>,
    /// Positions in `layout.streams`, by ascending id.
    by_id: Vec<(StreamId, u32)>,
    pub(crate) file_bytes: u64,
    dir: PathBuf,
    fs: Arc<dyn Fs>,
    doomed: AtomicBool,
    footer: Mutex<Option<ArrowReaderMetadata>>,
}

/// Who wrote a segment and what it stands for. Lies in the Parquet file's metadata under the key `logstore`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// The store that wrote it.
    pub(crate) store: String,
    /// Everything in log segments of that store with smaller numbers lies in this segment or in earlier ones.
    pub(crate) wal_before: u64,
    /// Segments whose entries are all in this one.
    #[serde(default)]
    pub(crate) replaces: Vec<String>,
}

/// Where in a segment things are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Layout {
    pub(crate) origin: Origin,
    /// Row groups in the file's order.
    pub(crate) groups: Vec<Group>,
    /// Streams in the file's order.
    pub(crate) streams: Vec<StreamRows>,
}

/// A row group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Group {
    /// Its rows, counted through the whole segment.
    pub(crate) rows: Range<u64>,
    /// Least and greatest time in it.
    pub(crate) first: Nanos,
    pub(crate) last: Nanos,
    /// Bytes of its lines.
    pub(crate) text_bytes: u64,
    /// Where its token filter lies in the sidecar; `None` where it has none.
    pub(crate) filter: Option<FilterPlace>,
}

/// A token filter in the sidecar file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FilterPlace {
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
    pub(crate) crc: u32,
}

/// The rows of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamRows {
    pub(crate) labels: Labels,
    /// Its rows, counted through the whole segment.
    pub(crate) rows: Range<u64>,
    /// Times of its first and last entry.
    pub(crate) first: Nanos,
    pub(crate) last: Nanos,
    /// Bytes of its lines.
    pub(crate) text_bytes: u64,
}

// === impl Layout ===

impl Layout {
    /// Number of entries.
    pub(crate) fn rows(&self) -> u64 {
        self.groups.last().map_or(0, |group| group.rows.end)
    }

    /// Least and greatest time.
    pub(crate) fn extent(&self) -> (Nanos, Nanos) {
        let first = self.groups.iter().map(|group| group.first).min().unwrap_or(Nanos::MAX);
        let last = self.groups.iter().map(|group| group.last).max().unwrap_or(Nanos::MIN);
        (first, last)
    }

    /// Bytes of all lines.
    pub(crate) fn text_bytes(&self) -> u64 {
        self.groups.iter().map(|group| group.text_bytes).sum()
    }

    /// Whether it describes a file at all: rows without gaps, streams in order. Checked on everything read from disk.
    pub(crate) fn is_consistent(&self) -> bool {
        let mut next = 0;
        for group in &self.groups {
            if group.rows.start != next || group.rows.end <= next || group.first > group.last {
                return false;
            }
            next = group.rows.end;
        }
        let mut next = 0;
        let mut before: Option<&Labels> = None;
        for stream in &self.streams {
            let in_order = before.is_none_or(|before| *before < stream.labels);
            if stream.rows.start != next || stream.rows.end <= next || stream.first > stream.last || !in_order
            {
                return false;
            }
            next = stream.rows.end;
            before = Some(&stream.labels);
        }
        next == self.rows()
    }
}

// === impl Segment ===

impl Segment {
    /// A segment whose files are in place.
    pub(crate) fn new(
        id: Ulid,
        mut layout: Layout,
        dir: &Path,
        fs: Arc<dyn Fs>,
        index: &mut StreamIndex,
    ) -> io::Result<Self> {
        let file_bytes = std::fs::metadata(dir.join(parquet_name(id)))?.len();
        let mut ids = Vec::with_capacity(layout.streams.len());
        for stream in &mut layout.streams {
            // Shares the labels with all other segments and the buffers.
            let (stream_id, labels) = index.intern(&stream.labels);
            stream.labels = labels;
            ids.push(stream_id);
        }
        let mut by_id: Vec<_> = ids.iter().enumerate().map(|(at, id)| (*id, at as u32)).collect();
        by_id.sort_unstable();
        Ok(Self {
            id,
            layout,
            ids,
            by_id,
            file_bytes,
            dir: dir.to_owned(),
            fs,
            doomed: AtomicBool::new(false),
            footer: Mutex::new(None),
        })
    }

    /// The positions of those of the given streams (ascending ids) that have entries with `start <= time < end` here, ascending.
    pub(crate) fn positions(&self, ids: &[StreamId], start: Nanos, end: Nanos) -> Vec<usize> {
        let (first, last) = self.layout.extent();
        if first >= end || last < start {
            return Vec::new();
        }
        let overlaps = |at: u32| {
            let stream = &self.layout.streams[at as usize];
            (stream.first < end && stream.last >= start).then_some(at as usize)
        };
        let mut positions: Vec<usize> = if ids.len() * 8 < self.by_id.len() {
            let find = |id: &StreamId| self.by_id.binary_search_by_key(id, |(id, _)| *id).ok();
            ids.iter().filter_map(find).filter_map(|at| overlaps(self.by_id[at].1)).collect()
        } else {
            let wanted = self.by_id.iter().filter(|(id, _)| ids.binary_search(id).is_ok());
            wanted.filter_map(|(_, at)| overlaps(*at)).collect()
        };
        positions.sort_unstable();
        positions
    }

    /// Marks the segment for removal: its files go when nobody reads them any more.
    pub(crate) fn doom(&self) {
        self.doomed.store(true, Ordering::Release);
    }

    pub(crate) fn parquet_path(&self) -> PathBuf {
        self.dir.join(parquet_name(self.id))
    }

    fn index_path(&self) -> PathBuf {
        self.dir.join(index_name(self.id))
    }

    /// Opens the Parquet file; reads its footer at the first time.
    fn open(&self) -> Result<(Input, ArrowReaderMetadata), QueryError> {
        let input = Input::open(&self.parquet_path()).map_err(|error| self.unreadable(error))?;
        let mut footer = self.footer.lock();
        if let Some(footer) = &*footer {
            return Ok((input, footer.clone()));
        }
        let read = schema::read_footer(&input).map_err(|error| self.unreadable(error))?;
        *footer = Some(read.clone());
        Ok((input, read))
    }

    /// The token filter of a row group. One that cannot be read is none: it only makes us faster.
    fn filter(&self, group: &Group) -> Option<TokenFilter> {
        let place = group.filter?;
        let read = File::open(self.index_path()).and_then(|file| sidecar::read_filter(&file, place));
        match read {
            Ok(filter) => Some(filter),
            Err(error) => {
                warn!(%error, segment = %self.id, "cannot read a token filter, searching without it");
                None
            }
        }
    }

    /// A query error that names this segment.
    fn unreadable(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> QueryError {
        QueryError::Read {
            what: format!("segment `{}`", self.parquet_path().display()),
            source: source.into(),
        }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if !self.doomed.load(Ordering::Acquire) {
            return;
        }
        // The Parquet file first: without it the sidecar is rubbish that the next start removes.
        for path in [self.parquet_path(), self.index_path()] {
            match self.fs.remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    warn!(%error, path = %path.display(), "cannot remove a file of a deleted segment, the next start will");
                }
                _ => {}
            }
        }
    }
}
