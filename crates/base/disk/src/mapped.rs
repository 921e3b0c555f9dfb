//! Files in memory without reading them.
#![allow(unsafe_code)] // mmap(2); contract at the call.

use std::{fs::File, io, ops::Deref, path::Path, sync::Arc};

use memmap2::Mmap;

/// A read-only mapping of a whole file that never changes; clones share it. An empty file is an empty slice.
///
/// Only for immutable files (finished blocks, sealed segments) that are removed by unlinking, never cut: a mapping outlives the file's
/// name, but reading past a new end would kill the process.
#[derive(Debug, Clone)]
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
}
