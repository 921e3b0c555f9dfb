//! How much room there is, and how much is taken.
#![allow(unsafe_code)] // statvfs(3); contract at the call.

use std::{ffi::CString, fs, io, mem::MaybeUninit, os::unix::ffi::OsStrExt, path::Path};

/// Room on a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// The file system's size.
    pub total: u64,
    /// What nobody has used. Part of it may be set aside for root, or for others by a quota.
    pub free: u64,
    /// What a process without privileges may still use, as `df` shows it.
    pub available: u64,
}

/// The room on the file system that holds `path`.
pub fn disk_space(path: &Path) -> io::Result<DiskSpace> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut stat = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` ends with a zero byte and `stat` has room for the structure that the call fills.
    let result = unsafe { libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded and so filled the structure.
    let stat = unsafe { stat.assume_init() };
    let block = stat.f_frsize;
    Ok(DiskSpace {
        total: stat.f_blocks.saturating_mul(block),
        free: stat.f_bfree.saturating_mul(block),
        available: stat.f_bavail.saturating_mul(block),
    })
}

/// Sum of the sizes of all files under `path`, in bytes. Files that vanish meanwhile count as nothing; links are not followed.
pub fn dir_size(path: &Path) -> io::Result<u64> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut size = 0;
    for entry in entries {
        let entry = entry?;
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size += dir_size(&entry.path())?,
            Ok(metadata) => size += metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_room_and_use() {
        let dir = tempfile::tempdir().unwrap();
        let space = disk_space(dir.path()).unwrap();
        assert!(space.available <= space.free && space.free <= space.total && space.total > 0);
        fs::create_dir(dir.path().join("sub")).unwrap();
        fs::write(dir.path().join("a"), [0; 10]).unwrap();
        fs::write(dir.path().join("sub/b"), [0; 5]).unwrap();
        assert_eq!(dir_size(dir.path()).unwrap(), 15);
        assert_eq!(dir_size(&dir.path().join("missing")).unwrap(), 0);
        disk_space(Path::new("/does/not/exist")).expect_err("there is no such path");
    }
}
