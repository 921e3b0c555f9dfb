//! The newest exemplars of all series, in a ring of fixed size.

use std::{collections::VecDeque, sync::Arc};

use model::Millis;
use rustc_hash::FxHashMap;
use storage::{AppendError, Exemplar};

use super::series::MemSeries;

/// An exemplar and whose it is.
pub(crate) struct StoredExemplar {
    pub(crate) series: Arc<MemSeries>,
    pub(crate) timestamp: Millis,
    pub(crate) exemplar: Exemplar,
}

/// The ring. With capacity 0 it takes everything and keeps nothing.
#[derive(Default)]
pub(crate) struct ExemplarRing {
    capacity: usize,
    entries: VecDeque<StoredExemplar>,
    /// The time of each series' newest exemplar, as long as it is in the ring.
    newest: FxHashMap<u64, Millis>,
}

// === impl ExemplarRing ===

impl ExemplarRing {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, ..Self::default() }
    }

    pub(crate) fn is_disabled(&self) -> bool {
        self.capacity == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether an exemplar may be added: it must not be older than its series' newest.
    pub(crate) fn check(&self, series_ref: u64, timestamp: Millis) -> Result<(), AppendError> {
        match self.newest.get(&series_ref) {
            Some(newest) if timestamp < *newest => Err(AppendError::OutOfOrderExemplar),
            _ => Ok(()),
        }
    }

    /// Adds an exemplar; returns whether it was new.
    pub(crate) fn push(&mut self, stored: StoredExemplar) -> bool {
        let series_ref = stored.series.series_ref();
        if self.is_disabled() || self.check(series_ref, stored.timestamp).is_err() || self.repeats(&stored) {
            return false;
        }
        if self.entries.len() >= self.capacity
            && let Some(oldest) = self.entries.pop_front()
            && self.newest.get(&oldest.series.series_ref()) == Some(&oldest.timestamp)
        {
            self.newest.remove(&oldest.series.series_ref());
        }
        self.newest.insert(series_ref, stored.timestamp);
        self.entries.push_back(stored);
        true
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &StoredExemplar> {
        self.entries.iter()
    }

    /// Whether the series' newest exemplar is the same: sources repeat it until there is another.
    fn repeats(&self, stored: &StoredExemplar) -> bool {
        let series_ref = stored.series.series_ref();
        if self.newest.get(&series_ref) != Some(&stored.timestamp) {
            return false;
        }
        let newest = self.entries.iter().rev().find(|entry| entry.series.series_ref() == series_ref);
        newest.is_some_and(|newest| {
            newest.exemplar.labels == stored.exemplar.labels
                && newest.exemplar.value.to_bits() == stored.exemplar.value.to_bits()
        })
    }
}

#[cfg(test)]
mod tests {
    use model::Labels;

    use super::*;

    fn stored(series: &Arc<MemSeries>, timestamp: Millis, value: f64) -> StoredExemplar {
        StoredExemplar {
            series: Arc::clone(series),
            timestamp,
            exemplar: Exemplar {
                labels: Labels::from_pairs([("trace_id", "x")]),
                value,
                timestamp: Some(timestamp),
            },
        }
    }

    #[test]
    fn keeps_the_newest_and_no_repetition() {
        let mut ring = ExemplarRing::new(2);
        let series = Arc::new(MemSeries::new(1, Labels::from_pairs([("a", "b")])));
        assert!(ring.push(stored(&series, 10, 1.0)));
        assert!(!ring.push(stored(&series, 10, 1.0)), "a repetition");
        assert!(!ring.push(stored(&series, 9, 1.0)), "older than the newest");
        assert!(ring.push(stored(&series, 11, 2.0)));
        assert!(ring.push(stored(&series, 12, 3.0)));
        let times: Vec<_> = ring.iter().map(|entry| entry.timestamp).collect();
        assert_eq!(times, [11, 12]);
        assert!(!ExemplarRing::default().push(stored(&series, 10, 1.0)));
    }
}
