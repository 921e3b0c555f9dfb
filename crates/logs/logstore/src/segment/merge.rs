//! Merging segments: all entries of several into one, once each.

use std::{ops::Range, sync::Arc};

use model::{Labels, Nanos};
use rustc_hash::FxHashMap;
use streams::{Direction, QueryError};

use super::{
    Rows, Segment,
    scan::{Part, Scan, ScanOptions},
    tokens::Needles,
    writer::{SegmentWriter, WriteError},
};
use crate::{
    metrics::Metrics,
    query::{Row, without_repeats},
    stream_index::StreamId,
};

/// Rows decoded at once from each segment.
const WINDOW: usize = 8 << 10;

/// Why segments could not be merged. They are left as they are.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MergeError {
    #[error(transparent)]
    Read(#[from] QueryError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Copies all entries of the segments into the writer.
pub(crate) fn merge(
    segments: &[Arc<Segment>],
    writer: &mut SegmentWriter,
    metrics: &Metrics,
) -> Result<(), MergeError> {
    let labels = sorted_labels(segments);
    let ranks: FxHashMap<StreamId, u32> =
        labels.iter().enumerate().map(|(rank, (id, _))| (*id, rank as u32)).collect();
    let options = Arc::new(ScanOptions {
        start: Nanos::MIN,
        end: Nanos::MAX,
        direction: Direction::Forward,
        lines: true,
        metadata: true,
        needles: Needles::default(),
        metrics: metrics.clone(),
    });
    let mut cursors: Vec<Cursor> =
        segments.iter().map(|segment| Cursor::new(segment, &ranks, &options)).collect();
    let mut at_front: Vec<usize> = Vec::with_capacity(cursors.len());
    loop {
        let mut least: Option<Place> = None;
        for (at, cursor) in cursors.iter_mut().enumerate() {
            let Some(place) = cursor.place()? else {
                continue;
            };
            if least.is_none_or(|least| place < least) {
                least = Some(place);
                at_front.clear();
            }
            if least == Some(place) {
                at_front.push(at);
            }
        }
        let Some(place) = least else {
            return Ok(());
        };
        let (_, labels) = &labels[place.stream as usize];
        if let [only] = at_front.as_slice() {
            cursors[*only].write_front(labels, writer)?;
        } else {
            let mut rows: Vec<Row> = Vec::new();
            for at in &at_front {
                while cursors[*at].place()? == Some(place) {
                    rows.extend(cursors[*at].take());
                }
            }
            for row in without_repeats(rows) {
                writer.add(labels, place.time, &row.line, &row.metadata)?;
            }
        }
    }
}

/// Where in the order of the merged segment an entry belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Its stream's rank among all streams.
    stream: u32,
    time: Nanos,
}

/// A walk over one segment.
struct Cursor {
    scan: Scan,
    /// The rank of each of the segment's streams.
    ranks: Vec<u32>,
    rows: Option<Arc<Rows>>,
    parts: std::vec::IntoIter<Part>,
    /// What is left of the current stream's rows.
    rest: Range<usize>,
    rank: u32,
}

// === impl Cursor ===

impl Cursor {
    fn new(segment: &Arc<Segment>, ranks: &FxHashMap<StreamId, u32>, options: &Arc<ScanOptions>) -> Self {
        let streams = (0..segment.ids.len()).collect();
        Self {
            scan: Scan::new(Arc::clone(segment), streams, Arc::clone(options), WINDOW),
            ranks: segment.ids.iter().map(|id| ranks.get(id).copied().unwrap_or_default()).collect(),
            rows: None,
            parts: Vec::new().into_iter(),
            rest: 0..0,
            rank: 0,
        }
    }

    /// The place of its next entry; `None` at the end.
    fn place(&mut self) -> Result<Option<Place>, QueryError> {
        while self.rest.is_empty() {
            if let Some(part) = self.parts.next() {
                self.rest = part.rows;
                self.rank = self.ranks[part.stream];
                continue;
            }
            let Some((rows, parts)) = self.scan.next_rows()? else {
                return Ok(None);
            };
            self.rows = Some(rows);
            self.parts = parts.into_iter();
        }
        let time = self.rows.as_ref().map_or(0, |rows| rows.timestamp(self.rest.start));
        Ok(Some(Place { stream: self.rank, time }))
    }

    fn write_front(&mut self, labels: &Labels, writer: &mut SegmentWriter) -> Result<(), WriteError> {
        let Some((rows, at)) = self.rows.as_ref().zip(self.rest.next()) else {
            return Ok(());
        };
        writer.add(labels, rows.timestamp(at), rows.line(at), rows.metadata(at))
    }

    fn take(&mut self) -> Option<Row> {
        let (rows, at) = self.rows.as_ref().zip(self.rest.next())?;
        Some(Row { line: rows.line_bytes(at), metadata: rows.metadata(at).clone() })
    }
}

/// All streams of the segments, in the order of their labels.
fn sorted_labels(segments: &[Arc<Segment>]) -> Vec<(StreamId, Labels)> {
    let mut labels: Vec<(StreamId, Labels)> = segments
        .iter()
        .flat_map(|segment| segment.ids.iter().zip(&segment.layout.streams))
        .map(|(id, stream)| (*id, stream.labels.clone()))
        .collect();
    labels.sort_unstable_by(|(_, a), (_, b)| a.cmp(b));
    labels.dedup_by_key(|(id, _)| *id);
    labels
}
