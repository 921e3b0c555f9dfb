//! One thread that writes the log, and the handle by which others hand it their frames.

use std::{io, path::PathBuf, sync::Arc, thread::JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};
use disk::{Fs, FsFile};
use parking_lot::Mutex;
use streams::Stream;
use tracing::{error, warn};

use super::{WalCompression, WalSync, frame, record};
use crate::{
    files::{wal_name, wal_numbers},
    metrics::Metrics,
};

/// Pushes that may wait for the writer at once; more wait for room in the queue.
const QUEUE: usize = 1024;
/// Bytes that one write takes together at most (a single push may be longer).
const GROUP_BYTES: usize = 8 << 20;

/// Where and how the log is written.
#[derive(Clone)]
pub(crate) struct WalSettings {
    pub dir: PathBuf,
    pub segment_bytes: u64,
    pub sync: WalSync,
    pub compression: WalCompression,
    pub fs: Arc<dyn Fs>,
}

/// The log, open for writing. Shared by all pushers.
pub(crate) struct Wal {
    commands: Sender<Command>,
    compression: WalCompression,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// Why something was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WalError {
    #[error("cannot write to the write-ahead log")]
    Io(#[source] io::Error),
    #[error("write-ahead log is closed")]
    Closed,
}

type Reply<T> = Sender<Result<T, WalError>>;

enum Command {
    /// Write these frames.
    Commit { frames: Vec<u8>, reply: Reply<()> },
    /// End the current segment; answers with the number of the one that comes next.
    Rotate { reply: Reply<u64> },
    /// Remove all segments with smaller numbers.
    RemoveBefore { number: u64, reply: Reply<()> },
    /// Sync, and end.
    Stop { reply: Reply<()> },
}

// === impl Wal ===

impl Wal {
    /// Starts the writer thread. Its first segment gets the number `next`, at the first commit.
    pub(crate) fn start(settings: WalSettings, next: u64, metrics: Metrics) -> io::Result<Self> {
        let (commands, queue) = bounded(QUEUE);
        let compression = settings.compression;
        let writer = Writer { settings, next, current: None, metrics };
        let writer =
            std::thread::Builder::new().name("logstore-wal".to_owned()).spawn(move || writer.run(&queue))?;
        Ok(Self { commands, compression, writer: Mutex::new(Some(writer)) })
    }

    /// Writes the streams; when this returns, a crash of the process does not lose them.
    pub(crate) fn commit(&self, streams: &[Stream]) -> Result<(), WalError> {
        let mut frames = Vec::new();
        for payload in record::encode(streams) {
            if !frame::append_frame(&mut frames, &payload, self.compression) {
                let text = format!("a line of {} bytes is too long for the write-ahead log", payload.len());
                return Err(WalError::Io(io::Error::new(io::ErrorKind::InvalidInput, text)));
            }
        }
        self.ask(|reply| Command::Commit { frames, reply })
    }

    /// Ends the current segment. Everything committed so far lies in segments below the number returned.
    pub(crate) fn rotate(&self) -> Result<u64, WalError> {
        self.ask(|reply| Command::Rotate { reply })
    }

    /// Removes the segments below `number`.
    pub(crate) fn remove_before(&self, number: u64) -> Result<(), WalError> {
        self.ask(|reply| Command::RemoveBefore { number, reply })
    }

    /// Syncs and ends the writer thread; later calls fail.
    pub(crate) fn stop(&self) -> Result<(), WalError> {
        let result = self.ask(|reply| Command::Stop { reply });
        if let Some(writer) = self.writer.lock().take()
            && writer.join().is_err()
        {
            error!("the writer of the write-ahead log has panicked");
        }
        result
    }

    fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, WalError> {
        let (reply, answer) = bounded(1);
        self.commands.send(command(reply)).map_err(|_| WalError::Closed)?;
        answer.recv().map_err(|_| WalError::Closed)?
    }
}

/// What the thread owns.
struct Writer {
    settings: WalSettings,
    /// The number of the next segment to be begun.
    next: u64,
    current: Option<Segment>,
    metrics: Metrics,
}

/// The segment being written.
struct Segment {
    file: Box<dyn FsFile>,
    /// Bytes of whole frames.
    size: u64,
}

// === impl Writer ===

impl Writer {
    fn run(mut self, queue: &Receiver<Command>) {
        // A command that ended a group of commits and is yet to be done.
        let mut held = None;
        loop {
            let Some(command) = held.take().or_else(|| queue.recv().ok()) else {
                self.finish_segment();
                return;
            };
            match command {
                Command::Commit { frames, reply } => held = self.commit_group(queue, frames, reply),
                Command::Rotate { reply } => {
                    self.finish_segment();
                    let _ = reply.send(Ok(self.next));
                }
                Command::RemoveBefore { number, reply } => {
                    let _ = reply.send(self.remove_before(number).map_err(WalError::Io));
                }
                Command::Stop { reply } => {
                    self.finish_segment();
                    let _ = reply.send(Ok(()));
                    return;
                }
            }
        }
    }

    /// Writes `frames` together with all commits that wait behind them; returns the first command that is no commit.
    fn commit_group(
        &mut self,
        queue: &Receiver<Command>,
        mut frames: Vec<u8>,
        reply: Reply<()>,
    ) -> Option<Command> {
        let mut replies = vec![reply];
        let mut held = None;
        while frames.len() < GROUP_BYTES {
            match queue.try_recv() {
                Ok(Command::Commit { frames: more, reply }) => {
                    frames.extend_from_slice(&more);
                    replies.push(reply);
                }
                Ok(other) => {
                    held = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        let result = self.write(&frames);
        match &result {
            Ok(()) => {
                self.metrics.wal_records.inc_by(replies.len() as u64);
                self.metrics.wal_bytes.inc_by(frames.len() as u64);
            }
            Err(error) => self.count_failure(error),
        }
        for reply in replies {
            let result = match &result {
                Ok(()) => Ok(()),
                Err(error) => Err(WalError::Io(again(error))),
            };
            let _ = reply.send(result);
        }
        held
    }

    fn write(&mut self, frames: &[u8]) -> io::Result<()> {
        let mut segment = match self.current.take() {
            Some(segment) => segment,
            None => self.begin_segment()?,
        };
        let written = segment.file.write_all(frames);
        if let Err(error) = written {
            // Part of the frames may be there: cut it off, or leave the segment to the replay, which cuts torn tails.
            match segment.file.truncate(segment.size) {
                Ok(()) => self.current = Some(segment),
                Err(error) => {
                    warn!(%error, "cannot cut a failed write off the write-ahead log, beginning a new segment")
                }
            }
            return Err(error);
        }
        if self.settings.sync == WalSync::Commit {
            // After a failed sync nothing is known about the file: it is not written to again.
            segment.file.sync()?;
        }
        segment.size += frames.len() as u64;
        let full = segment.size >= self.settings.segment_bytes;
        self.current = Some(segment);
        if full {
            self.finish_segment();
        }
        Ok(())
    }

    fn begin_segment(&mut self) -> io::Result<Segment> {
        let number = self.next;
        let header = frame::segment_header(number);
        let path = self.settings.dir.join(wal_name(number));
        let mut file = self.settings.fs.create(&path)?;
        self.next += 1;
        file.write_all(&header)?;
        if self.settings.sync == WalSync::Commit {
            file.sync()?;
            self.settings.fs.sync_dir(&self.settings.dir)?;
        }
        Ok(Segment { file, size: header.len() as u64 })
    }

    fn finish_segment(&mut self) {
        let Some(mut segment) = self.current.take() else {
            return;
        };
        let synced = segment.file.sync().and_then(|()| self.settings.fs.sync_dir(&self.settings.dir));
        if let Err(error) = synced {
            warn!(%error, "cannot sync a finished segment of the write-ahead log");
        }
    }

    fn remove_before(&mut self, number: u64) -> io::Result<()> {
        for old in wal_numbers(&self.settings.dir)? {
            if old < number {
                self.settings.fs.remove_file(&self.settings.dir.join(wal_name(old)))?;
            }
        }
        Ok(())
    }

    fn count_failure(&self, error: &io::Error) {
        if disk::is_disk_full(error) {
            self.metrics.wal_disk_full.inc();
        }
    }
}

/// The same error for another pusher of the group.
fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}
