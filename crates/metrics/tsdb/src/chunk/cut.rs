//! When an open chunk ends: Prometheus' rules, so that blocks written here look like its own.

use model::Millis;

/// Samples a chunk aims at. More make reading one sample dearer, fewer cost space.
pub(crate) const SAMPLES_PER_CHUNK: u16 = 120;
/// A chunk that has more bytes gets no further sample: the next one may take 19 more, and 1 KiB is the limit.
pub(crate) const MAX_CHUNK_BYTES: usize = 1024 - 19;
/// Bytes a chunk of histograms aims at.
pub(crate) const HISTOGRAM_CHUNK_BYTES: usize = 1024;
/// A chunk of histograms gets as many samples even when it is too large: what compresses is their likeness.
pub(crate) const MIN_HISTOGRAMS_PER_CHUNK: u16 = 10;

/// The end of the aligned range of `width` milliseconds that holds `timestamp`: no chunk reaches beyond it, so that blocks share none.
pub(crate) fn range_end(timestamp: Millis, width: Millis) -> Millis {
    timestamp.div_euclid(width).saturating_add(1).saturating_mul(width)
}

/// Where a chunk from `start`, a quarter full at `current`, should end so that the rest of its range up to `end` falls into equal chunks.
pub(crate) fn predicted_end(start: Millis, current: Millis, end: Millis) -> Millis {
    end_by_share(start, current, end, 4.0)
}

/// [`predicted_end`] of a chunk that is full when it is `to_full` times as large as now.
fn end_by_share(start: Millis, current: Millis, end: Millis, to_full: f64) -> Millis {
    let range = end.saturating_sub(start) as f64;
    let full = (current.saturating_sub(start) as f64 + 1.0) * to_full;
    let chunks = range / full;
    if chunks <= 1.0 {
        return end;
    }
    (start as f64 + range / chunks.floor()) as Millis
}

/// When an open chunk of histograms ends: by its bytes, since one histogram may be larger than another chunk.
#[derive(Debug, Clone)]
pub(crate) struct HistogramCut {
    start: Millis,
    /// The end of the aligned range that holds `start`.
    range_end: Millis,
    /// A sample at or after this moment belongs to the next chunk.
    end: Millis,
    predicted: bool,
}

impl HistogramCut {
    /// For a chunk that begins at `start`; `width` is the range of time that chunks must not cross the edges of.
    pub(crate) fn new(start: Millis, width: Millis) -> Self {
        let end = range_end(start, width);
        Self { start, range_end: end, end, predicted: false }
    }

    /// For a chunk that begins at `start` because its sample did not fit to those before it. As Prometheus has it, its end is not
    /// predicted where that of the chunk before was.
    pub(crate) fn misfit(&self, start: Millis, width: Millis) -> Self {
        Self { predicted: self.predicted, ..Self::new(start, width) }
    }

    /// Whether a sample at `timestamp` needs a new chunk. The chunk has `samples` up to `newest`, in `bytes`.
    pub(crate) fn is_over(&mut self, timestamp: Millis, newest: Millis, samples: u16, bytes: usize) -> bool {
        if !self.predicted && bytes >= HISTOGRAM_CHUNK_BYTES / 4 {
            let to_full = HISTOGRAM_CHUNK_BYTES as f64 / bytes as f64;
            self.end = end_by_share(self.start, newest, self.end, to_full);
            self.predicted = true;
        }
        let full = timestamp >= self.end || bytes >= 2 * HISTOGRAM_CHUNK_BYTES;
        full && (samples >= MIN_HISTOGRAMS_PER_CHUNK || timestamp >= self.range_end)
    }
}
