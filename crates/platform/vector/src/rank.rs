//! `topk` and `bottomk`: the series with the greatest or least values of each group, step by step.

use std::{cmp::Ordering, collections::BinaryHeap};

use crate::Row;

/// Which end is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// The greatest values.
    Largest,
    /// The least values.
    Smallest,
}

/// Keeps the best `k` of each group and step. NaN is worse than every number; of equals the series that came first stays.
#[derive(Debug)]
pub struct Ranker {
    rank: Rank,
    limits: Vec<usize>,
    /// Group by group, one heap a step.
    groups: Vec<Vec<BinaryHeap<Entry>>>,
    kept: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// What is compared: greater is better.
    key: f64,
    value: f64,
    series: usize,
}

impl Ranker {
    /// `limits` holds, for each step, how many to keep a group.
    pub fn new(rank: Rank, limits: Vec<usize>) -> Self {
        Self { rank, limits, groups: Vec::new(), kept: 0 }
    }

    /// Offers a series' row; `series` is the number by which [`Ranker::finish`] names it again.
    pub fn add(&mut self, group: usize, series: usize, row: &Row) {
        while self.groups.len() <= group {
            self.groups.push(vec![BinaryHeap::new(); self.limits.len()]);
        }
        for (step, value) in row.iter() {
            let limit = self.limits[step];
            if limit == 0 {
                continue;
            }
            let key = match self.rank {
                Rank::Largest => value,
                Rank::Smallest => -value,
            };
            let entry = Entry { key, value, series };
            let heap = &mut self.groups[group][step];
            if heap.len() < limit {
                heap.push(entry);
                self.kept += 1;
            } else if let Some(mut worst) = heap.peek_mut()
                && entry < *worst
            {
                *worst = entry;
            }
        }
    }

    /// How many values are kept in memory, for a budget.
    pub fn samples(&self) -> usize {
        self.kept
    }

    /// The series that were picked at any step, with the values of those steps. With one step, each group's best comes first; with more,
    /// series come in order of their numbers.
    pub fn finish(self) -> Vec<(usize, Row)> {
        let steps = self.limits.len();
        let mut picked: Vec<(usize, Row)> = Vec::new();
        let mut rows: rustc_hash::FxHashMap<usize, usize> = rustc_hash::FxHashMap::default();
        for group in self.groups {
            for (step, heap) in group.into_iter().enumerate() {
                for entry in heap.into_sorted_vec() {
                    let at = *rows.entry(entry.series).or_insert_with(|| {
                        picked.push((entry.series, Row::empty(steps)));
                        picked.len() - 1
                    });
                    picked[at].1.set(step, entry.value);
                }
            }
        }
        if steps > 1 {
            picked.sort_by_key(|(series, _)| *series);
        }
        picked
    }
}

impl Ord for Entry {
    /// The better entry is the lesser, so that a heap has the worst on top and a sorted list begins with the best.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_key = match (self.key.is_nan(), other.key.is_nan()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => other.key.partial_cmp(&self.key).unwrap_or(Ordering::Equal),
        };
        by_key.then(self.series.cmp(&other.series))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

#[cfg(test)]
mod tests {
    use super::{Rank, Ranker};
    use crate::Row;

    fn picks(rank: Rank, k: usize, values: &[f64]) -> Vec<usize> {
        let mut ranker = Ranker::new(rank, vec![k]);
        for (series, value) in values.iter().enumerate() {
            ranker.add(0, series, &Row::constant(*value, 1));
        }
        ranker.finish().into_iter().map(|(series, _)| series).collect()
    }

    #[test]
    fn best_first_and_nan_last() {
        let values = [3.0, f64::NAN, 7.0, 1.0, 7.0];
        assert_eq!(picks(Rank::Largest, 3, &values), [2, 4, 0]);
        assert_eq!(picks(Rank::Smallest, 2, &values), [3, 0]);
        assert_eq!(picks(Rank::Largest, 99, &values), [2, 4, 0, 3, 1]);
        assert_eq!(picks(Rank::Smallest, 99, &values), [3, 0, 2, 4, 1]);
        assert!(picks(Rank::Largest, 0, &values).is_empty());
    }

    #[test]
    fn each_step_picks_for_itself() {
        let mut ranker = Ranker::new(Rank::Largest, vec![1, 1]);
        ranker.add(0, 0, &Row::full([1.0, 9.0]));
        ranker.add(0, 1, &Row::full([5.0, 2.0]));
        let picked = ranker.finish();
        assert_eq!(picked[0].1.iter().collect::<Vec<_>>(), [(1, 9.0)]);
        assert_eq!(picked[1].1.iter().collect::<Vec<_>>(), [(0, 5.0)]);
    }
}
