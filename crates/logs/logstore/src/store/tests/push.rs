//! Pushes: order, repeats, limits, a device that is full.

use std::sync::Arc;

use disk::fault::{Fault, FaultyFs};
use streams::{Direction, LogAppender, LogSource, PushError, Stream};

use crate::{
    WalSync,
    test_support::{TestStore, entry, labels, select, stream},
};

const HOUR: i64 = 3600 * 1_000_000_000;

#[test]
fn what_was_pushed_is_read_in_order_of_time() {
    let test = TestStore::new();
    test.push("a", &[(3, "three"), (1, "one")]).expect("pushed");
    test.push("a", &[(2, "two")]).expect("pushed");
    test.push("b", &[(1, "other")]).expect("pushed");
    assert_eq!(test.lines(), ["one", "two", "three", "other"]);
    let backward: Vec<_> = test.select(&select(Direction::Backward)).into_iter().map(|seen| seen.2).collect();
    assert_eq!(backward, ["three", "two", "one", "other"]);
}

#[test]
fn an_empty_push_is_nothing() {
    let test = TestStore::new();
    test.store().push(Vec::new()).expect("nothing to do");
    test.push("a", &[]).expect("nothing to do");
    assert!(test.all().is_empty());
}

#[test]
fn entries_too_far_behind_are_refused_and_the_others_taken() {
    let test = TestStore::new();
    let now = 100 * HOUR;
    test.push("a", &[(now, "now")]).expect("pushed");
    let error =
        test.push("a", &[(now - HOUR, "late"), (now - HOUR - 1, "too late")]).expect_err("one is too late");
    let PushError::TooFarBehind(late) = error else {
        panic!("{error:?}");
    };
    assert_eq!(late.len(), 1);
    assert_eq!((late[0].timestamp, late[0].oldest), (now - HOUR - 1, now - HOUR));
    assert_eq!(late[0].stream, labels("a"));
    assert_eq!(test.lines(), ["late", "now"]);
    // The youngest entry of the same push counts too; another stream has its own time.
    test.push("a", &[(now + HOUR, "new"), (now - 1, "x")]).expect_err("it is behind the new one");
    test.push("b", &[(1, "old")]).expect("nothing is before it");
}

#[test]
fn the_order_rule_survives_sealing_and_a_crash() {
    let mut test = TestStore::new();
    test.push("a", &[(100 * HOUR, "now")]).expect("pushed");
    test.store().flush().expect("sealed");
    test.push("a", &[(HOUR, "x")]).expect_err("the stream remembers how far it was");
    test.push("a", &[(101 * HOUR, "later")]).expect("pushed");
    test.crash();
    test.push("a", &[(HOUR, "x")]).expect_err("the log tells how far it was");
}

#[test]
fn repeats_are_seen_once() {
    let mut test = TestStore::new();
    for _ in 0..3 {
        test.push("a", &[(1, "x"), (1, "x"), (1, "y"), (2, "x")]).expect("pushed");
    }
    let want = ["x", "y", "x"];
    assert_eq!(test.lines(), want);
    test.store().flush().expect("sealed");
    assert_eq!(test.lines(), want);
    test.push("a", &[(1, "x"), (1, "z"), (2, "x")]).expect("pushed");
    assert_eq!(test.lines(), ["x", "y", "z", "x"]);
    test.crash();
    assert_eq!(test.lines(), ["x", "y", "z", "x"]);
}

#[test]
fn entries_that_differ_in_metadata_are_two() {
    let test = TestStore::new();
    let mut with_metadata = entry(1, "x");
    with_metadata.metadata = model::Labels::from_pairs([("trace", "1")]);
    let stream =
        Stream { labels: labels("a"), entries: vec![entry(1, "x"), with_metadata.clone(), with_metadata] };
    test.store().push(vec![stream]).expect("pushed");
    for _ in 0..2 {
        let metadata: Vec<_> = test.all().into_iter().map(|seen| seen.3).collect();
        assert_eq!(metadata, ["", "{trace=\"1\"}"]);
        test.store().flush().expect("sealed");
    }
}

#[test]
fn a_stream_too_many_is_named_and_known_ones_go_on() {
    let test = TestStore::with(|options| options.max_streams = 2);
    test.push("a", &[(1, "x")]).expect("pushed");
    test.push("b", &[(1, "x")]).expect("pushed");
    let error = test
        .store()
        .push(vec![stream("c", &[(1, "x")]), stream("a", &[(2, "y")])])
        .expect_err("one too many");
    match error {
        PushError::StreamLimit { limit, streams } => assert_eq!((limit, streams), (2, vec![labels("c")])),
        other => panic!("{other:?}"),
    }
    assert_eq!(test.lines(), ["x", "y", "x"]);
}

#[test]
fn a_full_device_refuses_pushes_and_keeps_reads_up() {
    for sync in [WalSync::SegmentEnd, WalSync::Commit] {
        let fs = FaultyFs::default();
        let mut test = TestStore::with(|options| {
            options.fs = Arc::new(fs.clone());
            options.wal.sync = sync;
        });
        test.push("a", &[(1, "kept")]).expect("pushed");
        fs.inject(Fault::Full { after: 30 });
        for time in 2..5 {
            let error = test.push("a", &[(time, "refused")]).expect_err("the device is full");
            assert!(matches!(error, PushError::DiskFull(_)), "{error:?}");
        }
        assert_eq!(test.lines(), ["kept"], "nothing was taken");
        fs.heal();
        test.push("a", &[(5, "again")]).expect("there is room");
        test.crash();
        assert_eq!(test.lines(), ["kept", "again"]);
        assert_eq!(test.store().replay_report().torn_tails, 0, "failed writes were cut off");
    }
}

#[test]
fn a_device_that_is_nearly_full_takes_no_pushes() {
    let mut test = TestStore::with(|options| options.wal.disk_full_threshold = 1e-9);
    test.push("a", &[(1, "x")]).expect("nobody has looked yet");
    test.store().tick(1).expect("ticked");
    let error = test.push("a", &[(2, "y")]).expect_err("the device is too full");
    assert!(matches!(error, PushError::DiskFull(_)), "{error:?}");
    assert_eq!(test.lines(), ["x"]);
    test.options.wal.disk_full_threshold = 0.0;
    test.crash();
    test.store().tick(1).expect("ticked");
    test.push("a", &[(2, "y")]).expect("nobody minds");
}

#[test]
fn memory_stays_bounded_when_sealing_fails() {
    let fs = FaultyFs::default();
    let test = TestStore::with(|options| {
        options.fs = Arc::new(fs.clone());
        options.seal_bytes = 10_000;
    });
    test.store().tick(1).expect("ticked");
    fs.inject(Fault::Rename);
    let line = "x".repeat(1000);
    let taken = (0..100).take_while(|time| test.push("a", &[(*time, &line)]).is_ok()).count();
    assert!((30..45).contains(&taken), "{taken}");
    assert_eq!(test.all().len(), taken);
    assert!(test.metric("loki_ingester_chunks_flush_failures_total") <= 2.0, "it is not tried at every push");
    fs.heal();
    assert!(test.store().tick(60_000_000_000).expect("ticked").sealed > 0);
    test.push("a", &[(200, &line)]).expect("there is room");
    assert_eq!(test.all().len(), taken + 1);
}

#[test]
fn a_log_that_cannot_even_be_cut_goes_on_in_a_new_segment() {
    let fs = FaultyFs::default();
    let mut test = TestStore::with(|options| options.fs = Arc::new(fs.clone()));
    test.push("a", &[(1, "kept")]).expect("pushed");
    fs.inject(Fault::Full { after: 30 });
    fs.inject(Fault::Truncate);
    test.push("a", &[(2, "refused")]).expect_err("the device is full");
    fs.heal();
    test.push("a", &[(3, "again")]).expect("there is room");
    test.crash();
    assert_eq!(test.lines(), ["kept", "again"]);
    assert_eq!(test.store().replay_report().torn_tails, 1);
}

#[test]
fn a_failed_sync_is_no_acknowledgement() {
    let fs = FaultyFs::default();
    let test = TestStore::with(|options| {
        options.fs = Arc::new(fs.clone());
        options.wal.sync = WalSync::Commit;
    });
    test.push("a", &[(1, "kept")]).expect("pushed");
    fs.inject(Fault::Sync);
    let error = test.push("a", &[(2, "x")]).expect_err("not durable");
    assert!(matches!(error, PushError::Log(_)), "{error:?}");
    fs.heal();
    test.push("a", &[(3, "again")]).expect("pushed");
    assert_eq!(test.lines(), ["kept", "again"]);
}

#[test]
fn a_closed_store_takes_nothing_and_still_answers() {
    let mut test = TestStore::new();
    test.push("a", &[(1, "x")]).expect("pushed");
    test.store().close().expect("closed");
    test.store().close().expect("closed already");
    let error = test.push("a", &[(2, "y")]).expect_err("closed");
    assert!(matches!(error, PushError::Closed), "{error:?}");
    assert_eq!(test.lines(), ["x"]);
    test.crash();
    assert_eq!(test.lines(), ["x"]);
}

#[test]
fn many_pushers_share_writes_and_lose_nothing() {
    let mut test = TestStore::with(|options| {
        options.wal.segment_bytes = 4096;
        options.seal_bytes = 64 << 10;
    });
    let pushers: Vec<_> = (0..8)
        .map(|pusher| {
            let store = test.store().clone();
            std::thread::spawn(move || {
                for number in 0..200i64 {
                    let line = format!("{number} {}", "x".repeat(100));
                    store.push(vec![stream(&format!("app-{pusher}"), &[(number, &line)])]).expect("pushed");
                }
            })
        })
        .collect();
    for pusher in pushers {
        pusher.join().expect("no pusher panics");
    }
    assert_eq!(test.all().len(), 1600);
    test.crash();
    assert_eq!(test.all().len(), 1600);
}

#[test]
fn a_line_too_long_for_the_log_is_refused_alone() {
    let test = TestStore::new();
    let long = "x".repeat((64 << 20) + 1);
    test.push("a", &[(1, &long)]).expect_err("too long");
    test.push("a", &[(1, "x")]).expect("pushed");
    assert_eq!(test.lines(), ["x"]);
    assert!(test.store().querier().is_ok());
}
