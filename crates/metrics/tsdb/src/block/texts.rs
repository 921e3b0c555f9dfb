//! The names and values of a block that is to be written: each once, sorted, found by hash.
//!
//! They are borrowed from whoever has them already (the series in memory, the mapped index of another block), so that a text costs 16
//! bytes here and 8 for finding it, however long it is.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

const EMPTY: u32 = u32::MAX;

/// Texts as they come.
#[derive(Debug, Default)]
pub(crate) struct TextSet<'a>(Table<'a>);

/// All texts, sorted; a text's number is its position. They become the symbols of an index.
#[derive(Debug, Default)]
pub(crate) struct Texts<'a>(Table<'a>);

#[derive(Debug, Default)]
struct Table<'a> {
    texts: Vec<&'a str>,
    /// Positions in `texts` by hash; at most two of three are taken. The size is a power of two.
    slots: Vec<u32>,
}

// === impl TextSet ===

impl<'a> TextSet<'a> {
    /// Adds a text unless it is there.
    pub(crate) fn insert(&mut self, text: &'a str) {
        let table = &mut self.0;
        if (table.texts.len() + 1) * 3 > table.slots.len() * 2 {
            table.rehash((table.slots.len() * 2).max(64));
        }
        if let Err(slot) = table.find(text) {
            // As many texts as this number cannot tell apart would take more memory than any machine has.
            table.slots[slot] = table.texts.len() as u32;
            table.texts.push(text);
        }
    }

    /// Ends adding.
    pub(crate) fn sorted(self) -> Texts<'a> {
        let mut table = self.0;
        table.texts.shrink_to_fit();
        table.texts.sort_unstable();
        table.rehash(table.slots.len());
        Texts(table)
    }
}

// === impl Texts ===

impl<'a> Texts<'a> {
    pub(crate) fn len(&self) -> usize {
        self.0.texts.len()
    }

    /// In order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a str> {
        self.0.texts.iter().copied()
    }

    pub(crate) fn get(&self, number: u32) -> Option<&'a str> {
        self.0.texts.get(number as usize).copied()
    }

    /// The number of a text, if it is one of these.
    pub(crate) fn number(&self, text: &str) -> Option<u32> {
        self.0.find(text).ok()
    }
}

impl<'a> FromIterator<&'a str> for Texts<'a> {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        let mut set = TextSet::default();
        texts.into_iter().for_each(|text| set.insert(text));
        set.sorted()
    }
}

// === impl Table ===

impl Table<'_> {
    /// The position of a text, or the slot for it.
    fn find(&self, text: &str) -> Result<u32, usize> {
        let Some(mask) = self.slots.len().checked_sub(1) else {
            return Err(0);
        };
        let mut slot = FxBuildHasher.hash_one(text) as usize & mask;
        loop {
            match self.slots[slot] {
                EMPTY => return Err(slot),
                position if self.texts[position as usize] == text => return Ok(position),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    fn rehash(&mut self, size: usize) {
        self.slots.clear();
        self.slots.shrink_to(size);
        self.slots.resize(size, EMPTY);
        let texts = std::mem::take(&mut self.texts);
        for (position, text) in texts.iter().enumerate() {
            let mask = size - 1;
            let mut slot = FxBuildHasher.hash_one(text) as usize & mask;
            while self.slots[slot] != EMPTY {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = position as u32;
        }
        self.texts = texts;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_in_an_empty_set() {
        let texts = TextSet::default().sorted();
        assert_eq!((texts.len(), texts.number(""), texts.get(0)), (0, None, None));
    }

    proptest! {
        #[test]
        fn is_a_sorted_set(given in prop::collection::vec("[a-c]{0,4}", 0..300), other in "[a-d]{0,4}") {
            let want: BTreeSet<&str> = given.iter().map(String::as_str).collect();
            let texts: Texts<'_> = given.iter().map(String::as_str).collect();
            prop_assert_eq!(texts.iter().collect::<Vec<_>>(), want.iter().copied().collect::<Vec<_>>());
            for (number, text) in want.iter().enumerate() {
                prop_assert_eq!(texts.number(text), Some(number as u32));
                prop_assert_eq!(texts.get(number as u32), Some(*text));
            }
            prop_assert_eq!(texts.number(&other).is_some(), want.contains(other.as_str()));
        }
    }
}
