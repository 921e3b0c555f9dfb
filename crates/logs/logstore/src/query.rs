//! Reading: a consistent view on buffers and segments, and the questions that can be asked of it.

mod chunk;
mod filter;
mod merge;
mod select;

#[cfg(test)]
mod tests;

pub(crate) use chunk::{BlockSource, ChunkSource, Row};
pub(crate) use filter::TextFilter;
pub(crate) use merge::{Merge, Purpose, without_repeats};

use std::collections::BTreeSet;

use model::{Labels, Nanos};
use streams::{LineBatch, LogQuerier, QueryError, SelectLogs, StreamQuery, Volume};

use crate::{metrics::Metrics, segment::StreamRows, stream_index::StreamId, view::View};

/// A view on the store at one moment. Segments that are merged or deleted meanwhile stay readable.
///
/// Whether a stream has entries in a range is told by the times of its first and last entry in each segment and buffer, as Loki tells it
/// by its chunks: a stream that was silent in the whole range, but not before and after it, may be named.
pub(crate) struct Snapshot {
    view: View,
    metrics: Metrics,
}

// === impl Snapshot ===

impl Snapshot {
    pub(crate) fn new(view: View, metrics: Metrics) -> Self {
        Self { view, metrics }
    }

    /// The streams that satisfy the query and have entries in its range, ascending.
    fn streams(&self, query: &StreamQuery) -> Vec<StreamId> {
        let candidates = self.view.index.read().select_any(&query.selectors);
        let mut found = Vec::new();
        for generation in self.view.generations() {
            for buffer in generation.buffers(&candidates) {
                if buffer
                    .extent()
                    .is_some_and(|extent| extent.first < query.end && extent.last >= query.start)
                {
                    found.push(buffer.id);
                }
            }
        }
        for segment in self.view.segments.iter() {
            found.extend(
                segment.positions(&candidates, query.start, query.end).into_iter().map(|at| segment.ids[at]),
            );
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Their labels, in the order of their ids.
    fn labels(&self, query: &StreamQuery) -> Vec<Labels> {
        let ids = self.streams(query);
        let index = self.view.index.read();
        ids.iter().filter_map(|id| index.labels(*id).cloned()).collect()
    }
}

impl LogQuerier for Snapshot {
    fn select(
        &self,
        select: &SelectLogs,
    ) -> Result<Box<dyn Iterator<Item = Result<LineBatch, QueryError>> + Send>, QueryError> {
        Ok(Box::new(select::Selection::plan(&self.view, select, &self.metrics)))
    }

    fn series(&self, query: &StreamQuery) -> Result<Vec<Labels>, QueryError> {
        let mut labels = self.labels(query);
        labels.sort_unstable();
        Ok(labels)
    }

    fn label_names(&self, query: &StreamQuery) -> Result<Vec<String>, QueryError> {
        let labels = self.labels(query);
        let names: BTreeSet<&str> =
            labels.iter().flat_map(|labels| labels.iter().map(|(name, _)| name)).collect();
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    fn label_values(&self, name: &str, query: &StreamQuery) -> Result<Vec<String>, QueryError> {
        let labels = self.labels(query);
        let values: BTreeSet<&str> = labels.iter().filter_map(|labels| labels.get(name)).collect();
        Ok(values.into_iter().map(str::to_owned).collect())
    }

    fn volume(&self, query: &StreamQuery) -> Result<Volume, QueryError> {
        let ids = self.streams(query);
        let mut volume = Volume { streams: ids.len() as u64, ..Volume::default() };
        for generation in self.view.generations() {
            for buffer in generation.buffers(&ids) {
                let blocks = buffer.read(query.start, query.end);
                let entries = blocks.iter().flat_map(|block| block.entries());
                let within =
                    entries.filter(|entry| entry.timestamp >= query.start && entry.timestamp < query.end);
                let mut filled = false;
                for entry in within {
                    filled = true;
                    volume.entries += 1;
                    volume.bytes += entry.line.len() as u64;
                }
                volume.chunks += u64::from(filled);
            }
        }
        for segment in self.view.segments.iter() {
            for at in segment.positions(&ids, query.start, query.end) {
                let stream = &segment.layout.streams[at];
                let share = Share::of(stream, query.start, query.end);
                volume.chunks += 1;
                volume.entries += share.apply(stream.rows.end - stream.rows.start);
                volume.bytes += share.apply(stream.text_bytes);
            }
        }
        Ok(volume)
    }
}

/// How much of a stream's time in a segment a query covers: an estimate of how much of its entries.
struct Share {
    covered: u128,
    whole: u128,
}

// === impl Share ===

impl Share {
    fn of(stream: &StreamRows, start: Nanos, end: Nanos) -> Self {
        let length = |from: Nanos, to: Nanos| (i128::from(to) - i128::from(from)).max(0).unsigned_abs() + 1;
        Self {
            covered: length(stream.first.max(start), stream.last.min(end.saturating_sub(1))),
            whole: length(stream.first, stream.last),
        }
    }

    /// Its part of `amount`, rounded up.
    fn apply(&self, amount: u64) -> u64 {
        let part = (u128::from(amount) * self.covered).div_ceil(self.whole);
        u64::try_from(part).unwrap_or(amount).min(amount)
    }
}
