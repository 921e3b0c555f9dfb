use std::time::Duration;

use super::*;
use crate::{MemorySnapshots, test_support::start};

fn open(snapshots: &Arc<MemorySnapshots>, clock: &Clock, limits: SilenceLimits) -> Silences {
    let snapshots = Arc::clone(snapshots) as Arc<dyn Snapshots>;
    Silences::open(snapshots, clock.clone(), Duration::from_secs(3600), limits, MatcherMode::Fallback)
        .expect("opens")
}

fn silence(job: &str, starts: i64, ends: i64) -> Silence {
    let at = |second: i64| start() + jiff::SignedDuration::from_secs(second);
    Silence {
        id: String::new(),
        matchers: vec![Matcher::equal("job", job)],
        starts_at: at(starts),
        ends_at: at(ends),
        updated_at: start(),
        created_by: "me".into(),
        comment: "why".into(),
        annotations: BTreeMap::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn silences_come_and_go_and_survive() {
    let (snapshots, clock) = (Arc::default(), Clock::following_runtime(start()));
    let silences = open(&snapshots, &clock, SilenceLimits::default());
    let id = silences.set(silence("x", -100, 60)).await.expect("set");
    let known = silences.get(&id).expect("there");
    assert_eq!(known.starts_at, start(), "a silence does not reach into the past");
    let labels = Labels::from_pairs([("job", "x")]);
    assert_eq!(silences.silenced_by(&labels, clock.now()), std::slice::from_ref(&id));
    assert!(silences.silenced_by(&Labels::from_pairs([("job", "y")]), clock.now()).is_empty());
    let again = open(&snapshots, &clock, SilenceLimits::default());
    assert_eq!(again.all(), silences.all());
    silences.expire(&id).await.expect("expired");
    assert!(!silences.is_silenced(&labels, clock.now()));
    assert!(matches!(silences.expire("nobody").await, Err(SilenceError::NotFound)));
    tokio::time::advance(Duration::from_secs(3599)).await;
    silences.collect_garbage().await.expect("collects");
    assert_eq!(silences.all().len(), 1);
    tokio::time::advance(Duration::from_secs(2)).await;
    silences.collect_garbage().await.expect("collects");
    assert!(silences.all().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_edit_keeps_the_id_where_what_was_muted_stays_so() {
    let (snapshots, clock) = (Arc::default(), Clock::following_runtime(start()));
    let silences = open(&snapshots, &clock, SilenceLimits::default());
    let edit = |id: &str, changed: Silence| Silence { id: id.to_owned(), ..changed };
    // Active: the end may move.
    let id = silences.set(silence("x", 0, 60)).await.expect("set");
    assert_eq!(silences.set(edit(&id, silence("x", 0, 90))).await.expect("set"), id);
    // Other matchers: a new one, and the old one is over.
    let other = silences.set(edit(&id, silence("y", 0, 90))).await.expect("set");
    assert_ne!(other, id);
    assert_eq!(silences.get(&id).expect("kept").state(clock.now()), SilenceState::Expired);
    // Pending: the start may move, but not into the past.
    let id = silences.set(silence("z", 60, 90)).await.expect("set");
    assert_eq!(silences.set(edit(&id, silence("z", 30, 120))).await.expect("set"), id);
    assert_ne!(silences.set(edit(&id, silence("z", -30, 120))).await.expect("set"), id);
    // Expired: a new one.
    let over = silences.get(&id).expect("kept");
    assert_eq!(over.state(clock.now()), SilenceState::Expired);
    assert_ne!(silences.set(edit(&id, silence("z", 30, 120))).await.expect("set"), id);
    assert!(matches!(silences.set(edit("nobody", silence("z", 30, 120))).await, Err(SilenceError::NotFound)));
}

#[tokio::test(start_paused = true)]
async fn impossible_silences_and_limits_are_refused() {
    let (snapshots, clock) = (Arc::default(), Clock::following_runtime(start()));
    let silences = open(&snapshots, &clock, SilenceLimits { count: 1, bytes: 400 });
    let error = async |silence: Silence| silences.set(silence).await.expect_err("refused").to_string();
    let none = Silence { matchers: Vec::new(), ..silence("x", 0, 60) };
    assert_eq!(error(none).await, "invalid silence: at least one matcher required");
    let empty = "invalid silence: at least one matcher must not match the empty string";
    assert_eq!(error(silence("", 0, 60)).await, empty);
    assert_eq!(error(silence("x", 60, 0)).await, "invalid silence: end time must not be before start time");
    let long = Silence { comment: "x".repeat(500), ..silence("x", 0, 60) };
    assert!(error(long).await.starts_with("silence exceeded maximum size: "));
    silences.set(silence("x", 0, 60)).await.expect("the first");
    assert_eq!(error(silence("y", 0, 60)).await, "exceeded maximum number of silences: 1 (limit: 1)");
}

#[test]
fn identifiers_are_random_uuids() {
    let id = random_uuid();
    assert_eq!(id.len(), 36);
    assert_eq!(id.as_bytes()[14], b'4');
    assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    assert_ne!(id, random_uuid());
}
