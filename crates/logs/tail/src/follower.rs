//! One path that is followed: the file it leads to, and those it led to before.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use tracing::{debug, warn};

use crate::{
    head::{FileId, Fingerprint, Head},
    lines::{LineReader, Read},
    positions::{Positions, Progress, Start, Tracked},
};

/// `O_NONBLOCK`: opening a pipe that lies among the logs must not wait for a writer.
const NONBLOCK: i32 = 0o4000;
/// Entries of a folder that are looked at for a file that was renamed while nobody followed it.
const MAX_SIBLINGS: usize = 10_000;

/// One path.
#[derive(Debug)]
pub(crate) struct Follower {
    pub path: PathBuf,
    /// The path as positions and labels have it.
    pub name: String,
    pub current: Option<Source>,
    /// Oldest first.
    pub old: VecDeque<Source>,
    progress: Arc<Progress>,
    start: Start,
    /// The last failure that was logged, so that it is logged once.
    failure: Option<io::ErrorKind>,
}

/// One open file.
#[derive(Debug)]
pub(crate) struct Source {
    pub id: FileId,
    pub tracked: Arc<Tracked>,
    file: File,
    reader: LineReader,
    head: Head,
    /// Nothing more may be read: the content behind the offset is another file's.
    cut: bool,
    /// When something was last read, or the file was rotated away.
    pub active: Instant,
}

/// What a look at the path showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The path leads to what is open, or to something that cannot be looked at now.
    Same,
    /// It leads to a file that is not open here.
    Other(FileId),
    /// It leads nowhere.
    Gone,
}

// === impl Follower ===

impl Follower {
    pub(crate) fn new(path: PathBuf, positions: &Positions) -> Self {
        let name = path.to_string_lossy().into_owned();
        let progress = positions.register(&name);
        Self { path, name, current: None, old: VecDeque::new(), progress, start: Start::First, failure: None }
    }

    /// Compares the path with what is open; puts what it does not lead to any more among the old.
    pub(crate) fn look(&mut self, now: Instant) -> Seen {
        let metadata = match fs::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.detach(now);
                return Seen::Gone;
            }
            Err(error) => {
                self.complain(&error);
                return Seen::Same;
            }
        };
        if !metadata.is_file() {
            self.detach(now);
            return Seen::Gone;
        }
        let id = FileId::of(&metadata);
        let Some(current) = &mut self.current else { return Seen::Other(id) };
        if current.id != id {
            debug!(path = self.name, "file was replaced");
            self.detach(now);
            return Seen::Other(id);
        }
        if current.was_truncated(metadata.len()) {
            debug!(path = self.name, "file was truncated");
            current.cut = true;
            current.tracked.set_lost();
            self.detach(now);
            self.open_at(now, |_, _, _| 0);
        }
        Seen::Same
    }

    fn detach(&mut self, now: Instant) {
        if let Some(mut current) = self.current.take() {
            current.tracked.set_rotated(true);
            current.active = now;
            self.old.push_back(current);
        }
        if self.start == Start::First && !self.old.is_empty() {
            self.start = Start::Replaced;
        }
    }

    /// Opens what the path leads to and goes on where it was left.
    pub(crate) fn open(&mut self, now: Instant, positions: &Positions) {
        let (name, start) = (self.name.clone(), self.start);
        self.open_at(now, |file, id, size| positions.resume(&name, file, id, size, start));
    }

    fn open_at(&mut self, now: Instant, offset_of: impl Fn(&File, FileId, u64) -> u64) {
        match Source::open(&self.path, now, offset_of) {
            Ok(source) => {
                self.failure = None;
                self.start = Start::Replaced;
                self.progress.add(source.tracked.clone());
                self.current = Some(source);
            }
            Err(error) => self.complain(&error),
        }
    }

    /// Goes on with a file that another path led to.
    pub(crate) fn adopt(&mut self, source: Source) {
        source.tracked.set_rotated(false);
        self.progress.add(source.tracked.clone());
        self.start = Start::Replaced;
        self.current = Some(source);
    }

    /// Gives up an old file, for [`Follower::adopt`] elsewhere.
    pub(crate) fn release(&mut self, id: FileId) -> Option<Source> {
        let at = self.old.iter().position(|source| source.id == id && !source.cut)?;
        let source = self.old.remove(at)?;
        self.progress.remove(&source.tracked);
        Some(source)
    }

    /// Looks beside the path for files that it led to when it was last followed; they are read to their ends first.
    pub(crate) fn find_left_behind(
        &mut self,
        now: Instant,
        positions: &Positions,
        is_open: impl Fn(FileId) -> bool,
    ) {
        for (id, head, offset) in positions.left_behind(&self.name) {
            if is_open(id) || self.current.as_ref().is_some_and(|current| current.id == id) {
                continue;
            }
            let Some(path) = sibling(&self.path, id, head, offset) else { continue };
            if let Ok(source) = Source::open(&path, now, |_, _, _| offset) {
                debug!(path = self.name, found = %path.display(), "reading the rest of a file renamed meanwhile");
                source.tracked.set_rotated(true);
                self.progress.add(source.tracked.clone());
                self.old.push_back(source);
            }
        }
    }

    fn complain(&mut self, error: &io::Error) {
        if self.failure != Some(error.kind()) {
            warn!(%error, path = self.name, "cannot read the file, trying again");
            self.failure = Some(error.kind());
        }
    }
}

fn sibling(path: &Path, id: FileId, head: Fingerprint, offset: u64) -> Option<PathBuf> {
    let entries = fs::read_dir(path.parent()?).ok()?;
    entries.flatten().take(MAX_SIBLINGS).find_map(|entry| {
        let metadata = entry.metadata().ok()?;
        let fits = metadata.is_file() && FileId::of(&metadata) == id && metadata.len() >= offset;
        let path = entry.path();
        (fits && head.fits(&open_file(&path).ok()?)).then_some(path)
    })
}

fn open_file(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new().read(true).custom_flags(NONBLOCK).open(path)
}

// === impl Source ===

impl Source {
    fn open(path: &Path, now: Instant, offset_of: impl Fn(&File, FileId, u64) -> u64) -> io::Result<Self> {
        let file = open_file(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let id = FileId::of(&metadata);
        let offset = offset_of(&file, id, metadata.len());
        let mut head = Head::default();
        head.extend(&file, offset);
        let tracked = Tracked::new(id, offset);
        tracked.set_head(head.fingerprint());
        Ok(Self { id, tracked, file, reader: LineReader::starting_at(offset), head, cut: false, active: now })
    }

    /// Where reading stands.
    pub(crate) fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// The offset behind the last whole line.
    pub(crate) fn lines_end(&self) -> u64 {
        self.reader.lines_end()
    }

    /// Reads on.
    pub(crate) fn read(&mut self, now: Instant, most: usize, max_line: usize) -> io::Result<Read> {
        if self.cut {
            return Ok(Read::default());
        }
        let read = self.reader.read(&self.file, most, max_line)?;
        if read.bytes > 0 {
            self.active = now;
            self.head.extend(&self.file, self.reader.offset());
            self.tracked.set_head(self.head.fingerprint());
        }
        Ok(read)
    }

    /// Nobody will write to it any more: its last line, if it has no newline.
    pub(crate) fn finish(&mut self) -> Option<bytes::Bytes> {
        self.reader.finish()
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.head.fingerprint()
    }

    /// Whether what was read is not in the file any more.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    fn was_truncated(&self, size: u64) -> bool {
        let offset = self.reader.offset();
        size < offset || (size > offset && !self.head.still_holds(&self.file))
    }
}
