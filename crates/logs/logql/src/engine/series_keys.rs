//! Which series an entry of a metric query belongs to.

use model::Labels;
use rustc_hash::FxHashMap;

use super::label_sets::push_part;
use crate::pipeline::EntryLabels;

/// Which labels of an entry tell series apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyBy {
    /// All.
    All,
    /// None: there is one series.
    Nothing,
    /// These.
    By(Vec<String>),
    /// All but these.
    Without(Vec<String>),
}

/// Numbers series in the order in which they are first met; finding one again allocates nothing.
pub(super) struct SeriesKeys {
    by: KeyBy,
    numbers: FxHashMap<Box<str>, usize>,
    labels: Vec<Labels>,
    bytes: usize,
    key: String,
    /// The number of the entries whose labels are the stream's.
    stream: Option<usize>,
}

impl SeriesKeys {
    pub fn new(by: KeyBy) -> Self {
        Self {
            by,
            numbers: FxHashMap::default(),
            labels: Vec::new(),
            bytes: 0,
            key: String::new(),
            stream: None,
        }
    }

    /// Forgets what is known of the stream.
    pub fn start_stream(&mut self) {
        self.stream = None;
    }

    /// Whether all entries are one series.
    pub fn is_one(&self) -> bool {
        self.by == KeyBy::Nothing
    }

    /// The number of the series an entry belongs to.
    pub fn number(&mut self, labels: &EntryLabels) -> usize {
        let is_stream = labels.is_stream();
        if is_stream && let Some(number) = self.stream {
            return number;
        }
        let number = match self.by {
            // All entries without a key are one series; it is the first.
            KeyBy::Nothing if !self.labels.is_empty() => 0,
            _ => self.look_up(labels),
        };
        if is_stream {
            self.stream = Some(number);
        }
        number
    }

    fn look_up(&mut self, labels: &EntryLabels) -> usize {
        let mut pairs = labels.all();
        pairs.retain(|(name, value, _)| !value.is_empty() && self.by.keeps(name));
        pairs.sort_unstable_by_key(|(name, _, _)| *name);
        self.key.clear();
        for (name, value, _) in &pairs {
            push_part(&mut self.key, name);
            push_part(&mut self.key, value);
        }
        if let Some(number) = self.numbers.get(self.key.as_str()) {
            return *number;
        }
        let number = self.labels.len();
        self.labels.push(Labels::from_sorted(pairs.iter().map(|(name, value, _)| (*name, *value))));
        self.bytes += 2 * self.key.len() + 128;
        self.numbers.insert(self.key.as_str().into(), number);
        number
    }

    /// Bytes in use, roughly.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn into_labels(self) -> Vec<Labels> {
        self.labels
    }
}

impl KeyBy {
    fn keeps(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Nothing => false,
            Self::By(names) => names.iter().any(|wanted| wanted == name),
            Self::Without(names) => !names.iter().any(|unwanted| unwanted == name),
        }
    }
}

/// All labels of an entry, errors included.
pub(super) fn all_labels(labels: &EntryLabels) -> Labels {
    Labels::from_pairs(labels.all().iter().map(|(name, value, _)| (*name, *value)))
}
