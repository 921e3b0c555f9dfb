//! Reading the log back after a crash.
//!
//! - Frames that are whole are handed on in order.
//! - **Torn tail**: after the last whole frame of a segment there may be part of a frame, from a write that never was acknowledged. It is
//!   counted and cut off the file.
//! - **Damage in the middle**: bytes that are no frame, with whole frames behind them. They are copied into a file beside the log, named
//!   in the log output and counted; reading goes on at the next whole frame.
//! - A file without a whole segment header holds nothing that was acknowledged, or has lost its beginning: it is searched for frames all
//!   the same.
//!
//! Only failing to read a file at all is fatal: starting without data that is there would be worse than not starting.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use streams::Stream;
use tracing::{info, warn};

use super::{
    frame::{self, FRAME_HEADER, MARKER, Parsed, SEGMENT_HEADER},
    record,
};
use crate::files::{damaged_name, wal_name, wal_numbers};

/// What replay found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// Log segments read.
    pub segments: u64,
    /// Frames handed on.
    pub records: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Segments whose end was torn.
    pub torn_tails: u64,
    /// Bytes cut off torn ends.
    pub torn_bytes: u64,
    /// What was damaged and is set aside.
    pub damaged: Vec<Damage>,
}

/// A damaged stretch of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The segment's file.
    pub segment: PathBuf,
    /// Where in it.
    pub offset: u64,
    /// How many bytes.
    pub bytes: u64,
    /// What is wrong.
    pub reason: &'static str,
}

/// Why replay stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError<E: std::error::Error + 'static> {
    #[error("cannot read `{}`", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Sink(E),
}

/// Reads all segments in `dir` from number `from` on and hands their records to `sink`, with the number of the segment they came from.
///
/// Returns what was found, and the number the next new segment may have.
pub(crate) fn replay<E: std::error::Error + 'static>(
    dir: &Path,
    from: u64,
    mut sink: impl FnMut(u64, Vec<Stream>) -> Result<(), E>,
) -> Result<(ReplayReport, u64), ReplayError<E>> {
    let numbers = wal_numbers(dir).map_err(|source| ReplayError::Read { path: dir.to_owned(), source })?;
    let next = numbers.last().map_or(1, |last| last + 1).max(from);
    let wanted: Vec<u64> = numbers.into_iter().filter(|number| *number >= from).collect();
    let mut report = ReplayReport::default();
    for (done, number) in wanted.iter().enumerate() {
        let path = dir.join(wal_name(*number));
        let bytes: Bytes = match fs::read(&path) {
            Ok(bytes) => bytes.into(),
            Err(source) => return Err(ReplayError::Read { path, source }),
        };
        report.segments += 1;
        report.bytes += bytes.len() as u64;
        let mut walk = Walk { number: *number, path: &path, bytes: &bytes, report: &mut report };
        walk.run(&mut sink).map_err(ReplayError::Sink)?;
        info!(segment = number, done = done + 1, of = wanted.len(), "write-ahead log segment replayed");
    }
    Ok((report, next))
}

/// One segment's reading.
struct Walk<'a> {
    number: u64,
    path: &'a Path,
    bytes: &'a Bytes,
    report: &'a mut ReplayReport,
}

// === impl Walk ===

impl Walk<'_> {
    fn run<E>(&mut self, sink: &mut impl FnMut(u64, Vec<Stream>) -> Result<(), E>) -> Result<(), E> {
        let mut at = if frame::is_segment_header(self.bytes, self.number) { SEGMENT_HEADER } else { 0 };
        while at < self.bytes.len() {
            match frame::parse_frame(self.bytes, at) {
                Parsed::Frame { payload, next } => {
                    match record::decode(&payload) {
                        Ok(streams) => {
                            self.report.records += 1;
                            sink(self.number, streams)?;
                        }
                        Err(_) => self.set_aside(at, next, "record is malformed"),
                    }
                    at = next;
                }
                // At the very end this is a tail that was torn after its header, else damage.
                Parsed::BadPayload { reason, next } if next < self.bytes.len() => {
                    self.set_aside(at, next, reason);
                    at = next;
                }
                Parsed::BadPayload { .. } | Parsed::BadHeader => match self.next_frame(at + 1) {
                    Some(next) => {
                        self.set_aside(at, next, "no frame where one should be");
                        at = next;
                    }
                    None => {
                        self.cut(at);
                        return Ok(());
                    }
                },
            }
        }
        Ok(())
    }

    /// Where the next frame with a good header lies, from `at` on.
    fn next_frame(&self, at: usize) -> Option<usize> {
        let rest = self.bytes.get(at..)?;
        memchr::memmem::find_iter(rest, &MARKER)
            .map(|offset| at + offset)
            .take_while(|start| start + FRAME_HEADER <= self.bytes.len())
            .find(|start| !matches!(frame::parse_frame(self.bytes, *start), Parsed::BadHeader))
    }

    fn cut(&mut self, at: usize) {
        let torn = (self.bytes.len() - at) as u64;
        self.report.torn_tails += 1;
        self.report.torn_bytes += torn;
        warn!(path = %self.path.display(), offset = at, bytes = torn, "cutting the torn end of the write-ahead log");
        let result =
            fs::OpenOptions::new().write(true).open(self.path).and_then(|file| file.set_len(at as u64));
        if let Err(error) = result {
            // The next replay finds and cuts the same tail.
            warn!(%error, path = %self.path.display(), "cannot cut the torn end of the write-ahead log");
        }
    }

    fn set_aside(&mut self, from: usize, to: usize, reason: &'static str) {
        let damage =
            Damage { segment: self.path.to_owned(), offset: from as u64, bytes: (to - from) as u64, reason };
        let copy = self.path.with_file_name(damaged_name(self.number, damage.offset));
        warn!(
            path = %self.path.display(), offset = damage.offset, bytes = damage.bytes, reason, copy = %copy.display(),
            "part of the write-ahead log is damaged and set aside"
        );
        if let Err(error) = fs::write(&copy, &self.bytes[from..to]) {
            warn!(%error, copy = %copy.display(), "cannot keep a copy of the damaged part");
        }
        self.report.damaged.push(damage);
    }
}
