//! Replaces old segments by what is still needed of them: series that live, samples that are not in a block yet.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use disk::{Fs, publish_dir};
use model::{FloatHistogram, Histogram, Labels, Millis};
use rustc_hash::FxHashMap;
use storage::Metadata;

use super::{
    compression::{Compression, WalRecord},
    reader::{ReadError, SegmentReader},
    record::{self, HistogramRecord, RecordType, Recorded, RefMetadata},
    segments::WalLayout,
    writer::{SegmentWriter, WriteFailure},
};
use crate::{encoding::Malformed, filenames};

/// Bytes of records that are written at once.
const BATCH_BYTES: usize = 1 << 20;

/// Why there is no new checkpoint; the old one and all segments are untouched.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// A segment could not be read.
    #[error("cannot read the write-ahead log")]
    Read(#[source] ReadError),
    /// A record makes no sense.
    #[error("cannot decode a record of `{}`", .path.display())]
    Record {
        /// The segment.
        path: PathBuf,
        /// The cause.
        source: Malformed,
    },
    /// The checkpoint could not be written.
    #[error("cannot write `{}`", .path.display())]
    Write {
        /// The checkpoint.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// What a checkpoint kept and left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CheckpointStats {
    pub(crate) kept_series: usize,
    pub(crate) dropped_series: usize,
    pub(crate) kept_samples: usize,
    pub(crate) dropped_samples: usize,
}

/// Writes `checkpoint.<last>` from the newest checkpoint and the segments up to `last`.
///
/// Kept are series for which `keep` holds, everything of theirs that is not older than `min_time`, and their newest metadata. The caller
/// removes the replaced segments afterwards; until then both are there, and a reader takes the checkpoint.
pub(crate) fn write_checkpoint(
    fs: &Arc<dyn Fs>,
    dir: &Path,
    last: u64,
    min_time: Millis,
    compression: Compression,
    keep: &dyn Fn(u64) -> bool,
) -> Result<CheckpointStats, CheckpointError> {
    let path = filenames::checkpoint(dir, last);
    let write_error = |source| CheckpointError::Write { path: path.clone(), source };
    let layout = WalLayout::read(dir).map_err(write_error)?;
    let mut sources = layout
        .checkpoint
        .into_iter()
        .flat_map(|(_, paths)| paths)
        .chain(layout.segments.into_iter().filter(|(index, _)| *index <= last).map(|(_, path)| path));

    let mut temporary = path.as_os_str().to_owned();
    temporary.push(filenames::CHECKPOINT_IN_CREATION);
    let temporary = PathBuf::from(temporary);
    if temporary.exists() {
        fs::remove_dir_all(&temporary).map_err(write_error)?;
    }
    fs::create_dir_all(&temporary).map_err(write_error)?;
    // Checkpoints have segments of their own, of the usual size.
    let writer = SegmentWriter::create(Arc::clone(fs), &temporary, 0, 128 << 20).map_err(write_error)?;
    let mut checkpoint = Checkpoint {
        writer,
        compression,
        min_time,
        keep,
        pending: Vec::new(),
        pending_bytes: 0,
        metadata: FxHashMap::default(),
        stats: CheckpointStats::default(),
    };
    let result = sources
        .try_for_each(|source| checkpoint.add_segment(&source, &write_error))
        .and_then(|()| checkpoint.finish().map_err(write_error));
    match result {
        Ok(stats) => publish_dir(&**fs, &temporary, &path).map(|()| stats).map_err(write_error),
        Err(error) => {
            // Best effort: the next start removes it otherwise.
            let _ = fs::remove_dir_all(&temporary);
            Err(error)
        }
    }
}

struct Checkpoint<'a> {
    writer: SegmentWriter,
    compression: Compression,
    min_time: Millis,
    keep: &'a dyn Fn(u64) -> bool,
    pending: Vec<WalRecord>,
    pending_bytes: usize,
    metadata: FxHashMap<u64, Metadata>,
    stats: CheckpointStats,
}

// === impl Checkpoint ===

impl Checkpoint<'_> {
    fn add_segment(
        &mut self,
        path: &Path,
        write_error: &dyn Fn(io::Error) -> CheckpointError,
    ) -> Result<(), CheckpointError> {
        let mut reader = SegmentReader::open(path).map_err(CheckpointError::Read)?;
        while let Some(record) = reader.next_record().map_err(CheckpointError::Read)? {
            let kept = self
                .filter(record)
                .map_err(|source| CheckpointError::Record { path: path.to_owned(), source })?;
            self.push(kept).map_err(write_error)?;
        }
        Ok(())
    }

    /// What stays of a record; empty where nothing does.
    fn filter(&mut self, record: &[u8]) -> Result<Vec<u8>, Malformed> {
        match RecordType::of(record) {
            Some(RecordType::Series) => self.filter_series(record),
            Some(RecordType::Samples | RecordType::SamplesV2) => self.filter_samples(record),
            Some(RecordType::Tombstones) => {
                let mut kept = Vec::new();
                record::decode_tombstones(record, |tombstone| {
                    if (self.keep)(tombstone.series_ref) && tombstone.max_time >= self.min_time {
                        kept.push(tombstone);
                    }
                })?;
                Ok(if kept.is_empty() { Vec::new() } else { record::encode_tombstones(&kept) })
            }
            Some(RecordType::Exemplars) => {
                let mut kept = Vec::new();
                record::decode_exemplars(record, |exemplar| {
                    if exemplar.timestamp >= self.min_time {
                        kept.push(exemplar);
                    }
                })?;
                Ok(record::encode_exemplars(&kept))
            }
            Some(RecordType::Metadata) => {
                record::decode_metadata(record, |RefMetadata { series_ref, metadata }| {
                    if (self.keep)(series_ref) {
                        self.metadata.insert(series_ref, metadata);
                    }
                })?;
                Ok(Vec::new())
            }
            Some(RecordType::Histograms(kind)) if kind.float => {
                self.filter_histograms::<FloatHistogram>(record, kind)
            }
            Some(RecordType::Histograms(kind)) => self.filter_histograms::<Histogram>(record, kind),
            Some(RecordType::MmapMarkers | RecordType::Unknown(_)) | None => Ok(Vec::new()),
        }
    }

    fn filter_series(&mut self, record: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut kept: Vec<(u64, Labels)> = Vec::new();
        let mut total = 0;
        record::decode_series(record, |series_ref, labels| {
            total += 1;
            if (self.keep)(series_ref) {
                kept.push((series_ref, labels));
            }
        })?;
        self.stats.kept_series += kept.len();
        self.stats.dropped_series += total - kept.len();
        Ok(if kept.is_empty() { Vec::new() } else { record::encode_series(&kept) })
    }

    fn filter_samples(&mut self, record: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut kept = Vec::new();
        let mut total = 0;
        record::decode_samples(record, |sample| {
            total += 1;
            if sample.timestamp >= self.min_time {
                kept.push(sample);
            }
        })?;
        self.stats.kept_samples += kept.len();
        self.stats.dropped_samples += total - kept.len();
        Ok(record::encode_samples(kept))
    }

    fn filter_histograms<H: Recorded>(
        &mut self,
        record: &[u8],
        kind: HistogramRecord,
    ) -> Result<Vec<u8>, Malformed> {
        let (mut wanted, mut total) = (0, 0);
        record::histogram_times(record, kind, |timestamp| {
            wanted += usize::from(timestamp >= self.min_time);
            total += 1;
        })?;
        let trimmed = match wanted {
            0 => Some(Vec::new()),
            // Start times, and histograms that only later versions know, would be lost by writing a record anew.
            _ if wanted == total || kind.start_times => None,
            _ => trim_histograms::<H>(record, kind, self.min_time)?,
        };
        let kept = if trimmed.is_some() { wanted } else { total };
        self.stats.kept_samples += kept;
        self.stats.dropped_samples += total - kept;
        Ok(trimmed.unwrap_or_else(|| record.to_vec()))
    }

    fn push(&mut self, record: Vec<u8>) -> io::Result<()> {
        if record.is_empty() {
            return Ok(());
        }
        self.pending_bytes += record.len();
        self.pending.push(WalRecord::new(record, self.compression));
        if self.pending_bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pending_bytes = 0;
        let records = std::mem::take(&mut self.pending);
        self.writer.append(&records).map_err(|failure| match failure {
            WriteFailure::Clean(error) | WriteFailure::Broken(error) => error,
        })
    }

    fn finish(mut self) -> io::Result<CheckpointStats> {
        let metadata: Vec<_> = std::mem::take(&mut self.metadata)
            .into_iter()
            .map(|(series_ref, metadata)| RefMetadata { series_ref, metadata })
            .collect();
        for metadata in metadata.chunks(1024) {
            self.push(record::encode_metadata(metadata))?;
        }
        self.flush()?;
        self.writer.sync()?;
        Ok(self.stats)
    }
}

/// A record with the samples from `min_time` on; none where that cannot be one record with nothing lost.
fn trim_histograms<H: Recorded>(
    record: &[u8],
    kind: HistogramRecord,
    min_time: Millis,
) -> Result<Option<Vec<u8>>, Malformed> {
    let mut kept = Vec::new();
    let left_out = record::decode_histograms::<H>(record, kind, |sample| {
        if sample.timestamp >= min_time {
            kept.push(sample);
        }
    })?;
    let [exponential, custom] = record::encode_histograms(&kept);
    Ok(match (left_out, exponential.is_empty(), custom.is_empty()) {
        (0, false, true) => Some(exponential),
        (0, true, false) => Some(custom),
        _ => None,
    })
}
