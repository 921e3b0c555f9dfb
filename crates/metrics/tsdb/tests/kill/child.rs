//! The process that is killed: it writes, queries and keeps house all the time, and says what it has begun and what is done.

use std::{
    io::Write,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use model::Labels;
use parking_lot::{Condvar, Mutex};
use prometheus_client::registry::Registry;
use storage::{Appendable, SeriesRef};
use tsdb::Db;

use super::{
    load::{Batch, WINDOW, WRITERS, options},
    seen::Seen,
};

/// How far the writers may be ahead of housekeeping, in batches: ten blocks. They are hours' worth of samples a second, and housekeeping
/// that never comes to its end tests little.
const LEAD: u64 = 2_000;
/// How far back it looks for what it has written, in batches.
const LOOK_BACK: u64 = 1_500;

/// Whether anyone writes blocks and shortens the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Housekeeping {
    Busy,
    /// Nobody: the log grows, and the next replay has blocks to write.
    None,
}

/// Keeps the writers near the same time: a sample that comes late is refused, or left out, by right.
struct Pace {
    next: Mutex<[Batch; WRITERS as usize]>,
    moved: Condvar,
}

/// The last batch of each writer that is done and did not come late, plus one; zero while there is none.
type Done = [AtomicU64; WRITERS as usize];

/// Writes batches from `first` on.
pub fn run(dir: &Path, first: Batch, housekeeping: Housekeeping) -> ! {
    end_at_once_when_a_thread_panics();
    // The test's harness may have begun a line.
    say("");
    let db = Db::start(options(dir), &mut Registry::default()).expect("the database starts");
    let pace = Pace::new(first);
    let done = Done::default();
    let kept = AtomicU64::new(if housekeeping == Housekeeping::Busy { first.0 } else { u64::MAX - LEAD });
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (db, pace, done, kept) = (&db, &pace, &done, &kept);
            scope.spawn(move || write(db, first.next_of(writer), pace, &done[writer as usize], kept));
        }
        scope.spawn(|| watch(&db, first, &done));
        scope.spawn(|| keep_house(&db, housekeeping, &done, &kept));
        db.replay().expect("the log is read");
        say("live");
    });
    unreachable!("the threads do not end");
}

fn end_at_once_when_a_thread_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        std::process::exit(1);
    }));
}

/// Prints a line; one that fits into a pipe's buffer comes whole or not at all.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("the parent listens");
}

fn write(db: &Db, first: Batch, pace: &Pace, done: &AtomicU64, kept: &AtomicU64) {
    let mut known = Vec::new();
    let mut batch = first;
    loop {
        if !batch.comes_late() {
            pace.wait_for(batch);
            append(db, batch, &mut known);
            done.store(batch.0 + 1, Ordering::Release);
        }
        if let Some(late) = batch.late_behind().filter(|late| *late >= first) {
            append(db, late, &mut known);
        }
        thread::sleep(Duration::from_micros(if db.is_replaying() { 4_000 } else { 400 }));
        while !db.is_replaying() && batch.0 > kept.load(Ordering::Acquire) + LEAD {
            thread::sleep(Duration::from_millis(1));
        }
        batch = Batch(batch.0 + 1).next_of(batch.writer());
    }
}

/// Writes one batch; `known` are the series of the last one.
fn append(db: &Db, batch: Batch, known: &mut Vec<(Labels, SeriesRef)>) {
    say(&format!("begin {}", batch.0));
    let mut appender = db.appender();
    for (at, member) in batch.members().enumerate() {
        let labels = member.labels();
        let series_ref = match known.get(at) {
            Some((before, series_ref)) if *before == labels => *series_ref,
            _ => SeriesRef::UNKNOWN,
        };
        let appended = appender.append(series_ref, &labels, batch.timestamp(), batch.value(member));
        let series_ref = appended.unwrap_or_else(|error| panic!("{batch:?} of {labels}: {error}"));
        match known.get_mut(at) {
            Some(place) => *place = (labels, series_ref),
            None => known.push((labels, series_ref)),
        }
    }
    appender.commit().expect("committed");
    say(&format!("done {}", batch.0));
}

/// `kept` is the newest batch of which it may have made a block.
fn keep_house(db: &Db, housekeeping: Housekeeping, done: &Done, kept: &AtomicU64) {
    loop {
        db.map_chunks();
        if housekeeping == Housekeeping::Busy {
            let newest = done.iter().map(|done| done.load(Ordering::Acquire)).max();
            db.maintain().expect("maintained");
            if !db.is_replaying() {
                kept.fetch_max(newest.unwrap_or_default(), Ordering::AcqRel);
            }
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Queries from the start on, also while the log is read: what was found once stays, and what is done is found.
fn watch(db: &Db, first: Batch, done: &Done) {
    let mut before = Seen::default();
    loop {
        let live = !db.is_replaying();
        let done: Vec<_> = done.iter().map(|done| done.load(Ordering::Acquire)).collect();
        let newest = done.iter().copied().fold(first.0, u64::max);
        let from = Batch(newest.saturating_sub(LOOK_BACK));
        let seen = Seen::query(db, from);
        for batch in before.numbers().map(Batch).filter(|batch| *batch >= from) {
            assert!(!before.has(batch) || seen.has(batch), "{batch:?} was there and is gone");
        }
        for batch in (from.max(first).0..newest).map(Batch).filter(|_| live) {
            let acknowledged = batch.witness().0 < done[batch.writer() as usize];
            assert!(!acknowledged || seen.has(batch), "{batch:?} is acknowledged and not there");
        }
        before = seen;
    }
}

// === impl Pace ===

impl Pace {
    fn new(first: Batch) -> Self {
        let next = std::array::from_fn(|writer| first.next_of(writer as u64));
        Self { next: Mutex::new(next), moved: Condvar::new() }
    }

    /// Says that all batches of the writer before this one are over, and waits until the others are near enough.
    fn wait_for(&self, batch: Batch) {
        let mut next = self.next.lock();
        next[batch.writer() as usize] = batch;
        self.moved.notify_all();
        let too_early =
            |next: &mut [Batch; WRITERS as usize]| next.iter().any(|slowest| slowest.0 + WINDOW < batch.0);
        self.moved.wait_while(&mut next, too_early);
    }
}
