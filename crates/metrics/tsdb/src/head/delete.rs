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
        let tombstones: Vec<_> = met
            .iter()
            .map(|series| RefTombstone { series_ref: series.series_ref(), min_time, max_time })
            .collect();
        self.log(vec![WalRecord::new(encode_tombstones(&tombstones), self.wal_compression())])?;
        for series in &met {
            series.state().delete(min_time, max_time);
        }
        Ok(met.len() as u64)
    }

    fn series_with_samples(
        &self,
        selectors: &[Vec<Matcher>],
        min_time: Millis,
        max_time: Millis,
    ) -> Vec<Arc<MemSeries>> {
        let index = self.index.read();
        let Ok(slots) = matching_any(&*index, selectors);
        let series = slots.into_iter().filter_map(|slot| index.series(slot));
        series
            .filter(|series| {
                let range = series.state().time_range();
                range.is_some_and(|(first, last)| first <= max_time && last >= min_time)
            })
            .cloned()
            .collect()
    }
}
