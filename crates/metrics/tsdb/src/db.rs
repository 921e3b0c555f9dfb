//! The database: a head, its log and the blocks, in one folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use disk::{DirLock, remove_leftovers};
use model::{Labels, Matcher, Millis};
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use storage::{Appendable, Appender, CommitError, Exemplar, Querier, QueryError, Queryable};
use tracing::{info, warn};

use crate::{
    BlockMeta, DbOptions, FloatEncoding, OpenError, TsdbStatus, UnreadableBlock,
    block::BlockQuerier,
    blocks::Blocks,
    filenames,
    head::{Head, HeadAppender, HeadOptions, HeadQuerier, Pending, RawBatch, UncheckedNote},
    head_chunks::{FoundChunks, HeadChunks},
    metrics::Metrics,
    query::{DbQuerier, Part},
    status,
    wal::{Wal, WalLayout, WalOptions, last_ref},
};

/// A time series database in a folder that a Prometheus can open as well, though not at the same time.
///
/// *Threading*: everything may be called from any thread; nothing blocks for longer than a disk access but [`Db::maintain`], which is to
/// be called about once a minute on a thread of its own, and [`Db::map_chunks`], about once a second.
pub struct Db {
    pub(crate) options: DbOptions,
    pub(crate) metrics: Metrics,
    pub(crate) head: Arc<Head>,
    pub(crate) blocks: Blocks,
    /// Held by whoever does housekeeping: until which time (exclusive) the head is in blocks already.
    pub(crate) maintenance: Mutex<Millis>,
    closed: AtomicBool,
    /// The log of earlier runs, until it is replayed.
    pending: Mutex<Option<Pending>>,
    unchecked: UncheckedNote,
    _lock: Option<DirLock>,
}

// === impl Db ===

impl Db {
    /// Opens or makes the database: locks the folder, removes what an earlier run left unfinished, and reads the log.
    ///
    /// Reading the log takes a while; who wants to serve meanwhile calls [`Db::start`] and [`Db::replay`].
    pub fn open(options: DbOptions, registry: &mut Registry) -> Result<Self, OpenError> {
        let db = Self::start(options, registry)?;
        db.replay()?;
        Ok(db)
    }

    /// As [`Db::open`], but the log is not read yet: samples are taken, and become visible with those of the log at the end of
    /// [`Db::replay`], which is to be called next. Queries find what is in blocks.
    pub fn start(options: DbOptions, registry: &mut Registry) -> Result<Self, OpenError> {
        check(&options)?;
        let dir = options.dir.clone();
        let wal_dir = dir.join(filenames::WAL);
        fs::create_dir_all(&wal_dir).map_err(io_error(&wal_dir))?;
        let lock = match options.no_lockfile {
            true => None,
            false => Some(DirLock::acquire(&dir, filenames::LOCK)?),
        };
        let wbl_dir = dir.join(filenames::WBL);
        for folder in [&dir, &wal_dir, &wbl_dir].into_iter().filter(|folder| folder.is_dir()) {
            remove_leftovers(folder).map_err(io_error(folder))?;
        }
        let metrics = Metrics::new(registry);
        metrics.blocks.retention_limit_bytes.set(options.retention_size as i64);
        metrics.blocks.retention_limit_seconds.set(options.retention_time.as_secs() as i64);
        metrics.blocks.retention_limit_percentage.set(options.retention_percentage);
        let blocks = Blocks::open(&dir, metrics.blocks.clone()).map_err(io_error(&dir))?;
        let min_valid_time = blocks.in_order_max_time().unwrap_or(Millis::MIN);
        let (chunk_files, found) = open_head_chunks(&options, &metrics)?;
        let head =
            Arc::new(Head::new(head_options(&options), min_valid_time, chunk_files, metrics.head.clone()));
        let layout = start_log(&head, &found, &wal_dir, &options, &metrics)?;
        let late = WalLayout::read(&wbl_dir).map_err(io_error(&wbl_dir))?;
        let window = options.out_of_order_time_window;
        let had_late = late.last.is_some();
        let note = wbl_dir.join(filenames::UNCHECKED);
        let own = layout.last.map_or(0, |last| last + 1);
        let unchecked =
            UncheckedNote::open(Arc::clone(&options.fs), note, own).map_err(io_error(&wbl_dir))?;
        let pending = Pending { layout, found, late, unchecked_since: unchecked.found() };
        let db = Self {
            options,
            metrics,
            head,
            blocks,
            maintenance: Mutex::new(min_valid_time),
            closed: AtomicBool::new(false),
            pending: Mutex::new(Some(pending)),
            unchecked,
            _lock: lock,
        };
        if had_late {
            db.start_late_log()?;
        }
        db.set_float_encoding(db.options.float_encoding);
        db.set_out_of_order_window(window)?;
        Ok(db)
    }

    /// Reads the log, once; the second call does nothing. Blocks until everything is there, minutes after an unclean end of a large
    /// database: `options.replay_progress` tells how far it is. After an error the database must not be used any more.
    ///
    /// Where the log has more than memory is to hold, blocks are written meanwhile. Housekeeping waits.
    pub fn replay(&self) -> Result<(), OpenError> {
        let mut written_until = self.maintenance.lock();
        let Some(pending) = self.pending.lock().take() else { return Ok(()) };
        let start = Instant::now();
        let segments = pending.layout.segments.len();
        info!(segments, path = %self.options.dir.join(filenames::WAL).display(), "replaying the write-ahead log");
        let make_room = || {
            if let Err(error) = self.write_due_blocks(&mut written_until) {
                let cause: &dyn std::error::Error = &error;
                warn!(error = cause, "cannot write a block while replaying the log, going on without");
            }
        };
        self.head
            .replay(pending, &self.options.replay_progress, &self.metrics.wal, make_room)
            .map_err(OpenError::Replay)?;
        if !self.head.out_of_order().has_unlogged() {
            self.unchecked.remove().map_err(io_error(self.unchecked.path()))?;
        }
        self.metrics.wal.replay_seconds.set(start.elapsed().as_secs_f64());
        Ok(())
    }

    /// Sets how much older than the newest sample a sample may be and still be taken out of order; zero takes none. Batches under way go
    /// on by what was set when they began. After an error the window is as it was.
    pub fn set_out_of_order_window(&self, window: Duration) -> Result<(), OpenError> {
        if !window.is_zero() {
            self.start_late_log()?;
            if self.is_replaying() {
                self.unchecked.write().map_err(io_error(self.unchecked.path()))?;
            }
        }
        self.head.out_of_order().set_window(millis(window));
        Ok(())
    }

    /// Sets how chunks of floats are written from now on.
    pub fn set_float_encoding(&self, encoding: FloatEncoding) {
        self.head.set_float_encoding(encoding);
    }

    /// Makes the log of out-of-order samples, behind what is there of it.
    fn start_late_log(&self) -> Result<(), OpenError> {
        let dir = self.options.dir.join(filenames::WBL);
        let create = || {
            fs::create_dir_all(&dir)?;
            let layout = WalLayout::read(&dir)?;
            let fs = Arc::clone(&self.options.fs);
            Wal::create(fs, &dir, &layout, wal_options(&self.options), self.metrics.wbl.clone())
        };
        self.head.out_of_order().start_log(create).map_err(io_error(&dir))
    }

    /// Whether [`Db::replay`] is still to end.
    pub fn is_replaying(&self) -> bool {
        !self.head.is_live()
    }

    /// Ends the log and refuses further batches. Queries go on until the database is dropped.
    pub fn close(&self) -> Result<(), CommitError> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        // The next start has less to read.
        self.map_chunks();
        let logs = [self.head.wal(), self.head.out_of_order().log()];
        let results = logs.map(|log| log.map_or(Ok(()), Wal::close));
        results.into_iter().collect()
    }

    /// Starts a batch of remote write, which knows its series by the bytes the client sent.
    pub fn raw_batch(&self) -> RawBatch<'_> {
        RawBatch::new(&self.head)
    }

    /// The data folder.
    pub fn dir(&self) -> &Path {
        &self.options.dir
    }

    /// Times of the oldest and the newest sample, milliseconds; none while there is no sample.
    pub fn time_range(&self) -> Option<(Millis, Millis)> {
        let blocks = self.blocks.min_time().zip(self.blocks.max_time().map(|end| end - 1));
        let ranges = self.head.time_ranges().chain(blocks);
        ranges.reduce(|(min, max), (first, last)| (min.min(first), max.max(last)))
    }

    /// The descriptions of all blocks, in order of time.
    pub fn blocks(&self) -> Vec<BlockMeta> {
        self.blocks.list().iter().map(|block| block.meta().clone()).collect()
    }

    /// The blocks that cannot be opened and are left out.
    pub fn unreadable_blocks(&self) -> Vec<UnreadableBlock> {
        self.blocks.unreadable()
    }

    /// Number of series in memory.
    pub fn series_count(&self) -> u64 {
        self.head.series_count()
    }

    /// Why no sample can be taken any more, if that is so: writing the log failed and nobody knows what is in it. Reads go on.
    pub fn write_failure(&self) -> Option<String> {
        let logs = [self.head.wal(), self.head.out_of_order().log()];
        logs.into_iter().flatten().find_map(Wal::broken)
    }

    /// How often damage was found in the log since the start: what `corruptionCount` in the runtime information tells.
    pub fn wal_corruptions(&self) -> u64 {
        self.metrics.wal.corruptions.get()
    }

    /// Where the series in memory come from; `limit` is the length of each list.
    pub fn status(&self, limit: usize) -> TsdbStatus {
        let chunks = self.metrics.head.chunks.get().max(0) as u64;
        status::status(&self.head, chunks, limit)
    }

    /// Exemplars in `[start, end]` (milliseconds) of the series that satisfy one of the selectors, oldest first, by series.
    pub fn exemplars(
        &self,
        selectors: &[Vec<Matcher>],
        start: Millis,
        end: Millis,
    ) -> Vec<(Labels, Vec<Exemplar>)> {
        let mut all: std::collections::BTreeMap<Labels, Vec<Exemplar>> = std::collections::BTreeMap::new();
        let ring = self.head.exemplars();
        for stored in ring.iter().filter(|stored| (start..=end).contains(&stored.timestamp)) {
            let labels = stored.series.labels();
            if selectors.iter().any(|matchers| Head::satisfies(labels, matchers)) {
                all.entry(labels.clone())
                    .or_default()
                    .push(Exemplar { timestamp: Some(stored.timestamp), ..stored.exemplar.clone() });
            }
        }
        all.into_iter().collect()
    }
}

impl Appendable for Db {
    fn appender(&self) -> Box<dyn Appender + '_> {
        Box::new(HeadAppender::new(&self.head))
    }
}

impl Queryable for Db {
    fn querier(&self, min_time: Millis, max_time: Millis) -> Result<Box<dyn Querier>, QueryError> {
        // The view first: what is in blocks by then, the view need not keep in memory.
        let view = Arc::new(self.head.isolation().view(min_time));
        let mut parts: Vec<Box<dyn Part>> = Vec::new();
        for block in self.blocks.list().iter().filter(|block| block.overlaps(min_time, max_time)) {
            parts.push(Box::new(BlockQuerier::new(Arc::clone(block), min_time, max_time)));
        }
        if self.head.is_live() && self.head.overlaps(min_time, max_time) {
            parts.push(Box::new(HeadQuerier::new(Arc::clone(&self.head), view, min_time, max_time)));
        }
        Ok(Box::new(DbQuerier::new(parts)))
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            warn!(%error, "write-ahead log was not closed cleanly");
        }
    }
}

fn check(options: &DbOptions) -> Result<(), OpenError> {
    if options.min_block_duration < Duration::from_millis(2) {
        return Err(OpenError::Option("min block duration must be at least 2 ms".to_owned()));
    }
    if !(0.0..=100.0).contains(&options.retention_percentage) {
        return Err(OpenError::Option("retention percentage must be between 0 and 100".to_owned()));
    }
    Ok(())
}

fn head_options(options: &DbOptions) -> HeadOptions {
    HeadOptions {
        chunk_range: millis(options.min_block_duration),
        max_series: options.max_series,
        max_exemplars: options.max_exemplars,
        wal_compression: options.wal_compression,
    }
}

fn open_head_chunks(options: &DbOptions, metrics: &Metrics) -> Result<(HeadChunks, FoundChunks), OpenError> {
    let dir = options.dir.join(filenames::CHUNKS_HEAD);
    HeadChunks::open(Arc::clone(&options.fs), &dir, metrics.head_chunks.clone()).map_err(io_error(&dir))
}

/// Starts a new segment of the log behind those that are there, which are still to be read.
fn start_log(
    head: &Head,
    found: &FoundChunks,
    wal_dir: &Path,
    options: &DbOptions,
    metrics: &Metrics,
) -> Result<WalLayout, OpenError> {
    let layout = WalLayout::read(wal_dir).map_err(io_error(wal_dir))?;
    // A chunk may be of a series that the log has lost: another series under its number would be taken for it.
    let last_ref = last_ref(&layout).map_err(OpenError::Replay)?.max(found.last_ref);
    let wal_options = wal_options(options);
    let wal = Wal::create(Arc::clone(&options.fs), wal_dir, &layout, wal_options, metrics.wal.clone());
    head.start_logging(wal.map_err(io_error(wal_dir))?, last_ref);
    Ok(layout)
}

fn wal_options(options: &DbOptions) -> WalOptions {
    WalOptions {
        segment_size: options.wal_segment_size,
        compression: options.wal_compression,
        sync_on_commit: options.wal_sync_on_commit,
    }
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path: PathBuf = path.to_owned();
    move |source| OpenError::Io { path, source }
}

pub(crate) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}
