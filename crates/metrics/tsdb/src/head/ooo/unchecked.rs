//! Remembers from where on the write-ahead log has samples that nobody could check.
//!
//! While the head loads, batches go to that log and nowhere else; which of their samples are out of order shows when the replay comes to
//! them, and only then are those written to their own log. A run that ends before that leaves a note behind: the next one looks for
//! samples out of order in that part of the log, too.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use disk::{Fs, write_atomic};
use tracing::warn;

/// The note, a file with the number of a segment in it.
pub(crate) struct UncheckedNote {
    fs: Arc<dyn Fs>,
    path: PathBuf,
    /// What an earlier run has left.
    found: Option<u64>,
    /// Where this run's part of the log begins.
    own: u64,
}

// === impl UncheckedNote ===

impl UncheckedNote {
    /// Reads what is in the file, if there is one. This run writes from segment `own` on.
    pub(crate) fn open(fs: Arc<dyn Fs>, path: PathBuf, own: u64) -> io::Result<Self> {
        let found = match fs::read_to_string(&path) {
            Ok(text) => Some(text.trim().parse().unwrap_or_else(|_| {
                warn!(path = %path.display(), "no number of a segment is in the file: looking through the whole log");
                0
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Some(0),
            Err(error) => return Err(error),
        };
        Ok(Self { fs, path, found, own })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The segment from which on an earlier run had no time to check samples.
    pub(crate) fn found(&self) -> Option<u64> {
        self.found
    }

    /// Notes that nothing is checked of what this run writes, nor of what was found.
    pub(crate) fn write(&self) -> io::Result<()> {
        let first = self.found.map_or(self.own, |found| found.min(self.own));
        write_atomic(&*self.fs, &self.path, first.to_string().as_bytes())
    }

    /// Everything is checked.
    pub(crate) fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
