//! What a store is told when it is opened.

use std::{path::PathBuf, sync::Arc, time::Duration};

use disk::{Fs, RealFs};

use crate::wal::{WalCompression, WalSync};

/// Options of a [`crate::Store`]. Names follow Loki's `ingester` block where it has the option.
#[derive(Clone)]
pub struct StoreOptions {
    /// The store's folder; made if it is missing.
    pub dir: PathBuf,
    /// Whose logs these are: a label of some metrics.
    pub tenant: String,
    /// The write-ahead log.
    pub wal: WalOptions,
    /// A stream that got nothing for this long is sealed and forgotten. Default 30 min.
    pub chunk_idle_period: Duration,
    /// Entries are sealed when they have been in memory for this long; half of it is how late an entry may come. Default 2 h.
    pub max_chunk_age: Duration,
    /// Bytes of entries in memory at which they are sealed. Default 256 MiB. At twice this pushes wait for sealing, at four times this
    /// (sealing fails) they are refused.
    pub seal_bytes: u64,
    /// Streams in memory at most; 0 for no limit.
    pub max_streams: u64,
    /// Segments whose last entry is older are deleted; `None` keeps them for ever.
    pub retention: Option<Duration>,
    /// How segments are written.
    pub segment: SegmentOptions,
    /// How files are written. Tests put in one that fails.
    pub fs: Arc<dyn Fs>,
}

/// Options of the write-ahead log.
#[derive(Debug, Clone)]
pub struct WalOptions {
    /// Without it, a crash loses everything since the last seal. Default true.
    pub enabled: bool,
    /// The log's folder; `wal` in the store's folder by default.
    pub dir: Option<PathBuf>,
    /// Bytes after which a new log segment is begun. Default 64 MiB.
    pub segment_bytes: u64,
    /// When the log is synced. Default at the end of a segment.
    pub sync: WalSync,
    /// How records are compressed. Default snappy.
    pub compression: WalCompression,
    /// Part of the device in use, 0 to 1, from which on pushes are refused. Default 0.9; 0 never refuses.
    pub disk_full_threshold: f64,
    /// Whether [`crate::Store::close`] seals everything, so that the next start has nothing to replay. Default false.
    pub flush_on_shutdown: bool,
}

/// Options of sealed segments.
#[derive(Debug, Clone)]
pub struct SegmentOptions {
    /// Lines in a row group at most. Default 131,072.
    pub row_group_lines: usize,
    /// Bytes of text in a row group at most. Default 64 MiB.
    pub row_group_bytes: u64,
    /// Zstandard level of a segment when it is sealed. Default 1.
    pub zstd_level: i32,
    /// Zstandard level of a merged segment. Default 3.
    pub merge_zstd_level: i32,
    /// So many small segments of one day are merged into one. Default 8; 0 never merges.
    pub merge_count: usize,
    /// A segment with this many bytes of text or more is not merged any more, and no merge makes a much larger one. Default 1 GiB.
    pub merge_bytes: u64,
}

impl StoreOptions {
    /// The defaults, for a store in `dir`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            tenant: "fake".to_owned(),
            wal: WalOptions::default(),
            chunk_idle_period: Duration::from_secs(30 * 60),
            max_chunk_age: Duration::from_secs(2 * 3600),
            seal_bytes: 256 << 20,
            max_streams: 0,
            retention: None,
            segment: SegmentOptions::default(),
            fs: Arc::new(RealFs),
        }
    }
}

impl Default for WalOptions {
    fn default() -> Self {
        Self {
            enabled: true,
            dir: None,
            segment_bytes: 64 << 20,
            sync: WalSync::default(),
            compression: WalCompression::default(),
            disk_full_threshold: 0.9,
            flush_on_shutdown: false,
        }
    }
}

impl Default for SegmentOptions {
    fn default() -> Self {
        Self {
            row_group_lines: 128 << 10,
            row_group_bytes: 64 << 20,
            zstd_level: 1,
            merge_zstd_level: 3,
            merge_count: 8,
            merge_bytes: 1 << 30,
        }
    }
}
