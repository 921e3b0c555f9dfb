//! What `/api/v1/status/tsdb` shows: where the series come from.

use std::{cmp::Reverse, collections::BinaryHeap};

use model::{METRIC_NAME, Millis};

use crate::head::{Head, HeadIndex};

/// Figures of the samples in memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TsdbStatus {
    /// Number of series.
    pub series: u64,
    /// Number of distinct label pairs.
    pub label_pairs: u64,
    /// Number of chunks.
    pub chunks: u64,
    /// Time of the oldest sample, milliseconds; `i64::MAX` where there is none.
    pub min_time: Millis,
    /// Time of the newest sample, milliseconds; `i64::MIN` where there is none.
    pub max_time: Millis,
    /// Metric names with the most series.
    pub series_by_metric_name: Vec<Stat>,
    /// Label names with the most values.
    pub values_by_label_name: Vec<Stat>,
    /// Label names whose values take the most memory, in bytes.
    pub memory_by_label_name: Vec<Stat>,
    /// Label pairs (`name=value`) with the most series.
    pub series_by_label_pair: Vec<Stat>,
}

/// A name and its figure; lists of these begin with the largest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stat {
    /// What is counted.
    pub name: String,
    /// How much of it there is.
    pub value: u64,
}

/// The `limit` largest figures, without making names for the others.
struct Top {
    limit: usize,
    heap: BinaryHeap<Reverse<(u64, Reverse<String>)>>,
}

// === impl Top ===

impl Top {
    fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::new() }
    }

    fn push(&mut self, value: u64, name: impl FnOnce() -> String) {
        if self.heap.len() >= self.limit {
            match self.heap.peek() {
                Some(Reverse((least, _))) if *least < value => self.heap.pop(),
                _ => return,
            };
        }
        self.heap.push(Reverse((value, Reverse(name()))));
    }

    fn finish(self) -> Vec<Stat> {
        let sorted = self.heap.into_sorted_vec().into_iter();
        sorted.map(|Reverse((value, Reverse(name)))| Stat { name, value }).collect()
    }
}

/// Figures of the head, each list with at most `limit` entries.
pub(crate) fn status(head: &Head, chunks: u64, limit: usize) -> TsdbStatus {
    let index = head.index().read();
    let mut status = TsdbStatus {
        series: head.series_count(),
        chunks,
        min_time: head.min_time(),
        max_time: head.max_time(),
        ..TsdbStatus::default()
    };
    let mut values_by_name = Top::new(limit);
    let mut memory_by_name = Top::new(limit);
    let mut series_by_pair = Top::new(limit);
    for (name, values) in index.names() {
        status.label_pairs += values as u64;
        values_by_name.push(values as u64, || name.to_owned());
        let mut bytes = 0;
        for (value, list) in HeadIndex::values(&index, name) {
            let series = list.len() as u64;
            bytes += (name.len() + value.len()) as u64 * series;
            series_by_pair.push(series, || format!("{name}={value}"));
        }
        memory_by_name.push(bytes, || name.to_owned());
    }
    let mut series_by_metric = Top::new(limit);
    for (value, list) in HeadIndex::values(&index, METRIC_NAME) {
        series_by_metric.push(list.len() as u64, || value.to_owned());
    }
    status.series_by_metric_name = series_by_metric.finish();
    status.values_by_label_name = values_by_name.finish();
    status.memory_by_label_name = memory_by_name.finish();
    status.series_by_label_pair = series_by_pair.finish();
    status
}
