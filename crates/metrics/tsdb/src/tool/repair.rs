//! Finds damage in a data folder and mends what can be mended.
//!
//! A database starts with any damage: it leaves out blocks that cannot be opened and cuts its log. What it does not do is to bring back
//! what such a block still has, or to give up for good what is lost; that is an operator's decision.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use disk::{DirLock, Fs, LockError, is_temporary, remove_dir_atomic};

use crate::{
    BlockError, Remains,
    block::{Block, Salvage},
    blocks::block_dirs,
    error::chain,
    filenames,
    retention::replaced,
    wal::{self, ReadError, SegmentReader, WalLayout},
};

/// What was looked at, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Examination {
    /// Blocks without damage.
    pub healthy_blocks: Vec<PathBuf>,
    /// Segments of the log without damage, those of checkpoints too.
    pub healthy_segments: u64,
    /// Everything else.
    pub findings: Vec<Finding>,
}

/// Something that is wrong, and what can be done about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problems: Vec<String>,
    /// What can be done.
    pub remedy: Remedy,
}

/// What can be done about damage.
#[derive(Debug, Clone, PartialEq)]
pub enum Remedy {
    /// Write the block anew with what can be read, and set the damaged one aside.
    Rebuild(Remains),
    /// Nothing of the block can be read: set it aside.
    SetAside,
    /// Cut the segment of the log.
    Cut {
        /// Bytes that stay: up to the last whole record.
        keep: u64,
        /// Bytes it has.
        size: u64,
        /// Whether the whole file is kept beside it: the torn end of the last segment is no loss.
        keep_copy: bool,
    },
    /// Remove it: it was not finished, or another block has all of it.
    Remove,
    /// Nothing: a later version made it, for all we know without damage.
    Leave,
}

/// What came of a remedy.
#[derive(Debug)]
pub struct Repaired {
    /// What was wrong.
    pub finding: Finding,
    /// The folders that came to be: the new block, and the one that was set aside. Or why it is as it was.
    pub outcome: Result<Vec<PathBuf>, RepairError>,
}

/// Why a folder was not examined or mended.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// A database has it open.
    #[error("stop the process that uses the folder first")]
    Lock(#[from] LockError),
    /// A file or folder could not be read or changed.
    #[error("cannot use `{}`", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The new block could not be written.
    #[error("cannot write the block anew")]
    Rebuild(#[from] BlockError),
    /// The log could not be read.
    #[error("cannot read the write-ahead log")]
    Log(#[from] ReadError),
}

/// Reads everything in the database's folder; changes nothing.
pub fn examine(dir: &Path) -> Result<Examination, RepairError> {
    let mut examination = Examination::default();
    for folder in [dir.to_owned(), dir.join(filenames::WAL)] {
        examination.findings.extend(unfinished(&folder)?);
    }
    let dirs = block_dirs(dir).map_err(io_error(dir))?;
    let readable: Vec<Block> = dirs.iter().filter_map(|dir| Block::open(dir).ok()).collect();
    let replaced = replaced(readable.iter().map(Block::meta));
    for dir in dirs {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let finding = if replaced.contains(name.as_str()) {
            let problems = vec!["another block was made of it and has all that it has".to_owned()];
            Some(Finding { path: dir.clone(), problems, remedy: Remedy::Remove })
        } else {
            examine_block(&dir)
        };
        match finding {
            Some(finding) => examination.findings.push(finding),
            None => examination.healthy_blocks.push(dir),
        }
    }
    examine_log(&dir.join(filenames::WAL), &mut examination)?;
    Ok(examination)
}

/// Examines the folder and does for each finding what can be done. Takes the folder's lock.
///
/// Nothing that might still be of use is removed: damaged blocks get another name, and of a segment that is cut in its middle a copy stays.
pub fn repair(dir: &Path, fs: &Arc<dyn Fs>) -> Result<Vec<Repaired>, RepairError> {
    let _lock = DirLock::acquire(dir, filenames::LOCK)?;
    let findings = examine(dir)?.findings;
    Ok(findings.into_iter().map(|finding| Repaired { outcome: apply(&finding, fs), finding }).collect())
}

fn unfinished(dir: &Path) -> Result<Vec<Finding>, RepairError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound && dir.ends_with(filenames::WAL) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(io_error(dir)(error)),
    };
    let mut findings = Vec::new();
    for entry in entries {
        let path = entry.map_err(io_error(dir))?.path();
        if is_temporary(&path) {
            let problems = vec!["an earlier run did not finish it".to_owned()];
            findings.push(Finding { path, problems, remedy: Remedy::Remove });
        }
    }
    findings.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(findings)
}

fn examine_block(dir: &Path) -> Option<Finding> {
    let salvage = Salvage::open(dir);
    let mut problems = salvage.problems().to_vec();
    let remains = salvage.remains();
    if salvage.is_from_later_version() || remains.unknown_chunks > 0 {
        problems.push("a later version made it".to_owned());
        return Some(Finding { path: dir.to_owned(), problems, remedy: Remedy::Leave });
    }
    if let Err(problem) = salvage.check_lists() {
        problems.push(problem);
    }
    if !remains.is_whole() {
        problems.push(format!(
            "{} series and {} chunks of others cannot be read",
            remains.lost_series, remains.lost_chunks
        ));
    }
    if problems.is_empty() {
        return None;
    }
    let remedy = if remains.series > 0 { Remedy::Rebuild(remains) } else { Remedy::SetAside };
    Some(Finding { path: dir.to_owned(), problems, remedy })
}

fn examine_log(dir: &Path, examination: &mut Examination) -> Result<(), RepairError> {
    let WalLayout { checkpoint, segments, .. } = WalLayout::read(dir).map_err(io_error(dir))?;
    let last = segments.last().map(|(_, path)| path.clone());
    let checkpoint = checkpoint.into_iter().flat_map(|(_, paths)| paths);
    for path in checkpoint.chain(segments.into_iter().map(|(_, path)| path)) {
        match check_segment(&path) {
            Ok(()) => examination.healthy_segments += 1,
            Err(ReadError::Corrupt { path, offset, reason }) => {
                let size = fs::metadata(&path).map_err(io_error(&path))?.len();
                let keep_copy = last.as_ref() != Some(&path);
                let problems = vec![format!("damaged from byte {offset} on: {reason}")];
                let remedy = Remedy::Cut { keep: offset, size, keep_copy };
                examination.findings.push(Finding { path, problems, remedy });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn check_segment(path: &Path) -> Result<(), ReadError> {
    let mut reader = SegmentReader::open(path)?;
    while reader.next_record()?.is_some() {}
    Ok(())
}

fn apply(finding: &Finding, fs: &Arc<dyn Fs>) -> Result<Vec<PathBuf>, RepairError> {
    let path = &finding.path;
    let fail = io_error(path);
    match &finding.remedy {
        Remedy::Rebuild(_) | Remedy::SetAside => {
            let salvage = Salvage::open(path);
            let mut made: Vec<PathBuf> =
                salvage.rebuild(fs)?.map(|block| block.dir().to_owned()).into_iter().collect();
            made.push(salvage.set_aside(&**fs).map_err(fail)?);
            Ok(made)
        }
        Remedy::Cut { keep, keep_copy, .. } => {
            wal::repair(path, *keep, *keep_copy).map(|()| Vec::new()).map_err(fail)
        }
        Remedy::Remove if is_temporary(path) && path.is_dir() => {
            fs::remove_dir_all(path).map(|()| Vec::new()).map_err(fail)
        }
        Remedy::Remove if path.is_dir() => remove_dir_atomic(path).map(|()| Vec::new()).map_err(fail),
        Remedy::Remove => fs.remove_file(path).map(|()| Vec::new()).map_err(fail),
        Remedy::Leave => Ok(Vec::new()),
    }
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> RepairError {
    let path = path.to_owned();
    move |source| RepairError::Io { path, source }
}

// === impl Finding ===

impl Finding {
    /// What is wrong, in one line.
    pub fn problem(&self) -> String {
        self.problems.join("; ")
    }
}

// === impl Repaired ===

impl Repaired {
    /// Why nothing was changed, if so, in one line.
    pub fn failure(&self) -> Option<String> {
        self.outcome.as_ref().err().map(|error| chain(error))
    }
}
