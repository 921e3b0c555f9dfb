//! One process a data folder.
#![allow(unsafe_code)] // flock(2); contract at the call.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

/// An exclusive lock on a folder, by `flock` on a file in it that holds our process id. Released on drop and by the kernel when the
/// process dies; the file stays. Prometheus locks its folder the same way, so the two exclude each other.
#[derive(Debug)]
pub struct DirLock {
    file: File,
    path: PathBuf,
}

/// Why a folder could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Someone else holds the lock.
    #[error("`{}` is in use by another process", .dir.display())]
    Held {
        /// The folder.
        dir: PathBuf,
    },
    /// The lock file could not be made.
    #[error("cannot lock `{}`", .path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

// === impl DirLock ===

impl DirLock {
    /// Locks the folder `dir`, which must exist, by the file `name` in it. Does not wait.
    pub fn acquire(dir: &Path, name: &str) -> Result<Self, LockError> {
        let path = dir.join(name);
        let fail = |source| LockError::Io { path: path.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(fail)?;
        // SAFETY: flock takes a descriptor, which `file` keeps open, and touches no memory of ours.
        let result = unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) };
        if result != 0 {
            let error = io::Error::last_os_error();
            if error.kind() == io::ErrorKind::WouldBlock {
                return Err(LockError::Held { dir: dir.to_owned() });
            }
            return Err(fail(error));
        }
        file.set_len(0).map_err(fail)?;
        writeln!(file, "{}", std::process::id()).map_err(fail)?;
        Ok(Self { file, path })
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DirLock {
    fn drop(&mut self) {
        // Closing the file is not enough: a child process that was forked meanwhile and has not called exec yet has it open as well.
        // SAFETY: flock takes a descriptor, which `file` keeps open, and touches no memory of ours.
        unsafe { libc::flock(self.file.as_raw_fd(), libc::LOCK_UN) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let lock = DirLock::acquire(dir.path(), "lock").unwrap();
        assert!(matches!(DirLock::acquire(dir.path(), "lock"), Err(LockError::Held { .. })));
        drop(lock);
        let again = DirLock::acquire(dir.path(), "lock").unwrap();
        let text = std::fs::read_to_string(again.path()).unwrap();
        assert_eq!(text.trim(), std::process::id().to_string());
    }

    #[test]
    fn another_descriptor_of_the_file_does_not_keep_it() {
        let dir = tempfile::tempdir().unwrap();
        let lock = DirLock::acquire(dir.path(), "lock").unwrap();
        let inherited = lock.file.try_clone().unwrap();
        drop(lock);
        DirLock::acquire(dir.path(), "lock").unwrap();
        drop(inherited);
    }

    #[test]
    fn names_the_file_it_cannot_make() {
        let error = DirLock::acquire(Path::new("/does/not/exist"), "lock").unwrap_err();
        assert_eq!(error.to_string(), "cannot lock `/does/not/exist/lock`");
    }
}
