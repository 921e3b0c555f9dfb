//! Numbers that the log named.

use rustc_hash::FxHashMap;

/// A set of numbers, most of which have neighbours in it: a bit each.
#[derive(Default)]
pub(super) struct RefSet {
    /// 64 numbers each.
    pages: FxHashMap<u64, u64>,
}

// === impl RefSet ===

impl RefSet {
    /// Whether the number was not in the set.
    pub(super) fn insert(&mut self, series_ref: u64) -> bool {
        let page = self.pages.entry(series_ref / 64).or_default();
        let before = *page;
        *page |= 1 << (series_ref % 64);
        *page != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_whether_a_number_is_new() {
        let mut set = RefSet::default();
        for number in [0, 1, 63, 64, 1 << 40, u64::MAX] {
            assert!(set.insert(number), "{number}");
            assert!(!set.insert(number), "{number}");
        }
    }
}
