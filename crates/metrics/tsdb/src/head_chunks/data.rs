//! The bytes of a chunk, wherever they are.

use std::{ops::Deref, sync::Arc};

use bytes::Bytes;
use disk::MappedFile;

/// Data of a chunk, in memory or in a mapped file, which it keeps readable.
#[derive(Debug, Clone)]
pub(crate) enum ChunkData {
    Memory(Arc<[u8]>),
    Mapped { map: MappedFile, start: u32, end: u32 },
}

// === impl ChunkData ===

impl ChunkData {
    /// The same bytes, not copied.
    pub(crate) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for ChunkData {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Deref for ChunkData {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Memory(data) => data,
            Self::Mapped { map, start, end } => map.get(*start as usize..*end as usize).unwrap_or_default(),
        }
    }
}
