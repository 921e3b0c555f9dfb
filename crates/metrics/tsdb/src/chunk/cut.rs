//! When an open chunk ends: Prometheus' rules, so that blocks written here look like its own.

use model::Millis;

/// Samples a chunk aims at. More make reading one sample dearer, fewer cost space.
pub(crate) const SAMPLES_PER_CHUNK: u16 = 120;
/// A chunk that has more bytes gets no further sample: the next one may take 19 more, and 1 KiB is the limit.
pub(crate) const MAX_CHUNK_BYTES: usize = 1024 - 19;

/// The end of the aligned range of `width` milliseconds that holds `timestamp`: no chunk reaches beyond it, so that blocks share none.
pub(crate) fn range_end(timestamp: Millis, width: Millis) -> Millis {
    timestamp.div_euclid(width).saturating_add(1).saturating_mul(width)
}

/// Where a chunk from `start`, a quarter full at `current`, should end so that the rest of its range up to `end` falls into equal chunks.
pub(crate) fn predicted_end(start: Millis, current: Millis, end: Millis) -> Millis {
    let range = end.saturating_sub(start) as f64;
    let full = (current.saturating_sub(start) as f64 + 1.0) * 4.0;
    let chunks = range / full;
    if chunks <= 1.0 {
        return end;
    }
    (start as f64 + range / chunks.floor()) as Millis
}
