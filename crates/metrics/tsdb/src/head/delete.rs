//! Deletes samples in memory.

use std::sync::Arc;

use model::{Matcher, Millis};
use storage::CommitError;

use super::{Head, series::MemSeries};
use crate::{
    query::matching_any,
    wal::{
        WalRecord,
        record::{RefTombstone, encode_tombstones},
    },
};

// === impl Head ===

impl Head {
    /// Hides the samples in the range of the series that satisfy one of the selectors; returns how many series have any.
    pub(crate) fn delete(
        &self,
        selectors: &[Vec<Matcher>],
        min_time: Millis,
        max_time: Millis,
    ) -> Result<u64, CommitError> {
        let met = self.series_with_samples(selectors, min_time, max_time);
        if met.is_empty() {
            return Ok(0);
        }
        // Only what is there now: when the log is read again, younger samples are there already, in files of chunks.
        let tombstones: Vec<_> = met
            .iter()
            .map(|(series, (first, last))| RefTombstone {
                series_ref: series.series_ref(),
                min_time: min_time.max(*first),
                max_time: max_time.min(*last),
            })
            .collect();
        self.log(vec![WalRecord::new(encode_tombstones(&tombstones), self.wal_compression())])?;
        for ((series, _), tombstone) in met.iter().zip(&tombstones) {
            series.state().delete(tombstone.min_time, tombstone.max_time);
        }
        Ok(met.len() as u64)
    }

    /// The series that satisfy one of the selectors and have samples in the range, with the times of their first and last sample.
    fn series_with_samples(
        &self,
        selectors: &[Vec<Matcher>],
        min_time: Millis,
        max_time: Millis,
    ) -> Vec<(Arc<MemSeries>, (Millis, Millis))> {
        let index = self.index.read();
        let Ok(slots) = matching_any(&*index, selectors);
        let series = slots.into_iter().filter_map(|slot| index.series(slot));
        series
            .filter_map(|series| {
                let (first, last) = series.state().whole_time_range()?;
                (first <= max_time && last >= min_time).then(|| (Arc::clone(series), (first, last)))
            })
            .collect()
    }
}
