//! Histograms of which only counts and sums are looked at.

use model::{Columns, CounterResetHint, FloatHistogram, Millis, is_stale};

use super::{Native, is_reset};

/// Takes buckets off all histograms of a series. Resets, which nobody can tell without, are told by the histograms' hints from then on.
///
/// Nothing is known of the first histogram, nor of the first behind one of `gaps`, stretches `[from, to)` in order, that holds a sample:
/// Prometheus' reader jumps over them, and there as here warnings of conflicting hints depend on what was read.
pub(crate) fn keep_stats(columns: &mut Columns, gaps: impl Iterator<Item = (Millis, Millis)>) {
    if columns.histograms.is_empty() {
        return;
    }
    let jumps: Vec<Millis> =
        gaps.filter(|(from, to)| holds_sample(columns, *from, *to)).map(|(_, to)| to).collect();
    let mut jumps = jumps.into_iter().peekable();
    let mut before: Option<Native> = None;
    for point in &mut columns.histograms {
        while jumps.next_if(|to| *to <= point.timestamp).is_some() {
            before = None;
        }
        if !is_stale(point.histogram.sum) {
            let now = Native::from(&point.histogram);
            if let (CounterResetHint::Unknown, Some(before)) = (now.hint, &before) {
                point.histogram.counter_reset_hint = match is_reset(&now, before) {
                    true => CounterResetHint::Reset,
                    false => CounterResetHint::NotReset,
                };
            }
            before = Some(now);
        }
        let FloatHistogram { counter_reset_hint, schema, count, sum, .. } = point.histogram;
        point.histogram =
            FloatHistogram { counter_reset_hint, schema, count, sum, ..FloatHistogram::default() };
    }
}

/// Whether there is a sample in `[from, to)`.
fn holds_sample(columns: &Columns, from: Millis, to: Millis) -> bool {
    let Columns { timestamps, histograms, .. } = columns;
    let float = timestamps.get(timestamps.partition_point(|time| *time < from));
    let histogram = histograms.get(histograms.partition_point(|point| point.timestamp < from));
    float.into_iter().chain(histogram.map(|point| &point.timestamp)).any(|time| *time < to)
}
