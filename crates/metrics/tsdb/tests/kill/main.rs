//! The promise of a commit: what was acknowledged survives `kill -9`, whatever the database is doing at that moment.
//!
//! The test runs itself as a child process that writes, queries, writes blocks, merges them and shortens its log without a pause, kills it
//! at a random moment, and starts it again in the same folder. What the child said is compared with what is there.
//!
//! `TSDB_KILLS` is how often (default 50), `TSDB_KILL_SEED` which moments: a failure names the seed, and keeps the folder.

mod child;
#[path = "../common/mod.rs"]
mod common;
mod load;
mod seen;

use std::{
    env, fs,
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{SyncSender, sync_channel},
    thread,
    time::{Duration, SystemTime},
};

use prometheus_client::registry::Registry;
use tempfile::TempDir;
use tsdb::Db;

use child::Housekeeping;
use load::{Batch, options};
use seen::Seen;

/// Where the child keeps its database; set only for the child.
const CHILD_DIR: &str = "TSDB_TEST_CHILD_DIR";
/// The number of the child's first batch.
const CHILD_FIRST: &str = "TSDB_TEST_CHILD_FIRST";
/// Set where the child is not to keep house.
const CHILD_IDLE: &str = "TSDB_TEST_CHILD_IDLE";
const TEST: &str = "acknowledged_batches_survive_kill_9";

/// How often everything is compared.
const CHECKS: u64 = 10;
/// A child that has not read its log by then hangs.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn acknowledged_batches_survive_kill_9() {
    if let Some(dir) = env::var_os(CHILD_DIR) {
        let first = number_from(CHILD_FIRST).expect("the parent says where to go on");
        let idle = env::var_os(CHILD_IDLE).is_some();
        child::run(Path::new(&dir), Batch(first), if idle { Housekeeping::None } else { Housekeeping::Busy });
    }
    let kills = number_from("TSDB_KILLS").unwrap_or(50);
    let clock = || SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_nanos() as u64);
    let seed = number_from("TSDB_KILL_SEED").unwrap_or_else(clock);
    let mut dir = TempDir::new().expect("a folder for the test");
    // Removed at the end, if it comes to that.
    dir.disable_cleanup(true);
    println!("TSDB_KILL_SEED={seed}, data in {}", dir.path().display());
    let mut random = Random(seed);
    let mut ledger = Ledger::default();
    for kill in 1..=kills {
        let moment = Moment::any(&mut random);
        let housekeeping = if random.below(5) == 0 { Housekeeping::None } else { Housekeeping::Busy };
        println!("kill {kill}: from {:?}, {moment:?}, housekeeping {housekeeping:?}", ledger.next());
        run_and_kill(dir.path(), moment, housekeeping, &mut ledger);
        if kill % (kills / CHECKS).max(1) == 0 || kill == kills {
            check(dir.path(), &ledger);
        }
    }
    let done = ledger.0.iter().filter(|state| **state == State::Done).count();
    println!("{done} of {} batches were acknowledged", ledger.0.len());
    assert!(done as u64 > 20 * kills, "too few batches to tell anything: {done}");
    dir.disable_cleanup(false);
}

fn number_from(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number")))
}

/// When a child is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So long after it was started: while it reads its log, perhaps.
    AfterStart(Duration),
    /// So long after it has read its log.
    AfterReplay(Duration),
}

/// What the children said of each batch, by number.
#[derive(Default)]
struct Ledger(Vec<State>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    NeverSent,
    /// It may be there: whole.
    Begun,
    /// It must be there.
    Done,
}

struct Random(u64);

fn run_and_kill(dir: &Path, moment: Moment, housekeeping: Housekeeping, ledger: &mut Ledger) {
    let mut command = Command::new(env::current_exe().expect("this test's program"));
    command.args([TEST, "--exact", "--nocapture"]);
    command.env(CHILD_DIR, dir).env(CHILD_FIRST, ledger.next().0.to_string()).stdout(Stdio::piped());
    if housekeeping == Housekeeping::None {
        command.env(CHILD_IDLE, "1");
    }
    let mut child = command.spawn().expect("the child starts");
    let (is_live, live) = sync_channel(1);
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    thread::scope(|scope| {
        // Until the pipe ends: also what the child said between being killed and being dead.
        let listening = scope.spawn(move || listen(out, ledger, is_live));
        let delay = match moment {
            Moment::AfterStart(delay) => Some(delay),
            Moment::AfterReplay(delay) => live.recv_timeout(PATIENCE).ok().map(|()| delay),
        };
        thread::sleep(delay.unwrap_or_default());
        kill(&mut child);
        listening.join().expect("what the child said is understood");
        assert!(delay.is_some(), "the child did not come to the end of its log");
    });
}

fn kill(child: &mut Child) {
    const SIGKILL: i32 = 9;
    child.kill().expect("killed");
    let status = child.wait().expect("the child has ended");
    assert_eq!(status.signal(), Some(SIGKILL), "the child ended by itself, see above: {status}");
}

fn listen(out: impl BufRead, ledger: &mut Ledger, is_live: SyncSender<()>) {
    for line in out.lines() {
        let line = line.expect("a line");
        match line.split_once(' ').map(|(word, number)| (word, number.parse())) {
            Some(("begin", Ok(number))) => ledger.note(Batch(number), State::Begun),
            Some(("done", Ok(number))) => ledger.note(Batch(number), State::Done),
            // Whoever waits for it may have gone.
            None if line == "live" => drop(is_live.send(())),
            _ => {}
        }
    }
}

/// Opens a copy of the folder, as the last child left it, and compares all of it with what the children said.
fn check(dir: &Path, ledger: &Ledger) {
    let copy = common::copy(dir);
    let db = Db::start(options(copy.path()), &mut Registry::default()).expect("the database starts");
    check_folder(&db);
    ledger.check_sent(&Seen::query(&db, Batch(0)));
    db.replay().expect("the log is read");
    check_folder(&db);
    let seen = Seen::query(&db, Batch(0));
    ledger.check_sent(&seen);
    ledger.check_done(&seen);
    db.maintain().expect("maintained");
    ledger.check_done(&Seen::query(&db, Batch(0)));
}

/// Nothing is left half done.
fn check_folder(db: &Db) {
    for folder in ["", "wal", "wbl", "chunks_head"] {
        let names = common::names_in(&db.dir().join(folder));
        assert!(!names.iter().any(|name| name.contains(".tmp")), "left over in {folder:?}: {names:?}");
    }
    assert!(db.unreadable_blocks().is_empty(), "{:?}", db.unreadable_blocks());
    let mut known: Vec<_> = db.blocks().into_iter().map(|block| block.ulid).collect();
    known.sort();
    let is_block =
        |name: &String| name.len() == 26 && fs::exists(db.dir().join(name).join("meta.json")).unwrap();
    let mut found = common::names_in(db.dir());
    found.retain(|name| !["wal", "wbl", "chunks_head", "lock"].contains(&name.as_str()));
    assert!(found.iter().all(is_block), "{found:?}");
    assert_eq!(found, known);
}

// === impl Moment ===

impl Moment {
    fn any(random: &mut Random) -> Self {
        match random.below(4) {
            0 => Self::AfterStart(Duration::from_millis(random.below(100))),
            _ => Self::AfterReplay(Duration::from_millis(20 + random.below(250))),
        }
    }
}

// === impl Ledger ===

impl Ledger {
    /// The first batch that no child has begun, nor any after it.
    fn next(&self) -> Batch {
        Batch(self.0.len() as u64)
    }

    fn note(&mut self, batch: Batch, state: State) {
        let at = batch.0 as usize;
        self.0.resize(self.0.len().max(at + 1), State::NeverSent);
        assert!(self.0[at] < state, "{batch:?} is {state:?} and was {:?}", self.0[at]);
        self.0[at] = state;
    }

    fn check_sent(&self, seen: &Seen) {
        for batch in seen.numbers().map(Batch).filter(|batch| seen.has(*batch)) {
            let state = self.0.get(batch.0 as usize).copied().unwrap_or(State::NeverSent);
            assert!(state != State::NeverSent, "{batch:?} was never sent");
        }
    }

    fn check_done(&self, seen: &Seen) {
        for (number, state) in (0..).zip(&self.0) {
            assert!(*state != State::Done || seen.has(Batch(number)), "{:?} is lost", Batch(number));
        }
    }
}

// === impl Random ===

impl Random {
    /// A number below `end` (SplitMix64).
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
