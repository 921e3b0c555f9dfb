//! Random pushes, seals, merges and crashes, compared with a plain list.

use std::collections::BTreeSet;

use model::{Labels, MatchOp, Matcher, Nanos};
use proptest::prelude::*;
use streams::{Direction, Entry, LogAppender, SelectLogs, Stream, StreamQuery, Wanted};

use crate::test_support::{Seen, TestStore, containing, read, stream};

/// Time, number of the line, number of the metadata.
type Given = (Nanos, u8, u8);

#[derive(Debug, Clone)]
enum Action {
    Push(Vec<(u8, Vec<Given>)>),
    Flush,
    Compact,
    Crash,
    Close,
}

#[derive(Debug, Clone)]
struct Question {
    app: &'static str,
    start: Nanos,
    end: Nanos,
    backward: bool,
    needle: Option<u8>,
    lines: bool,
    metadata: bool,
}

fn action() -> impl Strategy<Value = Action> {
    let entry = (0i64..300, 0u8..12, 0u8..3);
    let push = prop::collection::vec((0u8..4, prop::collection::vec(entry, 0..60)), 1..4);
    prop_oneof![
        8 => push.prop_map(Action::Push),
        3 => Just(Action::Flush),
        1 => Just(Action::Compact),
        2 => Just(Action::Crash),
        1 => Just(Action::Close),
    ]
}

fn question() -> impl Strategy<Value = Question> {
    let app = prop::sample::select(vec![".+", "app-1", "app-(0|2)", "none"]);
    let needle = prop::option::of(0u8..14);
    (app, -10i64..310, -10i64..310, any::<bool>(), needle, any::<bool>(), any::<bool>()).prop_map(
        |(app, start, end, backward, needle, lines, metadata)| Question {
            app,
            start,
            end,
            backward,
            needle,
            lines,
            metadata,
        },
    )
}

fn line(number: u8) -> String {
    match number % 3 {
        0 => format!("level=info msg=\"request {number} done\""),
        1 => format!("id=4bf92f3577b34da6a3ce929d0e0e47{number:02} ok"),
        _ => "x".repeat(usize::from(number)),
    }
}

fn metadata(number: u8) -> Labels {
    match number {
        0 => Labels::empty(),
        number => Labels::from_pairs([("detected_level", "info".to_owned()), ("n", number.to_string())]),
    }
}

/// Every entry ever taken: a set, for repeats count once.
type Model = BTreeSet<Seen>;

fn apply(test: &mut TestStore, model: &mut Model, action: Action) {
    match action {
        Action::Push(streams) => {
            for (app, entries) in streams {
                let labels = crate::test_support::labels(&format!("app-{app}"));
                let entries: Vec<Entry> = entries
                    .iter()
                    .map(|(time, text, meta)| Entry {
                        timestamp: *time,
                        line: line(*text).into(),
                        metadata: metadata(*meta),
                    })
                    .collect();
                for entry in &entries {
                    let line = String::from_utf8(entry.line.to_vec()).expect("UTF-8");
                    let metadata =
                        if entry.metadata.is_empty() { String::new() } else { entry.metadata.to_string() };
                    model.insert((labels.to_string(), entry.timestamp, line, metadata));
                }
                test.store().push(vec![Stream { labels, entries }]).expect("pushed");
            }
        }
        Action::Flush => {
            test.store().flush().expect("sealed");
        }
        Action::Compact => {
            test.store().compact().expect("merged");
        }
        Action::Crash => test.crash(),
        Action::Close => {
            test.store().close().expect("closed");
            test.crash();
        }
    }
}

fn check(test: &TestStore, model: &Model, question: &Question) {
    let direction = if question.backward { Direction::Backward } else { Direction::Forward };
    let matcher = Matcher::new(MatchOp::Regex, "app", question.app).expect("a valid matcher");
    let needle = question.needle.map(line).filter(|text| !text.is_empty() && question.lines);
    let select = SelectLogs {
        matchers: vec![matcher.clone()],
        start: question.start,
        end: question.end,
        direction,
        filters: needle.iter().map(|text| containing(text)).collect(),
        wanted: Wanted { lines: question.lines, metadata: question.metadata },
    };
    let querier = test.querier();
    let mut got = read(&*querier, &select);
    // Within a stream, times follow the direction.
    for pair in got.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        let in_order = if question.backward { pair[0].1 >= pair[1].1 } else { pair[0].1 <= pair[1].1 };
        assert!(in_order, "{pair:?}");
    }
    let fits = |labels: &str| {
        let app = labels.trim_start_matches("{app=\"").trim_end_matches("\"}");
        matcher.matches(app)
    };
    let in_range = |time: Nanos| time >= question.start && time < question.end;
    let mut want: Vec<Seen> =
        model.iter().filter(|seen| fits(&seen.0) && in_range(seen.1)).cloned().collect();
    if let Some(needle) = &needle {
        want.retain(|seen| seen.2.contains(needle));
        got.retain(|seen| seen.2.contains(needle));
    }
    for seen in &mut want {
        if !question.lines {
            seen.2.clear();
        }
        if !question.metadata {
            seen.3.clear();
        }
    }
    want.sort();
    got.sort();
    assert_eq!(got, want, "{question:?}");

    let query =
        StreamQuery { selectors: vec![vec![matcher.clone()]], start: question.start, end: question.end };
    let series: BTreeSet<String> =
        querier.series(&query).expect("series").iter().map(ToString::to_string).collect();
    let with_entries: BTreeSet<String> =
        model.iter().filter(|seen| fits(&seen.0) && in_range(seen.1)).map(|seen| seen.0.clone()).collect();
    assert!(series.is_superset(&with_entries), "{series:?} {with_entries:?}");
    let names = querier.label_names(&query).expect("names");
    assert_eq!(names.is_empty(), series.is_empty());
    assert_eq!(querier.label_values("app", &query).expect("values").len(), series.len());
    let volume = querier.volume(&query).expect("a volume");
    assert_eq!(volume.streams, series.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_a_list(
        actions in prop::collection::vec(action(), 1..14),
        questions in prop::collection::vec(question(), 6),
    ) {
        let mut test = TestStore::with(|options| {
            options.segment.row_group_lines = 16;
            options.segment.merge_count = 3;
            options.wal.segment_bytes = 2000;
        });
        let mut model = Model::new();
        for action in actions {
            apply(&mut test, &mut model, action);
            check(&test, &model, &questions[0]);
        }
        for question in &questions {
            check(&test, &model, question);
        }
    }
}

#[test]
fn backward_is_forward_reversed() {
    let test = TestStore::new();
    for round in 0..3 {
        for time in 0..200i64 {
            let entries = [(time / 2, line((time % 12) as u8)), (time, format!("{round} {time}"))];
            let entries: Vec<_> = entries.iter().map(|(time, line)| (*time, line.as_str())).collect();
            test.store().push(vec![stream("a", &entries)]).expect("pushed");
        }
        if round < 2 {
            test.store().flush().expect("sealed");
        }
    }
    let forward = test.select(&crate::test_support::select(Direction::Forward));
    let mut backward = test.select(&crate::test_support::select(Direction::Backward));
    backward.reverse();
    assert_eq!(forward, backward);
}
