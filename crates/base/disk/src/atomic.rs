//! New on the side, then rename: how files and folders come into being whole or not at all.

use std::{io, path::Path};

use crate::{Fs, RealFs, temporary_path};

/// Writes a file so that its name holds either the old content or all of the new, whatever happens meanwhile.
///
/// When this returns, the new content is durable. After an error the old content is in place; a file under the temporary name may
/// be left for [`crate::remove_leftovers`].
pub fn write_atomic(fs: &dyn Fs, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary_path(path);
    let result = write_and_rename(fs, &temporary, path, bytes);
    if result.is_err() {
        // Best effort: the next start removes it otherwise.
        let _ = fs.remove_file(&temporary);
    }
    result
}

fn write_and_rename(fs: &dyn Fs, temporary: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs.create(temporary)?;
    file.write_all(bytes)?;
    file.sync()?;
    drop(file);
    fs.rename(temporary, path)?;
    fs.sync_dir(parent(path))
}

/// Gives a finished folder its final name. The files in it must be synced already; the folder itself and both names are synced here.
pub fn publish_dir(fs: &dyn Fs, temporary: &Path, path: &Path) -> io::Result<()> {
    fs.sync_dir(temporary)?;
    fs.rename(temporary, path)?;
    fs.sync_dir(parent(path))
}

/// Makes the names in a folder durable.
pub fn fsync_dir(path: &Path) -> io::Result<()> {
    RealFs.sync_dir(path)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::fault::{Fault, FaultyFs};

    #[test]
    fn replaces_the_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("meta.json");
        write_atomic(&RealFs, &path, b"one").unwrap();
        write_atomic(&RealFs, &path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn keeps_the_old_content_whatever_step_fails() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("meta.json");
        for fault in [Fault::Create, Fault::Full { after: 2 }, Fault::Sync, Fault::Rename] {
            write_atomic(&RealFs, &path, b"old").unwrap();
            let faulty = FaultyFs::default();
            faulty.inject(fault);
            write_atomic(&faulty, &path, b"new content").expect_err("the fault shows");
            assert_eq!(fs::read(&path).unwrap(), b"old", "{fault:?}");
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "{fault:?}");
        }
    }

    #[test]
    fn short_writes_are_continued() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        let faulty = FaultyFs::default();
        faulty.inject(Fault::ShortWrites { most: 3 });
        write_atomic(&faulty, &path, b"ten bytes!").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ten bytes!");
    }

    #[test]
    fn a_folder_appears_whole() {
        let dir = tempfile::tempdir().unwrap();
        let (temporary, path) = (dir.path().join("a.tmp"), dir.path().join("a"));
        fs::create_dir(&temporary).unwrap();
        fs::write(temporary.join("x"), b"x").unwrap();
        publish_dir(&RealFs, &temporary, &path).unwrap();
        assert!(path.join("x").is_file());
        assert!(!temporary.exists());
    }
}
