//! Reads of a damaged block what can still be read.
//!
//! Every series and every chunk has a checksum of its own, so each is either whole or given up. What all series share is the table of
//! symbols: without it no label has a name, and nothing can be saved. Lists of series, the tables and the table of contents only speed up
//! finding things; they are made anew.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use disk::Fs;
use model::{Columns, Labels, Millis};

use super::{
    Block, BlockChunk, BlockCompaction, BlockDescription, BlockError, BlockMeta, BlockStats, BlockWriter,
    ChunkMeta, TextSet, chunk_segments::ChunkSegments, index_remains::IndexRemains, meta, new_ulid,
    tombstones::Tombstones,
};
use crate::{
    chunk::{ChunkError, decode},
    error::chain,
    filenames,
    intervals::Intervals,
};

/// A block of which something may be damaged.
pub(crate) struct Salvage {
    dir: PathBuf,
    meta: Option<BlockMeta>,
    index: Option<IndexRemains>,
    chunks: ChunkSegments,
    tombstones: Tombstones,
    problems: Vec<String>,
    from_later_version: bool,
}

/// How much of a block can be read, and how much cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remains {
    /// Series with a chunk that can be read.
    pub series: u64,
    /// Chunks that can be read.
    pub chunks: u64,
    /// Their samples.
    pub samples: u64,
    /// Series of which nothing can be read; at least so many where not even their number is known.
    pub lost_series: u64,
    /// Chunks that cannot be read, of series that can.
    pub lost_chunks: u64,
    /// Chunks, among those that cannot be read, of kinds that this program does not know: no damage, but a later version's.
    pub unknown_chunks: u64,
    /// The oldest sample, milliseconds.
    pub min_time: Millis,
    /// The newest sample, milliseconds.
    pub max_time: Millis,
}

/// A series that can be read.
struct SavedSeries<'a> {
    /// Its number in the damaged index.
    number: u32,
    labels: Labels,
    chunks: Vec<BlockChunk<'a>>,
}

// === impl Salvage ===

impl Salvage {
    /// Looks at the files of a block; what is wrong with them, [`Salvage::problems`] tells.
    pub(crate) fn open(dir: &Path) -> Self {
        let mut problems = Vec::new();
        let meta = BlockMeta::read_any_version(&dir.join(filenames::META))
            .inspect_err(|error| problems.push(chain(error)))
            .ok();
        let meta_version = meta.as_ref().map_or(meta::VERSION, |meta| meta.version);
        let mut index = IndexRemains::open(&dir.join(filenames::INDEX), &mut problems);
        // Prometheus 2.1 wrote the new version of the index into the description and the old one into the index.
        if meta_version == 2
            && let Some(index) = &mut index
        {
            problems.push("the description has the version number of the index".to_owned());
            index.set_version(2);
        }
        let (chunks, errors) = ChunkSegments::open_readable(&dir.join(filenames::CHUNKS));
        problems.extend(errors.iter().map(|error| chain(error)));
        let tombstones = Tombstones::read(&dir.join(filenames::TOMBSTONES)).unwrap_or_else(|error| {
            problems.push(format!("{}; what was deleted comes back", chain(&error)));
            Tombstones::default()
        });
        let from_later_version =
            meta_version > 2 || index.as_ref().is_some_and(IndexRemains::is_from_later_version);
        Self { dir: dir.to_owned(), meta, index, chunks, tombstones, problems, from_later_version }
    }

    /// What is wrong with the files as such.
    pub(crate) fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Whether a version that is newer than this program wrote it: then nobody knows whether anything is damaged.
    pub(crate) fn is_from_later_version(&self) -> bool {
        self.from_later_version
    }

    /// Reads all of it.
    pub(crate) fn remains(&self) -> Remains {
        let never: Result<Remains, std::convert::Infallible> = self.each_series(|_| Ok(()));
        match never {
            Ok(remains) => remains,
        }
    }

    /// Whether the lists of series and their table fit the series.
    pub(crate) fn check_lists(&self) -> Result<(), String> {
        match &self.index {
            Some(index) => index.check_lists(),
            None => Ok(()),
        }
    }

    /// Writes what can be read as a new block beside this one. It names this one as its parent: should this one not be set aside, the
    /// next start removes it.
    pub(crate) fn rebuild(&self, fs: &Arc<dyn Fs>) -> Result<Option<Block>, BlockError> {
        let remains = self.remains();
        let (Some(index), Some(parent)) = (&self.index, self.dir.parent()) else {
            return Ok(None);
        };
        if remains.series == 0 {
            return Ok(None);
        }
        let mut texts = TextSet::default();
        index.each_symbol(|text| texts.insert(text))?;
        let mut writer =
            BlockWriter::create(Arc::clone(fs), parent, self.new_meta(&remains), texts.sorted())?;
        let mut deleted = Tombstones::default();
        self.each_series(|series| {
            let number = writer.add_series(&series.labels, &series.chunks)?;
            if let Some(intervals) = self.tombstones.of(series.number) {
                deleted.insert(number, Intervals::clone(intervals));
            }
            Ok::<_, BlockError>(())
        })?;
        writer.finish_with(&deleted).map(Some)
    }

    fn new_meta(&self, remains: &Remains) -> BlockMeta {
        let name = self.dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let lost = || BlockMeta {
            ulid: name.clone(),
            min_time: remains.min_time,
            max_time: remains.max_time.saturating_add(1),
            stats: BlockStats::default(),
            compaction: BlockCompaction {
                level: 1,
                sources: vec![name.clone()],
                ..BlockCompaction::default()
            },
            version: meta::VERSION,
        };
        let old = self.meta.clone().unwrap_or_else(lost);
        let (min_time, max_time) =
            (old.min_time.min(remains.min_time), old.max_time.max(remains.max_time.saturating_add(1)));
        let parents = vec![BlockDescription { ulid: name, min_time: old.min_time, max_time: old.max_time }];
        BlockMeta {
            ulid: new_ulid(),
            min_time,
            max_time,
            stats: BlockStats::default(),
            compaction: BlockCompaction { parents, deletable: false, failed: false, ..old.compaction },
            version: meta::VERSION,
        }
    }

    /// Shows each series of which there is something, in order of their labels.
    fn each_series<E>(&self, mut visit: impl FnMut(SavedSeries<'_>) -> Result<(), E>) -> Result<Remains, E> {
        let mut remains = Remains {
            series: 0,
            chunks: 0,
            samples: 0,
            lost_series: 0,
            lost_chunks: 0,
            unknown_chunks: 0,
            min_time: Millis::MAX,
            max_time: Millis::MIN,
        };
        let expected = self.meta.as_ref().map(|meta| meta.stats.num_series);
        let Some(index) = &self.index else {
            remains.lost_series = expected.unwrap_or(1).max(1);
            return Ok(remains);
        };
        let mut last: Option<Labels> = None;
        let mut metas = Vec::new();
        let mut columns = Columns::default();
        let mut scan = index.scan();
        let mut found = 0;
        while let Some(number) = scan.next_series(&mut metas) {
            found += 1;
            let labels = scan.take_labels();
            // A copy of a series' bytes in the wrong place, for all that their checksum says.
            if last.as_ref().is_some_and(|last| *last >= labels) {
                remains.lost_series += 1;
                continue;
            }
            let chunks: Vec<_> =
                metas.iter().filter_map(|meta| self.chunk(meta, &mut columns, &mut remains)).collect();
            remains.lost_chunks += (metas.len() - chunks.len()) as u64;
            if chunks.is_empty() {
                remains.lost_series += 1;
                remains.lost_chunks -= metas.len() as u64;
                continue;
            }
            remains.series += 1;
            remains.chunks += chunks.len() as u64;
            last = Some(labels.clone());
            visit(SavedSeries { number, labels, chunks })?;
        }
        let missing = index.series_count().or(expected).unwrap_or_default().saturating_sub(found);
        remains.lost_series += missing.max(scan.gaps());
        Ok(remains)
    }

    /// A chunk, if all of it can be read.
    fn chunk(
        &self,
        meta: &ChunkMeta,
        columns: &mut Columns,
        remains: &mut Remains,
    ) -> Option<BlockChunk<'_>> {
        let (encoding, data) = self
            .chunks
            .chunk(meta.reference)
            .inspect_err(|error| {
                let is_unknown =
                    matches!(error, BlockError::Chunk { source: ChunkError::Unsupported(_), .. });
                remains.unknown_chunks += u64::from(is_unknown);
            })
            .ok()?;
        columns.clear();
        decode(encoding, data, usize::MAX, (Millis::MIN, Millis::MAX), columns).ok()?;
        let (min_time, max_time) = (columns.oldest()?, columns.newest()?);
        let meta = ChunkMeta { min_time, max_time, ..*meta };
        remains.samples += columns.len() as u64;
        remains.min_time = remains.min_time.min(meta.min_time);
        remains.max_time = remains.max_time.max(meta.max_time);
        Some(BlockChunk::copied(&meta, encoding, data))
    }

    /// Gives the folder a name that nobody takes for a block; returns it.
    pub(crate) fn set_aside(&self, fs: &dyn Fs) -> io::Result<PathBuf> {
        let base = format!("{}{}", self.dir.display(), filenames::DAMAGED);
        let mut aside = PathBuf::from(&base);
        let mut number = 2;
        while fs::symlink_metadata(&aside).is_ok() {
            aside = PathBuf::from(format!("{base}-{number}"));
            number += 1;
        }
        fs.rename(&self.dir, &aside)?;
        if let Some(parent) = self.dir.parent() {
            fs.sync_dir(parent)?;
        }
        Ok(aside)
    }
}

// === impl Remains ===

impl Remains {
    /// Whether nothing is lost.
    pub fn is_whole(&self) -> bool {
        self.lost_series == 0 && self.lost_chunks == 0
    }
}
