//! Deletes samples of a block: by noting so beside them.

use disk::Fs;
use model::{Matcher, Millis};

use super::{Block, BlockError, symbols::SymbolCache};
use crate::{filenames, query::matching_any};

// === impl Block ===

impl Block {
    /// Hides the samples in the range of the series that satisfy one of the selectors. The block that does so, and how many series are
    /// met; none where no series is. Readers of this block go on seeing the samples.
    pub(crate) fn delete(
        &self,
        fs: &dyn Fs,
        selectors: &[Vec<Matcher>],
        min_time: Millis,
        max_time: Millis,
    ) -> Result<Option<(Self, u64)>, BlockError> {
        let mut tombstones = self.tombstones.clone();
        let mut symbols = SymbolCache::default();
        let mut chunks = Vec::new();
        let mut met = 0;
        for series in matching_any(&self.index, selectors)? {
            chunks.clear();
            self.index.series(series, &mut symbols, &mut chunks)?;
            let (Some(first), Some(last)) = (chunks.first(), chunks.last()) else {
                continue;
            };
            let (from, to) = (min_time.max(first.min_time), max_time.min(last.max_time));
            if from <= to {
                tombstones.add(series, from, to);
                met += 1;
            }
        }
        if met == 0 {
            return Ok(None);
        }
        tombstones.write(fs, &self.dir.join(filenames::TOMBSTONES))?;
        let mut meta = self.meta.clone();
        meta.stats.num_tombstones = tombstones.count();
        meta.write(fs, &self.dir.join(filenames::META))?;
        Ok(Some((Self::open(&self.dir)?, met)))
    }

    /// Whether anything of it is deleted.
    pub(crate) fn has_deletions(&self) -> bool {
        self.tombstones.count() > 0
    }
}
