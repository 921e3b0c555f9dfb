//! Compaction: many small segments of one day become one.
//!
//! Segments are merged with others of about their size only, so that an entry is written again a few times at most, however many
//! segments a day has.

use std::{collections::BTreeMap, sync::Arc};

use tracing::info;
use ulid::Ulid;

use super::{Inner, seal::DAY};
use crate::{
    MaintainError, SegmentOptions,
    segment::{
        Origin, Segment,
        merge::{MergeError, merge},
        writer::SegmentWriter,
    },
};

/// Segments with less text than this are of one size.
const SMALLEST: u64 = 4 << 20;

// === impl Inner ===

impl Inner {
    /// Merges one set of segments; returns how many it had.
    pub(super) fn compact(&self) -> Result<usize, MaintainError> {
        let _one_merge = self.compacting.lock();
        let segments = Arc::clone(&self.view.read().segments);
        let chosen = choose(&segments, &self.options.segment);
        if chosen.is_empty() {
            return Ok(0);
        }
        let options = &self.options.segment;
        let mut writer = SegmentWriter::create(
            Ulid::generate(),
            &self.segments_dir,
            &self.options.fs,
            options,
            options.merge_zstd_level,
        )?;
        if let Err(error) = merge(&chosen, &mut writer, &self.metrics) {
            writer.abandon();
            return Err(error.into());
        }
        let rows = writer.rows();
        let (id, layout) = writer.finish(self.merged_origin(&chosen))?;
        let _one_publication = self.maintenance.lock();
        let index = Arc::clone(&self.view.read().index);
        let opened =
            Segment::new(id, layout, &self.segments_dir, Arc::clone(&self.options.fs), &mut index.write());
        let merged = opened.map_err(|error| MaintainError::Segment(Box::new(error)))?;
        let mut view = self.view.write();
        // Those that expired meanwhile come back with the merged one, until retention looks again.
        view.replace_segments(&chosen, vec![Arc::new(merged)]);
        drop(view);
        chosen.iter().for_each(|segment| segment.doom());
        self.metrics.segments_merged.inc_by(chosen.len() as u64);
        info!(segment = %id, merged = chosen.len(), entries = rows, "segments merged");
        Ok(chosen.len())
    }

    fn merged_origin(&self, segments: &[Arc<Segment>]) -> Origin {
        let origins = || segments.iter().map(|segment| &segment.layout.origin);
        let own = origins().filter(|origin| origin.store == self.id);
        let mut replaces: Vec<String> = segments.iter().map(|segment| segment.id.to_string()).collect();
        // Files of earlier generations may still be there, held by a query.
        replaces.extend(origins().flat_map(|origin| origin.replaces.iter().cloned()));
        Origin {
            store: self.id.clone(),
            wal_before: own.map(|origin| origin.wal_before).max().unwrap_or(0),
            replaces,
        }
    }
}

impl From<MergeError> for MaintainError {
    fn from(error: MergeError) -> Self {
        match error {
            MergeError::Write(error) => error.into(),
            MergeError::Read(error) => Self::Segment(Box::new(error)),
        }
    }
}

/// Segments to be merged: enough of one day and about one size, the oldest first. Empty where there are none.
fn choose(segments: &[Arc<Segment>], options: &SegmentOptions) -> Vec<Arc<Segment>> {
    if options.merge_count < 2 {
        return Vec::new();
    }
    let mut sets: BTreeMap<(i64, u32), Vec<&Arc<Segment>>> = BTreeMap::new();
    for segment in segments {
        let (first, last) = segment.layout.extent();
        let (day, text_bytes) = (first.div_euclid(DAY), segment.layout.text_bytes());
        if day == last.div_euclid(DAY) && text_bytes < options.merge_bytes {
            sets.entry((day, size_class(text_bytes))).or_default().push(segment);
        }
    }
    let Some(set) = sets.into_values().find(|set| set.len() >= options.merge_count) else {
        return Vec::new();
    };
    let mut chosen = Vec::new();
    let mut text_bytes = 0;
    for segment in set {
        if chosen.len() >= 2 && text_bytes >= options.merge_bytes {
            break;
        }
        text_bytes += segment.layout.text_bytes();
        chosen.push(Arc::clone(segment));
    }
    chosen
}

/// Sizes within a factor of eight are of one class.
fn size_class(text_bytes: u64) -> u32 {
    (text_bytes / SMALLEST).checked_ilog2().map_or(0, |log| log / 3 + 1)
}
