//! Logs in memory, for tests: batches small, streams in turns, so that whoever relies on more than the interface promises fails.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use model::{Labels, Nanos};
use streams::{
    Direction, LineBatch, LineBatchBuilder, LogQuerier, LogSource, QueryError, SelectLogs, StreamQuery,
    Volume,
};

/// Time, line, structured metadata.
pub(crate) type StoredEntry = (Nanos, String, Labels);

/// Entries by stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemorySource {
    streams: Arc<BTreeMap<Labels, Vec<StoredEntry>>>,
    /// What was asked for.
    pub selects: Arc<Mutex<Vec<SelectLogs>>>,
}

const BATCH_ROWS: usize = 50;

impl MemorySource {
    pub fn new(streams: impl IntoIterator<Item = (Labels, Vec<StoredEntry>)>) -> Self {
        let mut sorted: BTreeMap<Labels, Vec<StoredEntry>> = streams.into_iter().collect();
        for entries in sorted.values_mut() {
            entries.sort_by_key(|(timestamp, _, _)| *timestamp);
        }
        Self { streams: Arc::new(sorted), selects: Arc::default() }
    }

    /// One stream, lines a second apart from second 1 on.
    pub fn of_lines(labels: &[(&str, &str)], lines: &[&str]) -> Self {
        let entries = lines
            .iter()
            .enumerate()
            .map(|(at, line)| ((at as i64 + 1) * 1_000_000_000, (*line).to_owned(), Labels::empty()));
        Self::new([(Labels::from_pairs(labels.iter().copied()), entries.collect())])
    }
}

impl LogSource for MemorySource {
    fn querier(&self) -> Result<Arc<dyn LogQuerier>, QueryError> {
        Ok(Arc::new(self.clone()))
    }
}

impl LogQuerier for MemorySource {
    fn select(
        &self,
        select: &SelectLogs,
    ) -> Result<Box<dyn Iterator<Item = Result<LineBatch, QueryError>> + Send>, QueryError> {
        if let Ok(mut selects) = self.selects.lock() {
            selects.push(select.clone());
        }
        let mut queues = Vec::new();
        for (labels, entries) in self.streams.iter() {
            if !select.matchers.iter().all(|matcher| matcher.matches(labels.value(matcher.name()))) {
                continue;
            }
            let mut entries: Vec<_> = entries
                .iter()
                .filter(|(timestamp, _, _)| (select.start..select.end).contains(timestamp))
                .collect();
            if select.direction == Direction::Backward {
                entries.reverse();
            }
            let batches = entries.chunks(BATCH_ROWS).map(|chunk| {
                let mut builder = LineBatchBuilder::new(labels.clone());
                for (timestamp, line, metadata) in chunk {
                    let line = if select.wanted.lines { line.as_str() } else { "" };
                    let none = Labels::empty();
                    let metadata = if select.wanted.metadata { metadata } else { &none };
                    assert!(
                        builder.push(*timestamp, line.as_bytes(), metadata),
                        "a batch of {BATCH_ROWS} rows fits"
                    );
                }
                builder.finish()
            });
            queues.push(batches.collect::<std::collections::VecDeque<_>>());
        }
        let mut batches = Vec::new();
        while queues.iter().any(|queue| !queue.is_empty()) {
            batches.extend(queues.iter_mut().filter_map(|queue| queue.pop_front().map(Ok)));
        }
        Ok(Box::new(batches.into_iter()))
    }

    fn series(&self, _: &StreamQuery) -> Result<Vec<Labels>, QueryError> {
        Ok(self.streams.keys().cloned().collect())
    }

    fn label_names(&self, _: &StreamQuery) -> Result<Vec<String>, QueryError> {
        Ok(Vec::new())
    }

    fn label_values(&self, _: &str, _: &StreamQuery) -> Result<Vec<String>, QueryError> {
        Ok(Vec::new())
    }

    fn volume(&self, _: &StreamQuery) -> Result<Volume, QueryError> {
        Ok(Volume::default())
    }
}
