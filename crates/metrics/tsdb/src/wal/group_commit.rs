//! The one writer of a log. Committing threads hand over finished records and wait; whoever comes first writes for all that wait.
//!
//! Series records take another way: a new series is announced with [`Wal::announce`] before anyone can append to it, and every write
//! begins with the announcements so far. So no sample is ever in the log before its series, whichever thread commits first.
//!
//! *Threading*: all methods may be called from any thread. [`Wal::announce`] takes the queue's lock only and never waits for the disk.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use disk::{Fs, is_disk_full};
use model::Labels;
use parking_lot::{Condvar, Mutex};
use storage::CommitError;

use super::{
    compression::{Compression, WalRecord},
    record,
    segments::WalLayout,
    writer::{SegmentWriter, WriteFailure},
};
use crate::metrics::WalMetrics;

/// Series in one record: more make larger records, not smaller logs.
const SERIES_PER_RECORD: usize = 1024;

/// How a log is written.
#[derive(Debug, Clone)]
pub(crate) struct WalOptions {
    /// Bytes in a segment.
    pub(crate) segment_size: u64,
    /// Compression of records.
    pub(crate) compression: Compression,
    /// Whether each commit waits for the device, not only for the page cache.
    pub(crate) sync_on_commit: bool,
}

/// The writer.
pub(crate) struct Wal {
    dir: PathBuf,
    options: WalOptions,
    metrics: WalMetrics,
    queue: Mutex<Queue>,
    done: Condvar,
    writer: Mutex<SegmentWriter>,
}

/// What waits to be written, and how earlier rounds of writing ended.
#[derive(Default)]
struct Queue {
    announced: Vec<(u64, Labels)>,
    records: Vec<WalRecord>,
    /// Commits in `records`.
    commits: usize,
    /// The round that the records will be written in.
    round: u64,
    /// All rounds below this one are over.
    finished: u64,
    /// Someone is writing.
    busy: bool,
    /// Rounds that failed, until each of their commits knows.
    failed: Vec<FailedRound>,
    /// Why nothing can be written any more.
    broken: Option<Arc<io::Error>>,
    closed: bool,
}

struct FailedRound {
    round: u64,
    untold: usize,
    error: Arc<io::Error>,
}

// === impl Wal ===

impl Wal {
    /// Starts a new segment behind those that `layout` names; what is there stays as it is.
    pub(crate) fn create(
        fs: Arc<dyn Fs>,
        dir: &Path,
        layout: &WalLayout,
        options: WalOptions,
        metrics: WalMetrics,
    ) -> io::Result<Self> {
        let index = layout.last.map_or(0, |last| last + 1);
        let writer = SegmentWriter::create(fs, dir, index, options.segment_size)?;
        metrics.segment_current.set(index as i64);
        Ok(Self {
            dir: dir.to_owned(),
            options,
            metrics,
            queue: Mutex::default(),
            done: Condvar::new(),
            writer: Mutex::new(writer),
        })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn compression(&self) -> Compression {
        self.options.compression
    }

    /// Announces a series. To be called before the series can be found by anyone who might commit a sample of it.
    pub(crate) fn announce(&self, series_ref: u64, labels: Labels) {
        self.queue.lock().announced.push((series_ref, labels));
    }

    /// Writes the records and everything announced. When this returns they survive the death of the process, and that of the machine
    /// too with `sync_on_commit`. After an error nobody may count on them.
    pub(crate) fn commit(&self, records: Vec<WalRecord>) -> Result<(), CommitError> {
        let mut queue = self.queue.lock();
        if queue.closed {
            return Err(CommitError::Closed);
        }
        if let Some(error) = &queue.broken {
            return Err(CommitError::Log(shared(error)));
        }
        queue.records.extend(records);
        queue.commits += 1;
        let round = queue.round;
        loop {
            if queue.finished > round {
                return queue.outcome(round);
            }
            if queue.busy {
                self.done.wait(&mut queue);
                continue;
            }
            self.write_round(&mut queue);
        }
    }

    /// The segment that is being written, and the bytes in it.
    pub(crate) fn position(&self) -> (u64, u64) {
        let writer = self.writer.lock();
        (writer.index(), writer.offset())
    }

    /// Writes what was announced, ends the current segment durably and starts the next; returns the number of the new one.
    pub(crate) fn next_segment(&self) -> Result<u64, CommitError> {
        self.commit(Vec::new())?;
        let mut writer = self.writer.lock();
        let result = writer.next_segment();
        let index = writer.index();
        drop(writer);
        self.metrics.segment_current.set(index as i64);
        result.map(|()| index).map_err(|failure| {
            let (error, broken) = match failure {
                WriteFailure::Clean(error) => (error, false),
                WriteFailure::Broken(error) => (error, true),
            };
            let error = Arc::new(error);
            if broken {
                self.queue.lock().broken = Some(Arc::clone(&error));
            }
            commit_error(&error)
        })
    }

    /// Writes what was announced and syncs. Later commits are refused.
    pub(crate) fn close(&self) -> Result<(), CommitError> {
        let result = self.commit(Vec::new());
        self.queue.lock().closed = true;
        let sync = self.writer.lock().sync().map_err(CommitError::Log);
        match result {
            Err(CommitError::Closed) => Ok(()),
            result => result.and(sync),
        }
    }

    /// Why nothing can be written any more, if so.
    pub(crate) fn broken(&self) -> Option<String> {
        let queue = self.queue.lock();
        queue.broken.as_ref().map(ToString::to_string)
    }

    /// Takes everything that waits and writes it, with the queue unlocked meanwhile.
    fn write_round(&self, queue: &mut parking_lot::MutexGuard<'_, Queue>) {
        queue.busy = true;
        let round = queue.round;
        queue.round += 1;
        let records = std::mem::take(&mut queue.records);
        let announced = std::mem::take(&mut queue.announced);
        let commits = std::mem::take(&mut queue.commits);
        let already_broken = queue.broken.clone();
        let result = parking_lot::MutexGuard::unlocked(queue, || match already_broken {
            Some(error) => Err((error, true)),
            None => self.write(&announced, &records).map_err(|failure| match failure {
                WriteFailure::Clean(error) => (Arc::new(error), false),
                WriteFailure::Broken(error) => (Arc::new(error), true),
            }),
        });
        if let Err((error, broken)) = result {
            self.metrics.writes_failed.inc();
            // The series stay known in memory, so their records must come before the next sample.
            let later = std::mem::replace(&mut queue.announced, announced);
            queue.announced.extend(later);
            if broken {
                queue.broken = Some(Arc::clone(&error));
            }
            queue.failed.push(FailedRound { round, untold: commits, error });
        }
        queue.finished = round + 1;
        queue.busy = false;
        self.done.notify_all();
    }

    fn write(&self, announced: &[(u64, Labels)], records: &[WalRecord]) -> Result<(), WriteFailure> {
        let series: Vec<WalRecord> = announced
            .chunks(SERIES_PER_RECORD)
            .map(|series| WalRecord::new(record::encode_series(series), self.options.compression))
            .collect();
        let mut writer = self.writer.lock();
        let before = writer.index();
        writer.append(series.iter().chain(records))?;
        if self.options.sync_on_commit {
            writer.sync().map_err(WriteFailure::Broken)?;
        }
        if writer.index() != before {
            self.metrics.segment_current.set(writer.index() as i64);
        }
        self.metrics.current_segment_bytes.set(writer.offset() as i64);
        Ok(())
    }
}

// === impl Queue ===

impl Queue {
    /// How a finished round ended, told to one of its commits.
    fn outcome(&mut self, round: u64) -> Result<(), CommitError> {
        let Some(at) = self.failed.iter().position(|failed| failed.round == round) else {
            return Ok(());
        };
        let failed = &mut self.failed[at];
        failed.untold = failed.untold.saturating_sub(1);
        let error = commit_error(&failed.error);
        if failed.untold == 0 {
            self.failed.swap_remove(at);
        }
        Err(error)
    }
}

fn commit_error(error: &Arc<io::Error>) -> CommitError {
    if is_disk_full(error) { CommitError::DiskFull(shared(error)) } else { CommitError::Log(shared(error)) }
}

/// The same error for another commit of the round.
fn shared(error: &Arc<io::Error>) -> io::Error {
    io::Error::new(error.kind(), Arc::clone(error))
}
