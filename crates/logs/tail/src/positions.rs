//! The positions file: Promtail's format, with what we know beyond it in comments.
//!
//! ```yaml
//! positions:
//!   /var/log/syslog: "4711"
//! # tail {"path":"/var/log/syslog","dev":64769,"ino":1311,"offset":4711,"head":{"len":1024,"hash":9},"role":"current"}
//! ```
//!
//! Promtail reads and writes the mapping and drops comments, so either program can take over from the other. The comments say which file
//! the offset belongs to; they are only believed where their offset is that of the mapping. Everything is one file that is replaced as
//! a whole, so the two parts cannot get out of step.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use disk::{RealFs, write_atomic};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::{
    ack::Tracker,
    head::{FileId, Fingerprint},
};

/// What begins a comment of ours.
const COMMENT: &str = "# tail ";
/// Files that were read to their end and closed, whose inodes are remembered in case they turn up under another name.
const MAX_FINISHED: usize = 256;
/// Largest positions file that is read.
const MAX_BYTES: u64 = 64 << 20;

/// All positions of one agent, shared by its tailers.
#[derive(Debug)]
pub struct Positions {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The mapping as loaded, offsets and what other programs keep there (`cursor-…`).
    loaded: BTreeMap<String, String>,
    /// Files as they were when the file was loaded.
    known: HashMap<FileId, KnownFile>,
    finished: VecDeque<KnownFile>,
    live: Vec<Arc<Progress>>,
    written: String,
}

/// Why positions cannot be loaded or saved.
#[derive(Debug, thiserror::Error)]
pub enum PositionsError {
    /// The file cannot be read.
    #[error("cannot read positions file `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("positions file `{}` does not hold", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_yaml::Error,
    },
    /// The file cannot be written.
    #[error("cannot write positions file `{}`", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Shape {
    #[serde(default)]
    positions: Option<BTreeMap<String, serde_yaml::Value>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct KnownFile {
    path: String,
    #[serde(flatten)]
    id: FileId,
    offset: u64,
    head: Fingerprint,
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    /// What the path leads to.
    Current,
    /// What it led to before, not yet done.
    Rotated,
    /// Read to the end and closed.
    Finished,
}

/// The files read for one path, oldest first. The last is the current one unless the path is gone.
#[derive(Debug)]
pub(crate) struct Progress {
    path: String,
    files: Mutex<Vec<Arc<Tracked>>>,
}

/// One open file's progress.
#[derive(Debug)]
pub(crate) struct Tracked {
    pub id: FileId,
    pub tracker: Arc<Tracker>,
    state: Mutex<TrackedState>,
}

#[derive(Debug, Clone, Copy, Default)]
struct TrackedState {
    head: Fingerprint,
    /// The path leads elsewhere.
    rotated: bool,
    /// Nothing is read from it any more.
    closed: bool,
    /// Its content is gone, so there is nothing to come back to.
    lost: bool,
}

/// Where to go on with a file that is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// First time that this path is seen by this process: the saved offset holds if it can be this file's.
    First,
    /// The path leads to another file than before.
    Replaced,
}

// === impl Positions ===

impl Positions {
    /// Loads the file; one that is not there yet is empty. With `ignore_invalid`, so is one that does not parse.
    pub fn load(path: impl Into<PathBuf>, ignore_invalid: bool) -> Result<Arc<Self>, PositionsError> {
        let path = path.into();
        let text = match read_bounded(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(PositionsError::Read { path, source }),
        };
        let blank = text.lines().all(|line| line.trim().is_empty() || line.starts_with('#'));
        let shape: Shape = match serde_yaml::from_str(if blank { "{}" } else { &text }) {
            Ok(shape) => shape,
            Err(error) if ignore_invalid => {
                warn!(%error, path = %path.display(), "positions file does not hold, starting without");
                Shape::default()
            }
            Err(source) => return Err(PositionsError::Invalid { path, source }),
        };
        let mut state = State::default();
        for (key, value) in shape.positions.unwrap_or_default() {
            match value {
                serde_yaml::Value::String(text) => state.loaded.insert(key, text),
                serde_yaml::Value::Number(number) => state.loaded.insert(key, number.to_string()),
                _ => None,
            };
        }
        for line in text.lines().filter_map(|line| line.strip_prefix(COMMENT)) {
            let Ok(known) = serde_json::from_str::<KnownFile>(line) else { continue };
            let agrees = || state.loaded.get(&known.path) == Some(&known.offset.to_string());
            match known.role {
                Role::Current if !agrees() => continue,
                Role::Finished => state.finished.push_back(known),
                _ => drop(state.known.insert(known.id, known)),
            }
        }
        Ok(Arc::new(Self { path, state: Mutex::new(state) }))
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The saved offset of a path, if there is one.
    pub fn saved(&self, path: &str) -> Option<u64> {
        self.state.lock().loaded.get(path)?.parse().ok()
    }

    /// Writes the file if anything moved since the last time. Paths whose files are gone are left out.
    pub fn save(&self) -> Result<(), PositionsError> {
        let mut state = self.state.lock();
        let text = state.render();
        if text == state.written {
            return Ok(());
        }
        write(&self.path, text.as_bytes())
            .map_err(|source| PositionsError::Write { path: self.path.clone(), source })?;
        state.written = text;
        Ok(())
    }

    pub(crate) fn register(&self, path: &str) -> Arc<Progress> {
        let progress = Arc::new(Progress { path: path.to_owned(), files: Mutex::default() });
        self.state.lock().live.push(progress.clone());
        progress
    }

    /// The offset at which to go on with a file.
    pub(crate) fn resume(&self, path: &str, file: &File, id: FileId, size: u64, start: Start) -> u64 {
        let state = self.state.lock();
        let known = state.known.get(&id).or_else(|| state.finished.iter().rev().find(|known| known.id == id));
        if let Some(known) = known {
            return if known.offset <= size && known.head.fits(file) { known.offset } else { 0 };
        }
        let is_other = state.known.values().any(|known| known.path == path && known.role == Role::Current);
        if start == Start::Replaced || is_other {
            return 0;
        }
        let saved = state.loaded.get(path).and_then(|text| text.parse().ok()).unwrap_or(0);
        if saved <= size { saved } else { 0 }
    }

    /// Files that a path led to when this process was not looking, which are not done: their identities.
    pub(crate) fn left_behind(&self, path: &str) -> Vec<(FileId, Fingerprint, u64)> {
        let state = self.state.lock();
        let mut files: Vec<_> = state
            .known
            .values()
            .filter(|known| known.path == path)
            .map(|known| (known.id, known.head, known.offset))
            .collect();
        files.sort_by_key(|(id, ..)| *id);
        files
    }

    /// A file is closed: it is remembered as finished, and what was known of its inode before holds no more.
    pub(crate) fn finished(&self, path: &str, id: FileId, head: Fingerprint, offset: u64) {
        let mut state = self.state.lock();
        state.known.remove(&id);
        state.finished.retain(|known| known.id != id);
        if state.finished.len() >= MAX_FINISHED {
            state.finished.pop_front();
        }
        state.finished.push_back(KnownFile { path: path.to_owned(), id, offset, head, role: Role::Finished });
    }
}

impl State {
    fn render(&mut self) -> String {
        self.live.retain(|progress| {
            progress.files.lock().retain(|file| !file.is_over());
            // Whoever follows the path holds it too.
            Arc::strong_count(progress) > 1 || !progress.files.lock().is_empty()
        });
        let mut offsets: BTreeMap<&str, u64> = BTreeMap::new();
        let mut files: BTreeMap<(String, FileId), KnownFile> = BTreeMap::new();
        let mut followed: Vec<&str> = Vec::new();
        for progress in &self.live {
            followed.push(&progress.path);
            for tracked in progress.files.lock().iter() {
                let TrackedState { head, rotated, lost, .. } = *tracked.state.lock();
                let offset = tracked.tracker.committed();
                if lost {
                    continue;
                }
                if !rotated {
                    let least = offsets.entry(&progress.path).or_insert(offset);
                    *least = (*least).min(offset);
                }
                let role = if rotated { Role::Rotated } else { Role::Current };
                let known = KnownFile { path: progress.path.clone(), id: tracked.id, offset, head, role };
                let entry = files.entry((progress.path.clone(), tracked.id)).or_insert_with(|| known.clone());
                if offset < entry.offset {
                    *entry = known;
                }
            }
        }
        let mut positions: BTreeMap<&str, String> = BTreeMap::new();
        for (key, value) in &self.loaded {
            let foreign = key.starts_with("cursor-");
            if foreign || (!followed.contains(&key.as_str()) && Path::new(key).exists()) {
                positions.insert(key, value.clone());
            }
        }
        positions.extend(offsets.into_iter().map(|(path, offset)| (path, offset.to_string())));
        let mut text = "positions:".to_owned();
        text.push_str(if positions.is_empty() { " {}\n" } else { "\n" });
        for (path, offset) in positions {
            // A JSON string is a YAML string, whatever is in it.
            text.push_str(&format!("  {}: \"{offset}\"\n", json(path)));
        }
        // What was known at the start and belongs to nobody is kept for as long as the path leads somewhere.
        let is_unclaimed = |path: &str| !followed.contains(&path) && Path::new(path).exists();
        let unclaimed = self.known.values().filter(|known| is_unclaimed(&known.path));
        for known in files.values().chain(unclaimed).chain(&self.finished) {
            text.push_str(&format!("{COMMENT}{}\n", json(known)));
        }
        text
    }
}

// === impl Progress ===

impl Progress {
    pub(crate) fn add(&self, file: Arc<Tracked>) {
        self.files.lock().push(file);
    }

    /// Takes a file over from another path.
    pub(crate) fn remove(&self, file: &Arc<Tracked>) {
        self.files.lock().retain(|own| !Arc::ptr_eq(own, file));
    }
}

// === impl Tracked ===

impl Tracked {
    pub(crate) fn new(id: FileId, offset: u64) -> Arc<Self> {
        Arc::new(Self { id, tracker: Tracker::starting_at(offset), state: Mutex::default() })
    }

    pub(crate) fn set_head(&self, head: Fingerprint) {
        self.state.lock().head = head;
    }

    pub(crate) fn set_rotated(&self, rotated: bool) {
        self.state.lock().rotated = rotated;
    }

    pub(crate) fn set_lost(&self) {
        self.state.lock().lost = true;
    }

    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
    }

    fn is_over(&self) -> bool {
        self.state.lock().closed && self.tracker.is_idle()
    }
}

fn json(value: impl Serialize) -> String {
    serde_json::to_string(&value).expect("BUG: strings and numbers always serialise")
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let size = fs::metadata(path)?.len();
    if size > MAX_BYTES {
        return Err(io::Error::other(format!("{size} bytes are too many for a positions file")));
    }
    fs::read_to_string(path)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent)?;
    }
    match write_atomic(&RealFs, path, bytes) {
        // A file that a container mounts by itself cannot be replaced, only written.
        Err(error) if matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices) => {
            fs::write(path, bytes)
        }
        outcome => outcome,
    }
}
