//! Samples of one series as columns, the form in which storage hands them to query engines.

use crate::{FloatHistogram, Millis};

/// A native histogram at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct HistogramPoint {
    /// When it was sampled.
    pub timestamp: Millis,
    /// The histogram.
    pub histogram: FloatHistogram,
}

/// Samples of one series in time order, without duplicates: floats in two parallel columns, histograms beside them.
///
/// A series is nearly always either floats or histograms; a query that meets both orders them by timestamp.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    /// Times of the float samples, strictly ascending.
    pub timestamps: Vec<Millis>,
    /// Values of the float samples; staleness markers included.
    pub values: Vec<f64>,
    /// Histogram samples, strictly ascending in time.
    pub histograms: Vec<HistogramPoint>,
}

impl Columns {
    /// Forgets the samples, keeps the memory.
    pub fn clear(&mut self) {
        let Self { timestamps, values, histograms } = self;
        timestamps.clear();
        values.clear();
        histograms.clear();
    }

    /// Adds a float sample that is younger than all before it.
    #[inline]
    pub fn push(&mut self, timestamp: Millis, value: f64) {
        debug_assert!(self.timestamps.last().is_none_or(|last| *last < timestamp));
        self.timestamps.push(timestamp);
        self.values.push(value);
    }

    /// The time of the oldest sample of either kind.
    pub fn oldest(&self) -> Option<Millis> {
        let floats = self.timestamps.first().copied();
        floats.into_iter().chain(self.histograms.first().map(|point| point.timestamp)).min()
    }

    /// The time of the newest sample of either kind.
    pub fn newest(&self) -> Option<Millis> {
        let histogram = self.histograms.last().map(|point| point.timestamp);
        self.timestamps.last().copied().max(histogram)
    }

    /// Number of samples of both kinds.
    pub fn len(&self) -> usize {
        self.timestamps.len() + self.histograms.len()
    }

    /// Whether there is no sample of either kind.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
