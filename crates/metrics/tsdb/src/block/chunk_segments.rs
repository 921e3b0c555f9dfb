//! The chunks of a block, mapped.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use disk::MappedFile;

use super::{BlockError, read_failure};
use crate::{
    chunk::{ChunkError, Encoding},
    encoding::Decoder,
    filenames,
};

/// First bytes of a file of chunks.
pub(super) const MAGIC: u32 = 0x85bd_40dd;
/// Version of the format.
pub(super) const VERSION: u8 = 1;
/// Bytes before the first chunk: magic, version, three of padding.
pub(super) const HEADER: usize = 8;

/// The files of chunks.
pub(crate) struct ChunkSegments {
    dir: PathBuf,
    /// By the number that references have for them, from 0.
    segments: BTreeMap<u64, Bytes>,
}

// === impl ChunkSegments ===

impl ChunkSegments {
    pub(crate) fn open(dir: &Path) -> Result<Self, BlockError> {
        let paths = segment_paths(dir)?;
        // As in Prometheus, references count the files that are there.
        let segments = (0..)
            .zip(&paths)
            .map(|(number, (_, path))| open_segment(path).map(|map| (number, map)))
            .collect::<Result<_, _>>()?;
        Ok(Self { dir: dir.to_owned(), segments })
    }

    /// The files that can be used, and what is wrong with the others: none of their chunks can be read.
    pub(super) fn open_readable(dir: &Path) -> (Self, Vec<BlockError>) {
        let mut segments = BTreeMap::new();
        let mut errors = Vec::new();
        let paths = segment_paths(dir).unwrap_or_else(|error| {
            errors.push(error);
            Vec::new()
        });
        for (number, path) in paths {
            match open_segment(&path) {
                Ok(map) => {
                    segments.insert(number.saturating_sub(1), map);
                }
                Err(error) => errors.push(error),
            }
        }
        (Self { dir: dir.to_owned(), segments }, errors)
    }

    /// Encoding and data of a chunk, its checksum verified.
    pub(crate) fn chunk(&self, reference: u64) -> Result<(Encoding, &[u8]), BlockError> {
        self.find(reference).map(|(encoding, data, _)| (encoding, data))
    }

    /// The same for whoever keeps the data longer than the block: it is not copied.
    pub(crate) fn shared_chunk(&self, reference: u64) -> Result<(Encoding, Bytes), BlockError> {
        self.find(reference).map(|(encoding, data, segment)| (encoding, segment.slice_ref(data)))
    }

    /// Encoding, data and file of a chunk.
    fn find(&self, reference: u64) -> Result<(Encoding, &[u8], &Bytes), BlockError> {
        let error = |source| BlockError::Chunk { path: self.dir.clone(), reference, source };
        let found = self
            .segments
            .get(&(reference >> 32))
            .and_then(|segment| segment.get(reference as u32 as usize..).map(|bytes| (segment, bytes)));
        let (segment, bytes) = found.ok_or_else(|| error(ChunkError::Corrupt("lies outside of its file")))?;
        let mut decoder = Decoder::new(bytes);
        let mut parse = || {
            let size = decoder.uvarint()?;
            let content = decoder.take(usize::try_from(size).unwrap_or(usize::MAX).saturating_add(1))?;
            Ok((content, decoder.be32()?))
        };
        let parsed: Result<(&[u8], u32), crate::Malformed> = parse();
        let (content, checksum) =
            parsed.map_err(|_| error(ChunkError::Corrupt("reaches beyond its file")))?;
        if crc32c::crc32c(content) != checksum {
            return Err(error(ChunkError::Corrupt("checksum does not match")));
        }
        let (encoding, data) = content.split_first().ok_or_else(|| error(ChunkError::Corrupt("is empty")))?;
        Ok((Encoding::from_byte(*encoding).map_err(error)?, data, segment))
    }
}

/// Number and path of each file, in order.
fn segment_paths(dir: &Path) -> Result<Vec<(u64, PathBuf)>, BlockError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(read_failure(dir))? {
        let entry = entry.map_err(read_failure(dir))?;
        if let Some(number) = filenames::parse_segment(&entry.file_name().to_string_lossy()) {
            paths.push((number, entry.path()));
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

/// A mapped file: what is cut out of it keeps it mapped.
fn open_segment(path: &Path) -> Result<Bytes, BlockError> {
    let map = MappedFile::open(path).map_err(read_failure(path))?;
    check_header(path, &map)?;
    Ok(Bytes::from_owner(map))
}

fn check_header(path: &Path, map: &MappedFile) -> Result<(), BlockError> {
    let mut decoder = Decoder::new(map);
    match (decoder.be32(), decoder.byte()) {
        (Ok(MAGIC), Ok(VERSION)) => Ok(()),
        _ => Err(BlockError::Format {
            path: path.to_owned(),
            reason: "not a file of chunks of a known version".to_owned(),
        }),
    }
}
