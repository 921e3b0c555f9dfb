//! The blocks of a database: which there are, which are too old.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use disk::{Fs, remove_dir_atomic};
use model::Millis;
use tracing::{info, warn};
use ulid::Ulid;

use crate::{MaintainError, block::Block, metrics::BlockMetrics};

/// The blocks that are open, in order of time. Readers take the list as it is at some moment and keep the blocks on it open.
pub(crate) struct Blocks {
    list: ArcSwap<Vec<Arc<Block>>>,
    metrics: BlockMetrics,
}

/// How much may be kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    /// Milliseconds; 0 for no limit.
    pub(crate) time: Millis,
    /// Bytes, with `other_bytes`; 0 for no limit.
    pub(crate) size: u64,
}

/// Why a block goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Time,
    Size,
    Replaced,
}

// === impl Blocks ===

impl Blocks {
    /// Opens the blocks in `dir`. One that cannot be opened is left where it is, named in the log and counted.
    pub(crate) fn open(dir: &Path, metrics: BlockMetrics) -> io::Result<Self> {
        metrics.reloads.inc();
        let mut blocks = Vec::new();
        let mut unreadable = 0;
        for path in block_dirs(dir)? {
            match Block::open(&path) {
                Ok(block) => blocks.push(Arc::new(block)),
                Err(error) => {
                    unreadable += 1;
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    warn!(path = %path.display(), %error, cause, "block cannot be opened and is left out");
                }
            }
        }
        metrics.unreadable.set(unreadable);
        if unreadable > 0 {
            metrics.reloads_failed.inc();
        }
        let blocks = Self { list: ArcSwap::from_pointee(sorted(blocks)), metrics };
        blocks.tell();
        Ok(blocks)
    }

    /// The blocks now.
    pub(crate) fn list(&self) -> Arc<Vec<Arc<Block>>> {
        self.list.load_full()
    }

    /// The end of the newest block, exclusive.
    pub(crate) fn max_time(&self) -> Option<Millis> {
        self.list.load().iter().map(|block| block.meta().max_time).max()
    }

    /// The start of the oldest block.
    pub(crate) fn min_time(&self) -> Option<Millis> {
        self.list.load().first().map(|block| block.meta().min_time)
    }

    pub(crate) fn add(&self, block: Block) {
        let mut blocks = self.list().to_vec();
        blocks.push(Arc::new(block));
        self.list.store(Arc::new(sorted(blocks)));
        self.tell();
    }

    /// Puts a block in the place of those it was made of, and removes them.
    pub(crate) fn replace(&self, parts: &[Arc<Block>], merged: Option<Block>) -> Result<(), MaintainError> {
        let is_part = |block: &Arc<Block>| parts.iter().any(|part| part.meta().ulid == block.meta().ulid);
        let mut blocks: Vec<_> = self.list().iter().filter(|block| !is_part(block)).cloned().collect();
        blocks.extend(merged.map(Arc::new));
        self.list.store(Arc::new(sorted(blocks)));
        self.tell();
        // After a crash before this, the merged block names its parents, and they go at the next start.
        parts.iter().try_for_each(|part| remove(part, Reason::Replaced))
    }

    /// Puts a block in the place of itself, as it was opened before.
    pub(crate) fn exchange(&self, block: Block) {
        let mut blocks = self.list().to_vec();
        blocks.retain(|known| known.meta().ulid != block.meta().ulid);
        blocks.push(Arc::new(block));
        self.list.store(Arc::new(sorted(blocks)));
        self.tell();
    }

    /// Notes in the blocks that merging them failed, so that it is not tried again and again.
    pub(crate) fn mark_failed(&self, parts: &[Arc<Block>], fs: &dyn Fs) {
        for part in parts {
            if let Err(error) = part.mark_failed(fs) {
                warn!(path = %part.dir().display(), %error, "cannot note in a block that merging it failed");
            }
            match Block::open(part.dir()) {
                Ok(marked) => self.exchange(marked),
                Err(error) => warn!(path = %part.dir().display(), %error, "cannot open a block anew"),
            }
        }
    }

    /// Removes the blocks that are beyond retention or replaced by others. `other_bytes` count towards the size as well.
    ///
    /// Queries under way keep the removed files open, and so readable, until they end.
    pub(crate) fn remove_unwanted(
        &self,
        retention: Retention,
        other_bytes: u64,
    ) -> Result<(), MaintainError> {
        let blocks = self.list();
        let unwanted = unwanted(&blocks, retention, other_bytes);
        if unwanted.is_empty() {
            return Ok(());
        }
        let gone: HashSet<&str> = unwanted.iter().map(|(block, _)| block.meta().ulid.as_str()).collect();
        let kept =
            blocks.iter().filter(|block| !gone.contains(block.meta().ulid.as_str())).cloned().collect();
        self.list.store(Arc::new(kept));
        self.tell();
        if unwanted.iter().any(|(_, reason)| *reason == Reason::Time) {
            self.metrics.time_retentions.inc();
        }
        if unwanted.iter().any(|(_, reason)| *reason == Reason::Size) {
            self.metrics.size_retentions.inc();
        }
        unwanted.into_iter().try_for_each(|(block, reason)| remove(&block, reason))
    }

    fn tell(&self) {
        let blocks = self.list.load();
        self.metrics.loaded.set(blocks.len() as i64);
        self.metrics.bytes.set(blocks.iter().map(|block| block.size() as i64).sum());
        self.metrics.symbol_bytes.set(blocks.iter().map(|block| block.table_bytes() as i64).sum());
    }
}

fn sorted(mut blocks: Vec<Arc<Block>>) -> Vec<Arc<Block>> {
    blocks.sort_by(|a, b| {
        let key = |block: &Block| (block.meta().min_time, block.meta().max_time);
        key(a).cmp(&key(b)).then_with(|| a.meta().ulid.cmp(&b.meta().ulid))
    });
    blocks
}

fn remove(block: &Block, reason: Reason) -> Result<(), MaintainError> {
    info!(path = %block.dir().display(), ?reason, "removing block");
    remove_dir_atomic(block.dir())
        .map_err(|source| MaintainError::Remove { path: block.dir().to_owned(), source })
}

fn block_dirs(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut dirs = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let is_block = entry.file_name().to_str().is_some_and(|name| name.parse::<Ulid>().is_ok());
        if is_block && entry.file_type()?.is_dir() {
            dirs.push(entry.path());
        }
    }
    Ok(dirs)
}

/// The blocks that are to go, by Prometheus' rules, and why.
fn unwanted(blocks: &[Arc<Block>], retention: Retention, other_bytes: u64) -> Vec<(Arc<Block>, Reason)> {
    let parents: HashSet<&str> = blocks
        .iter()
        .flat_map(|block| &block.meta().compaction.parents)
        .map(|parent| parent.ulid.as_str())
        .collect();
    let mut newest_first: Vec<&Arc<Block>> = blocks.iter().collect();
    newest_first.sort_by_key(|block| std::cmp::Reverse(block.meta().max_time));
    let newest = newest_first.first().map_or(0, |block| block.meta().max_time);
    let mut bytes = other_bytes;
    let mut unwanted = Vec::new();
    for block in newest_first {
        let meta = block.meta();
        bytes += block.size();
        let reason = if meta.compaction.deletable || parents.contains(meta.ulid.as_str()) {
            Reason::Replaced
        } else if retention.time > 0 && newest.saturating_sub(meta.max_time) >= retention.time {
            Reason::Time
        } else if retention.size > 0 && bytes > retention.size {
            Reason::Size
        } else {
            continue;
        };
        unwanted.push((Arc::clone(block), reason));
    }
    unwanted
}
