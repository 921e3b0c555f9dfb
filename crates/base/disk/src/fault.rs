//! A file system that fails on demand, for tests of code that has to survive it.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex},
};

use crate::{Fs, FsFile, RealFs};

/// What goes wrong from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Files cannot be created.
    Create,
    /// The device takes this many more bytes, then it is full.
    Full {
        /// Bytes that still fit.
        after: u64,
    },
    /// Every write takes at most this many bytes.
    ShortWrites {
        /// The most bytes one write takes; at least 1.
        most: usize,
    },
    /// Syncing a file or a folder fails.
    Sync,
    /// Files cannot be cut.
    Truncate,
    /// Nothing can be renamed.
    Rename,
    /// After so many more steps the device is full: nothing can be created, written, synced or renamed. Counting up from zero, a test
    /// lets each step of an operation fail in turn.
    FullAfter {
        /// Steps that still succeed.
        steps: u64,
    },
}

/// The real file system with faults put in; clones share them.
#[derive(Debug, Clone, Default)]
pub struct FaultyFs {
    faults: Arc<Mutex<Vec<Fault>>>,
}

// === impl FaultyFs ===

impl FaultyFs {
    /// Adds a fault.
    pub fn inject(&self, fault: Fault) {
        self.with(|faults| faults.push(fault));
    }

    /// Ends all faults.
    pub fn heal(&self) {
        self.with(Vec::clear);
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<Fault>) -> T) -> T {
        act(&mut self.faults.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn fail_on(&self, fault: Fault) -> io::Result<()> {
        if self.with(|faults| faults.contains(&fault)) {
            return Err(io::Error::other(format!("injected fault: {fault:?}")));
        }
        Ok(())
    }

    /// Counts a step.
    fn step(&self) -> io::Result<()> {
        self.with(|faults| {
            for fault in faults.iter_mut() {
                if let Fault::FullAfter { steps } = fault {
                    *steps =
                        steps.checked_sub(1).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOSPC))?;
                }
            }
            Ok(())
        })
    }

    /// How many of `size` bytes may be written now.
    fn admit(&self, size: usize) -> io::Result<usize> {
        self.with(|faults| {
            let mut admitted = size;
            for fault in faults.iter_mut() {
                match fault {
                    Fault::ShortWrites { most } => admitted = admitted.min((*most).max(1)),
                    Fault::Full { after } => {
                        admitted = admitted.min(usize::try_from(*after).unwrap_or(usize::MAX));
                        if admitted == 0 && size > 0 {
                            return Err(io::Error::from_raw_os_error(libc::ENOSPC));
                        }
                    }
                    _ => {}
                }
            }
            for fault in faults.iter_mut() {
                if let Fault::Full { after } = fault {
                    *after -= admitted as u64;
                }
            }
            Ok(admitted)
        })
    }
}

impl Fs for FaultyFs {
    fn create(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        self.step()?;
        self.fail_on(Fault::Create)?;
        Ok(Box::new(FaultyFile { file: RealFs.create(path)?, fs: self.clone() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        self.fail_on(Fault::Rename)?;
        RealFs.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        RealFs.remove_file(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.fail_on(Fault::Sync)?;
        RealFs.sync_dir(path)
    }
}

struct FaultyFile {
    file: Box<dyn FsFile>,
    fs: FaultyFs,
}

impl FsFile for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.fs.step()?;
        let admitted = self.fs.admit(bytes.len())?;
        let (admitted, _) = bytes.split_at(admitted);
        self.file.write_all(admitted)?;
        Ok(admitted.len())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.fs.step()?;
        self.fs.fail_on(Fault::Sync)?;
        self.file.sync()
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        self.fs.fail_on(Fault::Truncate)?;
        self.file.truncate(size)
    }
}
