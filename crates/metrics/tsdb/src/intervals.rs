//! Deleted stretches of time.

use model::{Columns, Millis};

/// Stretches of time, both ends inclusive, sorted, not touching each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Intervals(Vec<(Millis, Millis)>);

// === impl Intervals ===

impl Intervals {
    /// Adds a stretch; an empty one (`max_time` before `min_time`) changes nothing.
    pub(crate) fn add(&mut self, min_time: Millis, max_time: Millis) {
        if max_time < min_time {
            return;
        }
        // Those that overlap the new one or end right before it become one with it.
        let first = self.0.partition_point(|(_, max)| max.saturating_add(1) < min_time);
        let behind = self.0.partition_point(|(min, _)| *min <= max_time.saturating_add(1));
        let merged = self
            .0
            .get(first..behind)
            .unwrap_or_default()
            .iter()
            .fold((min_time, max_time), |(low, high), (min, max)| (low.min(*min), high.max(*max)));
        self.0.splice(first..behind.max(first), [merged]);
    }

    /// Drops the stretches that end before `time`; true when none is left.
    pub(crate) fn forget_before(&mut self, time: Millis) -> bool {
        self.0.retain(|(_, max)| *max >= time);
        self.0.is_empty()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Millis, Millis)> + '_ {
        self.0.iter().copied()
    }

    pub(crate) fn contains(&self, timestamp: Millis) -> bool {
        let at = self.0.partition_point(|(_, max)| *max < timestamp);
        self.0.get(at).is_some_and(|(min, _)| *min <= timestamp)
    }

    /// Whether one stretch holds all of `[min_time, max_time]`.
    pub(crate) fn covers(&self, min_time: Millis, max_time: Millis) -> bool {
        let at = self.0.partition_point(|(_, max)| *max < min_time);
        self.0.get(at).is_some_and(|(min, max)| *min <= min_time && *max >= max_time)
    }

    /// Whether a stretch has a moment of `[min_time, max_time]`.
    pub(crate) fn overlaps(&self, min_time: Millis, max_time: Millis) -> bool {
        let at = self.0.partition_point(|(_, max)| *max < min_time);
        self.0.get(at).is_some_and(|(min, _)| *min <= max_time)
    }

    /// Removes deleted samples from `columns`: floats from number `from` on, and histograms. Those before were read from the same part of
    /// the storage, so that what is deleted there is no more among them.
    pub(crate) fn remove_from(&self, columns: &mut Columns, from: usize) {
        if self.0.is_empty() {
            return;
        }
        columns.histograms.retain(|point| !self.contains(point.timestamp));
        let mut kept = from;
        for at in from..columns.timestamps.len() {
            let timestamp = columns.timestamps[at];
            if !self.contains(timestamp) {
                columns.timestamps[kept] = timestamp;
                columns.values[kept] = columns.values[at];
                kept += 1;
            }
        }
        columns.timestamps.truncate(kept);
        columns.values.truncate(kept);
    }
}

#[cfg(test)]
mod tests {
    use model::{FloatHistogram, HistogramPoint};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn neighbours_become_one() {
        let mut intervals = Intervals::default();
        intervals.add(10, 20);
        intervals.add(30, 40);
        intervals.add(5, 4);
        assert_eq!(intervals.iter().collect::<Vec<_>>(), [(10, 20), (30, 40)]);
        intervals.add(21, 29);
        assert_eq!(intervals.iter().collect::<Vec<_>>(), [(10, 40)]);
        assert!(intervals.covers(10, 40) && !intervals.covers(9, 40));
    }

    #[test]
    fn both_kinds_of_samples_are_removed() {
        let mut intervals = Intervals::default();
        intervals.add(10, 20);
        let point = |timestamp| HistogramPoint { timestamp, histogram: FloatHistogram::default() };
        let mut columns = Columns {
            timestamps: vec![9, 10, 20, 21],
            values: vec![1.0, 2.0, 3.0, 4.0],
            histograms: [8, 11, 19, 22].map(point).to_vec(),
        };
        intervals.remove_from(&mut columns, 0);
        assert_eq!((columns.timestamps, columns.values), (vec![9, 21], vec![1.0, 4.0]));
        assert_eq!(columns.histograms, [8, 22].map(point));
    }

    proptest! {
        #[test]
        fn holds_what_was_added(stretches in prop::collection::vec((0i64..100, 0i64..20), 0..20)) {
            let mut intervals = Intervals::default();
            for (min, length) in &stretches {
                intervals.add(*min, min + length);
            }
            for timestamp in -1..130 {
                let want = stretches.iter().any(|(min, length)| (*min..=min + length).contains(&timestamp));
                prop_assert_eq!(intervals.contains(timestamp), want, "{}", timestamp);
                let near = (timestamp..=timestamp + 3).any(|time| intervals.contains(time));
                prop_assert_eq!(intervals.overlaps(timestamp, timestamp + 3), near, "{}", timestamp);
            }
            let all: Vec<_> = intervals.iter().collect();
            prop_assert!(all.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        }
    }
}
