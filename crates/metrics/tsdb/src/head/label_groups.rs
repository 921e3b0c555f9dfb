//! Which of many label sets have which label, worked out together.
//!
//! Sets that come one after another are mostly those of one target and share most labels. So a set is compared with the one before it,
//! label by label in their order, and only what differs is looked up.

use std::collections::HashMap;

use model::Labels;

/// Label pairs with the sets that have them.
#[derive(Default)]
pub(super) struct LabelGroups<'a> {
    numbers: HashMap<Pair<'a>, u32>,
    pairs: Vec<Pair<'a>>,
    /// The pairs of all sets, one set after another, by number.
    sequence: Vec<u32>,
    /// Where each set ends in the sequence.
    ends: Vec<u32>,
    /// Where the places of each pair begin in `places`; one more at the end.
    starts: Vec<u32>,
    places: Vec<u32>,
}

type Pair<'a> = (&'a str, &'a str);

// === impl LabelGroups ===

impl<'a> LabelGroups<'a> {
    /// Groups these sets, and forgets those before.
    pub(super) fn group(&mut self, sets: impl Iterator<Item = &'a Labels>) {
        self.number_pairs(sets);
        self.gather();
    }

    /// Each pair with the places of the sets that have it, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str, &[u32])> {
        self.pairs
            .iter()
            .zip(self.starts.windows(2))
            .map(|((name, value), range)| (*name, *value, &self.places[range[0] as usize..range[1] as usize]))
    }

    fn number_pairs(&mut self, sets: impl Iterator<Item = &'a Labels>) {
        let Self { numbers, pairs, sequence, ends, .. } = self;
        numbers.clear();
        pairs.clear();
        sequence.clear();
        ends.clear();
        // Where the pairs of the set before are in the sequence.
        let mut before = 0..0;
        for labels in sets {
            let start = sequence.len();
            for (name, value) in labels.iter() {
                let other = loop {
                    let Some(number) = before.next() else { break None };
                    let number = sequence[number];
                    let (other_name, other_value) = pairs[number as usize];
                    if other_name == name && other_value == value {
                        break Some(number);
                    }
                    if other_name >= name {
                        // It is to be compared with what follows, unless it has this very name.
                        before.start -= usize::from(other_name > name);
                        break None;
                    }
                };
                let number = other.unwrap_or_else(|| {
                    *numbers.entry((name, value)).or_insert_with(|| {
                        pairs.push((name, value));
                        pairs.len() as u32 - 1
                    })
                });
                sequence.push(number);
            }
            before = start..sequence.len();
            ends.push(sequence.len() as u32);
        }
    }

    /// Sorts the places of the sets by their pairs' numbers.
    fn gather(&mut self) {
        let Self { pairs, sequence, ends, starts, places, .. } = self;
        starts.clear();
        starts.resize(pairs.len() + 2, 0);
        // Counted two behind, summed up to one behind: filling moves each to where it belongs.
        for number in sequence.iter() {
            starts[*number as usize + 2] += 1;
        }
        let mut sum = 0;
        for start in starts.iter_mut() {
            sum += *start;
            *start = sum;
        }
        places.clear();
        places.resize(sequence.len(), 0);
        let mut at = 0;
        for (place, end) in (0..).zip(ends.iter()) {
            for number in &sequence[at..*end as usize] {
                let next = &mut starts[*number as usize + 1];
                places[*next as usize] = place;
                *next += 1;
            }
            at = *end as usize;
        }
        starts.pop();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_set_is_with_each_of_its_pairs(
            sets in prop::collection::vec(prop::collection::btree_map("[a-e]", "[xy]", 0..5), 0..50),
        ) {
            let sets: Vec<_> = sets.iter().map(Labels::from_pairs).collect();
            let mut groups = LabelGroups::default();
            groups.group(sets.iter().rev());
            groups.group(sets.iter());
            let mut want: BTreeMap<_, Vec<u32>> = BTreeMap::new();
            for (place, labels) in (0..).zip(&sets) {
                for pair in labels.iter() {
                    want.entry(pair).or_default().push(place);
                }
            }
            let have: BTreeMap<_, _> =
                groups.iter().map(|(name, value, places)| ((name, value), places.to_vec())).collect();
            prop_assert_eq!(have, want);
        }
    }
}
