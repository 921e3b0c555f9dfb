//! What a target's loop remembers of its series: from the bytes of a line up to the value to the series in storage.

use std::collections::BTreeMap;

use model::Labels;
use rustc_hash::FxHashMap;
use storage::{Metadata, MetricType, SeriesRef};

/// A series that was seen before.
#[derive(Debug)]
pub(crate) struct CachedSeries {
    pub reference: SeriesRef,
    pub labels: Labels,
    /// The scrape that brought it.
    added: u64,
    /// The last scrape in which it occurred.
    last_seen: u64,
    /// Whether its last sample came without a time of its own, so that its absence means something.
    goes_stale: bool,
}

/// What a line stands for.
#[derive(Debug)]
enum Entry {
    Series(CachedSeries),
    /// Relabelling drops it.
    Dropped {
        last_seen: u64,
    },
}

/// What is known about a line.
pub(crate) enum Known<'a> {
    Series(&'a mut CachedSeries),
    Dropped,
    New,
}

/// Remembers the series of one target across scrapes.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    entries: FxHashMap<Box<str>, Entry>,
    metadata: BTreeMap<String, (Metadata, u64)>,
    metadata_changed: bool,
    scrape: u64,
    /// Whether a scrape has begun and not ended.
    under_way: bool,
}

impl Cache {
    /// Starts a scrape.
    pub fn begin(&mut self) {
        self.scrape += 1;
        self.under_way = true;
    }

    /// Looks a line up and notes that it occurred.
    pub fn get(&mut self, line: &str, goes_stale: bool) -> Known<'_> {
        match self.entries.get_mut(line) {
            None => Known::New,
            Some(Entry::Dropped { last_seen }) => {
                *last_seen = self.scrape;
                Known::Dropped
            }
            Some(Entry::Series(series)) => {
                series.last_seen = self.scrape;
                series.goes_stale = goes_stale;
                Known::Series(series)
            }
        }
    }

    /// Remembers a new series.
    pub fn add(&mut self, line: &str, reference: SeriesRef, labels: Labels, goes_stale: bool) {
        let series =
            CachedSeries { reference, labels, added: self.scrape, last_seen: self.scrape, goes_stale };
        self.entries.insert(line.into(), Entry::Series(series));
    }

    /// Remembers that relabelling drops a line.
    pub fn add_dropped(&mut self, line: &str) {
        self.entries.insert(line.into(), Entry::Dropped { last_seen: self.scrape });
    }

    /// The series of the scrape before that did not occur in this one.
    pub fn gone(&self) -> impl Iterator<Item = &CachedSeries> {
        let before = self.scrape - 1;
        self.entries.values().filter_map(move |entry| match entry {
            Entry::Series(series) if series.goes_stale && series.last_seen == before => Some(series),
            _ => None,
        })
    }

    /// The series of the last successful scrape: what a failed scrape or the end of a target makes stale.
    pub fn all_current(&self) -> impl Iterator<Item = &CachedSeries> {
        self.entries.values().filter_map(|entry| match entry {
            Entry::Series(series)
                if series.goes_stale && !(self.under_way && series.added == self.scrape) =>
            {
                Some(series)
            }
            _ => None,
        })
    }

    /// Ends a successful scrape: forgets what did not occur.
    pub fn end(&mut self) {
        let current = self.scrape;
        self.under_way = false;
        self.entries.retain(|_, entry| match entry {
            Entry::Series(series) => series.last_seen == current,
            Entry::Dropped { last_seen } => *last_seen == current,
        });
        let before = self.metadata.len();
        // Families of a target that flaps stay a while, as in the original.
        self.metadata.retain(|_, (_, seen)| *seen + 10 > current);
        self.metadata_changed |= before != self.metadata.len();
    }

    /// Forgets all series, which are stale now.
    pub fn abandon(&mut self) {
        self.under_way = false;
        self.entries.clear();
    }

    /// Notes a part of a family's metadata.
    pub fn note(&mut self, family: &str, change: impl FnOnce(&mut Metadata)) {
        let scrape = self.scrape;
        if let Some((metadata, seen)) = self.metadata.get_mut(family) {
            *seen = scrape;
            let mut changed = metadata.clone();
            change(&mut changed);
            if changed != *metadata {
                *metadata = changed;
                self.metadata_changed = true;
            }
            return;
        }
        let mut metadata = Metadata { metric_type: MetricType::Unknown, ..Metadata::default() };
        change(&mut metadata);
        self.metadata.insert(family.to_owned(), (metadata, scrape));
        self.metadata_changed = true;
    }

    /// The metadata, if it changed since it was last asked for.
    pub fn take_changed_metadata(&mut self) -> Option<BTreeMap<String, Metadata>> {
        std::mem::take(&mut self.metadata_changed).then(|| {
            self.metadata.iter().map(|(family, (metadata, _))| (family.clone(), metadata.clone())).collect()
        })
    }
}
