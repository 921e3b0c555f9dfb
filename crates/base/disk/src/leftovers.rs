//! Names of things that are not finished or not wanted any more, and their removal at the next start.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tracing::info;

use crate::{Fs, RealFs};

/// Endings that mark a file or folder as rubbish after a crash: ours, and those Prometheus uses for its blocks and checkpoints.
pub const TEMPORARY_SUFFIXES: [&str; 3] = [".tmp", ".tmp-for-creation", ".tmp-for-deletion"];

/// The name under which `path` is made before it gets its own.
pub fn temporary_path(path: &Path) -> PathBuf {
    with_suffix(path, ".tmp")
}

/// Whether this is the name of something unfinished.
pub fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    TEMPORARY_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

/// Removes the unfinished files and folders directly in `dir`; returns how many there were.
///
/// To be called at the start, by whoever holds the folder's lock and before anything is made in it.
pub fn remove_leftovers(dir: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        if !is_temporary(&path) {
            continue;
        }
        info!(path = %path.display(), "removing what an earlier run did not finish");
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(&path)?;
        } else {
            fs::remove_file(&path)?;
        }
        removed += 1;
    }
    Ok(removed)
}

/// Removes a folder so that after a crash it is either whole or gone at the next start: renamed first, then removed.
pub fn remove_dir_atomic(path: &Path) -> io::Result<()> {
    let condemned = with_suffix(path, ".tmp-for-deletion");
    if condemned.exists() {
        fs::remove_dir_all(&condemned)?;
    }
    fs::rename(path, &condemned)?;
    if let Some(parent) = path.parent() {
        RealFs.sync_dir(parent)?;
    }
    fs::remove_dir_all(&condemned)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_only_what_is_unfinished() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a", "b.tmp", "tmp"] {
            fs::write(dir.path().join(name), b"").unwrap();
        }
        fs::create_dir_all(dir.path().join("c.tmp-for-creation/x")).unwrap();
        assert_eq!(remove_leftovers(dir.path()).unwrap(), 2);
        let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["a", "tmp"]);
    }

    #[test]
    fn a_removed_folder_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("block");
        fs::create_dir_all(path.join("chunks")).unwrap();
        remove_dir_atomic(&path).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        remove_dir_atomic(&path).expect_err("it is gone");
    }
}
