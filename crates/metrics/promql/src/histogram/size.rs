//! How many samples native histograms count as, for limits and statistics.

use model::{Columns, FloatHistogram, HistogramPoint};

/// Bytes of a float with its time.
const SAMPLE_BYTES: usize = 16;

/// Bytes of a histogram whose lists are empty, with its time.
const EMPTY_BYTES: usize = 176;

/// As many samples as would take the memory of this histogram: the numbers of Prometheus, for `--query.max-samples` set there and for
/// `totalQueryableSamples`.
pub(crate) fn samples(histogram: &FloatHistogram) -> usize {
    let spans = histogram.positive_spans.len() + histogram.negative_spans.len();
    let buckets = histogram.positive_buckets.len() + histogram.negative_buckets.len();
    let lists = (spans + buckets + histogram.custom_values.len()) * 8;
    (EMPTY_BYTES + lists) / SAMPLE_BYTES
}

/// The same of all that follow each other.
pub(crate) fn samples_of(points: &[HistogramPoint]) -> usize {
    points.iter().map(|point| samples(&point.histogram)).sum()
}

/// The same of floats, which count as one, and histograms.
pub(crate) fn samples_in(columns: &Columns) -> usize {
    columns.values.len() + samples_of(&columns.histograms)
}
