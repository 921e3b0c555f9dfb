//! Queries that parse, in their canonical form, and queries that do not, with the original's messages.

use proptest::prelude::*;

use super::{ParserOptions, parse, parse_selector};

/// `query` parses, prints as `want`, and that text means the same.
#[track_caller]
fn check(query: &str, want: &str) {
    let expr = parse(query, ParserOptions::all()).unwrap_or_else(|error| panic!("{query}: {error}"));
    assert_eq!(expr.to_string(), want, "{query}");
    let again = parse(want, ParserOptions::all()).unwrap_or_else(|error| panic!("{want}: {error}"));
    assert_eq!(again.to_string(), want);
}

#[track_caller]
fn same(query: &str) {
    check(query, query);
}

#[track_caller]
fn fails(query: &str, want: &str) {
    match parse(query, ParserOptions::all()) {
        Ok(expr) => panic!("{query} parsed as {expr}"),
        Err(error) => assert_eq!(error.to_string(), want, "{query}"),
    }
}

#[test]
fn numbers_and_strings() {
    check("0x8f", "143");
    check("-.5e-2", "-0.005");
    check("--1", "1");
    check("+Inf", "+Inf");
    check("nan", "NaN");
    check("1h30m", "1h30m");
    check("-5m", "-5m");
    check("1_000", "1000");
    check(r"'it\'s'", r#""it's""#);
    check("`raw\\n`", r#""raw\\n""#);
    check(r#""\xff""#, r#""\xff""#);
}

#[test]
fn operators_bind_as_documented() {
    let tree = |query: &str| parse(query, ParserOptions::default()).unwrap().kind.top();
    same("1 + 2 * 3");
    assert_eq!(tree("1 + 2 * 3"), "Add");
    assert_eq!(tree("1 * 2 + 3"), "Add");
    assert_eq!(tree("2 ^ 3 * 4"), "Mul");
    assert_eq!(tree("a or b and c"), "Or");
    assert_eq!(tree("a and b or c"), "Or");
    assert_eq!(tree("-1 ^ 2"), "-");
    assert_eq!(tree("-a * b"), "Mul");
    assert_eq!(tree("a == bool b + c"), "Equal");
    check("2 ^ -1 * 3", "2 ^ -1 * 3");
    check("foo atan2 bar", "foo atan2 bar");
    check("h </ 2 >/ 1", "h </ 2 >/ 1");
}

impl super::ExprKind {
    fn top(&self) -> &'static str {
        match self {
            Self::Binary(binary) => match binary.op {
                super::Operator::Add => "Add",
                super::Operator::Mul => "Mul",
                super::Operator::Or => "Or",
                super::Operator::Equal => "Equal",
                _ => "other",
            },
            Self::Unary(_) => "-",
            _ => "other",
        }
    }
}

#[test]
fn selectors() {
    same("up");
    check(r#"up{job='a',}"#, r#"up{job="a"}"#);
    check(r#"{b="2",a="1"}"#, r#"{a="1",b="2"}"#);
    check(r#"{"utf8.name", "a.b"=~"x.*"}"#, r#"{"a.b"=~"x.*",__name__="utf8.name"}"#);
    check("sum{a=\"b\"}", r#"sum{a="b"}"#);
    check("offset offset 5m", "offset offset 5m");
    same("up @ 1.500 offset -5m");
    check("up offset 5m @ start()", "up @ start() offset 5m");
    check("up[5m] offset 1w", "up[5m] offset 1w");
    check("up[90]", "up[1m30s]");
    same("up[5m] anchored @ end()");
    same("up smoothed");
    same("rate(up[5m])[1h:] @ 10.000 offset 1m");
    check("up[1h:30]", "up[1h:30s]");
    check("a:b:c", "a:b:c");
    check("up offset 0s", "up");
    same("fill + fill");
}

#[test]
fn duration_expressions() {
    same("up[5m + step()]");
    same("up[(2 * 1m)]");
    same("up[max_of(step(), 5m)] offset -min_of(1m, range())");
    check("up offset (1m+2m)", "up offset (1m + 2m)");
    check("up offset -step()", "up offset -step()");
    check("foo[-2^2 * -1]", "foo[-2 ^ 2 * -1]");
    let error = parse("up[5m + 1m]", ParserOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "1:4: parse error: experimental duration expression is not enabled");
}

#[test]
fn aggregations_and_matching() {
    check("sum(up)by(job,)", "sum by (job) (up)");
    check("SUM BY() (up)", "sum(up)");
    check("topk without(a)(3,up)", "topk without (a) (3, up)");
    check(r#"sum by ("a.b", by) (up)"#, r#"sum by ("a.b", by) (up)"#);
    check("count_values(\"v\", up)", "count_values(\"v\", up)");
    same("a / on (x) group_left (y, z) b");
    check("a * ignoring(x) group_right b", "a * ignoring (x) group_right () b");
    check("a + on() b", "a + on () b");
    same("a > bool on (x) b");
    same("a + on (x) fill (0) b");
    check("a + fill_right(-1) fill_left(2) b", "a + fill_left (2) fill_right (-1) b");
    same("a unless on (x) b");
}

#[test]
fn messages_are_the_originals() {
    fails("", "unknown position: parse error: no expression found in input");
    fails("# only this\n", "1:1: parse error: no expression found in input");
    fails("1+", "1:3: parse error: unexpected end of input");
    fails("1\n+", "2:2: parse error: unexpected end of input");
    fails(".", "1:1: parse error: unexpected character: '.'");
    fails("*1", "1:1: parse error: unexpected <op:*>");
    fails("-=", "1:2: parse error: unexpected \"=\"");
    fails("1 and 1", "1:1: parse error: set operator \"and\" not allowed in binary scalar expression");
    fails("1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier");
    fails(
        "-\"s\"",
        "1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got \"string\"",
    );
    fails("foo offset 1s offset 2s", "1:1: parse error: offset may not be set multiple times");
    fails("a - on(b) ignoring(c) d", "1:11: parse error: unexpected <ignoring>");
    fails("foo == on(bar) 10", "1:1: parse error: vector matching only allowed between instant vectors");
    fails("foo + group_left(baz) bar", "1:7: parse error: unexpected <group_left>");
    fails(
        "foo and on(bar) group_left(baz) bar",
        "1:1: parse error: no grouping allowed for \"and\" operation",
    );
    fails(
        "a + on(b) group_left(b) c",
        "1:3: parse error: label \"b\" must not occur in ON and GROUP clause at once",
    );
    fails("foo + bool bar", "1:5: parse error: bool modifier can only be used on comparison operators");
    fails("foo @ NaN", "1:1: parse error: timestamp out of bounds for @ modifier: NaN");
    fails("{", "1:2: parse error: unexpected end of input inside braces");
    fails("m{a=b}", "1:5: parse error: unexpected identifier \"b\" in label matching, expected string");
    fails("m{a}", "1:4: parse error: unexpected \"}\" in label matching, expected label matching operator");
    fails("{x=\"\"}", "1:1: parse error: vector selector must contain at least one non-empty matcher");
    fails("foo{__name__=\"bar\"}", "1:1: parse error: metric name must not be set twice: \"foo\" or \"bar\"");
    fails("foo{,}", "1:5: parse error: unexpected \",\" in label matching, expected identifier or \"}\"");
    fails("foo[5m1h]", "1:5: parse error: not a valid duration string: \"5m1h\"");
    fails("foo[0m]", "1:5: parse error: duration must be greater than 0");
    fails(
        "foo[]",
        "1:5: parse error: unexpected \"]\" in subquery or range selector, expected number, duration, step(), or range()",
    );
    fails(
        "m[5m] OFFSET",
        "1:13: parse error: unexpected end of input in offset, expected number, duration, step(), or range()",
    );
    fails("m OFFSET 1m[5m]", "1:12: parse error: no offset modifiers allowed before range");
    fails("m[5m] @", "1:8: parse error: unexpected end of input in @, expected timestamp");
    fails("m @ start() [5m]", "1:13: parse error: no @ modifiers allowed before range");
    fails("(foo + bar)[5m]", "1:12: parse error: ranges only allowed for vector selectors");
    fails("sum without(==)(m)", "1:13: parse error: unexpected <op:==> in grouping opts, expected label");
    fails("sum without(foo,,)(m)", "1:17: parse error: unexpected \",\" in grouping opts, expected label");
    fails("sum m by (test)", "1:5: parse error: unexpected identifier \"m\"");
    fails(
        "sum (m) by test",
        "1:12: parse error: unexpected identifier \"test\" in grouping opts, expected \"(\"",
    );
    fails("sum () by (test)", "1:1: parse error: no arguments for aggregate expression provided");
    fails("sum (m) without (a) by (b)", "1:21: parse error: unexpected <by>");
    fails(
        "topk(m, n)",
        "1:6: parse error: expected type scalar in aggregation parameter, got instant vector",
    );
    fails("floor()", "1:1: parse error: expected 1 argument(s) in call to \"floor\", got 0");
    fails(
        "floor(1)",
        "1:7: parse error: expected type instant vector in call to function \"floor\", got scalar",
    );
    fails("hour(a, b, c)", "1:1: parse error: expected at most 1 argument(s) in call to \"hour\", got 3");
    fails("nope()", "1:1: parse error: unknown function with name \"nope\"");
    fails(
        "rate(avg)",
        "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector",
    );
    fails(
        "test[5d] OFFSET 10s [10m:5s]",
        "1:1: parse error: subquery is only allowed on instant vector, got matrix instead",
    );
    fails("foo[5s/0d]", "1:7: parse error: division by zero");
    fails("foo offset (4d/0)", "1:15: parse error: division by zero");
    fails("foo[9.5e10]", "1:5: parse error: duration out of range");
    fails("sum(", "1:5: parse error: unclosed left parenthesis");
    fails("1[5m] smoothed", "1:2: parse error: ranges only allowed for vector selectors");
    fails(
        "info(x, target_info{foo=\"bar\"})",
        "1:9: parse error: expected label selectors only, got vector selector instead",
    );
}

#[test]
fn what_is_not_enabled_is_refused() {
    let refused = |query: &str, want: &str| {
        assert_eq!(parse(query, ParserOptions::default()).unwrap_err().message, want, "{query}");
    };
    refused("mad_over_time(a[5m])", "function \"mad_over_time\" is not enabled");
    refused("a + fill(0) b", "binop fill modifiers are experimental and not enabled");
    refused("a[5m] anchored", "anchored modifier is experimental and not enabled");
    refused(
        "limitk(1, a)",
        "limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions",
    );
}

#[test]
fn selectors_of_match_parameters() {
    assert_eq!(parse_selector(r#"up{job="a"}"#).unwrap().len(), 2);
    assert!(parse_selector("up[5m]").is_err());
    assert!(parse_selector("up offset 5m").is_err());
    assert!(parse_selector("{}").is_err());
}

#[test]
fn nesting_is_bounded() {
    for query in [
        "(".repeat(100_000),
        "-(".repeat(100_000),
        format!("a[{}", "(".repeat(100_000)),
        format!("a{}", " + a".repeat(100_000)),
    ] {
        let error = parse(&query, ParserOptions::all()).unwrap_err();
        assert!(error.message.contains("nested too deeply") || error.message.contains("unclosed"), "{error}");
    }
    let deep = format!("{}1{}", "(".repeat(200), ")".repeat(200));
    assert!(parse(&deep, ParserOptions::all()).is_ok());
}

#[test]
fn spans_are_those_of_the_text() {
    let query = "sum(rate(a[5m])) + b offset 1m";
    let expr = parse(query, ParserOptions::all()).unwrap();
    let mut texts = Vec::new();
    expr.walk(&mut |expr| texts.push(&query[expr.span.start..expr.span.end]));
    assert_eq!(texts, [query, "sum(rate(a[5m]))", "rate(a[5m])", "a[5m]", "b offset 1m"]);
}

/// Pieces of the language, to be thrown together.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "up{job=\"x\"}",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "5m",
        "1h30m",
        "1.5",
        "0x1f",
        "-",
        "+",
        "*",
        "/",
        "^",
        "==",
        "bool",
        "and",
        "or",
        "unless",
        "on",
        "ignoring",
        "group_left",
        "by",
        "without",
        "sum",
        "topk",
        "rate",
        "offset",
        "@",
        "start",
        "end",
        "step",
        "range",
        "min_of",
        ":",
        ",",
        "=",
        "=~",
        "!~",
        "!=",
        "\"s\"",
        "'x",
        "`r`",
        "\\",
        "# c\n",
        "\n",
        "anchored",
        "smoothed",
        "fill",
        "</",
        ">/",
        "Inf",
        "NaN",
        "ü",
        "_",
        "\u{0}",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.join(" "))
}

/// Queries that are valid more often than not.
fn queries() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "a",
        "up{job=~\"x|y\",z!=\"\"}",
        "a offset 5m",
        "a @ 100",
        "1",
        "-2.5",
        "5m",
        "vector(1)",
        "time()",
        "\"s\"",
        "a @ end() offset -1h",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(5, 40, 3, |inner| {
        let op = prop::sample::select(vec![
            "+",
            "-",
            "*",
            "/",
            "%",
            "^",
            "atan2",
            "== bool",
            ">",
            "and",
            "or on (x)",
            "unless",
            "/ on (a) group_left (b)",
            "* ignoring (c)",
            "+ fill (1)",
        ]);
        prop_oneof![
            (inner.clone(), op, inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            inner.clone().prop_map(|a| format!("({a})")),
            inner.clone().prop_map(|a| format!("-{a}")),
            inner.clone().prop_map(|a| format!("sum by (x) ({a})")),
            inner.clone().prop_map(|a| format!("topk(2, {a})")),
            inner.clone().prop_map(|a| format!("rate({a}[5m])")),
            inner.clone().prop_map(|a| format!("max_over_time({a}[1h:step()] offset 1m)")),
            inner.prop_map(|a| format!("round({a}, 5)")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn never_panics_on_noise(text in ".{0,80}") {
        let _ = parse(&text, ParserOptions::all());
    }

    #[test]
    fn never_panics_on_pieces(text in pieces()) {
        if let Ok(expr) = parse(&text, ParserOptions::all()) {
            let printed = expr.to_string();
            let again = parse(&printed, ParserOptions::all());
            prop_assert!(again.is_ok(), "{} printed as {}", text, printed);
        }
    }

    #[test]
    fn printing_is_stable(query in queries()) {
        if let Ok(expr) = parse(&query, ParserOptions::all()) {
            let printed = expr.to_string();
            let again = parse(&printed, ParserOptions::all());
            prop_assert!(again.is_ok(), "{} printed as {}: {:?}", query, printed, again);
            prop_assert_eq!(again.unwrap().to_string(), printed);
        }
    }
}
