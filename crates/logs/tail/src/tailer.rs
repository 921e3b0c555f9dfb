//! Following a set of paths in turn, with bounds.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tracing::warn;

use crate::{
    Ack, Positions,
    follower::{Follower, Seen, Source},
    head::FileId,
    lines::Read,
};

/// How files are followed.
#[derive(Debug, Clone)]
pub struct TailOptions {
    /// Between two looks at every path.
    pub poll_interval: Duration,
    /// Longest line in bytes; a longer one is skipped and counted.
    pub max_line: usize,
    /// Bytes read from one file before the next one's turn.
    pub block: usize,
    /// How long a renamed or removed file must be silent before it is closed: its writer may not have noticed yet.
    pub drain_grace: Duration,
}

/// Follows files. Blocking.
#[derive(Debug)]
pub struct Tailer {
    options: TailOptions,
    positions: Arc<Positions>,
    followers: BTreeMap<PathBuf, Follower>,
    /// Paths of the last [`Tailer::set_paths`].
    listed: Vec<PathBuf>,
    looked: Option<Instant>,
    /// Whose turn is next.
    turn: usize,
}

/// Lines of one file.
#[derive(Debug)]
pub struct Chunk<'a> {
    /// The path under which the file is followed.
    pub path: &'a str,
    /// Whole lines, without newlines.
    pub lines: Vec<Bytes>,
    /// Bytes that were read for them.
    pub bytes: usize,
    /// Lines that were skipped because they exceed [`TailOptions::max_line`].
    pub too_long: u64,
    /// To be acknowledged once all lines are taken care of; clone it for each.
    pub ack: Ack,
}

/// What a poll came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polled {
    /// All files are read to their ends.
    Idle,
    /// The budget was used up, there is more.
    More,
}

impl Default for TailOptions {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_millis(250),
            max_line: 4 << 20,
            block: 64 << 10,
            drain_grace: Duration::from_secs(5),
        }
    }
}

// === impl Tailer ===

impl Tailer {
    /// Follows nothing yet.
    pub fn new(options: TailOptions, positions: Arc<Positions>) -> Self {
        Self { options, positions, followers: BTreeMap::new(), listed: Vec::new(), looked: None, turn: 0 }
    }

    /// The paths to follow from now on. One that is left out is followed until it is gone and read to its end.
    pub fn set_paths(&mut self, mut paths: Vec<PathBuf>) {
        paths.sort();
        for path in &paths {
            if !self.followers.contains_key(path) {
                self.followers.insert(path.clone(), Follower::new(path.clone(), &self.positions));
                self.looked = None;
            }
        }
        self.listed = paths;
    }

    /// Paths and where reading them stands, in bytes.
    pub fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        self.followers
            .values()
            .map(|follower| (follower.name.as_str(), follower.current.as_ref().map_or(0, Source::offset)))
    }

    /// Reads at most about `budget` bytes of new lines, in turn from each file that has some, and hands them to `sink`.
    pub fn poll(&mut self, now: Instant, budget: usize, sink: &mut dyn FnMut(Chunk<'_>)) -> Polled {
        if self.looked.is_none_or(|looked| now.duration_since(looked) >= self.options.poll_interval) {
            self.look(now);
        }
        let mut left = budget;
        // Goes on behind the file at which the last budget ended.
        let mut skipped = std::mem::take(&mut self.turn);
        loop {
            let mut any = skipped > 0;
            for (at, follower) in self.followers.values_mut().enumerate().skip(std::mem::take(&mut skipped)) {
                let read = read_follower(follower, &self.options, &self.positions, now, sink);
                any |= read > 0;
                left = left.saturating_sub(read);
                if left == 0 {
                    self.turn = at + 1;
                    return Polled::More;
                }
            }
            if !any {
                return Polled::Idle;
            }
        }
    }

    /// Compares every path with what is open. In steps, since a rename concerns two paths: first all that lead elsewhere let go, then
    /// files that another path let go are taken over, then the rest is opened.
    fn look(&mut self, now: Instant) {
        let first_look = self.looked.is_none();
        self.looked = Some(now);
        let mut wanted: Vec<(PathBuf, FileId)> = Vec::new();
        for (path, follower) in &mut self.followers {
            if let Seen::Other(id) = follower.look(now) {
                wanted.push((path.clone(), id));
            }
        }
        let mut opened = Vec::new();
        for (path, id) in wanted {
            let adopted = self.followers.values_mut().find_map(|follower| follower.release(id));
            let Some(follower) = self.followers.get_mut(&path) else { continue };
            match adopted {
                Some(source) => follower.adopt(source),
                None => {
                    follower.open(now, &self.positions);
                    opened.push(path);
                }
            }
        }
        if first_look {
            self.find_left_behind(now, &opened);
        }
        let listed = &self.listed;
        self.followers.retain(|path, follower| {
            follower.current.is_some() || !follower.old.is_empty() || listed.binary_search(path).is_ok()
        });
    }

    fn find_left_behind(&mut self, now: Instant, opened: &[PathBuf]) {
        let mut open: Vec<FileId> = self
            .followers
            .values()
            .flat_map(|follower| follower.current.iter().chain(&follower.old))
            .map(|source| source.id)
            .collect();
        for path in opened {
            let Some(follower) = self.followers.get_mut(path) else { continue };
            follower.find_left_behind(now, &self.positions, |id| open.contains(&id));
            open.extend(follower.old.iter().map(|source| source.id));
        }
    }
}

/// Reads one block: from the oldest file that has something, so that lines stay in order. Returns the bytes read.
fn read_follower(
    follower: &mut Follower,
    options: &TailOptions,
    positions: &Positions,
    now: Instant,
    sink: &mut dyn FnMut(Chunk<'_>),
) -> usize {
    let Follower { name, old, current, .. } = follower;
    for at in 0..old.len() {
        let Some(source) = old.get_mut(at) else { break };
        let read = read_source(source, name, options, now, sink);
        if read > 0 {
            return read;
        }
        if source.is_cut() || now.duration_since(source.active) >= options.drain_grace {
            if let Some(line) = source.finish() {
                let ack = source.tracked.tracker.begin(source.offset());
                sink(Chunk { path: name, lines: vec![line], bytes: 0, too_long: 0, ack });
            }
            source.tracked.close();
            if !source.is_cut() {
                positions.finished(name, source.id, source.fingerprint(), source.offset());
            }
            old.remove(at);
            // Whatever follows has its turn in the next round.
            return 1;
        }
    }
    current.as_mut().map_or(0, |source| read_source(source, name, options, now, sink))
}

fn read_source(
    source: &mut Source,
    name: &str,
    options: &TailOptions,
    now: Instant,
    sink: &mut dyn FnMut(Chunk<'_>),
) -> usize {
    let Read { lines, bytes, too_long } = match source.read(now, options.block, options.max_line) {
        Ok(read) => read,
        Err(error) => {
            warn!(%error, path = name, "cannot read on");
            return 0;
        }
    };
    if lines.is_empty() && too_long == 0 {
        return bytes;
    }
    let ack = source.tracked.tracker.begin(source.lines_end());
    sink(Chunk { path: name, lines, bytes, too_long, ack });
    bytes
}
