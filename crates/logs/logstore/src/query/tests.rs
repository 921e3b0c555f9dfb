//! Questions about streams, and filters. That selections are right is tested against a model with the store.

use go_regex::Regex;
use model::Matcher;
use streams::{Direction, LineFilter, LogAppender, StreamQuery};

use crate::test_support::{TestStore, entry, everything, select};

/// Two streams of two labels in a segment, one in memory.
fn filled() -> TestStore {
    let test = TestStore::new();
    let push = |app: &str, env: &str, times: &[i64]| {
        let stream = streams::Stream {
            labels: model::Labels::from_pairs([("app", app), ("env", env)]),
            entries: times.iter().map(|time| entry(*time, "0123456789")).collect(),
        };
        test.store().push(vec![stream]).expect("pushed");
    };
    push("a", "prod", &[10, 20, 30, 40]);
    push("b", "dev", &[15]);
    test.store().flush().expect("sealed");
    push("c", "", &[100]);
    push("a", "prod", &[110]);
    test
}

fn query(selectors: Vec<Vec<Matcher>>, start: i64, end: i64) -> StreamQuery {
    StreamQuery { selectors, start, end }
}

#[test]
fn streams_are_named_by_selector_and_range() {
    let test = filled();
    let querier = test.querier();
    let series = |query: &StreamQuery| -> Vec<String> {
        querier.series(query).expect("series").iter().map(ToString::to_string).collect()
    };
    let (a, b, c) = (r#"{app="a", env="prod"}"#, r#"{app="b", env="dev"}"#, r#"{app="c"}"#);
    assert_eq!(series(&everything()), [a, b, c]);
    assert_eq!(series(&query(Vec::new(), 0, 10)), [] as [&str; 0], "the end is exclusive");
    assert_eq!(series(&query(Vec::new(), 0, 11)), [a]);
    assert_eq!(series(&query(Vec::new(), 100, 110)), [c]);
    let either = vec![vec![Matcher::equal("app", "b")], vec![Matcher::equal("env", "")]];
    assert_eq!(series(&query(either, 0, 200)), [b, c]);
    assert_eq!(querier.label_names(&everything()).expect("names"), ["app", "env"]);
    assert_eq!(querier.label_names(&query(Vec::new(), 100, 110)).expect("names"), ["app"]);
    assert_eq!(querier.label_values("env", &everything()).expect("values"), ["dev", "prod"]);
    assert_eq!(querier.label_values("none", &everything()).expect("values"), [] as [&str; 0]);
}

#[test]
fn volume_counts_whole_parts_and_estimates_cut_ones() {
    let test = filled();
    let volume = |start, end| test.querier().volume(&query(Vec::new(), start, end)).expect("a volume");
    let all = volume(i64::MIN, i64::MAX);
    assert_eq!((all.streams, all.chunks, all.entries, all.bytes), (3, 4, 7, 70));
    let half = volume(10, 25);
    assert_eq!((half.streams, half.chunks), (2, 2));
    assert_eq!(half.entries, 3, "half of four, and one");
    assert_eq!(volume(200, 300).streams, 0);
}

#[test]
fn a_store_without_entries_answers_nothing() {
    let test = TestStore::new();
    assert!(test.all().is_empty());
    assert!(test.querier().series(&everything()).expect("series").is_empty());
    assert_eq!(test.querier().volume(&everything()).expect("a volume"), streams::Volume::default());
}

#[test]
fn filters_leave_out_what_cannot_match() {
    let test = TestStore::new();
    let lines = ["GET /a", "POST /b", "GET /b", "", "GET", "POSTGET"];
    for (time, line) in lines.iter().enumerate() {
        test.push("a", &[(time as i64, line)]).expect("pushed");
    }
    let contains =
        |texts: &[&str]| LineFilter::Contains(texts.iter().map(|text| (*text).to_owned()).collect());
    let check = |filters: &[LineFilter], want: &[&str]| {
        let mut select = select(Direction::Forward);
        select.filters = filters.to_vec();
        let got: Vec<_> = test.select(&select).into_iter().map(|seen| seen.2).collect();
        assert_eq!(got, want);
    };
    for _ in 0..2 {
        check(&[contains(&["GET"])], &["GET /a", "GET /b", "GET", "POSTGET"]);
        check(&[contains(&["GET"]), contains(&["/b"])], &["GET /b"]);
        check(&[contains(&["/a", "POST"])], &["GET /a", "POST /b", "POSTGET"]);
        check(&[contains(&["GET", ""])], &lines);
        check(&[contains(&["aPOST"])], &[]);
        // These are the caller's to check.
        let regex = Regex::new("^POST").expect("a valid pattern");
        check(&[LineFilter::MatchesNot(regex), LineFilter::ContainsNot(vec!["GET".to_owned()])], &lines);
        // From memory first, then from a segment.
        test.store().flush().expect("sealed");
    }
}

#[test]
fn large_streams_come_in_bounded_batches() {
    let test = TestStore::with(|options| options.segment.row_group_lines = 100_000);
    let entries: Vec<_> = (0..40_000i64).map(|time| (time, "a line")).collect();
    test.push("a", &entries).expect("pushed");
    for _ in 0..2 {
        for direction in [Direction::Forward, Direction::Backward] {
            let querier = test.querier();
            let batches: Vec<_> = querier
                .select(&select(direction))
                .expect("a selection")
                .map(|b| b.expect("a batch"))
                .collect();
            assert!(batches.len() > 4 && batches.iter().all(|batch| batch.len() <= 16_384));
            let mut times: Vec<_> =
                batches.iter().flat_map(|batch| batch.timestamps.iter().copied()).collect();
            if direction == Direction::Backward {
                times.reverse();
            }
            assert!(times.iter().copied().eq(0..40_000));
        }
        test.store().flush().expect("sealed");
    }
}
