//! A copy of a database to read while another process uses it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use prometheus_client::registry::Registry;
use ulid::Ulid;

use crate::{Db, DbOptions, OpenError, admin::link_block, blocks::block_dirs, filenames};

/// A database in a folder of its own: blocks are links to the same files, the log is copied. Gone when dropped.
pub struct Sandbox {
    db: Db,
    /// Behind the database, so that it is dropped after it.
    _dir: TemporaryDir,
}

struct TemporaryDir(PathBuf);

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The copy could not be made.
    #[error("cannot copy `{}`", .path.display())]
    Copy {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The copy could not be opened.
    #[error("cannot open the copy")]
    Open(#[from] OpenError),
}

// === impl Sandbox ===

impl Sandbox {
    /// Copies the database in `dir` to a new folder in `root`: best on the same file system, where blocks take no room.
    ///
    /// What another process appends or merges meanwhile may be missing.
    pub fn open(dir: &Path, root: &Path) -> Result<Self, SandboxError> {
        // A name that the next start takes for rubbish, should this process be killed.
        let target = TemporaryDir(root.join(format!("sandbox-{}.tmp", Ulid::generate())));
        fs::create_dir_all(&target.0).map_err(copy_error(&target.0))?;
        for block in block_dirs(dir).map_err(copy_error(dir))? {
            match link_block(&block, &target.0.join(block.file_name().unwrap_or_default())) {
                // Gone meanwhile: the one that replaced it was made before.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                linked => linked.map_err(copy_error(&block))?,
            }
        }
        let wal = dir.join(filenames::WAL);
        if wal.is_dir() {
            copy_dir(&wal, &target.0.join(filenames::WAL)).map_err(copy_error(&wal))?;
        }
        let db = Db::open(DbOptions::new(&target.0), &mut Registry::default())?;
        Ok(Self { db, _dir: target })
    }

    /// The copy.
    pub fn db(&self) -> &Db {
        &self.db
    }
}

impl Drop for TemporaryDir {
    fn drop(&mut self) {
        // Best effort: the next start of whoever owns the folder removes it otherwise.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn copy_error(path: &Path) -> impl FnOnce(io::Error) -> SandboxError {
    let path = path.to_owned();
    move |source| SandboxError::Copy { path, source }
}

fn copy_dir(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let copied = match entry.file_type()?.is_dir() {
            true => copy_dir(&entry.path(), &target),
            false => fs::copy(entry.path(), &target).map(drop),
        };
        match copied {
            // A segment that was replaced by a checkpoint meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            copied => copied?,
        }
    }
    Ok(())
}
