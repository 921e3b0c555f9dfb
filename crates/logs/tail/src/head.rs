//! What tells one file from another: its inode, and the bytes it begins with, since inodes are used again.

use std::{
    fs::{File, Metadata},
    os::unix::fs::{FileExt, MetadataExt},
};

use serde::{Deserialize, Serialize};

/// Most bytes of a file's beginning that are compared.
const HEAD_BYTES: usize = 1024;

/// Device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct FileId {
    pub dev: u64,
    pub ino: u64,
}

/// A digest of a file's first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    /// Bytes that were taken, at most [`HEAD_BYTES`].
    pub len: u32,
    /// FNV-1a over them: stable on disk, and nobody gains anything by a collision.
    pub hash: u64,
}

/// The first bytes of an open file, as far as they were read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head(Vec<u8>);

impl FileId {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { dev: metadata.dev(), ino: metadata.ino() }
    }
}

impl Head {
    /// Takes more of the beginning, of what lies before `offset`.
    pub(crate) fn extend(&mut self, file: &File, offset: u64) {
        let wanted = HEAD_BYTES.min(usize::try_from(offset).unwrap_or(usize::MAX));
        if self.0.len() < wanted {
            self.0 = read_start(file, wanted);
        }
    }

    /// Whether the file still begins with these bytes.
    pub(crate) fn still_holds(&self, file: &File) -> bool {
        self.0.is_empty() || read_start(file, self.0.len()) == self.0
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.0)
    }
}

impl Fingerprint {
    /// Whether a file begins with the bytes this was made of.
    pub(crate) fn fits(self, file: &File) -> bool {
        let len = (self.len as usize).min(HEAD_BYTES);
        len == 0 || fingerprint(&read_start(file, len)) == self
    }
}

fn fingerprint(bytes: &[u8]) -> Fingerprint {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Fingerprint { len: bytes.len() as u32, hash }
}

/// The first bytes of a file; fewer where it is shorter or cannot be read.
fn read_start(file: &File, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, filled as u64) {
            Ok(0) | Err(_) => break,
            Ok(read) => filled += read,
        }
    }
    bytes.truncate(filled);
    bytes
}
