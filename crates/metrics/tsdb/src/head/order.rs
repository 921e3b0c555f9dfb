//! The order of labels among the series in memory, kept so that a query need not compare labels to sort its series.
//!
//! Sorting 100,000 label sets takes a fifth of a second, sorting as many numbers a few milliseconds. The order is brought up to date when
//! queries have met so many series that are not in it that this would have cost less; until then a query sorts those by their labels and
//! merges them in. Where most series are new, as after a start, `refine` finds the order without comparing label sets.

mod refine;

use std::{hint::black_box, sync::Arc};

use parking_lot::Mutex;

use super::{
    postings::{HeadIndex, Slot},
    series::{MemSeries, READ_AHEAD},
};

/// With fewer series than this out of order a query sorts them itself.
const FEW: usize = 256;
/// To sort a series by its labels, among some thousands, costs as much as to bring this many up to date.
const DEARER: usize = 8;
/// The rank of a slot that is not in the order.
const UNRANKED: u32 = u32::MAX;

/// The order. To be used with the index locked.
#[derive(Default)]
pub(crate) struct LabelOrder(Mutex<Order>);

#[derive(Default)]
struct Order {
    ranks: Arc<Ranks>,
    /// Series that queries sorted by their labels since the ranks were made.
    sorted_meanwhile: usize,
}

#[derive(Default)]
struct Ranks {
    /// Slots in order of their labels.
    sorted: Vec<Slot>,
    /// Position in `sorted` by slot. Slots beyond its end came later.
    rank: Vec<u32>,
}

// === impl LabelOrder ===

impl LabelOrder {
    /// The series of these slots, sorted by their labels.
    pub(crate) fn sort(&self, index: &HeadIndex, mut slots: Vec<Slot>) -> Vec<Arc<MemSeries>> {
        let ranks = self.ranks_for(index, &slots);
        let series = |slot: &Slot| index.series(*slot);
        let known = partition(&mut slots, |slot| ranks.of(*slot) != UNRANKED);
        let (ranked, unranked) = slots.split_at_mut(known);
        ranked.sort_unstable_by_key(|slot| ranks.of(*slot));
        sort_by_labels(index, unranked);
        let merged = merge(index, ranked, unranked);
        let mut sorted = Vec::with_capacity(merged.len());
        for slots in merged.chunks(READ_AHEAD) {
            // Counting a reference waits for its memory, reading a number does not.
            black_box(slots.iter().filter_map(series).fold(0, |sum, series| sum ^ series.series_ref()));
            sorted.extend(slots.iter().filter_map(series).cloned());
        }
        sorted
    }

    /// All series, sorted by their labels.
    pub(crate) fn all(&self, index: &HeadIndex) -> Vec<Arc<MemSeries>> {
        self.sort(index, (0..index.len() as Slot).collect())
    }

    /// Follows the index when slots change: `moved` has the new slot of each old one, if it has one.
    pub(crate) fn rename(&self, moved: &[Option<Slot>]) {
        let mut order = self.0.lock();
        let new_slot = |slot: &Slot| moved.get(*slot as usize).copied().flatten();
        let sorted: Vec<_> = order.ranks.sorted.iter().filter_map(new_slot).collect();
        order.ranks = Arc::new(Ranks::new(sorted));
    }

    fn ranks_for(&self, index: &HeadIndex, slots: &[Slot]) -> Arc<Ranks> {
        let mut order = self.0.lock();
        let Order { ranks, sorted_meanwhile } = &mut *order;
        let missing = slots.iter().filter(|slot| ranks.of(**slot) == UNRANKED).count();
        if missing > FEW {
            *sorted_meanwhile += missing;
            if sorted_meanwhile.saturating_mul(DEARER) > index.len() {
                *sorted_meanwhile = 0;
                *ranks = Arc::new(ranks.up_to_date(index));
            }
        }
        Arc::clone(ranks)
    }
}

// === impl Ranks ===

impl Ranks {
    fn new(sorted: Vec<Slot>) -> Self {
        let size = sorted.iter().max().map_or(0, |slot| *slot as usize + 1);
        let mut rank = vec![UNRANKED; size];
        for (position, slot) in sorted.iter().enumerate() {
            rank[*slot as usize] = position as u32;
        }
        Self { sorted, rank }
    }

    /// The ranks of all series.
    fn up_to_date(&self, index: &HeadIndex) -> Self {
        let new = index.len().saturating_sub(self.sorted.len());
        if new > index.len() / DEARER {
            return Self::new(refine::sorted(index));
        }
        let mut new: Vec<_> = (0..index.len() as Slot).filter(|slot| self.of(*slot) == UNRANKED).collect();
        sort_by_labels(index, &mut new);
        Self::new(merge(index, &self.sorted, &new))
    }

    fn of(&self, slot: Slot) -> u32 {
        self.rank.get(slot as usize).copied().unwrap_or(UNRANKED)
    }
}

fn sort_by_labels(index: &HeadIndex, slots: &mut [Slot]) {
    slots.sort_unstable_by(|a, b| index.labels(*a).cmp(&index.labels(*b)));
}

/// Moves the slots for which `first` holds to the front; returns how many they are.
fn partition(slots: &mut [Slot], first: impl Fn(&Slot) -> bool) -> usize {
    let mut count = 0;
    for at in 0..slots.len() {
        if first(&slots[at]) {
            slots.swap(at, count);
            count += 1;
        }
    }
    count
}

/// Merges two sorted runs, of which the second is mostly the shorter one.
fn merge(index: &HeadIndex, long: &[Slot], short: &[Slot]) -> Vec<Slot> {
    let mut merged = Vec::with_capacity(long.len() + short.len());
    let mut rest = long;
    for slot in short {
        let labels = index.labels(*slot);
        let before = rest.partition_point(|other| index.labels(*other) < labels);
        let (smaller, larger) = rest.split_at(before);
        merged.extend_from_slice(smaller);
        merged.push(*slot);
        rest = larger;
    }
    merged.extend_from_slice(rest);
    merged
}

#[cfg(test)]
mod tests {
    use model::Labels;
    use proptest::prelude::*;

    use super::*;

    fn add(index: &mut HeadIndex, numbers: &[u32]) {
        for number in numbers {
            let labels = Labels::from_pairs([("n", format!("{:03}", number % 1000))]);
            index.insert(Arc::new(MemSeries::new(u64::from(*number), labels)));
        }
    }

    fn is_sorted(series: &[Arc<MemSeries>]) -> bool {
        series.is_sorted_by(|a, b| a.labels() <= b.labels())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn is_the_order_of_labels(
            first in prop::collection::vec(any::<u32>(), 0..600),
            second in prop::collection::vec(any::<u32>(), 0..600),
            picked in prop::collection::btree_set(0u32..1200, 0..100),
        ) {
            let mut index = HeadIndex::default();
            let order = LabelOrder::default();
            add(&mut index, &first);
            prop_assert!(is_sorted(&order.all(&index)));
            add(&mut index, &second);
            let picked: Vec<_> = picked.into_iter().filter(|slot| (*slot as usize) < index.len()).collect();
            let some = order.sort(&index, picked.clone());
            prop_assert_eq!(some.len(), picked.len());
            prop_assert!(is_sorted(&some));
            let all = order.all(&index);
            prop_assert_eq!(all.len(), index.len());
            prop_assert!(is_sorted(&all));
            // Every third series goes.
            let mut kept = 0;
            let moved: Vec<_> = (0..index.len()).map(|slot| (slot % 3 != 0).then(|| { kept += 1; kept - 1 })).collect();
            let mut smaller = HeadIndex::default();
            for slot in (0..index.len() as Slot).filter(|slot| slot % 3 != 0) {
                smaller.insert(Arc::clone(index.series(slot).unwrap()));
            }
            order.rename(&moved);
            let all = order.all(&smaller);
            prop_assert_eq!(all.len(), smaller.len());
            prop_assert!(is_sorted(&all));
        }
    }
}
