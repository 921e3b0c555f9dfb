//! A log entry's labels.

use std::{fmt, sync::Arc};

use model::{is_legacy_label_name, write_quoted};

/// Labels sorted by name, names unique. Unlike a series' labels a value may be empty: Promtail sends those. Cheap to clone, hash and compare.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelSet(Arc<Vec<(Arc<str>, Arc<str>)>>);

impl LabelSet {
    /// A set of pairs in any order; of two with one name the later wins.
    pub fn new<N: Into<Arc<str>>, V: Into<Arc<str>>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut set = Self::default();
        for (name, value) in pairs {
            set.set(name.into(), value.into());
        }
        set
    }

    /// The pairs in order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Arc<str>)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// The value of a label.
    pub fn get(&self, name: &str) -> Option<&Arc<str>> {
        self.position(name).ok().map(|at| &self.0[at].1)
    }

    /// Sets a label.
    pub fn set(&mut self, name: Arc<str>, value: Arc<str>) {
        match self.position(&name) {
            Ok(at) if self.0[at].1 == value => {}
            Ok(at) => Arc::make_mut(&mut self.0)[at].1 = value,
            Err(at) => Arc::make_mut(&mut self.0).insert(at, (name, value)),
        }
    }

    /// Removes a label; returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Arc<str>> {
        let at = self.position(name).ok()?;
        Some(Arc::make_mut(&mut self.0).remove(at).1)
    }

    /// Removes the labels that `keep` does not want.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        if self.0.iter().any(|(name, _)| !keep(name)) {
            Arc::make_mut(&mut self.0).retain(|(name, _)| keep(name));
        }
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(own, _)| (**own).cmp(name))
    }
}

/// `{job="varlogs", host="a"}`, as a push request has it.
impl fmt::Display for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, (name, value)) in self.iter().enumerate() {
            if at > 0 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_sorted_and_keeps_empty_values() {
        let mut set = LabelSet::new([("b", "2"), ("a", ""), ("b", "3")]);
        assert_eq!(set.to_string(), r#"{a="", b="3"}"#);
        let before = set.clone();
        set.set("c".into(), "x".into());
        set.retain(|name| name != "a");
        assert_eq!(set.to_string(), r#"{b="3", c="x"}"#);
        assert_eq!(before.len(), 2);
        assert_eq!(set.remove("b").as_deref(), Some("3"));
        assert_eq!(set.remove("b"), None);
    }
}
