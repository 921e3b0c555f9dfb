//! Which segments and checkpoints a log's folder holds.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::filenames;

/// What there is to replay: the newest checkpoint, then the segments behind it, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct WalLayout {
    /// The newest checkpoint: the last segment it replaces, and its own segments.
    pub(crate) checkpoint: Option<(u64, Vec<PathBuf>)>,
    /// Number and path of each segment, ascending.
    pub(crate) segments: Vec<(u64, PathBuf)>,
    /// The highest number any segment or checkpoint has: the next segment must be above.
    pub(crate) last: Option<u64>,
}

// === impl WalLayout ===

impl WalLayout {
    /// Reads the folder; a missing one is an empty log.
    pub(crate) fn read(dir: &Path) -> io::Result<Self> {
        let (segments, checkpoints) = list(dir)?;
        let last = segments.last().map(|(index, _)| *index).max(checkpoints.last().map(|(index, _)| *index));
        let checkpoint = match checkpoints.into_iter().next_back() {
            Some((index, path)) => {
                let (segments, _) = list(&path)?;
                Some((index, segments.into_iter().map(|(_, path)| path).collect()))
            }
            None => None,
        };
        let replaced = checkpoint.as_ref().map(|(index, _)| *index);
        let segments = segments
            .into_iter()
            .filter(|(index, _)| replaced.is_none_or(|replaced| *index > replaced))
            .collect();
        Ok(Self { checkpoint, segments, last })
    }
}

/// Removes the segments with numbers below `first`.
pub(crate) fn remove_segments_before(dir: &Path, first: u64) -> io::Result<()> {
    for (index, path) in list(dir)?.0 {
        if index < first {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Removes the checkpoints that replace less than the one up to `last`.
pub(crate) fn remove_checkpoints_before(dir: &Path, last: u64) -> io::Result<()> {
    for (index, path) in list(dir)?.1 {
        if index < last {
            fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}

type Numbered = Vec<(u64, PathBuf)>;

/// Segments and checkpoints in `dir`, each in order of their numbers.
fn list(dir: &Path) -> io::Result<(Numbered, Numbered)> {
    let (mut segments, mut checkpoints) = (Vec::new(), Vec::new());
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((segments, checkpoints)),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if let Some(index) = filenames::parse_segment(&name) {
            segments.push((index, entry.path()));
        } else if let Some(index) = filenames::parse_checkpoint(&name) {
            checkpoints.push((index, entry.path()));
        }
    }
    segments.sort_unstable();
    checkpoints.sort_unstable();
    Ok((segments, checkpoints))
}
