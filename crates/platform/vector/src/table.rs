//! Results by label set: rows of different origin that end up with the same labels become one.

use std::collections::hash_map::Entry;

use model::Labels;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{Row, SameLabelset};

/// Collects rows by their labels, in order of first appearance.
#[derive(Debug, Default)]
pub struct SeriesTable {
    index: FxHashMap<Labels, usize>,
    series: Vec<(Labels, Row)>,
}

impl SeriesTable {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of the entry with these labels, made with an empty row of `steps` steps when there is none.
    pub fn entry(&mut self, labels: &Labels, steps: usize) -> usize {
        match self.index.entry(labels.clone()) {
            Entry::Occupied(slot) => *slot.get(),
            Entry::Vacant(slot) => {
                self.series.push((labels.clone(), Row::empty(steps)));
                *slot.insert(self.series.len() - 1)
            }
        }
    }

    /// The row of an entry.
    pub fn row_mut(&mut self, entry: usize) -> &mut Row {
        &mut self.series[entry].1
    }

    /// Adds a row; fails where the labels have a value at the same step already.
    pub fn add(&mut self, labels: &Labels, row: &Row) -> Result<(), SameLabelset> {
        let entry = self.entry(labels, row.len());
        let target = &mut self.series[entry].1;
        if target.present().first_common(row.present()).is_some() {
            return Err(SameLabelset);
        }
        for (step, value) in row.iter() {
            target.set(step, value);
        }
        Ok(())
    }

    /// The series, in order of first appearance.
    pub fn into_series(self) -> Vec<(Labels, Row)> {
        self.series
    }
}

/// Whether a label set occurs twice: the cheap test before merging anything.
pub fn has_duplicates<'a>(mut labels: impl Iterator<Item = &'a Labels> + Clone) -> bool {
    // Mostly they come as the storage has them, in order.
    if labels.clone().is_sorted_by(|a, b| a < b) {
        return false;
    }
    let mut seen = FxHashSet::default();
    labels.any(|labels| !seen.insert(labels))
}

#[cfg(test)]
mod tests {
    use model::Labels;

    use super::{SeriesTable, has_duplicates};
    use crate::{Row, SameLabelset};

    #[test]
    fn merges_where_steps_do_not_meet() {
        let labels = Labels::from_pairs([("a", "b")]);
        let (mut first, mut second) = (Row::empty(2), Row::empty(2));
        first.set(0, 1.0);
        second.set(1, 2.0);
        let mut table = SeriesTable::new();
        table.add(&labels, &first).unwrap();
        table.add(&labels, &second).unwrap();
        assert_eq!(table.add(&labels, &second), Err(SameLabelset));
        assert_eq!(table.into_series(), [(labels.clone(), Row::full([1.0, 2.0]))]);
        let other = Labels::from_pairs([("a", "c")]);
        assert!(has_duplicates([&labels, &labels].into_iter()));
        assert!(has_duplicates([&other, &labels, &other].into_iter()));
        assert!(!has_duplicates([&other, &labels].into_iter()));
        assert!(!has_duplicates([&labels, &other].into_iter()));
    }
}
