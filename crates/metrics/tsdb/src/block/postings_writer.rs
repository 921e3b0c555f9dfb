//! Collects the lists of series by label for an index, from its own series section, a few label names at a time.
//!
//! All lists together are as large as the series in memory have labels, four bytes each: too much to hold beside them. So the section is
//! read again, as often as needed, and each time the lists of as many names are collected as fit a bound.

use std::{io, path::Path};

use rustc_hash::FxHashMap;

use super::series_scan::{SeriesScan, damaged};
use crate::encoding::{Decoder, Malformed, put_uvarint};

/// Entries of lists that are always held at once if there are as many, 8 bytes each: 8 MiB.
const LEAST_AT_ONCE: u64 = 1 << 20;

/// How many series have each label name, by the name's symbol.
#[derive(Debug, Default)]
pub(super) struct NameCounts(FxHashMap<u32, u64>);

/// Which lists were written, in order: a few bytes each.
#[derive(Debug, Default)]
pub(super) struct ListNotes {
    bytes: Vec<u8>,
    count: usize,
    last: (u32, u32),
}

/// A list that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListNote {
    /// Symbols of name and value.
    pub(super) label: (u32, u32),
    /// Series in the list.
    pub(super) series: u32,
}

// === impl NameCounts ===

impl NameCounts {
    pub(super) fn count(&mut self, name: u32) {
        *self.0.entry(name).or_default() += 1;
    }

    /// The names in order, parted so that no part has more than `most` entries, a name with more alone excepted.
    pub(super) fn parts(&self, series: u64) -> Vec<Vec<(u32, u64)>> {
        let most = (2 * series).max(LEAST_AT_ONCE);
        let mut names: Vec<(u32, u64)> = self.0.iter().map(|(name, count)| (*name, *count)).collect();
        names.sort_unstable();
        let mut parts: Vec<Vec<(u32, u64)>> = Vec::new();
        let mut size = 0;
        for (name, count) in names {
            match parts.last_mut().filter(|_| size + count <= most) {
                Some(part) => {
                    part.push((name, count));
                    size += count;
                }
                None => {
                    parts.push(vec![(name, count)]);
                    size = count;
                }
            }
        }
        parts
    }
}

/// Shows the lists of some names, by name and value, as `(name, value, series)`. `section` is where the series are.
pub(super) fn each_list<E: From<io::Error>>(
    path: &Path,
    section: (u64, u64),
    names: &[(u32, u64)],
    mut visit: impl FnMut((u32, u32), &[u32]) -> Result<(), E>,
) -> Result<(), E> {
    // Value above, series below: sorted, a list is a run. Series come in order, so equal values stay in theirs.
    let mut entries: Vec<Vec<u64>> =
        names.iter().map(|(_, count)| Vec::with_capacity(*count as usize)).collect();
    let position: FxHashMap<u32, usize> =
        names.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect();
    let mut scan = SeriesScan::open(path, section.0, section.1)?;
    while let Some((series, mut labels)) = scan.next_series()? {
        for _ in 0..labels.count(2).map_err(damaged)? {
            let (name, value) = (symbol(&mut labels)?, symbol(&mut labels)?);
            if let Some(entries) = position.get(&name).and_then(|at| entries.get_mut(*at)) {
                entries.push(u64::from(value) << 32 | u64::from(series));
            }
        }
    }
    let mut list = Vec::new();
    for ((name, _), mut entries) in names.iter().zip(entries) {
        entries.sort_unstable();
        for run in entries.chunk_by(|a, b| a >> 32 == b >> 32) {
            list.clear();
            list.extend(run.iter().map(|entry| *entry as u32));
            let value = run.first().map_or(0, |entry| (entry >> 32) as u32);
            visit((*name, value), &list)?;
        }
    }
    Ok(())
}

fn symbol(decoder: &mut Decoder<'_>) -> io::Result<u32> {
    let symbol = decoder.uvarint().map_err(damaged)?;
    u32::try_from(symbol).map_err(|_| damaged(Malformed("symbol does not exist")))
}

// === impl ListNotes ===

impl ListNotes {
    /// Notes the next list; lists come in order of their labels.
    pub(super) fn push(&mut self, note: ListNote) {
        let (name, value) = note.label;
        let new_name = name.wrapping_sub(self.last.0);
        put_uvarint(&mut self.bytes, u64::from(new_name));
        let base = if new_name == 0 { self.last.1 } else { 0 };
        put_uvarint(&mut self.bytes, u64::from(value.wrapping_sub(base)));
        put_uvarint(&mut self.bytes, u64::from(note.series));
        self.last = note.label;
        self.count += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = ListNote> {
        let mut decoder = Decoder::new(&self.bytes);
        let mut last = (0u32, 0u32);
        std::iter::from_fn(move || {
            if decoder.is_empty() {
                return None;
            }
            let mut number = || decoder.uvarint().map(|number| number as u32).ok();
            let (new_name, value, series) = (number()?, number()?, number()?);
            let base = if new_name == 0 { last.1 } else { 0 };
            last = (last.0.wrapping_add(new_name), base.wrapping_add(value));
            Some(ListNote { label: last, series })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_hold_no_more_than_they_may() {
        let mut counts = NameCounts::default();
        for (name, count) in
            [(1, LEAST_AT_ONCE / 2), (2, LEAST_AT_ONCE / 2), (3, 1), (4, 3 * LEAST_AT_ONCE), (5, 1)]
        {
            counts.0.insert(name, count);
        }
        let names = |series| -> Vec<Vec<u32>> {
            let names = |part: Vec<(u32, u64)>| part.into_iter().map(|(name, _)| name).collect();
            counts.parts(series).into_iter().map(names).collect()
        };
        assert_eq!(names(0), [vec![1, 2], vec![3], vec![4], vec![5]]);
        assert_eq!(names(10 * LEAST_AT_ONCE), [vec![1, 2, 3, 4, 5]]);
    }

    proptest! {
        #[test]
        fn notes_come_back(labels in prop::collection::btree_map((0u32..5, any::<u32>()), any::<u32>(), 0..50)) {
            let want: Vec<_> = labels.into_iter().map(|(label, series)| ListNote { label, series }).collect();
            let mut notes = ListNotes::default();
            want.iter().for_each(|note| notes.push(*note));
            prop_assert_eq!(notes.len(), want.len());
            prop_assert_eq!(notes.iter().collect::<Vec<_>>(), want);
        }
    }
}
