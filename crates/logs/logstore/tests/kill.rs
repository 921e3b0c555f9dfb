//! The promise of a push: what was acknowledged survives `kill -9`, also in the middle of sealing and merging.
//!
//! The test runs itself as a child process that pushes and says so, kills it, and looks for everything it said.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use logstore::{Store, StoreOptions};
use model::{Labels, Matcher};
use prometheus_client::registry::Registry;
use streams::{Direction, Entry, LogAppender, LogSource, SelectLogs, Stream, Wanted};

/// Where the child keeps its store; set only for the child.
const CHILD_DIR: &str = "LOGSTORE_TEST_CHILD_DIR";
const TEST: &str = "acknowledged_pushes_survive_kill_9";

#[test]
fn acknowledged_pushes_survive_kill_9() {
    if let Some(dir) = std::env::var_os(CHILD_DIR) {
        push_until_killed(Path::new(&dir));
    }
    let dir = tempfile::tempdir().expect("a folder for the test");
    let mut next = 0;
    for round in 1..=3 {
        let acknowledged = run_child_and_kill(dir.path(), next + 1500 * round);
        let store = Store::open(options(dir.path()), &mut Registry::default()).expect("the store opens");
        let lines = lines(&store);
        for number in 0..=acknowledged {
            assert!(lines.contains(&number), "{number} of {acknowledged} was lost in round {round}");
        }
        next = acknowledged + 1;
    }
}

/// Runs the child until it has acknowledged `enough`, kills it, and returns the last number it acknowledged.
fn run_child_and_kill(dir: &Path, enough: i64) -> i64 {
    let mut child = Command::new(std::env::current_exe().expect("this test's program"))
        .args([TEST, "--exact", "--nocapture"])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the child starts");
    let mut last = -1;
    // Until the pipe ends: also what the child said between being killed and being dead.
    for line in BufReader::new(child.stdout.take().expect("a pipe")).lines() {
        let Some(number) =
            line.expect("a line").strip_prefix("acknowledged ").and_then(|text| text.parse().ok())
        else {
            continue;
        };
        last = number;
        if number == enough {
            child.kill().expect("killed");
        }
    }
    let status = child.wait().expect("the child has ended");
    assert!(!status.success() && last >= enough, "the child ended by itself: {status}");
    last
}

fn options(dir: &Path) -> StoreOptions {
    let mut options = StoreOptions::new(dir);
    options.seal_bytes = 20_000;
    options.wal.segment_bytes = 5_000;
    options.wal.disk_full_threshold = 0.0;
    options.segment.merge_count = 2;
    options
}

fn push_until_killed(dir: &Path) -> ! {
    let store = Store::open(options(dir), &mut Registry::default()).expect("the store opens");
    let compacting = store.clone();
    std::thread::spawn(move || {
        loop {
            compacting.compact().expect("merged");
        }
    });
    for number in lines(&store).into_iter().max().map_or(0, |last| last + 1).. {
        let entry = Entry { timestamp: number, line: format!("{number}").into(), metadata: Labels::empty() };
        let labels = Labels::from_pairs([("app", "a")]);
        store.push(vec![Stream { labels, entries: vec![entry] }]).expect("pushed");
        store.tick(number).expect("ticked");
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {number}").and_then(|()| out.flush()).expect("the parent listens");
    }
    unreachable!("numbers do not end");
}

/// The numbers in a store.
fn lines(store: &Store) -> Vec<i64> {
    let select = SelectLogs {
        matchers: vec![Matcher::equal("app", "a")],
        start: i64::MIN,
        end: i64::MAX,
        direction: Direction::Forward,
        filters: Vec::new(),
        wanted: Wanted { lines: true, metadata: false },
    };
    let mut numbers = Vec::new();
    for batch in store.querier().expect("a querier").select(&select).expect("a selection") {
        let batch = batch.expect("a batch");
        for at in 0..batch.len() {
            numbers.push(std::str::from_utf8(batch.line(at)).expect("UTF-8").parse().expect("a number"));
        }
    }
    assert!(numbers.is_sorted_by(|a, b| a < b), "in order, once each");
    numbers
}
