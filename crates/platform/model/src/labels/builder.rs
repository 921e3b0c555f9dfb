//! Making and changing label sets.

use super::{Labels, encoding};

/// Collects pairs in any order and makes a [`Labels`] of them. Reuse one for many sets: [`LabelsBuilder::clear`] keeps the memory.
#[derive(Debug, Clone, Default)]
pub struct LabelsBuilder {
    /// Sorted by name, names unique; an empty value means the label is absent.
    pairs: Vec<(String, String)>,
}

impl LabelsBuilder {
    /// A builder without pairs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts anew.
    pub fn clear(&mut self) {
        self.pairs.clear();
    }

    /// Sets a label; an empty value removes it.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        match self.position(name) {
            Ok(at) if value.is_empty() => {
                self.pairs.remove(at);
            }
            Ok(at) => {
                let slot = &mut self.pairs[at].1;
                slot.clear();
                slot.push_str(value);
            }
            Err(_) if value.is_empty() => {}
            Err(at) => self.pairs.insert(at, (name.to_owned(), value.to_owned())),
        }
        self
    }

    /// Removes a label.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.set(name, "")
    }

    /// Removes the labels whose names do not satisfy `keep`.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) -> &mut Self {
        self.pairs.retain(|(name, _)| keep(name));
        self
    }

    /// The value of a label, empty where there is none.
    pub fn get(&self, name: &str) -> &str {
        self.position(name).map_or("", |at| &self.pairs[at].1)
    }

    /// The pairs in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The set as it stands now.
    pub fn build(&self) -> Labels {
        let size = self.pairs.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let mut text = String::with_capacity(size);
        for (name, value) in &self.pairs {
            encoding::push_pair(&mut text, name, value);
        }
        Labels(text.into())
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        // Sources mostly hand labels over in order: look at the end first.
        match self.pairs.last() {
            Some((last, _)) if last.as_str() < name => Err(self.pairs.len()),
            None => Err(0),
            _ => self.pairs.binary_search_by(|(candidate, _)| candidate.as_str().cmp(name)),
        }
    }
}

impl From<&Labels> for LabelsBuilder {
    fn from(labels: &Labels) -> Self {
        Self { pairs: labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect() }
    }
}

/// Makes sets of pairs that come in the order of their names, one set after the other in one buffer: each costs its own allocation alone.
#[derive(Debug, Default)]
pub struct SortedLabels {
    text: String,
}

impl SortedLabels {
    /// Adds a pair behind all others. The caller vouches for the order, and that the value is not empty.
    pub fn push(&mut self, name: &str, value: &str) {
        debug_assert!(!value.is_empty(), "BUG: empty label value");
        encoding::push_pair(&mut self.text, name, value);
    }

    /// Starts a set.
    pub fn clear(&mut self) {
        self.text.clear();
    }

    /// The set of the pairs added since [`SortedLabels::clear`].
    pub fn build(&self) -> Labels {
        Labels(self.text.as_str().into())
    }
}
