use proptest::prelude::*;
use streams::LineBatchBuilder;
use template::{Clock, Functions};

use super::*;
use crate::syntax::{Expr, parse};
use model::Labels;

fn functions() -> Functions {
    template::functions::loki::functions(&Clock::fixed(jiff::Timestamp::UNIX_EPOCH))
}

fn compile(stages: &str) -> Pipeline {
    let query = format!(r#"{{s="t"}} {stages}"#);
    let Ok(Expr::Log(log)) = parse(&query) else {
        panic!("{query} is a log query");
    };
    Pipeline::compile(&log.stages, &functions()).unwrap_or_else(|error| panic!("{query}: {error}"))
}

fn compile_error(stages: &str) -> String {
    let query = format!(r#"{{s="t"}} {stages}"#);
    let Ok(Expr::Log(log)) = parse(&query) else {
        panic!("{query} is a log query");
    };
    match Pipeline::compile(&log.stages, &functions()) {
        Ok(_) => panic!("{query} should not compile"),
        Err(error) => error.to_string(),
    }
}

/// What becomes of a line of the stream `{s="t", env="prod"}` with metadata `{user="u1"}`: its text and its labels.
fn process(stages: &str, line: &str) -> Option<(String, String)> {
    process_with(&mut compile(stages), Hints::all(), line)
}

fn process_with(pipeline: &mut Pipeline, hints: Hints, line: &str) -> Option<(String, String)> {
    let mut builder = LineBatchBuilder::new(Labels::from_pairs([("s", "t"), ("env", "prod")]));
    let metadata = Labels::from_pairs([("user", "u1")]);
    assert!(builder.push(7_000_000_000, line.as_bytes(), &metadata));
    let batch = builder.finish();
    let mut rows = Vec::new();
    pipeline.rows(&batch, &mut rows);
    rows.first()?;
    let mut labels = EntryLabels::new(hints);
    labels.set_stream(&batch.stream);
    labels.start(batch.metadata(0));
    let mut entry = Entry { timestamp: batch.timestamps[0], line: Cow::Borrowed(line) };
    if !pipeline.run(&mut entry, &mut labels) {
        return None;
    }
    let mut all: Vec<_> = labels.all().iter().map(|(name, value, _)| format!("{name}={value}")).collect();
    all.sort();
    let own: Vec<_> =
        all.into_iter().filter(|pair| !matches!(pair.as_str(), "s=t" | "env=prod" | "user=u1")).collect();
    Some((entry.line.into_owned(), own.join(" ")))
}

/// The labels beside those of stream and metadata.
fn labels_of(stages: &str, line: &str) -> String {
    process(stages, line).unwrap_or_else(|| panic!("{stages} drops {line}")).1
}

fn passes(stages: &str, line: &str) -> bool {
    process(stages, line).is_some()
}

#[test]
fn line_filters() {
    let check =
        |stages: &str, line: &str, want: bool| assert_eq!(passes(stages, line), want, "{stages} on {line}");
    check(r#"|= "err""#, "an error", true);
    check(r#"|= "err""#, "all fine", false);
    check(r#"|= "a" or "b""#, "xbx", true);
    check(r#"|= "a" or "b""#, "xcx", false);
    check(r#"!= "a" or "b""#, "xbx", false);
    check(r#"!= "a" or "b""#, "xcx", true);
    check(r#"|~ "e.r""#, "e\nr", true);
    check(r#"|~ "^e""#, "see", false);
    check(r#"!~ "(?i)ERR""#, "an error", false);
    check(r#"|= """#, "", true);
    check(r#"|> "<_>=<_>""#, "a=b", true);
    check(r#"|> "<_>=<_>""#, "=b", false);
    check(r#"!> "a <_> c""#, "a b c", false);
    check(r#"|= ip("10.0.0.0/8")"#, "from 10.1.2.3:80", true);
    check(r#"|= ip("10.0.0.0/8")"#, "from 11.1.2.3", false);
    check(r#"!= ip("192.168.0.1-192.168.0.9")"#, "x 192.168.0.5", false);
    check(r#"|= ip("2001:db8::/32")"#, "x 2001:db8::5 y", true);
    check(r#"|= "a" |= "b" != "c""#, "ab", true);
    check(r#"|= "a" |= "b" != "c""#, "abc", false);
}

#[test]
fn json_fields_become_labels() {
    let check = |line: &str, want: &str| assert_eq!(labels_of("| json", line), want, "{line}");
    check(r#"{"a":"x","b":{"c":1,"d":true},"e":[1],"f":null}"#, "a=x b_c=1 b_d=true");
    check(r#"{"env":"x","user":"y","9a":"z","a-b":"q"}"#, "_9a=z a_b=q env_extracted=x user_extracted=y");
    check(r#"{"a":"1","a":"2"}"#, "a=1");
    check(r#"{"a":"\u00e9\n\"","b":"\ud83e\udd80"}"#, "a=é\n\" b=🦀");
    check(
        "plain",
        "__error__=JSONParserErr __error_details__=Value looks like object, but can't find closing '}' symbol",
    );
    check(
        r#"{"a":"x","b":{"c""#,
        "__error__=JSONParserErr __error_details__=Value looks like object, but can't find closing '}' symbol a=x",
    );
    check("{}", "");
}

#[test]
fn json_expressions_take_what_they_name() {
    let check = |stages: &str, line: &str, want: &str| {
        assert_eq!(labels_of(stages, line), want, "{stages} on {line}")
    };
    check(r#"| json a="b.c""#, r#"{"b":{"c":"x"}}"#, "a=x");
    check(r#"| json a="b[1]", z="b[0].q""#, r#"{"b":[{"q":"y"},"x"]}"#, "a=x z=y");
    check(r#"| json a="[\"b c\"]""#, r#"{"b c":5}"#, "a=5");
    check(r#"| json a="b""#, r#"{"b":{"c":[1, 2]}}"#, r#"a={"c":[1, 2]}"#);
    check(r#"| json a="nope""#, r#"{"b":1}"#, "a=");
    check(r#"| json a="b""#, r#"{"b":1, broken"#, "a=1");
    check(r#"| json env="b""#, r#"{"b":1}"#, "env_extracted=1");
    assert_eq!(
        compile_error(r#"| json x="http[",y="a""#),
        r#"parse error : stage '| json x="http[",y="a"' : cannot parse expression [http[]: syntax error: unexpected $end, expecting STRING or INDEX"#
    );
}

#[test]
fn logfmt_pairs_become_labels() {
    let check = |stages: &str, line: &str, want: &str| {
        assert_eq!(labels_of(stages, line), want, "{stages} on {line}")
    };
    check("| logfmt", r#"a=1 b="x y" c= d e="q\"q" f-g=2"#, "a=1 b=x y e=q\"q f_g=2");
    check("| logfmt --keep-empty", "c= d", "c= d=");
    check("| logfmt", r#"a=1 =x b"c d=2"#, "a=1 d=2");
    check(
        "| logfmt --strict",
        "a=1 =x d=2",
        "__error__=LogfmtParserErr __error_details__=logfmt syntax error at pos 5 : unexpected '=' a=1",
    );
    check("| logfmt", "a=1 a=2 env=x", "a=1 env_extracted=x");
    check(r#"| logfmt z="a", b"#, "a=1 b=2 c=3", "b=2 z=1");
    check(r#"| logfmt z="nope""#, "a=1", "z=");
}

#[test]
fn regexp_and_pattern_name_their_parts() {
    assert_eq!(labels_of(r#"| regexp `(?P<a>\w+) (?P<env>\d+)`"#, "x 12"), "a=x env_extracted=12");
    assert_eq!(labels_of(r#"| regexp `(?P<a>\d+)`"#, "x"), "");
    assert_eq!(
        labels_of(r#"| pattern "<ip> - <_> \"<m> <p>\"""#, r#"1.2.3.4 - bob "GET /x""#),
        "ip=1.2.3.4 m=GET p=/x"
    );
    assert_eq!(labels_of(r#"| pattern "<a> HTTP""#, "no such thing"), "a=no such thing");
    assert_eq!(labels_of(r#"| pattern "level=<l>""#, "x level=5"), "");
    assert_eq!(
        compile_error(r#"| regexp "(x)""#),
        "parse error : invalid regexp parser: at least one named capture must be supplied"
    );
    assert_eq!(
        compile_error(r#"| pattern "<_>""#),
        "parse error : invalid pattern parser: at least one capture is required"
    );
    assert_eq!(
        compile_error(r#"| pattern "<a><b>""#),
        "parse error : invalid pattern parser: found consecutive capture '<a><b>': invalid expression"
    );
}

#[test]
fn unpack_undoes_pack() {
    let packed = r#"{"_entry":"the \"line\"","pod":"p","env":"x"}"#;
    let want = ("the \"line\"".to_owned(), "env_extracted=x pod=p".to_owned());
    assert_eq!(process("| unpack", packed), Some(want));
    assert_eq!(labels_of("| unpack", r#"{"pod":"p"}"#), "");
    assert_eq!(
        labels_of("| unpack", "x"),
        "__error__=JSONParserErr __error_details__=expecting json object(6), but it is not"
    );
    assert!(passes(r#"| unpack |= "line""#, packed));
    assert!(!passes(r#"| unpack |= "pod""#, packed));
}

#[test]
fn label_filters() {
    let line = r#"d=1500ms n=5 s=2KB ip=10.0.0.1 bad=x"#;
    let check = |filter: &str, want: bool| {
        assert_eq!(passes(&format!("| logfmt | {filter}"), line), want, "{filter}")
    };
    check("n>4", true);
    check("n==5", true);
    check("n!=5", false);
    check("d>1s", true);
    check("d<=1s", false);
    check("s_extracted>=2KB", true);
    check("s_extracted<2KiB", true);
    check("missing>1", false);
    check(r#"missing="""#, true);
    check(r#"missing!="""#, false);
    check("bad>1", true);
    check(r#"bad>1 | __error__="""#, false);
    check(r#"ip=ip("10.0.0.0/24")"#, true);
    check(r#"ip!=ip("10.0.0.0/24")"#, false);
    check(r#"n>9 or d>1s"#, true);
    check(r#"n>9 and d>1s"#, false);
    check(r#"user="u1", env=~"pr.*""#, true);
    assert_eq!(
        labels_of("| logfmt bad | bad>1", line),
        "__error__=LabelFilterErr __error_details__=strconv.ParseFloat: parsing \"x\": invalid syntax bad=x"
    );
}

#[test]
fn formats_rewrite_lines_and_labels() {
    let line = |stages: &str, line: &str| process(stages, line).map(|(line, _)| line);
    assert_eq!(line(r#"| logfmt | line_format "{{.a}}""#, "a=1"), Some("1".to_owned()));
    assert_eq!(line(r#"| logfmt | line_format "{{.a}}-{{.user}}{{.nope}}""#, "a=1"), Some("1-u1".to_owned()));
    assert_eq!(
        line(r#"| line_format "{{__line__ | ToUpper}} {{__timestamp__ | unixEpochNanos}}""#, "x"),
        Some("X 7000000000".to_owned())
    );
    assert_eq!(line(r#"| line_format "y" |= "x""#, "x"), None);
    assert_eq!(labels_of(r#"| logfmt | label_format c="<{{.a}}>", b=a"#, "a=1"), "b=1 c=<1>");
    assert_eq!(labels_of(r#"| logfmt | label_format b=a, c="<{{.a}}>""#, "a=1"), "b=1 c=<>");
    assert_eq!(labels_of(r#"| logfmt | label_format a="2", b="{{.a}}{{.a}}""#, "a=1"), "a=2 b=11");
    assert_eq!(labels_of(r#"| label_format who=user"#, "x"), "who=u1");
    assert_eq!(
        compile_error(r#"| label_format a=b, a=c"#),
        "parse error : stage '| label_format a=b,a=c' : multiple label name 'a' not allowed in a single format operation"
    );
    assert!(
        compile_error(r#"| line_format "{{ nope .a }}""#)
            .contains("invalid line template: template: line:1: function \"nope\" not defined")
    );
    let (line, labels) = process(r#"| line_format "{{ index .x 5 }}""#, "as it was").expect("kept");
    assert_eq!(line, "as it was");
    assert!(labels.starts_with("__error__=TemplateFormatErr"), "{labels}");
}

#[test]
fn drop_and_keep_choose_labels() {
    assert_eq!(labels_of("| logfmt | drop a", "a=1 b=2"), "b=2");
    assert_eq!(labels_of(r#"| logfmt | drop a="2", b=~"2|3""#, "a=1 b=2"), "a=1");
    assert_eq!(labels_of("| json | drop __error__, __error_details__", "plain"), "");
    assert_eq!(labels_of("| logfmt | keep s, env, user, b", "a=1 b=2"), "b=2");
    assert_eq!(
        labels_of("| json | keep env, s, user | __error__!=\"\"", "plain").split('=').next(),
        Some("__error__")
    );
    // What was removed is not extracted again.
    assert_eq!(labels_of("| logfmt | drop a | logfmt", "a=1 b=2"), "b=2");
}

#[test]
fn decolorize_takes_escapes_out() {
    let line = process("| decolorize", "\u{1b}[31mred\u{1b}[0m plain").map(|(line, _)| line);
    assert_eq!(line.as_deref(), Some("red plain"));
}

#[test]
fn parsers_extract_what_is_needed_and_stop() {
    let grouping = crate::syntax::Grouping { labels: vec!["a".to_owned()], without: false };
    let mut pipeline = compile("| json");
    let hints = Hints::for_metric(Some(&grouping), &pipeline.requirements().labels);
    let broken = r#"{"a":"1","b":"2","c"#;
    assert_eq!(process_with(&mut pipeline, hints, broken).map(|(_, labels)| labels).as_deref(), Some("a=1"));
    let none = crate::syntax::Grouping { labels: Vec::new(), without: false };
    let hints = Hints::for_metric(Some(&none), &pipeline.requirements().labels);
    assert_eq!(process_with(&mut pipeline, hints, broken).map(|(_, labels)| labels).as_deref(), Some(""));
}

/// Lines of the stream `{s="t"}`, each with its metadata; the rows that are left before any line is parsed.
fn rows_of(stages: &str, lines: &[(&str, &[(&str, &str)])]) -> Vec<u32> {
    let mut builder = LineBatchBuilder::new(Labels::from_pairs([("s", "t")]));
    for (line, metadata) in lines {
        assert!(builder.push(0, line.as_bytes(), &Labels::from_pairs(metadata.iter().copied())));
    }
    let mut rows = Vec::new();
    compile(stages).rows(&builder.finish(), &mut rows);
    rows
}

#[test]
fn label_filters_narrow_the_lines_that_are_parsed() {
    let lines: &[(&str, &[(&str, &str)])] = &[
        (r#"{"trace":"abc-1"}"#, &[]),
        (r#"{"trace":"other"}"#, &[]),
        ("in metadata", &[("trace", "abc-1")]),
        (r#"{"a":"abc-1 elsewhere"}"#, &[]),
    ];
    assert_eq!(rows_of(r#"| json | trace="abc-1""#, lines), [0, 2, 3]);
    assert_eq!(rows_of(r#"| logfmt | x > 5 and trace="abc-1""#, lines), [0, 2, 3]);
    let all = [0, 1, 2, 3];
    assert_eq!(rows_of(r#"| json | trace="abc-1" or x="abc""#, lines), all);
    assert_eq!(rows_of(r#"| json | trace!="abc-1""#, lines), all);
    assert_eq!(rows_of(r#"| json | trace="a/b/c""#, lines), all);
    assert_eq!(rows_of(r#"| json | s="ttt""#, lines), all);
    assert_eq!(rows_of(r#"| label_format x="y" | json | trace="abc-1""#, lines), all);
    assert_eq!(rows_of(r#"| json | __error__="JSONParserErr""#, lines), all);
    assert_eq!(rows_of(r#"| json | trace="abc""#, &[(r#"{"trace":"\u0061bc"}"#, &[]), ("x", &[])]), [0, 1]);
}

const STAGES: &[&str] = &[
    "| json",
    "| logfmt",
    "| logfmt --strict",
    r#"| json a="b.c[0]", d"#,
    r#"| logfmt a="b""#,
    r#"| regexp `(?P<a>\w+)=(?P<b>.*)`"#,
    r#"| pattern "<a>=<b> <_>""#,
    "| unpack",
    "| decolorize",
    r#"| line_format "{{.a}} {{__line__}}""#,
    r#"| label_format c=a, d="{{.b}}""#,
    "| drop a",
    "| keep b",
    "| a > 5",
    "| b > 5s or c > 5KB",
    r#"| a = ip("10.0.0.0/8")"#,
    r#"|= "a""#,
    r#"!= ip("10.0.0.1")"#,
    r#"|> "<_>a<_>""#,
    r#"|~ "a.b""#,
];

proptest! {
    /// Narrowing down never loses a line that the stages would keep.
    #[test]
    fn narrowed_lines_are_those_that_parsing_drops(
        lines in prop::collection::vec(r#"(\{"ab":"|ab=|abc|"|\}|,| |\\u0061bc|x){0,6}"#, 1..12),
        parser in prop::sample::select(vec!["| json", "| logfmt"]),
        value in prop::sample::select(vec!["abc", "abcabc", "xxx"]),
    ) {
        let stages = format!(r#"{parser} | ab="{value}""#);
        let rows = {
            let lines: Vec<(&str, &[(&str, &str)])> = lines.iter().map(|line| (line.as_str(), &[][..])).collect();
            rows_of(&stages, &lines)
        };
        let mut pipeline = compile(&stages);
        for (row, line) in (0u32..).zip(&lines) {
            let mut labels = EntryLabels::new(Hints::all());
            labels.start(None);
            let mut entry = Entry { timestamp: 0, line: Cow::Borrowed(line) };
            if pipeline.run(&mut entry, &mut labels) {
                prop_assert!(rows.contains(&row), "{} loses {}", stages, line);
            }
        }
    }

    #[test]
    fn any_line_goes_through_any_stages(
        stages in prop::collection::vec(0usize..STAGES.len(), 0..5),
        line in r#"([ -~é\\"{}\[\]:=,]|a=|"b":|10\.0\.0\.1|\{"a":|\\u00e9){0,40}"#,
    ) {
        let stages = stages.iter().map(|at| STAGES[*at]).collect::<Vec<_>>().join(" ");
        // `drop a` takes a `!=` behind it for a matcher of its own.
        if parse(&format!(r#"{{s="t"}} {stages}"#)).is_ok() {
            let _ = process(&stages, &line);
        }
    }

    #[test]
    fn searching_the_buffer_finds_what_searching_lines_finds(
        lines in prop::collection::vec("[ab]{0,6}", 1..30),
        needle in "[ab]{1,3}",
        other in "[ab]{1,2}",
    ) {
        let mut builder = LineBatchBuilder::new(Labels::from_pairs([("s", "t")]));
        for (at, line) in lines.iter().enumerate() {
            prop_assert!(builder.push(at as i64, line.as_bytes(), &Labels::empty()));
        }
        let batch = builder.finish();
        let mut rows = Vec::new();
        for stages in [format!(r#"|= "{needle}""#), format!(r#"|= "{needle}" != "{other}""#), format!(r#"!= "{other}" |= "{needle}""#)] {
            compile(&stages).rows(&batch, &mut rows);
            let excluded = stages.contains("!=");
            let want: Vec<u32> = (0u32..).zip(&lines)
                .filter(|(_, line)| line.contains(&needle) && !(excluded && line.contains(&other)))
                .map(|(row, _)| row)
                .collect();
            prop_assert_eq!(&rows, &want, "{}", stages);
        }
    }
}
