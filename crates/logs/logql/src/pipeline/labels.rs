//! The labels of the entry under way, in their categories.

use std::hash::Hasher;

use model::Labels;
use smallvec::SmallVec;

use super::{ERROR, ERROR_DETAILS, Hints, PRESERVE_ERROR};

/// Where a label comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Category {
    /// The stream.
    Stream,
    /// The entry's structured metadata.
    Metadata,
    /// A stage of the query.
    Parsed,
}

/// Most labels that parsers make of one line; further fields are left out. Lines are data from outside, and finding a label takes time in
/// proportion to their number.
const MAX_PARSED: usize = 4096;

/// The labels of the entry under way.
///
/// Stream labels stay where they are; what entry and stages add, hide and remove is kept beside them in lists whose memory is reused from
/// entry to entry. Of one name, a parsed label hides metadata, which hides the stream's.
#[derive(Debug)]
pub(crate) struct EntryLabels {
    hints: Hints,
    stream: Labels,
    metadata: PairList,
    parsed: PairList,
    removed: NameList,
    /// Parsed labels that were removed again: later parsers leave them alone.
    spent: NameList,
    error: String,
    error_details: String,
}

/// Labels of an entry that differ from its stream's, or not.
pub(crate) type LabelRef<'a> = (&'a str, &'a str, Category);

impl EntryLabels {
    pub fn new(hints: Hints) -> Self {
        Self {
            hints,
            stream: Labels::empty(),
            metadata: PairList::default(),
            parsed: PairList::default(),
            removed: NameList::default(),
            spent: NameList::default(),
            error: String::new(),
            error_details: String::new(),
        }
    }

    /// Turns to another stream.
    pub fn set_stream(&mut self, stream: &Labels) {
        self.stream = stream.clone();
        self.start(None);
    }

    /// Turns to another entry of the stream.
    pub fn start(&mut self, metadata: Option<&Labels>) {
        let Self { hints: _, stream, metadata: own, parsed, removed, spent, error, error_details } = self;
        own.clear();
        parsed.clear();
        removed.clear();
        spent.clear();
        error.clear();
        error_details.clear();
        for (name, value) in metadata.iter().flat_map(|labels| labels.iter()) {
            match name {
                ERROR => value.clone_into(error),
                ERROR_DETAILS => value.clone_into(error_details),
                _ if stream.get(name).is_some() => own.set_suffixed(name, value),
                _ => own.set(name, value),
            }
        }
    }

    pub fn hints(&self) -> &Hints {
        &self.hints
    }

    /// Whether the labels are those of the stream, unchanged. Details without an error do not count, as in Loki.
    pub fn is_stream(&self) -> bool {
        self.metadata.is_empty() && self.parsed.is_empty() && self.removed.is_empty() && self.error.is_empty()
    }

    // === reading ===

    pub fn get(&self, name: &str) -> Option<&str> {
        if let Some(value) = self.metadata.get(name).or_else(|| self.parsed.get(name)) {
            return Some(value);
        }
        if self.removed.contains(name) {
            return None;
        }
        self.stream.get(name)
    }

    /// The value a text filter compares with: errors are labels too, and a missing label is empty.
    pub fn value(&self, name: &str) -> &str {
        if name == ERROR {
            return &self.error;
        }
        self.get(name).unwrap_or_default()
    }

    pub fn error(&self) -> &str {
        &self.error
    }

    pub fn error_details(&self) -> &str {
        &self.error_details
    }

    pub fn has_error(&self) -> bool {
        !self.error.is_empty()
    }

    /// All labels, in no order, errors included.
    pub fn all(&self) -> SmallVec<[LabelRef<'_>; 32]> {
        let mut all = SmallVec::new();
        for (name, value) in self.stream.iter() {
            if !(self.removed.contains(name) || self.metadata.contains(name) || self.parsed.contains(name)) {
                all.push((name, value, Category::Stream));
            }
        }
        for (name, value) in self.metadata.iter() {
            if !self.parsed.contains(name) {
                all.push((name, value, Category::Metadata));
            }
        }
        all.extend(self.parsed.iter().map(|(name, value)| (name, value, Category::Parsed)));
        if !self.error.is_empty() {
            all.push((ERROR, self.error.as_str(), Category::Parsed));
        }
        if !self.error_details.is_empty() && !self.is_stream() {
            all.push((ERROR_DETAILS, self.error_details.as_str(), Category::Parsed));
        }
        all
    }

    // === parsers ===

    /// Whether a field of this name would hide a label of the stream or the metadata, and so needs the suffix.
    pub fn collides(&self, name: &str) -> bool {
        self.stream.get(name).is_some() || self.metadata.contains(name)
    }

    /// Whether a parser should take this field: it is needed, no parser has taken one of the name, and there is room.
    pub fn wants(&self, name: &str) -> bool {
        self.hints.wants(name) && !self.is_extracted(name) && self.parsed.len() < MAX_PARSED
    }

    pub fn is_extracted(&self, name: &str) -> bool {
        self.parsed.contains(name) || self.spent.contains(name)
    }

    /// Whether nothing is left for parsers to do.
    pub fn is_complete(&self) -> bool {
        if self.hints.nothing_needed() {
            return true;
        }
        let required = self.hints.required();
        !required.is_empty() && required.iter().all(|name| self.is_extracted(name))
    }

    // === writing ===

    /// Sets a parsed label. An empty value is a label too until the end, where it goes away.
    pub fn set_parsed(&mut self, name: &str, value: &str) {
        self.metadata.remove(name);
        self.parsed.set(name, value);
    }

    /// Removes the label in every category.
    pub fn remove(&mut self, name: &str) {
        self.metadata.remove(name);
        if self.parsed.remove(name) && !self.spent.contains(name) {
            self.spent.push(name);
        }
        if !self.removed.contains(name) {
            self.removed.push(name);
        }
    }

    /// Notes what went wrong; overwrites what was noted before.
    pub fn set_error(&mut self, error: &str, details: &str) {
        error.clone_into(&mut self.error);
        if !details.is_empty() {
            details.clone_into(&mut self.error_details);
        }
    }

    /// Notes an error of a parser, which a query may ask to keep.
    pub fn set_parser_error(&mut self, error: &str, details: &str) {
        self.set_error(error, details);
        if self.hints.keeps_errors() {
            self.set_parsed(PRESERVE_ERROR, "true");
        }
    }

    pub fn clear_error(&mut self) {
        self.error.clear();
    }

    pub fn clear_error_details(&mut self) {
        self.error_details.clear();
    }
}

/// Pairs with unique names; cleared, it keeps its strings.
#[derive(Debug, Default)]
struct PairList {
    pairs: Vec<(String, String)>,
    /// One hash a pair in use: names are compared only where hashes are equal.
    hashes: Vec<u32>,
}

impl PairList {
    fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    fn len(&self) -> usize {
        self.hashes.len()
    }

    fn clear(&mut self) {
        self.hashes.clear();
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs[..self.len()].iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn position(&self, name: &str) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        self.position_of(name, hash(name))
    }

    fn position_of(&self, name: &str, hash: u32) -> Option<usize> {
        let mut at = 0;
        while let Some(found) = self.hashes[at..].iter().position(|candidate| *candidate == hash) {
            at += found;
            if self.pairs[at].0 == name {
                return Some(at);
            }
            at += 1;
        }
        None
    }

    fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.position(name).map(|at| self.pairs[at].1.as_str())
    }

    fn set(&mut self, name: &str, value: &str) {
        let hash = hash(name);
        let at = match self.position_of(name, hash) {
            Some(at) => at,
            None => self.push_name(name, hash),
        };
        value.clone_into(&mut self.pairs[at].1);
    }

    fn set_suffixed(&mut self, name: &str, value: &str) {
        let mut suffixed = String::with_capacity(name.len() + super::sanitize::EXTRACTED.len());
        suffixed.push_str(name);
        suffixed.push_str(super::sanitize::EXTRACTED);
        self.set(&suffixed, value);
    }

    fn push_name(&mut self, name: &str, hash: u32) -> usize {
        let at = self.len();
        if at == self.pairs.len() {
            self.pairs.push((String::new(), String::new()));
        }
        name.clone_into(&mut self.pairs[at].0);
        self.hashes.push(hash);
        at
    }

    fn remove(&mut self, name: &str) -> bool {
        let Some(at) = self.position(name) else {
            return false;
        };
        // The freed strings move behind the used ones.
        let used = self.len();
        self.pairs[at..used].rotate_left(1);
        self.hashes.remove(at);
        true
    }
}

fn hash(name: &str) -> u32 {
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(name.as_bytes());
    // The upper half is the better mixed one.
    (hasher.finish() >> 32) as u32
}

/// Names; cleared, it keeps its strings.
#[derive(Debug, Default)]
struct NameList {
    names: Vec<String>,
    used: usize,
}

impl NameList {
    fn is_empty(&self) -> bool {
        self.used == 0
    }

    fn clear(&mut self) {
        self.used = 0;
    }

    fn contains(&self, name: &str) -> bool {
        self.names[..self.used].iter().any(|candidate| candidate == name)
    }

    fn push(&mut self, name: &str) {
        if self.used == self.names.len() {
            self.names.push(String::new());
        }
        name.clone_into(&mut self.names[self.used]);
        self.used += 1;
    }
}
