//! The blocks of a database: which there are, and which are left out.

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use disk::{Fs, remove_dir_atomic};
use model::Millis;
use parking_lot::Mutex;
use tracing::{info, warn};
use ulid::Ulid;

use crate::{
    MaintainError, UnreadableBlock,
    block::Block,
    error::chain,
    metrics::BlockMetrics,
    retention::{Reason, Retention, replaced, unwanted},
};

/// The blocks that are open, in order of time. Readers take the list as it is at some moment and keep the blocks on it open.
///
/// *Threading*: the list may be read at any time; whoever changes it holds the lock of housekeeping.
pub(crate) struct Blocks {
    dir: PathBuf,
    list: ArcSwap<Vec<Arc<Block>>>,
    /// Why those are left out that cannot be opened, by their folders.
    unreadable: Mutex<BTreeMap<PathBuf, String>>,
    metrics: BlockMetrics,
}

// === impl Blocks ===

impl Blocks {
    /// Opens the blocks in `dir`. One that cannot be opened is left where it is, named in the log and in the metrics, and tried again
    /// with every [`Blocks::reload`].
    ///
    /// (Prometheus passes over a block whose description it cannot read, and does not start because of any other damage.)
    pub(crate) fn open(dir: &Path, metrics: BlockMetrics) -> io::Result<Self> {
        let blocks =
            Self { dir: dir.to_owned(), list: ArcSwap::default(), unreadable: Mutex::default(), metrics };
        blocks.reload()?;
        Ok(blocks)
    }

    /// Brings the list up to date with the folder: blocks that someone put there are opened, those that someone took away are let go,
    /// and those that others were made of are removed, damaged ones too.
    pub(crate) fn reload(&self) -> io::Result<()> {
        self.metrics.reloads.inc();
        let dirs = block_dirs(&self.dir).inspect_err(|_| {
            self.metrics.reloads_failed.inc();
        })?;
        let known = self.list();
        let mut blocks: Vec<_> =
            known.iter().filter(|block| dirs.iter().any(|dir| dir == block.dir())).cloned().collect();
        let mut unreadable = BTreeMap::new();
        for dir in dirs {
            if blocks.iter().any(|block| block.dir() == dir) {
                continue;
            }
            match Block::open(&dir) {
                Ok(block) => match blocks.iter().find(|known| known.meta().ulid == block.meta().ulid) {
                    Some(same) => {
                        let why = format!("it is the same block as `{}`", same.dir().display());
                        unreadable.insert(dir, why);
                    }
                    None => blocks.push(Arc::new(block)),
                },
                Err(error) => {
                    unreadable.insert(dir, chain(&error));
                }
            }
        }
        let replaced = replaced(blocks.iter().map(|block| block.meta()));
        unreadable.retain(|dir, _| !self.remove_if_replaced(dir, &replaced));
        let gone: Vec<_> = blocks
            .iter()
            .filter(|block| {
                block.meta().compaction.deletable || replaced.contains(block.meta().ulid.as_str())
            })
            .cloned()
            .collect();
        blocks.retain(|block| !gone.iter().any(|gone| Arc::ptr_eq(gone, block)));
        self.list.store(Arc::new(sorted(blocks)));
        self.tell();
        self.tell_unreadable(unreadable);
        for block in gone {
            if let Err(error) = remove(&block, Reason::Replaced) {
                warn!(error = chain(&error), "a block that was replaced stays for now");
            }
        }
        Ok(())
    }

    /// Removes a damaged block that was replaced by another; whether it is gone.
    fn remove_if_replaced(&self, dir: &Path, replaced: &HashSet<&str>) -> bool {
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        if !replaced.contains(&*name) {
            return false;
        }
        info!(path = %dir.display(), "removing a damaged block that was replaced");
        remove_dir_atomic(dir).is_ok()
    }

    /// Notes what cannot be opened, and logs what is new about it.
    fn tell_unreadable(&self, now: BTreeMap<PathBuf, String>) {
        let metrics = &self.metrics;
        let mut before = self.unreadable.lock();
        for (dir, why) in &now {
            if before.get(dir) != Some(why) {
                metrics.reloads_failed.inc();
                warn!(
                    path = %dir.display(),
                    error = why,
                    "block cannot be opened and is left out; `stackctl tsdb repair` shows what can be saved"
                );
            }
        }
        metrics.unreadable.set(now.len() as i64);
        metrics.unreadable_info.clear();
        for dir in now.keys() {
            let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
            metrics.unreadable_info.get_or_create(&[("block", name)]).set(1);
        }
        *before = now;
    }

    /// The blocks that are left out, and why.
    pub(crate) fn unreadable(&self) -> Vec<UnreadableBlock> {
        let unreadable = self.unreadable.lock();
        unreadable
            .iter()
            .map(|(dir, why)| UnreadableBlock { dir: dir.clone(), reason: why.clone() })
            .collect()
    }

    /// The blocks now.
    pub(crate) fn list(&self) -> Arc<Vec<Arc<Block>>> {
        self.list.load_full()
    }

    /// The end of the newest block, exclusive.
    pub(crate) fn max_time(&self) -> Option<Millis> {
        self.list.load().iter().map(|block| block.meta().max_time).max()
    }

    /// The end of the newest block of samples that came in order, exclusive.
    pub(crate) fn in_order_max_time(&self) -> Option<Millis> {
        self.list.load().iter().filter_map(|block| block.meta().ends_in_order_samples()).max()
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
        let sizes: Vec<_> = blocks.iter().map(|block| (block.meta(), block.size())).collect();
        let unwanted = unwanted(&sizes, retention, other_bytes);
        if unwanted.is_empty() {
            return Ok(());
        }
        let stays = |at: &usize| !unwanted.iter().any(|(gone, _)| gone == at);
        let kept = (0..blocks.len()).filter(stays).map(|at| Arc::clone(&blocks[at])).collect();
        self.list.store(Arc::new(kept));
        self.tell();
        if unwanted.iter().any(|(_, reason)| *reason == Reason::Time) {
            self.metrics.time_retentions.inc();
        }
        if unwanted.iter().any(|(_, reason)| *reason == Reason::Size) {
            self.metrics.size_retentions.inc();
        }
        // One that cannot be removed now is found again by the next reload.
        let removed: Vec<_> = unwanted.iter().map(|(at, reason)| remove(&blocks[*at], *reason)).collect();
        removed.into_iter().collect()
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

/// The folders in `dir` that have names of blocks, sorted.
pub(crate) fn block_dirs(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut dirs = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let is_block = entry.file_name().to_str().is_some_and(|name| name.parse::<Ulid>().is_ok());
        if is_block && entry.file_type()?.is_dir() {
            dirs.push(entry.path());
        }
    }
    dirs.sort_unstable();
    Ok(dirs)
}
