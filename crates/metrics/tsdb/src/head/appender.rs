//! The two doors into the head: `storage::Appender` for scrapes and rules, [`RawBatch`] for remote write.

use model::{Labels, Millis};
use storage::{AppendError, Appender, CommitError, Exemplar, HistogramSample, Metadata, SeriesRef};

use super::{Head, batch::Batch};

pub use super::batch::BatchSeries;

/// A batch by labels or references.
pub(crate) struct HeadAppender<'a>(Batch<'a>);

/// A batch of remote write, where the same label bytes come again and again: labels are decoded only when the storage has not seen
/// the bytes before.
///
/// ```text
/// let series = batch.series(label_bytes, || decode(label_bytes))?;
/// for sample in samples { batch.append(series, sample.timestamp, sample.value)?; }
/// batch.commit()?;
/// ```
///
/// An error of one series or sample leaves the batch as it was; the caller goes on with the others. Samples of one series should be
/// appended one after another. Dropping the batch forgets it.
pub struct RawBatch<'a>(Batch<'a>);

// === impl HeadAppender ===

impl<'a> HeadAppender<'a> {
    pub(crate) fn new(head: &'a Head) -> Self {
        Self(Batch::new(head))
    }

    fn find(&mut self, series: SeriesRef, labels: &Labels) -> Result<super::batch::BatchSeries, AppendError> {
        if series.is_known()
            && let Some(series) = self.0.enter_by_ref(series.0)
        {
            return Ok(series);
        }
        self.0.enter_by_labels(labels)
    }
}

impl Appender for HeadAppender<'_> {
    fn append(
        &mut self,
        series: SeriesRef,
        labels: &Labels,
        timestamp: Millis,
        value: f64,
    ) -> Result<SeriesRef, AppendError> {
        let series = self.find(series, labels)?;
        self.0.append(series, timestamp, value)?;
        Ok(SeriesRef(self.0.series_ref(series)))
    }

    fn append_histogram(
        &mut self,
        series: SeriesRef,
        labels: &Labels,
        timestamp: Millis,
        histogram: HistogramSample<'_>,
    ) -> Result<SeriesRef, AppendError> {
        let series = self.find(series, labels)?;
        self.0.append_histogram(series, timestamp, histogram)?;
        Ok(SeriesRef(self.0.series_ref(series)))
    }

    fn append_exemplar(
        &mut self,
        series: SeriesRef,
        labels: &Labels,
        exemplar: &Exemplar,
    ) -> Result<(), AppendError> {
        let series = self.find(series, labels)?;
        self.0.add_exemplar(series, exemplar)
    }

    fn update_metadata(
        &mut self,
        series: SeriesRef,
        labels: &Labels,
        metadata: &Metadata,
    ) -> Result<(), AppendError> {
        let series = self.find(series, labels)?;
        self.0.set_metadata(series, metadata);
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), CommitError> {
        self.0.commit()
    }
}

// === impl RawBatch ===

impl<'a> RawBatch<'a> {
    pub(crate) fn new(head: &'a Head) -> Self {
        Self(Batch::new(head))
    }

    /// The series that `raw` stands for: the encoded labels as the client sent them, all of them and nothing else. Equal bytes must mean
    /// equal labels; `decode` is asked only for bytes that are new, and may refuse them.
    pub fn series(
        &mut self,
        raw: &[u8],
        decode: impl FnOnce() -> Result<Labels, AppendError>,
    ) -> Result<BatchSeries, AppendError> {
        let cache = self.0.head().raw_cache();
        let key = cache.key(raw);
        if let Some(series) = cache.get(key)
            && let Some(series) = self.0.enter(series)
        {
            return Ok(series);
        }
        let labels = decode()?;
        let series = self.0.enter_by_labels(&labels)?;
        let head = self.0.head();
        cache.insert(key, self.0.shared(series), head.series_count());
        Ok(series)
    }

    /// Adds a sample, as [`Appender::append`] does. `series` is of this batch.
    pub fn append(&mut self, series: BatchSeries, timestamp: Millis, value: f64) -> Result<(), AppendError> {
        self.0.append(series, timestamp, value)
    }

    /// Adds a native histogram, as [`Appender::append_histogram`] does.
    pub fn append_histogram(
        &mut self,
        series: BatchSeries,
        timestamp: Millis,
        histogram: HistogramSample<'_>,
    ) -> Result<(), AppendError> {
        self.0.append_histogram(series, timestamp, histogram)
    }

    /// Adds an exemplar, as [`Appender::append_exemplar`] does.
    pub fn append_exemplar(&mut self, series: BatchSeries, exemplar: &Exemplar) -> Result<(), AppendError> {
        self.0.add_exemplar(series, exemplar)
    }

    /// Notes metadata, as [`Appender::update_metadata`] does.
    pub fn update_metadata(&mut self, series: BatchSeries, metadata: &Metadata) {
        self.0.set_metadata(series, metadata);
    }

    /// Makes the batch durable and visible, as [`Appender::commit`] does.
    pub fn commit(self) -> Result<(), CommitError> {
        self.0.commit()
    }
}
