//! Entries of one tenant that are sent together.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use pipeline::LabelSet;

use super::Outgoing;

/// A batch. Streams keep the order in which they came, entries within a stream too.
#[derive(Debug)]
pub(super) struct Batch {
    streams: Vec<(LabelSet, Vec<Outgoing>)>,
    places: HashMap<LabelSet, usize>,
    bytes: usize,
    entries: usize,
    begun: Instant,
}

impl Batch {
    pub(super) fn new(now: Instant) -> Self {
        Self { streams: Vec::new(), places: HashMap::new(), bytes: 0, entries: 0, begun: now }
    }

    pub(super) fn add(&mut self, entry: Outgoing) {
        self.bytes += entry.bytes();
        self.entries += 1;
        match self.places.get(&entry.labels) {
            Some(place) => self.streams[*place].1.push(entry),
            None => {
                self.places.insert(entry.labels.clone(), self.streams.len());
                self.streams.push((entry.labels.clone(), vec![entry]));
            }
        }
    }

    /// Whether an entry's stream is in the batch.
    pub(super) fn has_stream(&self, labels: &LabelSet) -> bool {
        self.places.contains_key(labels)
    }

    pub(super) fn streams(&self) -> impl ExactSizeIterator<Item = (&LabelSet, &[Outgoing])> {
        self.streams.iter().map(|(labels, entries)| (labels, entries.as_slice()))
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    /// When it must leave, if it is to wait no longer than `wait`.
    pub(super) fn deadline(&self, wait: Duration) -> Instant {
        self.begun + wait
    }

    /// All its entries are taken care of.
    pub(super) fn done(self) {
        self.streams.into_iter().flat_map(|(_, entries)| entries).for_each(Outgoing::done);
    }
}
