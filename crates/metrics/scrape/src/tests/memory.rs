//! A storage in memory, for tests.

use std::collections::BTreeMap;

use model::{Labels, Millis};
use parking_lot::Mutex;
use storage::{
    AppendError, Appendable, Appender, CommitError, Exemplar, HistogramSample, Metadata, SeriesRef,
};

type Samples = BTreeMap<Labels, Vec<(Millis, f64)>>;

/// Keeps what is committed.
#[derive(Default)]
pub(super) struct MemoryStorage(Mutex<Samples>);

impl MemoryStorage {
    pub(super) fn all(&self) -> Vec<(Labels, Vec<(Millis, f64)>)> {
        self.0.lock().iter().map(|(labels, samples)| (labels.clone(), samples.clone())).collect()
    }

    /// The newest sample of the series that prints as given.
    pub(super) fn last(&self, printed: &str) -> Option<(Millis, f64)> {
        self.0.lock().iter().find(|(labels, _)| labels.to_string() == printed)?.1.last().copied()
    }
}

impl Appendable for MemoryStorage {
    fn appender(&self) -> Box<dyn Appender + '_> {
        Box::new(MemoryAppender { storage: self, pending: Vec::new() })
    }
}

struct MemoryAppender<'a> {
    storage: &'a MemoryStorage,
    pending: Vec<(Labels, Millis, f64)>,
}

impl Appender for MemoryAppender<'_> {
    fn append(
        &mut self,
        series: SeriesRef,
        labels: &Labels,
        timestamp: Millis,
        value: f64,
    ) -> Result<SeriesRef, AppendError> {
        let newest = self.storage.0.lock().get(labels).and_then(|samples| samples.last().copied());
        if newest.is_some_and(|(newest, _)| timestamp < newest) {
            return Err(AppendError::OutOfOrder);
        }
        if newest.is_none_or(|(newest, _)| timestamp > newest) {
            self.pending.push((labels.clone(), timestamp, value));
        }
        Ok(series)
    }

    fn append_histogram(
        &mut self,
        _: SeriesRef,
        _: &Labels,
        _: Millis,
        _: HistogramSample<'_>,
    ) -> Result<SeriesRef, AppendError> {
        Err(AppendError::InvalidHistogram("not in tests".into()))
    }

    fn append_exemplar(&mut self, _: SeriesRef, _: &Labels, _: &Exemplar) -> Result<(), AppendError> {
        Ok(())
    }

    fn update_metadata(&mut self, _: SeriesRef, _: &Labels, _: &Metadata) -> Result<(), AppendError> {
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), CommitError> {
        let mut all = self.storage.0.lock();
        for (labels, timestamp, value) in self.pending {
            all.entry(labels).or_default().push((timestamp, value));
        }
        Ok(())
    }
}
