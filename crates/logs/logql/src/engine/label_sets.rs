//! Label sets of entries, each made once.

use model::Labels;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::EntryLabelSet;
use crate::pipeline::{Category, EntryLabels, LabelRef};

/// Numbers label sets in the order in which they are first met; finding one again allocates nothing.
#[derive(Default)]
pub(super) struct LabelSets {
    by_key: FxHashMap<Box<str>, usize>,
    sets: Vec<EntryLabelSet>,
    key: String,
}

impl LabelSets {
    /// The number of an entry's labels.
    pub fn number(&mut self, labels: &EntryLabels) -> usize {
        let mut all = labels.all();
        all.sort_unstable_by_key(|(name, _, _)| *name);
        self.key.clear();
        for (name, value, category) in &all {
            self.key.push(match category {
                Category::Stream => 's',
                Category::Metadata => 'm',
                Category::Parsed => 'p',
            });
            push_part(&mut self.key, name);
            push_part(&mut self.key, value);
        }
        if let Some(number) = self.by_key.get(self.key.as_str()) {
            return *number;
        }
        self.sets.push(set_of(all));
        self.by_key.insert(self.key.as_str().into(), self.sets.len() - 1);
        self.sets.len() - 1
    }

    /// Starts with sets that are known already; they are not found again, only named.
    pub fn with(sets: Vec<EntryLabelSet>) -> Self {
        Self { sets, ..Self::default() }
    }

    /// The labels of a single entry.
    pub fn one(labels: &EntryLabels) -> EntryLabelSet {
        let mut all = labels.all();
        all.sort_unstable_by_key(|(name, _, _)| *name);
        set_of(all)
    }

    pub fn into_sets(self) -> Vec<EntryLabelSet> {
        self.sets
    }

    pub fn len(&self) -> usize {
        self.sets.len()
    }
}

/// A set of labels that are sorted by name.
fn set_of(mut all: SmallVec<[LabelRef<'_>; 32]>) -> EntryLabelSet {
    let empty =
        all.iter().filter(|(_, value, _)| value.is_empty()).map(|(name, _, _)| (*name).to_owned()).collect();
    all.retain(|(_, value, _)| !value.is_empty());
    let pairs = |wanted: Category| {
        let of_category = all.iter().filter(|(_, _, category)| *category == wanted);
        Labels::from_sorted(of_category.map(|(name, value, _)| (*name, *value)))
    };
    EntryLabelSet {
        all: Labels::from_sorted(all.iter().map(|(name, value, _)| (*name, *value))),
        stream: pairs(Category::Stream),
        metadata: pairs(Category::Metadata),
        parsed: pairs(Category::Parsed),
        empty,
    }
}

/// Appends a text so that no two lists of texts look the same.
pub(super) fn push_part(key: &mut String, text: &str) {
    use std::fmt::Write;
    let _ = write!(key, "{}:", text.len());
    key.push_str(text);
}
