//! `meta.json`.

use std::{fs, path::Path};

use disk::{Fs, write_atomic};
use model::Millis;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::{BlockError, read_failure, write_failure};

/// Of the file.
pub(super) const VERSION: u32 = 1;

/// The block is of samples that came out of order.
pub(crate) const HINT_OUT_OF_ORDER: &str = "from-out-of-order";
/// The block is of series that got no samples any more, written before their time.
pub(crate) const HINT_STALE_SERIES: &str = "from-stale-series";
/// The block is of some series only, written before their time.
pub(crate) const HINT_SELECTED_SERIES: &str = "from-selected-series";

/// What a block says about itself. Fields that this version does not know are lost when it writes the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockMeta {
    /// Its name, and that of its folder.
    pub ulid: String,
    /// No sample is older, milliseconds.
    pub min_time: Millis,
    /// All samples are older than this, milliseconds.
    pub max_time: Millis,
    /// What is in it.
    #[serde(default)]
    pub stats: BlockStats,
    /// Where it came from.
    #[serde(default)]
    pub compaction: BlockCompaction,
    /// Of this file; always 1.
    pub version: u32,
}

/// How much is in a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BlockStats {
    /// Samples of all kinds.
    pub num_samples: u64,
    /// Float samples; older programs do not write it.
    #[serde(skip_serializing_if = "is_zero")]
    pub num_float_samples: u64,
    /// Native histograms.
    #[serde(skip_serializing_if = "is_zero")]
    pub num_histogram_samples: u64,
    /// Series.
    pub num_series: u64,
    /// Chunks.
    pub num_chunks: u64,
    /// Deleted stretches of time.
    #[serde(skip_serializing_if = "is_zero")]
    pub num_tombstones: u64,
}

/// How a block came to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BlockCompaction {
    /// 1 for a block of fresh samples, more for what was compacted.
    pub level: u32,
    /// The fresh blocks it goes back to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// The blocks it was made of, and which it replaces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<BlockDescription>,
    /// It has no samples and may go.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deletable: bool,
    /// Compacting it failed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// Remarks, such as `from-out-of-order`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

/// A block that another was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockDescription {
    /// Its name.
    pub ulid: String,
    /// Its first moment, milliseconds.
    pub min_time: Millis,
    /// Its end, exclusive, milliseconds.
    pub max_time: Millis,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A new block's name.
pub(crate) fn new_ulid() -> String {
    Ulid::generate().to_string()
}

// === impl BlockCompaction ===

impl BlockCompaction {
    pub(crate) fn has_hint(&self, hint: &str) -> bool {
        self.hints.iter().any(|known| known == hint)
    }
}

// === impl BlockMeta ===

impl BlockMeta {
    /// The end of the block, where it has all samples before that came in order. None for a block beside those: the log may still be the
    /// only one to have other samples of its time.
    pub(crate) fn ends_in_order_samples(&self) -> Option<Millis> {
        let beside = [HINT_OUT_OF_ORDER, HINT_STALE_SERIES, HINT_SELECTED_SERIES];
        (!beside.iter().any(|hint| self.compaction.has_hint(hint))).then_some(self.max_time)
    }

    pub(crate) fn read(path: &Path) -> Result<Self, BlockError> {
        let meta = Self::read_any_version(path)?;
        if meta.version != VERSION {
            return Err(BlockError::Format {
                path: path.to_owned(),
                reason: format!("version {} of the description is not known", meta.version),
            });
        }
        Ok(meta)
    }

    pub(super) fn read_any_version(path: &Path) -> Result<Self, BlockError> {
        let text = fs::read(path).map_err(read_failure(path))?;
        serde_json::from_slice(&text).map_err(|source| BlockError::Meta { path: path.to_owned(), source })
    }

    pub(crate) fn write(&self, fs: &dyn Fs, path: &Path) -> Result<(), BlockError> {
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|source| BlockError::Meta { path: path.to_owned(), source })?;
        text.push(b'\n');
        write_atomic(fs, path, &text).map_err(write_failure(path))
    }
}
