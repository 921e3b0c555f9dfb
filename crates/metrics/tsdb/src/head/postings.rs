//! Which series have which label, in memory.

use std::{collections::HashMap, sync::Arc};

use model::Labels;
use smallvec::SmallVec;

use super::{label_groups::LabelGroups, series::MemSeries};

/// Series whose labels are grouped before they are added: a list is looked up once for all of them.
const GROUPED: usize = 64 * 1024;

/// Position of a series in the index; what postings hold.
pub(crate) type Slot = u32;

/// A sorted list of slots. Callers see slices only, so that another representation can take its place.
///
/// Most values are one series' own: four slots take no more room here than a `Vec` would take for none.
#[derive(Debug, Default)]
pub(crate) struct PostingList(SmallVec<[Slot; 4]>);

/// The series in memory and the lists to find them by.
#[derive(Default)]
pub(crate) struct HeadIndex {
    slots: Vec<Arc<MemSeries>>,
    names: Names,
}

type Names = HashMap<Box<str>, LabelValues>;

/// The values of one label.
#[derive(Default)]
pub(crate) struct LabelValues {
    values: HashMap<Box<str>, PostingList>,
}

// === impl PostingList ===

impl PostingList {
    pub(crate) fn as_slice(&self) -> &[Slot] {
        &self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
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

    pub(crate) fn find(&self, name: &str, value: &str) -> Option<&PostingList> {
        self.names.get(name)?.values.get(value)
    }

    /// Values of a label with their lists, in no order.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = (&str, &PostingList)> {
        self.names
            .get(name)
            .into_iter()
            .flat_map(|values| values.values.iter().map(|(value, list)| (&**value, list)))
    }

    /// Names with the number of their values, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, usize)> {
        self.names.iter().map(|(name, values)| (&**name, values.values.len()))
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
    list.0.extend(slots);
}
