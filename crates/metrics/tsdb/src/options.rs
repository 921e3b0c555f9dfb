//! What can be set, and the values Prometheus has for it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use disk::{Fs, RealFs};

use crate::{Compression, ReplayProgress};

/// How chunks of floats are written; all are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FloatEncoding {
    /// Every Prometheus reads it.
    #[default]
    Xor,
    /// Takes a bit where a sample is as expected; only the newest versions of Prometheus read it.
    Xor2,
}

/// How a database is opened.
#[derive(Clone)]
pub struct DbOptions {
    /// The data folder (`--storage.tsdb.path`); created if missing.
    pub dir: PathBuf,
    /// How long samples are kept (`--storage.tsdb.retention.time`); zero means for ever. Default 15 days.
    pub retention_time: Duration,
    /// Most bytes of blocks, log and head together (`--storage.tsdb.retention.size`); 0 means no limit. Default 0.
    pub retention_size: u64,
    /// Most bytes of the same as a share of the file system, in percent (`storage.tsdb.retention.percentage`); comes before the size.
    /// 0 means no limit. Default 0.
    pub retention_percentage: f64,
    /// The time range of the first blocks (`--storage.tsdb.min-block-duration`). Default 2 h.
    pub min_block_duration: Duration,
    /// The widest time range of merged blocks (`--storage.tsdb.max-block-duration`); zero means a tenth of the retention time, at most
    /// 31 days. Default zero.
    pub max_block_duration: Duration,
    /// How much older than the newest sample a sample may be and still be taken out of order (`storage.tsdb.out_of_order_time_window`);
    /// [`crate::Db::set_out_of_order_window`] changes it later. Default zero: none is.
    pub out_of_order_time_window: Duration,
    /// How chunks of floats are written (`storage.tsdb.chunk_encoding.floats`); [`crate::Db::set_float_encoding`] changes it later.
    pub float_encoding: FloatEncoding,
    /// Most series in memory; a sample of one more is refused, known series go on. 0 means no limit. Default 0.
    pub max_series: u64,
    /// Most exemplars kept in memory, for all series together; 0 keeps none. Default 0.
    pub max_exemplars: usize,
    /// Compression of the write-ahead log (`--storage.tsdb.wal-compression-type`).
    pub wal_compression: Compression,
    /// Bytes in a segment of the write-ahead log (`--storage.tsdb.wal-segment-size`). Default 128 MiB.
    pub wal_segment_size: u64,
    /// Whether each commit waits until its samples are on the device. Off, as in Prometheus: an acknowledged sample then survives the
    /// death of the process, but not that of the machine.
    pub wal_sync_on_commit: bool,
    /// Whether the folder is not locked (`--storage.tsdb.no-lockfile`). Default false.
    pub no_lockfile: bool,
    /// How long housekeeping waits for batches and queries that stand in its way before it leaves the rest to its next round. Default
    /// one minute.
    pub patience: Duration,
    /// Where the progress of reading the log is told while [`crate::Db::open`] runs.
    pub replay_progress: Arc<ReplayProgress>,
    /// The file system durable files are written through.
    pub fs: Arc<dyn Fs>,
}

// === impl DbOptions ===

impl DbOptions {
    /// The defaults, for data in `dir`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        const HOUR: u64 = 3600;
        Self {
            dir: dir.into(),
            retention_time: Duration::from_secs(15 * 24 * HOUR),
            retention_size: 0,
            retention_percentage: 0.0,
            min_block_duration: Duration::from_secs(2 * HOUR),
            max_block_duration: Duration::ZERO,
            out_of_order_time_window: Duration::ZERO,
            float_encoding: FloatEncoding::default(),
            max_series: 0,
            max_exemplars: 0,
            wal_compression: Compression::default(),
            wal_segment_size: 128 << 20,
            wal_sync_on_commit: false,
            no_lockfile: false,
            patience: Duration::from_secs(60),
            replay_progress: Arc::default(),
            fs: Arc::new(RealFs),
        }
    }
}
