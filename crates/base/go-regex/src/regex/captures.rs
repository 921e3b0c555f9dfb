//! Where the groups of a match are.

use std::ops::Range;

use regex_automata::util::primitives::NonMaxUsize;

use super::Regex;

/// Positions of the groups of one match: reusable, without the text. Made by [`Regex::locations`].
#[derive(Debug, Clone)]
pub struct Locations {
    slots: Vec<Option<NonMaxUsize>>,
}

impl Locations {
    pub(super) fn new(groups: usize) -> Locations {
        Locations { slots: vec![None; groups * 2] }
    }

    pub(super) fn clear(&mut self) {
        self.slots.fill(None);
    }

    pub(super) fn slots_mut(&mut self) -> &mut [Option<NonMaxUsize>] {
        &mut self.slots
    }

    /// Where group `index` matched, in bytes; group 0 is the whole match. `None` if it took no part or does not exist.
    pub fn get(&self, index: usize) -> Option<Range<usize>> {
        let at = index.checked_mul(2)?;
        let start = self.slots.get(at).copied()??.get();
        let end = self.slots.get(at + 1).copied()??.get();
        Some(start..end)
    }

    /// The text of group `index`; `text` must be the one that was searched.
    pub fn text<'t>(&self, text: &'t str, index: usize) -> Option<&'t str> {
        text.get(self.get(index)?)
    }

    /// The number of groups, the whole match included.
    #[allow(clippy::len_without_is_empty, reason = "never empty: the whole match is always there")]
    pub fn len(&self) -> usize {
        self.slots.len() / 2
    }
}

/// A match with its groups and its text.
#[derive(Debug, Clone)]
pub struct Captures<'t> {
    regex: Regex,
    text: &'t str,
    locations: Locations,
}

impl<'t> Captures<'t> {
    pub(super) fn new(regex: Regex, text: &'t str, locations: Locations) -> Captures<'t> {
        Captures { regex, text, locations }
    }

    /// The text of group `index`; 0 is the whole match. `None` if it took no part or does not exist.
    pub fn get(&self, index: usize) -> Option<&'t str> {
        self.locations.text(self.text, index)
    }

    /// Where group `index` matched, in bytes.
    pub fn range(&self, index: usize) -> Option<Range<usize>> {
        self.locations.get(index)
    }

    /// The text of the first group of that name which took part.
    pub fn name(&self, name: &str) -> Option<&'t str> {
        (self.regex.capture_names().enumerate())
            .filter(|(_, group)| *group == Some(name))
            .find_map(|(index, _)| self.get(index))
    }

    /// The texts of all groups in order, the whole match first.
    pub fn iter(&self) -> impl Iterator<Item = Option<&'t str>> + '_ {
        (0..self.locations.len()).map(|index| self.get(index))
    }

    /// Appends `template` with its `$1`, `$name` and `${name}` filled in; see [`Regex::expand`].
    pub fn expand(&self, template: &str, out: &mut String) {
        self.regex.expand(template, self.text, &self.locations, out);
    }
}
