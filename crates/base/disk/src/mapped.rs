//! Files in memory without reading them.
#![allow(unsafe_code)] // mmap(2); contract at the call.

use std::{fs::File, io, ops::Deref, path::Path, sync::Arc};

use memmap2::{Mmap, MmapOptions};

/// A read-only mapping of a file, or of its beginning; clones share it. An empty file is an empty slice.
///
/// Only for bytes that never change (finished blocks, sealed segments, what is already written of a file that grows) in files that are
/// removed by unlinking, never cut below what is mapped: a mapping outlives the file's name, but reading past a new end would kill the
/// process.
#[derive(Debug, Clone, Default)]
pub struct MappedFile(Option<Arc<Mmap>>);

// === impl MappedFile ===

impl MappedFile {
    /// Maps the file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.len() == 0 {
            return Ok(Self(None));
        }
        // SAFETY: the type's contract above: such files are finished and are never changed or cut while anyone may map them.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Self(Some(Arc::new(map))))
    }

    /// Maps the first `size` bytes of a file that may grow meanwhile. It must have that many: `size` is what its writer says.
    pub fn prefix(file: &File, size: usize) -> io::Result<Self> {
        if size == 0 {
            return Ok(Self(None));
        }
        if file.metadata()?.len() < size as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // SAFETY: the type's contract above: the first `size` bytes are written and are never changed or cut while anyone may map them.
        let map = unsafe { MmapOptions::new().len(size).map(file)? };
        Ok(Self(Some(Arc::new(map))))
    }

    /// The file's bytes.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_deref().map_or(&[], |map| map)
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes()
    }
}

impl AsRef<[u8]> for MappedFile {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_the_file_does() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, b"content").unwrap();
        let map = MappedFile::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(&map[..], b"content");
        std::fs::write(&path, b"").unwrap();
        assert!(MappedFile::open(&path).unwrap().is_empty());
    }

    #[test]
    fn a_growing_file_is_read_up_to_what_was_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, b"content").unwrap();
        let file = File::open(&path).unwrap();
        let map = MappedFile::prefix(&file, 4).unwrap();
        std::fs::write(&path, b"content and more").unwrap();
        assert_eq!(&map[..], b"cont");
        assert_eq!(&MappedFile::prefix(&file, 16).unwrap()[..], b"content and more");
        assert!(MappedFile::prefix(&file, 0).unwrap().is_empty());
        MappedFile::prefix(&file, 17).expect_err("the file has 16 bytes");
    }
}
