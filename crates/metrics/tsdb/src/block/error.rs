//! What can go wrong with one block.

use std::{io, path::PathBuf};

use model::Labels;

use crate::{chunk::ChunkError, encoding::Malformed, head_chunks::HeadChunkError};

/// Why a block could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// A file could not be read.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write `{}`", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// `meta.json` is not what it should be.
    #[error("cannot parse `{}`", .path.display())]
    Meta {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// A file is of a kind or version that this program does not read.
    #[error("`{}`: {reason}", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The checksum of a part of a file does not match.
    #[error("`{}`: checksum of the {section} does not match", .path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// Which part.
        section: &'static str,
    },
    /// A part of a file makes no sense.
    #[error("`{}`: cannot decode the {section}", .path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// Which part.
        section: &'static str,
        /// The cause.
        source: Malformed,
    },
    /// A chunk could not be decoded.
    #[error("chunk {reference:#x} of `{}`", .path.display())]
    Chunk {
        /// The block.
        path: PathBuf,
        /// The chunk's place: number of the segment from 0 in the upper half, offset in the lower.
        reference: u64,
        /// The cause.
        source: ChunkError,
    },
    /// A series of the head could not be read.
    #[error("cannot read series {labels} of the head")]
    Head {
        /// The series.
        labels: Labels,
        /// The cause.
        source: HeadChunkError,
    },
    /// What is to be written contradicts itself. Only a damaged block that checksums do not give away leads here.
    #[error("cannot write `{}`: {reason}", .path.display())]
    Inconsistent {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: &'static str,
    },
    /// More than the format can address.
    #[error("{0}")]
    TooLarge(&'static str),
}

// === impl BlockError ===

impl BlockError {
    /// Whether writing failed: the same may succeed when there is room again.
    pub fn is_write(&self) -> bool {
        matches!(self, Self::Write { .. })
    }
}
