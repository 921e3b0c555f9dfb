//! From labels to small numbers, once per series set.

use std::hash::{Hash, Hasher};

use model::Labels;
use rustc_hash::{FxHashMap, FxHasher};
use smallvec::SmallVec;

/// Which labels tell groups apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grouping {
    /// These and no others; none at all makes one group.
    By(Vec<String>),
    /// All but these. A language that ignores the metric's name lists it here.
    Without(Vec<String>),
}

impl Grouping {
    /// Everything in one group.
    pub fn all() -> Self {
        Self::By(Vec::new())
    }

    /// Whether the label counts.
    #[inline]
    pub fn keeps(&self, name: &str) -> bool {
        match self {
            Self::By(names) => names.iter().any(|candidate| candidate == name),
            Self::Without(names) => !names.iter().any(|candidate| candidate == name),
        }
    }

    /// The labels that count.
    pub fn apply(&self, labels: &Labels) -> Labels {
        labels.filter(|name| self.keeps(name))
    }

    /// The same, with its names in the order of labels.
    fn sorted(self) -> Self {
        let sorted = |mut names: Vec<String>| {
            names.sort_unstable();
            names.dedup();
            names
        };
        match self {
            Self::By(names) => Self::By(sorted(names)),
            Self::Without(names) => Self::Without(sorted(names)),
        }
    }

    /// The pairs that count, where the names are sorted: both are walked over once.
    fn key<'a>(&self, labels: &'a Labels) -> Key<'a> {
        let (Self::By(names) | Self::Without(names)) = self;
        let by = matches!(self, Self::By(_));
        let mut key = Key::new();
        let mut names = names.iter();
        let mut next = names.next();
        for pair in labels.iter() {
            while next.is_some_and(|next| next.as_str() < pair.0) {
                next = names.next();
            }
            if by && next.is_none() {
                break;
            }
            if next.is_some_and(|next| next == pair.0) == by {
                key.push(pair);
            }
        }
        key
    }
}

/// The pairs of a series that tell its group from others.
type Key<'a> = SmallVec<[(&'a str, &'a str); 8]>;

/// Numbers groups in the order in which they are first met.
///
/// Looking up a series of a known group allocates nothing.
#[derive(Debug)]
pub struct Groups {
    grouping: Grouping,
    by_hash: FxHashMap<u64, SmallVec<[u32; 1]>>,
    labels: Vec<Labels>,
}

impl Groups {
    /// No groups yet.
    pub fn new(grouping: Grouping) -> Self {
        Self { grouping: grouping.sorted(), by_hash: FxHashMap::default(), labels: Vec::new() }
    }

    /// The number of the group these labels belong to; a new one when there is none yet.
    pub fn assign(&mut self, labels: &Labels) -> usize {
        let key = self.grouping.key(labels);
        let mut hasher = FxHasher::default();
        key.hash(&mut hasher);
        let hash = hasher.finish();
        let candidates = self.by_hash.entry(hash).or_default();
        for candidate in candidates.iter() {
            let group = *candidate as usize;
            if self.labels[group].iter().eq(key.iter().copied()) {
                return group;
            }
        }
        let group = self.labels.len();
        candidates.push(u32::try_from(group).expect("BUG: more than 2^32 groups"));
        self.labels.push(Labels::from_sorted(key));
        group
    }

    /// The labels of each group, in order of their numbers.
    pub fn labels(&self) -> &[Labels] {
        &self.labels
    }

    /// The labels of each group, in order of their numbers.
    pub fn into_labels(self) -> Vec<Labels> {
        self.labels
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use model::Labels;

    use super::{Grouping, Groups};

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        Labels::from_pairs(pairs.iter().copied())
    }

    #[test]
    fn by_keeps_and_without_drops() {
        let series = [
            labels(&[("a", "aa"), ("b", "bb"), ("c", "1")]),
            labels(&[("a", "a"), ("b", "abb"), ("c", "2")]),
            labels(&[("a", "aa"), ("b", "bb"), ("c", "3")]),
        ];
        let mut by = Groups::new(Grouping::By(vec!["b".into(), "a".into(), "nope".into()]));
        assert_eq!(series.iter().map(|s| by.assign(s)).collect::<Vec<_>>(), [0, 1, 0]);
        assert_eq!(by.labels()[0], labels(&[("a", "aa"), ("b", "bb")]));

        let mut without = Groups::new(Grouping::Without(vec!["a".into(), "b".into()]));
        assert_eq!(series.iter().map(|s| without.assign(s)).collect::<Vec<_>>(), [0, 1, 2]);

        let mut all = Groups::new(Grouping::all());
        assert_eq!(series.iter().map(|s| all.assign(s)).collect::<Vec<_>>(), [0, 0, 0]);
        assert_eq!(all.into_labels(), [Labels::empty()]);
    }
}
