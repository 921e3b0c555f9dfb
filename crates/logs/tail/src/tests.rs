//! Rotations and restarts, as a specification: what is written is delivered once, in order.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Chunk, Pattern, Polled, Positions, TailOptions, Tailer, find_files};

/// An agent that follows `<dir>/<pattern>`, with a clock of its own.
struct Agent {
    dir: TempDir,
    pattern: String,
    options: TailOptions,
    tailer: Option<Tailer>,
    positions: Option<std::sync::Arc<Positions>>,
    now: Instant,
}

impl Agent {
    fn new(pattern: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let mut agent = Self {
            dir,
            pattern: pattern.into(),
            options: TailOptions { block: 64, ..TailOptions::default() },
            tailer: None,
            positions: None,
            now: Instant::now(),
        };
        agent.start();
        agent
    }

    fn start(&mut self) {
        let positions = Positions::load(self.path("positions.yaml"), false).expect("loads");
        self.tailer = Some(Tailer::new(self.options.clone(), positions.clone()));
        self.positions = Some(positions);
    }

    /// Ends without saving anything more.
    fn kill(&mut self) {
        self.tailer = None;
        self.positions = None;
    }

    fn save(&self) {
        self.positions.as_ref().expect("runs").save().expect("saved");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path(name)).expect("opens");
        file.write_all(text.as_bytes()).expect("written");
    }

    /// Looks for files, then reads all there is. `deliver`: whether the lines are acknowledged.
    fn read(&mut self, deliver: bool) -> Vec<String> {
        self.now += Duration::from_millis(250);
        let pattern =
            Pattern::new(&format!("{}/{}", self.dir.path().display(), self.pattern)).expect("holds");
        let tailer = self.tailer.as_mut().expect("runs");
        tailer.set_paths(find_files(&pattern, None, 100).files);
        let mut lines = Vec::new();
        let mut sink = |chunk: Chunk<'_>| {
            lines.extend(chunk.lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()));
            if deliver {
                chunk.ack.done();
            }
        };
        while tailer.poll(self.now, 256, &mut sink) == Polled::More {}
        lines
    }

    fn lines(&mut self) -> Vec<String> {
        self.read(true)
    }

    fn after_grace(&mut self) -> Vec<String> {
        self.now += self.options.drain_grace;
        self.lines()
    }
}

#[test]
fn whole_lines_only() {
    let mut agent = Agent::new("*.log");
    agent.append("a.log", "one\ntw");
    assert_eq!(agent.lines(), ["one"]);
    agent.append("a.log", "o\nthree\n");
    assert_eq!(agent.lines(), ["two", "three"]);
    assert!(agent.lines().is_empty());
}

#[test]
fn renamed_and_recreated() {
    let mut agent = Agent::new("a.log");
    agent.append("a.log", "1\n2\n");
    assert_eq!(agent.lines(), ["1", "2"]);
    agent.append("a.log", "3\n");
    fs::rename(agent.path("a.log"), agent.path("a.log.1")).expect("renamed");
    agent.append("a.log", "5\n");
    // The writer has not noticed yet.
    agent.append("a.log.1", "4\n");
    assert_eq!(agent.lines(), ["3", "4", "5"]);
    agent.append("a.log.1", "late\nlast without newline");
    agent.append("a.log", "6\n");
    assert_eq!(agent.lines(), ["late", "6"]);
    assert_eq!(agent.after_grace(), ["last without newline"]);
    agent.append("a.log", "7\n");
    assert_eq!(agent.lines(), ["7"]);
}

#[test]
fn renamed_to_a_name_that_is_followed_too() {
    let mut agent = Agent::new("a.log*");
    agent.append("a.log", "1\n");
    assert_eq!(agent.lines(), ["1"]);
    for round in 0..3 {
        let old = agent.path(&format!("a.log.{}", 9 - round));
        agent.append("a.log", "before\n");
        fs::rename(agent.path("a.log"), old).expect("renamed");
        agent.append("a.log", "after\n");
        let mut lines = agent.lines();
        lines.sort();
        assert_eq!(lines, ["after", "before"]);
    }
    assert!(agent.after_grace().is_empty());
    assert!(agent.after_grace().is_empty());
    // Nor does a restart read the renamed ones again.
    agent.save();
    agent.kill();
    agent.start();
    assert!(agent.lines().is_empty());
}

#[test]
fn copied_and_truncated() {
    let mut agent = Agent::new("a.log");
    agent.append("a.log", "1\n2\n");
    assert_eq!(agent.lines(), ["1", "2"]);
    fs::copy(agent.path("a.log"), agent.path("a.log.1")).expect("copied");
    File::create(agent.path("a.log")).expect("truncated");
    agent.append("a.log", "3\n");
    assert_eq!(agent.lines(), ["3"]);
    // Truncated and grown beyond the old size before anyone looked.
    File::create(agent.path("a.log")).expect("truncated");
    agent.append("a.log", "a\nb\nc\nd\n");
    assert_eq!(agent.lines(), ["a", "b", "c", "d"]);
}

#[test]
fn removed_and_recreated() {
    let mut agent = Agent::new("*.log");
    agent.append("a.log", "1\n");
    assert_eq!(agent.lines(), ["1"]);
    agent.append("a.log", "2\n");
    fs::remove_file(agent.path("a.log")).expect("removed");
    assert_eq!(agent.lines(), ["2"]);
    agent.append("a.log", "3\n");
    assert_eq!(agent.lines(), ["3"]);
    fs::remove_file(agent.path("a.log")).expect("removed");
    for _ in 0..3 {
        assert!(agent.after_grace().is_empty());
    }
    assert_eq!(agent.tailer.as_ref().expect("runs").files().count(), 0);
    agent.save();
    let text = fs::read_to_string(agent.path("positions.yaml")).expect("there");
    assert!(text.starts_with("positions: {}"), "{text}");
}

#[test]
fn a_link_that_leads_elsewhere_now() {
    let mut agent = Agent::new("link");
    agent.append("one", "1\n");
    symlink(agent.path("one"), agent.path("link")).expect("linked");
    assert_eq!(agent.lines(), ["1"]);
    agent.append("one", "2\n");
    agent.append("two", "3\n");
    fs::remove_file(agent.path("link")).expect("removed");
    symlink(agent.path("two"), agent.path("link")).expect("linked");
    assert_eq!(agent.lines(), ["2", "3"]);
}

#[test]
fn a_restart_goes_on_where_the_receiver_is() {
    let mut agent = Agent::new("a.log");
    agent.append("a.log", "1\n2\n");
    assert_eq!(agent.lines(), ["1", "2"]);
    agent.append("a.log", "3\n");
    assert_eq!(agent.read(false), ["3"], "read, but never delivered");
    agent.save();
    agent.kill();
    agent.append("a.log", "4\n");
    agent.start();
    assert_eq!(agent.lines(), ["3", "4"]);
    agent.save();
    agent.kill();
    agent.start();
    assert!(agent.lines().is_empty());
}

#[test]
fn rotated_while_nobody_looked() {
    let mut agent = Agent::new("a.log");
    agent.append("a.log", "1\n");
    assert_eq!(agent.lines(), ["1"]);
    agent.save();
    agent.kill();
    agent.append("a.log", "2\n");
    fs::rename(agent.path("a.log"), agent.path("a.log.1")).expect("renamed");
    agent.append("a.log", "3 is longer than the old position\n");
    agent.start();
    assert_eq!(agent.lines(), ["2", "3 is longer than the old position"]);
}

#[test]
fn truncated_while_nobody_looked() {
    let mut agent = Agent::new("a.log");
    agent.append("a.log", "1\n");
    assert_eq!(agent.lines(), ["1"]);
    agent.save();
    agent.kill();
    File::create(agent.path("a.log")).expect("truncated");
    agent.append("a.log", "2\n3\n");
    agent.start();
    assert_eq!(agent.lines(), ["2", "3"]);
}

#[test]
fn promtails_positions_are_taken_over_and_given_back() {
    let mut agent = Agent::new("a.log");
    let path = agent.path("a.log").display().to_string();
    agent.append("a.log", "old\nnew\n");
    agent.kill();
    let text = format!("positions:\n  {path}: \"4\"\n  cursor-abc: \"1700000000\"\n  /no/such/file: \"7\"\n");
    fs::write(agent.path("positions.yaml"), text).expect("written");
    agent.start();
    assert_eq!(agent.lines(), ["new"]);
    agent.save();
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Promtail {
        positions: std::collections::BTreeMap<String, String>,
    }
    let text = fs::read_to_string(agent.path("positions.yaml")).expect("there");
    let Promtail { positions } = serde_yaml::from_str(&text).expect("Promtail reads it");
    assert_eq!(positions.get(&path).map(String::as_str), Some("8"));
    assert_eq!(positions.get("cursor-abc").map(String::as_str), Some("1700000000"));
    assert_eq!(positions.len(), 2);
}

#[test]
fn an_offset_edited_by_hand_wins() {
    let mut agent = Agent::new("a.log");
    agent.append("a.log", "1\n2\n");
    assert_eq!(agent.lines(), ["1", "2"]);
    agent.save();
    agent.kill();
    let text = fs::read_to_string(agent.path("positions.yaml")).expect("there");
    fs::write(agent.path("positions.yaml"), text.replace("\"4\"", "\"0\"")).expect("written");
    agent.start();
    assert_eq!(agent.lines(), ["1", "2"]);
}

#[test]
fn broken_positions_are_refused_or_ignored() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("positions.yaml");
    fs::write(&path, "positions: [").expect("written");
    assert!(Positions::load(&path, false).is_err());
    assert!(Positions::load(&path, true).is_ok());
    assert!(Positions::load(Path::new("/proc/self/mem/x"), true).is_err());
}

#[test]
fn one_large_file_does_not_starve_the_others() {
    let mut agent = Agent::new("*.log");
    agent.append("a.log", &"large\n".repeat(10_000));
    agent.append("b.log", "small\n");
    let pattern = Pattern::new(&format!("{}/*.log", agent.dir.path().display())).expect("holds");
    let tailer = agent.tailer.as_mut().expect("runs");
    tailer.set_paths(find_files(&pattern, None, 100).files);
    let mut seen = Vec::new();
    let polled = tailer.poll(agent.now, 200, &mut |chunk| seen.push(chunk.path.to_owned()));
    assert_eq!(polled, Polled::More);
    assert!(seen.iter().any(|path| path.ends_with("b.log")), "{seen:?}");
}

#[test]
fn lines_over_the_bound_are_counted() {
    let mut agent = Agent::new("*.log");
    agent.options.max_line = 10;
    agent.start();
    agent.append("a.log", &format!("{}\nshort\n", "x".repeat(1000)));
    let pattern = Pattern::new(&format!("{}/*.log", agent.dir.path().display())).expect("holds");
    let tailer = agent.tailer.as_mut().expect("runs");
    tailer.set_paths(find_files(&pattern, None, 100).files);
    let (mut too_long, mut lines) = (0, Vec::new());
    tailer.poll(agent.now, 1 << 20, &mut |chunk| {
        too_long += chunk.too_long;
        lines.extend(chunk.lines);
        chunk.ack.done();
    });
    assert_eq!((too_long, lines.len()), (1, 1));
}
