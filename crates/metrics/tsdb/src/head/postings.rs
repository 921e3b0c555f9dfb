//! Which series have which label, in memory.

use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    ops::Bound,
    sync::Arc,
};

use model::{Labels, Matcher};
use roaring::RoaringBitmap;

use super::{PostingList, label_groups::LabelGroups, series::MemSeries};
use crate::query::{PostingsSource, SeriesSet, has_prefix};

/// Series whose labels are grouped before they are added: a list is looked up once for all of them.
const GROUPED: usize = 64 * 1024;

/// With fewer new series than this the lists are not worth looking at again.
const MANY: usize = 4096;

/// Position of a series in the index; what postings hold.
pub(crate) type Slot = u32;

/// The series in memory and the lists to find them by.
#[derive(Default)]
pub(crate) struct HeadIndex {
    slots: Vec<Arc<MemSeries>>,
    names: Names,
}

type Names = HashMap<Box<str>, LabelValues>;

/// The values of one label, in order: lists of values and what begins alike are asked for more often than labels come new.
#[derive(Default)]
pub(crate) struct LabelValues {
    values: BTreeMap<Box<str>, PostingList>,
}

// === impl HeadIndex ===

impl HeadIndex {
    /// Adds a series that is not in the index.
    pub(crate) fn insert(&mut self, series: Arc<MemSeries>) {
        let slot = Slot::try_from(self.slots.len()).expect("BUG: the series limit is below 2^32");
        for (name, value) in series.labels().iter() {
            add(&mut self.names, name, value, [slot]);
        }
        self.slots.push(series);
    }

    /// Adds many series that are not in the index.
    pub(crate) fn insert_all(&mut self, series: Vec<Arc<MemSeries>>) {
        let mut groups = LabelGroups::default();
        for part in series.chunks(GROUPED) {
            groups.group(part.iter().map(|series| series.labels()));
            let first = self.slots.len() as Slot;
            Slot::try_from(self.slots.len() + part.len()).expect("BUG: the series limit is below 2^32");
            for (name, value, places) in groups.iter() {
                add(&mut self.names, name, value, places.iter().map(|place| first + place));
            }
            self.slots.extend_from_slice(part);
        }
        if series.len() >= MANY {
            let values = self.names.values_mut();
            values.flat_map(|values| values.values.values_mut()).for_each(PostingList::compress);
        }
    }

    /// An index of the series that are alive, and where each one's slot has gone.
    pub(crate) fn without_dead(&self) -> (Self, Vec<Option<Slot>>) {
        let mut alive = Vec::with_capacity(self.slots.len());
        let mut moved = Vec::with_capacity(self.slots.len());
        for series in &self.slots {
            if series.is_dead() {
                moved.push(None);
            } else {
                moved.push(Some(alive.len() as Slot));
                alive.push(Arc::clone(series));
            }
        }
        let mut index = Self::default();
        index.insert_all(alive);
        (index, moved)
    }

    /// Most series an index can hold.
    pub(crate) const MAX_SERIES: u64 = Slot::MAX as u64;

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The series by their slots.
    pub(crate) fn all(&self) -> &[Arc<MemSeries>] {
        &self.slots
    }

    pub(crate) fn series(&self, slot: Slot) -> Option<&Arc<MemSeries>> {
        self.slots.get(slot as usize)
    }

    pub(crate) fn labels(&self, slot: Slot) -> Option<&Labels> {
        self.series(slot).map(|series| series.labels())
    }

    /// Values of a label, ascending, with their lists.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = (&str, &PostingList)> {
        self.values_from(name, "")
    }

    /// The same from some value on.
    fn values_from(&self, name: &str, first: &str) -> impl Iterator<Item = (&str, &PostingList)> {
        let from = (Bound::Included(first), Bound::Unbounded);
        let values = self.names.get(name).map(|values| values.values.range::<str, _>(from));
        values.into_iter().flatten().map(|(value, list)| (&**value, list))
    }

    /// Names with the number of their values, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, usize)> {
        self.names.iter().map(|(name, values)| (&**name, values.values.len()))
    }
}

impl PostingsSource for HeadIndex {
    type List<'a> = &'a PostingList;
    type Set = RoaringBitmap;
    type Error = Infallible;

    fn all(&self) -> Result<RoaringBitmap, Infallible> {
        let mut all = RoaringBitmap::new();
        all.insert_range(0..self.slots.len() as Slot);
        Ok(all)
    }

    fn series_count(&self) -> Result<usize, Infallible> {
        Ok(self.slots.len())
    }

    fn value_count(&self, name: &str) -> usize {
        self.names.get(name).map_or(0, |values| values.values.len())
    }

    fn find(&self, name: &str, value: &str) -> Result<Option<&PostingList>, Infallible> {
        Ok(self.names.get(name).and_then(|values| values.values.get(value)))
    }

    fn values<'a>(
        &'a self,
        name: &str,
        prefix: &str,
        visit: &mut dyn FnMut(&str, &'a PostingList),
    ) -> Result<(), Infallible> {
        let values = self.values_from(name, prefix).take_while(|(value, _)| has_prefix(value, prefix));
        values.for_each(|(value, list)| visit(value, list));
        Ok(())
    }

    fn list_len(&self, list: &PostingList) -> Result<usize, Infallible> {
        Ok(list.len())
    }

    fn unite(&self, lists: &[&PostingList]) -> Result<RoaringBitmap, Infallible> {
        Ok(PostingList::unite(lists))
    }

    fn keep(&self, set: &mut RoaringBitmap, lists: &[&PostingList]) -> Result<(), Infallible> {
        PostingList::keep(set, lists);
        Ok(())
    }

    fn meets(&self, set: &RoaringBitmap, list: &PostingList) -> Result<bool, Infallible> {
        Ok(list.meets(set))
    }

    fn remove(&self, set: &mut RoaringBitmap, lists: &[&PostingList]) -> Result<(), Infallible> {
        PostingList::remove(set, lists);
        Ok(())
    }

    fn keep_matching(&self, set: &mut RoaringBitmap, matcher: &Matcher) -> Result<(), Infallible> {
        let satisfies = |labels: &Labels| matcher.matches(labels.value(matcher.name()));
        set.retain(|slot| self.labels(slot).is_some_and(satisfies));
        Ok(())
    }

    fn values_of(&self, series: &[Slot], name: &str, visit: &mut dyn FnMut(&str)) -> Result<(), Infallible> {
        let labels = series.iter().filter_map(|slot| self.labels(*slot));
        labels.filter_map(|labels| labels.get(name)).for_each(visit);
        Ok(())
    }
}

impl SeriesSet for RoaringBitmap {
    fn count(&self) -> usize {
        self.len() as usize
    }

    fn into_vec(self) -> Vec<Slot> {
        // Not by `next_many`: of a full container, 65,536 slots on end, roaring 0.12.0 returns none.
        let mut slots = Vec::with_capacity(self.count());
        slots.extend(self);
        slots
    }
}

/// Adds ascending slots, behind those that are in the list.
fn add(names: &mut Names, name: &str, value: &str, slots: impl IntoIterator<Item = Slot>) {
    let values = match names.get_mut(name) {
        Some(values) => values,
        None => names.entry(name.into()).or_default(),
    };
    let list = match values.values.get_mut(value) {
        Some(list) => list,
        None => values.values.entry(value.into()).or_default(),
    };
    for slot in slots {
        list.push(slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_of_many_series_on_end() {
        let mut set = RoaringBitmap::new();
        set.insert_range(3..200_000);
        assert!(SeriesSet::into_vec(set).into_iter().eq(3..200_000));
        let mut list = PostingList::default();
        (0..200_000).for_each(|slot| list.push(slot));
        list.compress();
        assert!(list.iter().eq(0..200_000));
    }
}
