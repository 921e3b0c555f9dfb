//! What a query finds.

use model::{Columns, Millis};
use storage::{Queryable, SelectHints};
use tsdb::Db;

use super::load::{Batch, Member};

/// Of each batch from some number on, how many of its samples a query found.
#[derive(Debug, Default)]
pub struct Seen {
    first: u64,
    counts: Vec<u64>,
}

// === impl Seen ===

impl Seen {
    /// Asks for all batches from `first` on. Each sample must be one of a batch, and be there once; each batch must be whole or not there.
    pub fn query(db: &Db, first: Batch) -> Self {
        let mut seen = Self { first: first.0, counts: Vec::new() };
        let querier = db.querier(first.timestamp(), Millis::MAX).expect("a querier");
        let mut set = querier.select(&SelectHints::default(), &[]).expect("a selection");
        let mut before = None;
        let mut columns = Columns::default();
        while let Some(series) = set.next() {
            let mut series = series.expect("a series");
            assert!(before.as_ref().is_none_or(|before| *before < series.labels), "{} again", series.labels);
            let member = Member::of(&series.labels);
            let member = member.unwrap_or_else(|| panic!("{} was never sent", series.labels));
            columns.clear();
            series.samples.read(first.timestamp(), Millis::MAX, &mut columns).expect("samples");
            seen.add(member, &columns);
            before = Some(series.labels);
        }
        for number in seen.numbers() {
            seen.has(Batch(number));
        }
        seen
    }

    /// The numbers it may have something of.
    pub fn numbers(&self) -> std::ops::Range<u64> {
        self.first..self.first + self.counts.len() as u64
    }

    /// Whether a batch is there, not only a part of it.
    pub fn has(&self, batch: Batch) -> bool {
        let at = batch.0.checked_sub(self.first).expect("a batch that was asked for");
        let count = self.counts.get(at as usize).copied().unwrap_or_default();
        assert!(count == 0 || count == batch.len(), "{batch:?} is there with {count} of {}", batch.len());
        count > 0
    }

    fn add(&mut self, member: Member, columns: &Columns) {
        assert!(
            columns.timestamps.is_sorted_by(|a, b| a < b),
            "{member:?} is not in order, or has samples twice"
        );
        assert!(columns.histograms.is_empty());
        for (timestamp, value) in columns.timestamps.iter().zip(&columns.values) {
            let batch =
                Batch::at(*timestamp).filter(|batch| batch.has(member) && batch.value(member) == *value);
            let batch = batch.unwrap_or_else(|| panic!("{member:?} never got {value} at {timestamp}"));
            let at = (batch.0 - self.first) as usize;
            self.counts.resize(self.counts.len().max(at + 1), 0);
            self.counts[at] += 1;
        }
    }
}
