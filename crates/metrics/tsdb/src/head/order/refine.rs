//! The order of all series without comparing label sets: by the lists of the index.
//!
//! At first all series are one class. Label pairs are gone through in their order, and each splits the classes: those of a class that have
//! the pair go before those that do not, for at the first pair in which two sets differ the smaller one decides. A set that has no more
//! pairs goes before those that do. What is left at the end are classes of one.
//!
//! So texts are compared to sort the values of each label only, and each entry of a list is looked at once or twice.

use crate::head::{HeadIndex, PostingList, Slot};

/// Series that no pair so far told apart: a stretch of the order.
#[derive(Debug, Clone, Copy)]
struct Class {
    first: u32,
    end: u32,
    /// Of the front: those that have the pair at hand.
    taken: u32,
}

/// An order of slots in which those of a class lie together.
struct Partition {
    order: Vec<Slot>,
    /// Position in `order`, by slot.
    place: Vec<u32>,
    /// Class, by slot.
    class: Vec<u32>,
    classes: Vec<Class>,
    /// Pairs that a series still has, by slot.
    left: Vec<u32>,
    /// Slots that are in classes of more than one.
    mixed: usize,
}

/// The slots of an index in order of their series' labels.
pub(super) fn sorted(index: &HeadIndex) -> Vec<Slot> {
    let mut names: Vec<_> = index.names().map(|(name, _)| name).collect();
    names.sort_unstable();
    let mut partition = Partition::new(index, &names);
    let mut scratch = Scratch::default();
    partition.end_those_without_pairs(&mut scratch);
    for name in names {
        if partition.mixed == 0 {
            break;
        }
        // Most values of a label with many are those of single series, which are told apart already.
        for (_, list) in index.values(name) {
            if partition.touches(list) {
                partition.split(list, &mut scratch);
            }
        }
    }
    partition.order
}

/// Kept from pair to pair for its memory.
#[derive(Default)]
struct Scratch {
    /// Classes that have series with the pair at hand.
    touched: Vec<u32>,
    /// Series whose last pair it is.
    ended: Vec<Slot>,
}

// === impl Partition ===

impl Partition {
    fn new(index: &HeadIndex, names: &[&str]) -> Self {
        let count = index.len();
        let mut left = vec![0; count];
        for (_, list) in names.iter().flat_map(|name| index.values(name)) {
            for slot in list.iter() {
                left[slot as usize] += 1;
            }
        }
        let all = Class { first: 0, end: count as u32, taken: 0 };
        Self {
            order: (0..count as Slot).collect(),
            place: (0..count as u32).collect(),
            class: vec![0; count],
            classes: vec![all],
            left,
            mixed: if count > 1 { count } else { 0 },
        }
    }

    fn touches(&self, list: &PostingList) -> bool {
        list.iter().any(|slot| !self.is_single(slot))
    }

    /// Splits the classes by whether the series have a pair: those in the list do.
    fn split(&mut self, list: &PostingList, scratch: &mut Scratch) {
        for slot in list.iter() {
            if self.is_single(slot) {
                continue;
            }
            let class = self.class[slot as usize];
            if self.take(slot) == 1 {
                scratch.touched.push(class);
            }
            let left = &mut self.left[slot as usize];
            *left -= 1;
            if *left == 0 {
                scratch.ended.push(slot);
            }
        }
        for class in scratch.touched.drain(..) {
            self.divide(class);
        }
        self.end(scratch);
    }

    fn end_those_without_pairs(&mut self, scratch: &mut Scratch) {
        scratch.ended.extend((0..).zip(&self.left).filter(|(_, left)| **left == 0).map(|(slot, _)| slot));
        self.end(scratch);
    }

    /// Puts the series that have no more pairs before the others of their classes.
    fn end(&mut self, scratch: &mut Scratch) {
        for slot in scratch.ended.drain(..) {
            if !self.is_single(slot) {
                self.take(slot);
                self.divide(self.class[slot as usize]);
            }
        }
    }

    #[inline]
    fn is_single(&self, slot: Slot) -> bool {
        let Class { first, end, .. } = self.classes[self.class[slot as usize] as usize];
        end - first == 1
    }

    /// Moves a slot to the front of its class, behind those that were taken before; returns how many they are with it.
    #[inline]
    fn take(&mut self, slot: Slot) -> u32 {
        let class = &mut self.classes[self.class[slot as usize] as usize];
        let (from, to) = (self.place[slot as usize], class.first + class.taken);
        class.taken += 1;
        let other = self.order[to as usize];
        self.order[from as usize] = other;
        self.place[other as usize] = from;
        self.order[to as usize] = slot;
        self.place[slot as usize] = to;
        class.taken
    }

    /// Makes those of a class that were taken a class of their own, before the others.
    fn divide(&mut self, number: u32) {
        let class = &mut self.classes[number as usize];
        let Class { first, end, taken } = *class;
        class.taken = 0;
        let middle = first + taken;
        if middle == end {
            return;
        }
        // The smaller part gets the new number: each slot changes its class rarely.
        let (old, new) = if taken <= end - middle {
            ((middle, end), (first, middle))
        } else {
            ((first, middle), (middle, end))
        };
        (class.first, class.end) = old;
        let number = self.classes.len() as u32;
        self.classes.push(Class { first: new.0, end: new.1, taken: 0 });
        for slot in &self.order[new.0 as usize..new.1 as usize] {
            self.class[*slot as usize] = number;
        }
        for (first, end) in [old, new] {
            self.mixed -= usize::from(end - first == 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::Labels;
    use proptest::prelude::*;

    use super::*;
    use crate::head::MemSeries;

    proptest! {
        #[test]
        fn is_the_order_of_labels(
            sets in prop::collection::vec(prop::collection::btree_map("[a-d]", "[xyz]{1,2}", 0..5), 0..200),
        ) {
            let mut index = HeadIndex::default();
            for (number, set) in sets.iter().enumerate() {
                index.insert(Arc::new(MemSeries::new(number as u64, Labels::from_pairs(set))));
            }
            let sorted = sorted(&index);
            prop_assert!(sorted.is_sorted_by(|a, b| index.labels(*a) <= index.labels(*b)));
            let mut all = sorted;
            all.sort_unstable();
            prop_assert!(all.into_iter().eq(0..index.len() as Slot));
        }
    }
}
