//! Which chunks the files have, and what happens to damage: the good chunks of the last file stay, an earlier file is dropped with all
//! behind it. What is lost by that is in the log.
//!
//! So the chunks that are found are always the first ones that were written: no series has a hole that the log would not fill.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use disk::MappedFile;
use model::Millis;
use rustc_hash::FxHashMap;
use tracing::warn;

use super::{
    ChunkRef, MappedChunk,
    file::ChunkFile,
    format::{HEADER, MAX_FILE_BYTES, Reason, Record},
};
use crate::{filenames, metrics::HeadChunkMetrics};

/// The files that are kept, and what is in them.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) files: Vec<ChunkFile>,
    /// Number of a series and a chunk of it, as they were written.
    pub(super) chunks: Vec<(u64, MappedChunk)>,
    /// The same for chunks out of order.
    pub(super) out_of_order: Vec<(u64, MappedChunk)>,
    /// The highest number of a series that any chunk is of.
    pub(super) last_ref: u64,
    /// The newest time of each series' chunks so far.
    newest: FxHashMap<u64, Millis>,
}

/// How far a file is good.
struct Good {
    /// Bytes.
    size: usize,
    max_time: Millis,
    chunks: Vec<(u64, MappedChunk)>,
    out_of_order: Vec<(u64, MappedChunk)>,
    /// Why there is no more.
    damage: Option<Reason>,
}

/// Reads all files in `dir` and repairs what is damaged.
pub(super) fn open_files(dir: &Path, metrics: &HeadChunkMetrics) -> io::Result<Opened> {
    let mut opened = Opened::default();
    let files = list(dir)?;
    for (at, (number, path)) in files.iter().enumerate() {
        let follows = opened.files.last().is_none_or(|before| before.number() + 1 == *number);
        let damage = if follows {
            opened.add(*number, path, at + 1 == files.len(), metrics)?
        } else {
            Some("a file before it is missing")
        };
        let Some(reason) = damage else {
            continue;
        };
        metrics.corruptions.inc();
        let dropped = files.get(at..).unwrap_or_default();
        warn!(path = %path.display(), reason, files = dropped.len(), "head chunks are damaged, reading them from the log");
        // The newest first: after a crash in between no file is missing.
        for (_, path) in dropped.iter().rev() {
            fs::remove_file(path)?;
        }
        break;
    }
    Ok(opened)
}

fn list(dir: &Path) -> io::Result<Vec<(u32, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let number = filenames::parse_segment(&entry.file_name().to_string_lossy());
        let number = number.and_then(|number| u32::try_from(number).ok());
        // There must be a number behind it.
        if let Some(number) = number.filter(|number| *number < u32::MAX) {
            files.push((number, entry.path()));
        }
    }
    files.sort_unstable();
    Ok(files)
}

// === impl Opened ===

impl Opened {
    /// Takes in a file; returns why it must go, if so.
    fn add(
        &mut self,
        number: u32,
        path: &Path,
        last: bool,
        metrics: &HeadChunkMetrics,
    ) -> io::Result<Option<Reason>> {
        let good = {
            let map = MappedFile::open(path)?;
            // A file that was only just made when the machine died.
            if last && map.iter().all(|byte| *byte == 0) {
                drop(map);
                fs::remove_file(path)?;
                return Ok(None);
            }
            self.scan(number, &map)
        };
        if let Some(reason) = good.damage {
            if !last || good.size <= HEADER.len() {
                return Ok(Some(reason));
            }
            metrics.corruptions.inc();
            warn!(path = %path.display(), offset = good.size, reason, "the end of the last file of head chunks is cut off");
            let file = OpenOptions::new().write(true).open(path)?;
            file.set_len(good.size as u64)?;
            file.sync_all()?;
        }
        let late = !good.out_of_order.is_empty();
        self.files.push(ChunkFile::sealed(number, path.to_owned(), good.size as u64, good.max_time, late)?);
        self.chunks.extend(good.chunks);
        self.out_of_order.extend(good.out_of_order);
        Ok(None)
    }

    fn scan(&mut self, number: u32, bytes: &[u8]) -> Good {
        let (chunks, out_of_order) = (Vec::new(), Vec::new());
        let mut good = Good { size: 0, max_time: Millis::MIN, chunks, out_of_order, damage: None };
        good.damage = self.scan_chunks(number, bytes, &mut good).err();
        good
    }

    fn scan_chunks(&mut self, number: u32, bytes: &[u8], good: &mut Good) -> Result<(), Reason> {
        if bytes.len() as u64 > MAX_FILE_BYTES || !bytes.starts_with(&HEADER) {
            return Err("not a file of head chunks of a known version");
        }
        good.size = HEADER.len();
        loop {
            let rest = bytes.get(good.size..).unwrap_or_default();
            let Some(record) = Record::parse(rest)? else {
                let empty = rest.iter().all(|byte| *byte == 0);
                return if empty { Ok(()) } else { Err("zeros between chunks") };
            };
            let chunk = MappedChunk::found(ChunkRef::new(number, good.size as u32), &record)?;
            if record.out_of_order {
                good.out_of_order.push((record.series_ref, chunk));
            } else {
                let newest = self.newest.entry(record.series_ref).or_insert(Millis::MIN);
                if record.min_time <= *newest && *newest != Millis::MIN {
                    return Err("chunks of a series overlap");
                }
                *newest = record.max_time;
                good.chunks.push((record.series_ref, chunk));
            }
            self.last_ref = self.last_ref.max(record.series_ref);
            good.max_time = good.max_time.max(record.max_time);
            good.size += record.size;
        }
    }
}
