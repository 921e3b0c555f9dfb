//! From numbers in the log to series.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::head::MemSeries;

/// Numbers in a page. Records name series mostly in ascending order, so that one look-up serves a page; larger pages would be mostly
/// empty where most series of a long life are gone.
const PAGE: u64 = 64;

type Page = [Option<Arc<MemSeries>>; PAGE as usize];

/// Series by their numbers.
#[derive(Default)]
pub(super) struct RefMap {
    positions: FxHashMap<u64, usize>,
    #[allow(clippy::vec_box, reason = "more pages do not move those that are there")]
    pages: Vec<Box<Page>>,
    /// The page that was used last: its number and position.
    last: Option<(u64, usize)>,
}

// === impl RefMap ===

impl RefMap {
    /// Returns what was there before.
    pub(super) fn insert(&mut self, series_ref: u64, series: Arc<MemSeries>) -> Option<Arc<MemSeries>> {
        let number = series_ref / PAGE;
        let position = *self.positions.entry(number).or_insert_with(|| {
            self.pages.push(Box::new([const { None }; PAGE as usize]));
            self.pages.len() - 1
        });
        self.pages[position][(series_ref % PAGE) as usize].replace(series)
    }

    #[inline]
    pub(super) fn get(&mut self, series_ref: u64) -> Option<&Arc<MemSeries>> {
        let number = series_ref / PAGE;
        let position = match self.last {
            Some((last, position)) if last == number => position,
            _ => {
                let position = *self.positions.get(&number)?;
                self.last = Some((number, position));
                position
            }
        };
        self.pages.get(position)?[(series_ref % PAGE) as usize].as_ref()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<MemSeries>> {
        self.pages.iter().flat_map(|page| page.iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use model::Labels;

    use super::*;

    #[test]
    fn finds_what_was_put_in() {
        let mut map = RefMap::default();
        let numbers = [1, 2, 63, 64, 1000, u64::MAX];
        for number in numbers {
            let series = Arc::new(MemSeries::new(number, Labels::empty()));
            assert!(map.insert(number, Arc::clone(&series)).is_none());
            assert!(map.insert(number, series).is_some());
        }
        for number in numbers {
            assert_eq!(map.get(number).map(|series| series.series_ref()), Some(number));
        }
        assert!(map.get(3).is_none() && map.get(500).is_none());
        assert_eq!(map.iter().count(), numbers.len());
    }
}
