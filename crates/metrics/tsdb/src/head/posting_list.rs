//! The series with one label: a sorted list of slots while it is short, a compressed bitmap where that is smaller.
//!
//! Series come by targets, so a list is mostly a few runs: a bitmap (`roaring`) keeps them as such, dense and sparse stretches as bits and
//! as 16-bit numbers. But a bitmap takes a hundred bytes and more to begin with, and most values are few series' own.

use roaring::{MultiOps, RoaringBitmap};
use smallvec::SmallVec;

use super::Slot;

/// Slots that take no allocation: as many as make the list no larger than a `Vec`.
const INLINE: usize = 3;
/// No shorter list becomes a bitmap.
const LEAST_BITMAP: usize = 32;
/// About what a bitmap takes beside its content: for itself, and for each stretch of 65,536 slots.
const BITMAP_BYTES: usize = 80 + 4 * TAIL;
const STRETCH_BYTES: usize = 56;
/// Slots that wait to be added to a bitmap together: it searches for its end each time.
const TAIL: usize = 16;
/// A bitmap is compressed again when it has grown by a quarter, and by this many slots at least.
const LEAST_GROWTH: usize = 64;

/// A sorted list of slots.
#[derive(Debug)]
pub(crate) struct PostingList(Form);

#[derive(Debug)]
enum Form {
    Inline { len: u8, slots: [Slot; INLINE] },
    Sorted(Vec<Slot>),
    Bitmap(Box<Compressed>),
}

#[derive(Debug)]
struct Compressed {
    bitmap: RoaringBitmap,
    /// The newest slots, which are not in the bitmap yet.
    tail: SmallVec<[Slot; TAIL]>,
    /// Slots in the bitmap.
    len: usize,
    /// The length at which it is compressed again: until then what was added lies in the form that is fast to add to.
    compress_at: usize,
}

// === impl PostingList ===

impl Default for PostingList {
    fn default() -> Self {
        Self(Form::Inline { len: 0, slots: [0; INLINE] })
    }
}

impl PostingList {
    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Form::Inline { len, .. } => usize::from(*len),
            Form::Sorted(slots) => slots.len(),
            Form::Bitmap(compressed) => compressed.len + compressed.tail.len(),
        }
    }

    /// The slots, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Slot> {
        self.bitmap().into_iter().flatten().chain(self.short_slots().iter().copied())
    }

    /// Adds a slot behind all others.
    pub(crate) fn push(&mut self, slot: Slot) {
        match &mut self.0 {
            Form::Inline { len, slots } => match slots.get_mut(usize::from(*len)) {
                Some(free) => {
                    *free = slot;
                    *len += 1;
                }
                None => {
                    let mut longer = Vec::with_capacity(2 * INLINE);
                    longer.extend_from_slice(slots);
                    longer.push(slot);
                    self.0 = Form::Sorted(longer);
                }
            },
            Form::Sorted(slots) => {
                if slots.len() == slots.capacity() {
                    if is_smaller_as_bitmap(slots) {
                        self.0 = Form::Bitmap(Box::new(Compressed::new(slots)));
                        return self.push(slot);
                    }
                    slots.reserve_exact(slots.len() / 2);
                }
                slots.push(slot);
            }
            Form::Bitmap(compressed) => compressed.push(slot),
        }
    }

    /// Takes the least memory, for a list that many slots were added to.
    pub(crate) fn compress(&mut self) {
        match &mut self.0 {
            Form::Inline { .. } => {}
            Form::Sorted(slots) if is_smaller_as_bitmap(slots) => {
                self.0 = Form::Bitmap(Box::new(Compressed::new(slots)));
            }
            Form::Sorted(slots) => slots.shrink_to_fit(),
            Form::Bitmap(compressed) => compressed.compress(),
        }
    }

    /// What is in any of the lists.
    pub(crate) fn unite(lists: &[&Self]) -> RoaringBitmap {
        let short: Vec<_> = lists.iter().flat_map(|list| list.short_slots()).copied().collect();
        let short = bitmap_of(short);
        let mut bitmaps: Vec<_> = lists.iter().filter_map(|list| list.bitmap()).collect();
        bitmaps.push(&short);
        bitmaps.union()
    }

    /// Keeps of a set what is in any of the lists.
    pub(crate) fn keep(set: &mut RoaringBitmap, lists: &[&Self]) {
        // Each list for itself, so that only that of it is read which can matter.
        let both = lists.iter().filter_map(|list| list.bitmap()).map(|bitmap| &*set & bitmap);
        let mut both: Vec<_> = both.filter(|both| !both.is_empty()).collect();
        let short = lists.iter().flat_map(|list| list.short_slots()).copied();
        both.push(bitmap_of(short.filter(|slot| set.contains(*slot)).collect()));
        *set = both.union();
    }

    /// Whether anything is in the set and in the list.
    pub(crate) fn meets(&self, set: &RoaringBitmap) -> bool {
        self.short_slots().iter().any(|slot| set.contains(*slot))
            || self.bitmap().is_some_and(|bitmap| !bitmap.is_disjoint(set))
    }

    /// Removes from a set what is in any of the lists.
    pub(crate) fn remove(set: &mut RoaringBitmap, lists: &[&Self]) {
        for list in lists {
            if let Some(bitmap) = list.bitmap() {
                *set -= bitmap;
            }
            for slot in list.short_slots() {
                set.remove(*slot);
            }
        }
    }

    fn bitmap(&self) -> Option<&RoaringBitmap> {
        match &self.0 {
            Form::Bitmap(compressed) => Some(&compressed.bitmap),
            _ => None,
        }
    }

    /// The slots that are not in a bitmap.
    fn short_slots(&self) -> &[Slot] {
        match &self.0 {
            Form::Inline { len, slots } => slots.get(..usize::from(*len)).unwrap_or_default(),
            Form::Sorted(slots) => slots,
            Form::Bitmap(compressed) => &compressed.tail,
        }
    }
}

// === impl Compressed ===

impl Compressed {
    fn new(slots: &[Slot]) -> Self {
        let mut compressed = Self {
            bitmap: bitmap_of(slots.to_vec()),
            tail: SmallVec::new(),
            len: slots.len(),
            compress_at: 0,
        };
        compressed.compress();
        compressed
    }

    fn push(&mut self, slot: Slot) {
        if self.tail.len() == TAIL {
            self.take_tail();
            if self.len >= self.compress_at {
                self.compress();
            }
        }
        self.tail.push(slot);
    }

    fn take_tail(&mut self) {
        self.len += self.tail.len();
        self.bitmap.append(self.tail.drain(..)).expect("BUG: slots are given in order");
    }

    fn compress(&mut self) {
        self.take_tail();
        self.bitmap.optimize();
        // What grew has room to grow further; a clone has not.
        self.bitmap = self.bitmap.clone();
        self.compress_at = self.len + (self.len / 4).max(LEAST_GROWTH);
    }
}

fn bitmap_of(mut slots: Vec<Slot>) -> RoaringBitmap {
    slots.sort_unstable();
    slots.dedup();
    RoaringBitmap::from_sorted_iter(slots).expect("BUG: they were just sorted")
}

/// Whether a bitmap of sorted slots would be smaller than the list.
fn is_smaller_as_bitmap(slots: &[Slot]) -> bool {
    if slots.len() < LEAST_BITMAP {
        return false;
    }
    let stretches = slots.chunk_by(|a, b| a >> 16 == b >> 16).map(|stretch| {
        let runs = stretch.chunk_by(|a, b| a + 1 == *b).count();
        STRETCH_BYTES + (2 * stretch.len()).min(4 * runs)
    });
    BITMAP_BYTES + stretches.sum::<usize>() < size_of_val(slots)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn list(slots: impl IntoIterator<Item = Slot>) -> PostingList {
        let mut list = PostingList::default();
        slots.into_iter().for_each(|slot| list.push(slot));
        list
    }

    fn slots(list: &PostingList) -> Vec<Slot> {
        PostingList::unite(&[list]).into_iter().collect()
    }

    #[test]
    fn a_list_is_no_larger_than_a_vector() {
        assert_eq!(size_of::<PostingList>(), size_of::<Vec<Slot>>());
    }

    #[test]
    fn takes_the_form_that_is_smallest() {
        let is_bitmap = |slots: &mut dyn Iterator<Item = Slot>| {
            let mut list = list(slots);
            list.compress();
            list.bitmap().is_some()
        };
        assert!(!is_bitmap(&mut (0..31)), "short");
        assert!(is_bitmap(&mut (70_000..70_250)), "one run");
        assert!(!is_bitmap(&mut (0..250).map(|slot| slot * 4000)), "few, far apart");
        assert!(is_bitmap(&mut (0..4000).map(|slot| slot * 250)), "many, far apart");
        assert!(is_bitmap(&mut (0..100_000).filter(|slot| slot % 3 != 0)), "dense");
    }

    fn ascending() -> impl Strategy<Value = Vec<Slot>> {
        // Runs and gaps, some of them wider than a stretch of a bitmap.
        let runs =
            prop::collection::vec((prop_oneof![1u32..4, 1u32..3000, 60_000u32..200_000], 1u32..400), 0..12);
        runs.prop_map(|runs| {
            let mut next = 0;
            let mut slots = Vec::new();
            for (gap, length) in runs {
                next += gap;
                slots.extend(next..next + length);
                next += length;
            }
            slots
        })
    }

    /// Runs that fill whole stretches of a bitmap, which keeps them in a form of their own.
    fn with_full_stretches() -> impl Strategy<Value = Vec<Slot>> {
        let edge = prop_oneof![Just(0u32), Just(1), 2u32..70_000];
        prop::collection::vec((edge.clone(), edge, 0u32..3), 0..4).prop_map(|runs| {
            let mut next = 0;
            let mut slots = Vec::new();
            for (gap, rest, stretches) in runs {
                next += gap;
                let end = (next | 0xffff) + stretches * 0x1_0000 + rest;
                slots.extend(next..end);
                next = end + 1;
            }
            slots
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn full_stretches_are_as_others(
            sets in prop::collection::vec(with_full_stretches(), 3),
            at_once in any::<bool>(),
        ) {
            let mut lists: Vec<_> = sets.iter().map(|slots| list(slots.iter().copied())).collect();
            if at_once {
                lists.iter_mut().for_each(PostingList::compress);
            }
            let [first, second, third] = &sets[..] else { unreachable!("three sets") };
            let any: BTreeSet<Slot> = second.iter().chain(third).copied().collect();
            prop_assert_eq!((lists[0].len(), slots(&lists[0])), (first.len(), first.clone()));
            let others = [&lists[1], &lists[2]];
            prop_assert!(PostingList::unite(&others).iter().eq(any.iter().copied()));
            let mut kept = PostingList::unite(&[&lists[0]]);
            let mut left = kept.clone();
            PostingList::keep(&mut kept, &others);
            prop_assert!(kept.iter().eq(first.iter().copied().filter(|slot| any.contains(slot))));
            prop_assert_eq!(kept.len() as usize, kept.iter().count());
            PostingList::remove(&mut left, &others);
            prop_assert!(left.iter().eq(first.iter().copied().filter(|slot| !any.contains(slot))));
        }
    }

    proptest! {
        #[test]
        fn slots_come_back(given in ascending(), every in 1usize..5, more in 0u32..300) {
            let mut given: Vec<_> = given.into_iter().step_by(every).collect();
            let mut list = list(given.iter().copied());
            prop_assert_eq!((list.len(), slots(&list)), (given.len(), given.clone()));
            list.compress();
            prop_assert_eq!((list.len(), slots(&list)), (given.len(), given.clone()));
            let next = given.last().map_or(0, |last| last + 1);
            given.extend(next..next + more);
            (next..next + more).for_each(|slot| list.push(slot));
            prop_assert_eq!((list.len(), slots(&list)), (given.len(), given));
        }

        #[test]
        fn are_the_operations_on_sets(
            set in ascending(),
            others in prop::collection::vec((ascending(), 1usize..200), 0..4),
        ) {
            let others = others.into_iter().map(|(slots, every)| slots.into_iter().step_by(every));
            let others: Vec<Vec<Slot>> = others.map(Iterator::collect).collect();
            let any: BTreeSet<Slot> = others.iter().flatten().copied().collect();
            let lists: Vec<_> = others.iter().map(|slots| list(slots.iter().copied())).collect();
            let lists: Vec<_> = lists.iter().collect();
            prop_assert!(PostingList::unite(&lists).iter().eq(any.iter().copied()));
            let mut kept = bitmap_of(set.clone());
            PostingList::keep(&mut kept, &lists);
            prop_assert!(kept.iter().eq(set.iter().copied().filter(|slot| any.contains(slot))));
            let mut left = bitmap_of(set.clone());
            PostingList::remove(&mut left, &lists);
            prop_assert!(left.iter().eq(set.iter().copied().filter(|slot| !any.contains(slot))));
        }
    }
}
