//! Label sets: immutable, sorted by name, cheap to clone, compare and hash.

mod builder;
mod encoding;

#[cfg(test)]
mod tests;

use std::{borrow::Cow, cmp::Ordering, fmt, sync::Arc};

use serde::{Serialize, Serializer, ser::SerializeMap};
use xxhash_rust::xxh3::xxh3_64;

pub use builder::{LabelsBuilder, SortedLabels};

use crate::{METRIC_NAME, is_legacy_label_name, write_quoted};

/// Few sets are larger: room for so much need not grow while one is made.
const USUAL_BYTES: usize = 256;

/// A set of `name=value` pairs, sorted by name in byte order; names are unique, values are never empty.
///
/// All pairs live in one allocation (see `encoding`), so a clone is a reference count and equality one comparison of memory.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Labels(Arc<str>);

impl Labels {
    /// The empty set.
    pub fn empty() -> Self {
        Self(Arc::from(""))
    }

    /// A set of the given pairs in any order. Of two pairs with one name the later wins; a pair with an empty value is left out.
    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut builder = LabelsBuilder::new();
        for (name, value) in pairs {
            builder.set(name.as_ref(), value.as_ref());
        }
        builder.build()
    }

    /// A set of pairs that are already sorted by name, unique, and without empty values.
    ///
    /// The caller vouches for the order; it is checked in debug builds.
    pub fn from_sorted<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut text = String::with_capacity(USUAL_BYTES);
        let mut last: Option<&str> = None;
        for (name, value) in pairs {
            debug_assert!(last.is_none_or(|last| last < name), "BUG: labels out of order");
            debug_assert!(!value.is_empty(), "BUG: empty label value");
            encoding::push_pair(&mut text, name, value);
            last = Some(name);
        }
        Self(text.into())
    }

    /// A set of the first `count` pairs of `bytes`, each text behind its size in one byte, and how many bytes they are: what Prometheus'
    /// files hold is nearly always just what a set is in memory. None where it is not, or is no set: out of order, say.
    pub fn from_short_pairs(bytes: &[u8], count: usize) -> Option<(Self, usize)> {
        let text = encoding::short_pairs(bytes, count)?;
        Some((Self(text.into()), text.len()))
    }

    /// The pairs in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        encoding::Pairs::new(&self.0)
    }

    /// The value of a label, if the set has it.
    pub fn get(&self, name: &str) -> Option<&str> {
        for (candidate, value) in self.iter() {
            match candidate.cmp(name) {
                Ordering::Less => {}
                Ordering::Equal => return Some(value),
                Ordering::Greater => return None,
            }
        }
        None
    }

    /// The value of a label, empty where the set does not have it: what a matcher compares with.
    pub fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// The metric's name, empty where there is none.
    pub fn metric_name(&self) -> &str {
        self.value(METRIC_NAME)
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A hash that is stable within one build of this program, not across them: for tables in memory, never for disk.
    pub fn hash64(&self) -> u64 {
        xxh3_64(self.0.as_bytes())
    }

    /// Prometheus' and Alertmanager's fingerprint of a label set: FNV-1a over `name 0xff value 0xff …`.
    pub fn fingerprint(&self) -> u64 {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0100_0000_01b3;
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        let mut hash = OFFSET;
        for (name, value) in self.iter() {
            for text in [name, value] {
                hash = step(text.bytes().fold(hash, step), 0xff);
            }
        }
        hash
    }

    /// The set without its metric name.
    pub fn without_metric_name(&self) -> Self {
        if self.get(METRIC_NAME).is_none() {
            return self.clone();
        }
        self.filter(|name| name != METRIC_NAME)
    }

    /// The pairs whose names satisfy `keep`.
    pub fn filter(&self, keep: impl FnMut(&str) -> bool) -> Self {
        match encoding::filter(&self.0, keep) {
            // What is left lies together, as when the metric's name goes.
            Cow::Borrowed(kept) if kept.len() == self.0.len() => self.clone(),
            kept => Self(Arc::from(kept)),
        }
    }

    /// The set with one label set to a value, or without it where the value is empty.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut text = String::with_capacity(self.0.len() + name.len() + value.len() + 2);
        encoding::replace(&self.0, name, value, &mut text);
        Self(text.into())
    }

    /// A builder that starts with these pairs.
    pub fn to_builder(&self) -> LabelsBuilder {
        LabelsBuilder::from(self)
    }

    /// Bytes that this set occupies on the heap, shared by all its clones.
    pub fn heap_bytes(&self) -> usize {
        self.0.len() + 2 * size_of::<usize>()
    }
}

impl Default for Labels {
    fn default() -> Self {
        Self::empty()
    }
}

impl Ord for Labels {
    /// Prometheus' order: pair by pair, names first; a set that is a prefix of another comes before it.
    fn cmp(&self, other: &Self) -> Ordering {
        encoding::compare(&self.0, &other.0)
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Labels {
    /// `{__name__="up", job="x"}`, as Prometheus prints label sets in its messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (name, value)) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            if is_legacy_label_name(name) {
                f.write_str(name)?;
            } else {
                write_quoted(f, name)?;
            }
            f.write_str("=")?;
            write_quoted(f, value)?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Labels {
    /// A map from name to value, as every peer's JSON has it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self::from_pairs(pairs)
    }
}
