//! Sets of series as sorted lists, of which only that is looked at which can matter.
//!
//! Two lists are compared by leaps: whichever stands at the smaller number searches for the larger one, in strides that double. So a
//! short list costs a long one a few looks for each of its own numbers, and lists that run side by side cost a step each.

use std::ops::ControlFlow;

use super::select::SeriesSet;

/// Where numbers lie so close that 64 in a row have this many, bits sort them fastest. In a block they are some 10 apart.
const LEAST_IN_WORD: usize = 2;

/// A number of a sorted list, as memory or as a file has it.
pub(crate) trait Number: Copy {
    fn get(self) -> u32;
}

/// A number in a file: big endian.
pub(crate) type FileNumber = [u8; 4];

impl Number for u32 {
    fn get(self) -> u32 {
        self
    }
}

impl Number for FileNumber {
    fn get(self) -> u32 {
        u32::from_be_bytes(self)
    }
}

impl SeriesSet for Vec<u32> {
    fn count(&self) -> usize {
        self.len()
    }

    fn into_vec(self) -> Vec<u32> {
        self
    }
}

/// What is in any of the lists.
pub(crate) fn unite<N: Number>(lists: &[&[N]]) -> Vec<u32> {
    let mut all = Vec::with_capacity(lists.iter().map(|list| list.len()).sum());
    for list in lists {
        all.extend(list.iter().map(|number| number.get()));
    }
    if lists.len() > 1 {
        sort(&mut all);
    }
    all
}

/// Sorts runs of numbers and leaves out what comes again.
fn sort(all: &mut Vec<u32>) {
    let (Some(least), Some(most)) = (all.iter().min().copied(), all.iter().max().copied()) else {
        return;
    };
    let words = ((most - least) / u64::BITS) as usize + 1;
    if words > all.len() / LEAST_IN_WORD {
        // The stable sort finds the sorted runs and merges them.
        all.sort();
        all.dedup();
        return;
    }
    let mut bits = vec![0u64; words];
    for number in all.drain(..) {
        let bit = number - least;
        bits[(bit / u64::BITS) as usize] |= 1 << (bit % u64::BITS);
    }
    for (word, start) in bits.iter().zip((0..).step_by(u64::BITS as usize)) {
        let mut rest = *word;
        while rest != 0 {
            all.push(least + (start + rest.trailing_zeros()));
            rest &= rest - 1;
        }
    }
}

/// Keeps what is in any of the lists as well.
pub(crate) fn keep<N: Number>(set: &mut Vec<u32>, lists: &[&[N]]) {
    if let [list] = lists {
        let mut both = Vec::with_capacity(set.len().min(list.len()));
        each_common(set, list, |at| {
            both.extend(set.get(at));
            ControlFlow::Continue(())
        });
        *set = both;
    } else {
        let marks = marks(set, lists);
        retain_marked(set, &marks, true);
    }
}

/// Whether anything is in both.
pub(crate) fn meets<N: Number>(set: &[u32], list: &[N]) -> bool {
    let mut found = false;
    each_common(set, list, |_| {
        found = true;
        ControlFlow::Break(())
    });
    found
}

/// Removes what is in any of the lists.
pub(crate) fn remove<N: Number>(set: &mut Vec<u32>, lists: &[&[N]]) {
    let marks = marks(set, lists);
    retain_marked(set, &marks, false);
}

/// For each number of the set, whether it is in any of the lists.
fn marks<N: Number>(set: &[u32], lists: &[&[N]]) -> Vec<bool> {
    let mut marks = vec![false; set.len()];
    for list in lists {
        each_common(set, list, |at| {
            marks[at] = true;
            ControlFlow::Continue(())
        });
    }
    marks
}

fn retain_marked(set: &mut Vec<u32>, marks: &[bool], wanted: bool) {
    let mut marks = marks.iter();
    set.retain(|_| marks.next() == Some(&wanted));
}

/// Shows the position in `set` of each number that is in both, ascending, until `visit` breaks.
fn each_common<N: Number>(set: &[u32], list: &[N], mut visit: impl FnMut(usize) -> ControlFlow<()>) {
    let (mut in_set, mut in_list) = (0, 0);
    while let (Some(a), Some(b)) = (set.get(in_set), list.get(in_list)) {
        let (a, b) = (*a, b.get());
        if a < b {
            in_set = seek(set, in_set + 1, b);
        } else if b < a {
            in_list = seek(list, in_list + 1, a);
        } else {
            if visit(in_set).is_break() {
                return;
            }
            in_set += 1;
            in_list += 1;
        }
    }
}

/// The position of the first number, from `from` on, that is not below `target`.
fn seek<N: Number>(list: &[N], from: usize, target: u32) -> usize {
    let (mut start, mut stride) = (from, 1);
    while list.get(start + stride - 1).is_some_and(|number| number.get() < target) {
        start += stride;
        stride *= 2;
    }
    let end = (start + stride - 1).min(list.len());
    start + list.get(start..end).unwrap_or_default().partition_point(|number| number.get() < target)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn file_numbers(numbers: &[u32]) -> Vec<FileNumber> {
        numbers.iter().map(|number| number.to_be_bytes()).collect()
    }

    #[test]
    fn seek_stops_at_the_first_that_is_not_below() {
        let list: Vec<u32> = (0..1000).map(|number| number * 3).collect();
        let in_file = file_numbers(&list);
        for from in [0, 1, 7, 500, 999, 1000] {
            for target in (0..3010).step_by(7).chain([0, 1, 2997, 2998, u32::MAX]) {
                let want = list.iter().skip(from).position(|number| *number >= target);
                let want = want.map_or(1000, |found| from + found);
                assert_eq!(seek(&list, from, target), want, "from {from} to {target}");
                assert_eq!(seek(&in_file, from, target), want, "from {from} to {target} in a file");
            }
        }
        assert_eq!(seek::<u32>(&[], 0, 5), 0);
    }

    #[test]
    fn the_ends_of_the_numbers_are_found() {
        let mut set = vec![0, 1, u32::MAX - 1, u32::MAX];
        keep(&mut set, &[&[0, u32::MAX][..]]);
        assert_eq!(set, [0, u32::MAX]);
        remove(&mut set, &[&[u32::MAX][..]]);
        assert_eq!(set, [0]);
    }

    #[test]
    fn a_list_that_is_not_sorted_is_no_endless_loop() {
        let damaged = file_numbers(&[9, 3, 7, 7, 1, 8, 0]);
        let mut set: Vec<u32> = (0..10).collect();
        remove(&mut set, &[&damaged]);
        keep(&mut set, &[&damaged, &damaged]);
        keep(&mut damaged.iter().map(|number| number.get()).collect(), &[&damaged]);
    }

    fn sorted() -> impl Strategy<Value = Vec<u32>> {
        // Dense, sparse, and far apart.
        let numbers = prop_oneof![0u32..40, 0u32..2000, any::<u32>()];
        prop::collection::btree_set(numbers, 0..200).prop_map(|set| set.into_iter().collect())
    }

    proptest! {
        #[test]
        fn are_the_operations_on_sets(set in sorted(), lists in prop::collection::vec(sorted(), 0..4)) {
            let in_file: Vec<_> = lists.iter().map(|list| file_numbers(list)).collect();
            let slices: Vec<&[FileNumber]> = in_file.iter().map(Vec::as_slice).collect();
            let any: BTreeSet<u32> = lists.iter().flatten().copied().collect();
            prop_assert_eq!(unite(&slices), any.iter().copied().collect::<Vec<_>>());
            let (inside, outside): (Vec<u32>, Vec<u32>) = set.iter().partition(|number| any.contains(number));
            let mut kept = set.clone();
            keep(&mut kept, &slices);
            prop_assert_eq!(kept, inside);
            let mut left = set;
            remove(&mut left, &slices);
            prop_assert_eq!(left, outside);
        }
    }
}
