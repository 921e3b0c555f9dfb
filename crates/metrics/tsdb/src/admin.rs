//! What an operator asks for: delete series, make the space of deleted ones free, take a snapshot.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use disk::fsync_dir;
use model::{Matcher, Millis};
use storage::CommitError;
use tracing::info;

use crate::{
    Db, MaintainError, block::BlockError, compact::compact_head, filenames, merge_blocks::merge_blocks,
};

/// Why a request of an operator was not or not wholly carried out.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The deletion could not be written to the log: nothing was deleted.
    #[error("cannot log the deletion")]
    Log(#[source] CommitError),
    /// A block could not be read or written; what came before it is done.
    #[error("cannot change a block")]
    Block(#[from] BlockError),
    /// A block that was written anew could not be removed.
    #[error("cannot remove a block that was replaced")]
    Replace(#[source] MaintainError),
    /// The snapshot could not be made.
    #[error("cannot make `{}`", .path.display())]
    Snapshot {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// What a deletion met. A series counts once for memory and once for each block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Series in memory with samples in the range.
    pub head_series: u64,
    /// Series in blocks with samples in the range.
    pub block_series: u64,
}

// === impl Db ===

impl Db {
    /// Deletes the samples in `[min_time, max_time]` (milliseconds) of the series that satisfy one of the selectors.
    ///
    /// From when this returns on no new query sees them, also after a restart; one under way may see those in blocks to its end. Their space is free once their blocks are written anew: by
    /// merging, or by [`Db::clean_tombstones`]. Waits for housekeeping under way.
    pub fn delete_series(
        &self,
        selectors: &[Vec<Matcher>],
        min_time: Millis,
        max_time: Millis,
    ) -> Result<Deleted, AdminError> {
        let _guard = self.maintenance.lock();
        let mut deleted = Deleted {
            head_series: self.head.delete(selectors, min_time, max_time).map_err(AdminError::Log)?,
            block_series: 0,
        };
        for block in self.blocks.list().iter().filter(|block| block.overlaps(min_time, max_time)) {
            if let Some((changed, series)) = block.delete(&*self.options.fs, selectors, min_time, max_time)? {
                self.blocks.exchange(changed);
                deleted.block_series += series;
            }
        }
        info!(?deleted, min_time, max_time, "deleted series");
        Ok(deleted)
    }

    /// Writes all blocks with deletions anew, without what is deleted. Waits for housekeeping under way.
    pub fn clean_tombstones(&self) -> Result<(), AdminError> {
        let _guard = self.maintenance.lock();
        for block in self.blocks.list().iter().filter(|block| block.has_deletions()) {
            let parts = [Arc::clone(block)];
            let merged = merge_blocks(&parts, &self.options.fs, &self.options.dir)?;
            self.blocks.replace(&parts, merged).map_err(AdminError::Replace)?;
        }
        Ok(())
    }

    /// Makes `target` (which must not exist) a copy of the database as it is now, for backups: blocks as hard links where the file
    /// system allows, and with `with_head` the samples in memory as one more block, or several where some came out of order. Waits for
    /// housekeeping under way.
    pub fn snapshot(&self, target: &Path, with_head: bool) -> Result<(), AdminError> {
        let _guard = self.maintenance.lock();
        let fail = |path: &Path| {
            let path = path.to_owned();
            move |source| AdminError::Snapshot { path, source }
        };
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(fail(parent))?;
        }
        fs::create_dir(target).map_err(fail(target))?;
        for block in self.blocks.list().iter() {
            let copy = target.join(&block.meta().ulid);
            link_block(block.dir(), &copy).map_err(fail(&copy))?;
        }
        if with_head && !self.head.is_empty() {
            let (min_time, max_time) = (self.head.min_time(), self.head.max_time());
            compact_head(&self.head, &self.options.fs, target, min_time, max_time.saturating_add(1))?;
        }
        if with_head && self.head.out_of_order().time_range().is_some() {
            self.write_late_blocks(&self.head.copy_late(), target)?;
        }
        fsync_dir(target).map_err(fail(target))
    }
}

/// Makes the folder `copy` with the files of a block as links, or copies on another file system.
pub(crate) fn link_block(block: &Path, copy: &Path) -> io::Result<()> {
    let chunks = copy.join(filenames::CHUNKS);
    fs::create_dir_all(&chunks)?;
    for name in [filenames::META, filenames::INDEX, filenames::TOMBSTONES] {
        let source = block.join(name);
        if source.exists() {
            link_or_copy(&source, &copy.join(name))?;
        }
    }
    for entry in fs::read_dir(block.join(filenames::CHUNKS))? {
        let entry = entry?;
        link_or_copy(&entry.path(), &chunks.join(entry.file_name()))?;
    }
    fsync_dir(&chunks)?;
    fsync_dir(copy)
}

fn link_or_copy(source: &Path, target: &Path) -> io::Result<()> {
    if fs::hard_link(source, target).is_ok() {
        return Ok(());
    }
    // Another file system.
    fs::copy(source, target)?;
    fs::File::open(target)?.sync_all()
}
