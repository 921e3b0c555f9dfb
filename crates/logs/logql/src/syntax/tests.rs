use proptest::prelude::*;

use super::*;

fn error_of(query: &str) -> String {
    match parse(query) {
        Ok(expr) => panic!("{query} should not parse, but is {expr}"),
        Err(error) => error.to_string(),
    }
}

/// Prints as `want`, and `want` prints as itself.
fn prints(query: &str, want: &str) {
    let expr = parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    assert_eq!(expr.to_string(), want, "{query}");
    let again = parse(want).unwrap_or_else(|error| panic!("{want}: {error}"));
    assert_eq!(again.to_string(), want);
}

#[test]
fn log_queries_print_in_canonical_form() {
    let same = |query: &str| prints(query, query);
    same(r#"{foo="bar"}"#);
    same(r#"{foo="bar", bar!="baz"} != "bip" !~ ".+bop""#);
    same(r#"{foo="bar"} |= "baz" |~ "blip" |> "qux" !> "waldo" != "flip" !~ "flap""#);
    same(r#"{foo="bar"} |= "" != ip("127.0.0.1")"#);
    same(
        r#"{foo="bar"} | logfmt --strict --keep-empty b="foo" | b=ip("127.0.0.1") | level="error" | c!=ip("::1")"#,
    );
    same(
        r#"{foo="bar"} | regexp "(?P<foo>foo|bar)" | ( ( foo<5.01 , bar>20ms ) or foo="bar" ) | line_format "blip{{.boop}}bap""#,
    );
    same(r#"{foo="bar"} | logfmt | counter>-1 | counter>=-1 | counter<=-1 | counter!=-1 | counter==-1"#);
    same(
        r#"{foo="bar"} | json a="x.y[0]",b="b" | label_format c=d,e="{{.f}}" | decolorize | drop a,b="c" | keep d,e=~"f""#,
    );
    same(r#"{foo="bar"} |= "a" or "b" or ip("1.2.3.4") | unpack | pattern "<a> <_>""#);
    prints(r#"{foo="bar"}|="a"|json b|c=5"#, r#"{foo="bar"} |= "a" | json b="b" | c==5"#);
    prints(r#"{foo="bar"} != "a" or "b""#, r#"{foo="bar"} != "a" != "b""#);
    prints("{foo=`b\\r`} |~ `\\w+`", r#"{foo="b\\r"} |~ "\\w+""#);
    prints(r#"({foo="bar"} | json) # the end"#, r#"{foo="bar"} | json"#);
    prints("{foo=\"bar\"} // one\n /* two */ | json", r#"{foo="bar"} | json"#);
    prints(
        r#"{foo="bar"} | a="\d+" | b=~"\\d+""#.replace("\"\\d+\"", "`\\d+`").as_str(),
        r#"{foo="bar"} | a="\\d+" | b=~`\d+`"#,
    );
    prints(r#"{foo="bar"} | size > 1.5KiB and count < 5"#, r#"{foo="bar"} | ( size>1.5kB , count<5 )"#);
}

#[test]
fn label_filters_bind_as_in_lokis_grammar() {
    let check = |filter: &str, want: &str| {
        prints(&format!(r#"{{a="b"}} | {filter}"#), &format!(r#"{{a="b"}} | {want}"#))
    };
    check("a>1 or b>2 and c>3", "( a>1 or ( b>2 , c>3 ) )");
    check("a>1 and b>2 or c>3", "( ( a>1 , b>2 ) or c>3 )");
    check("a>1 and b>2 and c>3", "( ( a>1 , b>2 ) , c>3 )");
    check("a>1, b>2 or c>3", "( a>1 , ( b>2 or c>3 ) )");
    check("a>1 b>2, c>3 or d>4", "( a>1 , ( b>2 , ( c>3 or d>4 ) ) )");
    check("(a>1 or b>2) and c>3", "( ( a>1 or b>2 ) , c>3 )");
}

#[test]
fn metric_queries_print_in_canonical_form() {
    prints(r#"rate({a="b"}[5m])"#, r#"rate({a="b"}[5m])"#);
    prints(
        r#"rate( ( {job="mysql"} |="error" !="timeout" ) [10s] )>-1"#,
        r#"(rate({job="mysql"} |= "error" != "timeout"[10s]) > -1)"#,
    );
    prints(
        r#"sum(count_over_time({job="mysql"}[5m] offset 10m))"#,
        r#"sum(count_over_time({job="mysql"}[5m] offset 10m0s))"#,
    );
    prints(
        r#"sum(rate({a="b"}|="x"|json|c>1[5m]))by(d)"#,
        r#"sum by (d)(rate({a="b"} |= "x" | json | c>1[5m]))"#,
    );
    prints(r#"count_over_time({a="b"}[1m] | logfmt)"#, r#"count_over_time({a="b"} | logfmt[1m])"#);
    prints(r#"topk by (name)(10,rate({r="u"}[5m]))"#, r#"topk by (name)(10,rate({r="u"}[5m]))"#);
    prints(
        r#"quantile_over_time(0.99, {a="b"} | json | unwrap duration(x) | __error__="" [5m]) without (y)"#,
        r#"quantile_over_time(0.99,{a="b"} | json | unwrap duration(x) | __error__=""[5m]) without (y)"#,
    );
    prints("vector(1) + vector(2)", "(vector(1.000000) + vector(2.000000))");
    prints("1 + 2 * 3 ^ 2", "19");
    prints("2 ^ 3 ^ 2", "512");
    prints("1 / 0 > bool 1", "0");
    prints(
        r#"sum(rate({a="b"}[1m])) / on(x) group_left(y) rate({a="b"}[1m])"#,
        r#"(sum(rate({a="b"}[1m])) / on (x) group_left (y) rate({a="b"}[1m]))"#,
    );
    prints(
        r#"label_replace(rate({a="b"}[1m]), "dst", "$1", "src", "(.*)") or vector(0)"#,
        r#"(label_replace(rate({a="b"}[1m]),"dst","$1","src","(.*)") or vector(0.000000))"#,
    );
    prints(
        r#"variants(count_over_time({a="b"}[1m]), bytes_over_time({a="b"}[1m])) of ({a="b"}[1m])"#,
        r#"variants(count_over_time({a="b"}[1m]), bytes_over_time({a="b"}[1m])) of ({a="b"}[1m])"#,
    );
    prints(r#"SUM(Rate({a="b"}[1m])) BY (c)"#, r#"sum by (c)(rate({a="b"}[1m]))"#);
    prints(r#"approx_topk(5, rate({a="b"}[1m]))"#, r#"approx_topk(5,rate({a="b"}[1m]))"#);
}

#[test]
fn function_names_are_names_where_nothing_is_called() {
    prints(r#"{rate="b"} | json | count > 5 | drop sum"#, r#"{rate="b"} | json | count>5 | drop sum"#);
    prints(r#"sum by (count)(rate({bytes="b"}[1m]))"#, r#"sum by (count)(rate({bytes="b"}[1m]))"#);
}

#[test]
fn syntax_errors_are_lokis() {
    let check =
        |query: &str, want: &str| assert_eq!(error_of(query), format!("parse error at {want}"), "{query}");
    check(r#"{foo="bar"#, "line 1, col 6: literal not terminated");
    check(r#"{foo="bar""#, "line 1, col 11: syntax error: unexpected $end, expecting } or ,");
    check(r#"{service="api"} |"#, "line 1, col 18: syntax error: unexpected $end");
    check(r#"{foo="bar"} |~"#, "line 1, col 15: syntax error: unexpected $end, expecting STRING or ip");
    check(r#"{foo="bar"} "foo""#, "line 1, col 13: syntax error: unexpected STRING");
    check(r#"{foo="bar"} foo"#, "line 1, col 13: syntax error: unexpected IDENTIFIER");
    check(r#"{service="#, "line 1, col 10: syntax error: unexpected $end, expecting STRING");
    check(r#"unk({ foo = "bar" }[5m])"#, "line 1, col 1: syntax error: unexpected IDENTIFIER");
    check(
        r#"rate({ foo = "bar" }[5minutes])"#,
        r#"line 0, col 21: unknown unit "minutes" in duration "5minutes""#,
    );
    check(r#"rate({ foo = "bar" }[5)"#, "line 0, col 21: missing closing ']' in duration");
    check(r#"min({ foo = "bar" }[5m])"#, "line 0, col 20: syntax error: unexpected RANGE");
    check(r#"stddev({ foo = "bar" })"#, "line 1, col 23: syntax error: unexpected )");
    check(r#"rate({service="worker"})"#, "line 1, col 24: syntax error: unexpected )");
    check(
        r#"bottomk(he,count_over_time({ foo = "bar" }[5h]))"#,
        "line 1, col 9: syntax error: unexpected IDENTIFIER",
    );
    check(
        r#"sum(rate({service="worker"}[1m])) by"#,
        "line 1, col 37: syntax error: unexpected $end, expecting (",
    );
    check(
        r#"count without (rate({namespace="apps"}[15s]))"#,
        "line 1, col 16: syntax error: unexpected RATE, expecting IDENTIFIER or )",
    );
    check(
        r#"label_replace(rate({ foo = "bar" }[5m]),"")"#,
        "line 1, col 43: syntax error: unexpected ), expecting ,",
    );
    check(
        r#"-sum(count_over_time({service="worker"}[1m]))"#,
        "line 1, col 2: syntax error: unexpected SUM, expecting NUMBER",
    );
    check("vector(abc)", "line 1, col 8: syntax error: unexpected IDENTIFIER, expecting NUMBER");
    check("bool 1 > 1 > bool 1", "line 1, col 1: syntax error: unexpected bool");
    check(r#"#{app="foo"} | json"#, "line 1, col 20: syntax error: unexpected $end");
    check(r#"{ foo = "bar" }|logfmt|addr>=ip("1.2.3.4")"#, "line 1, col 30: syntax error: unexpected ip");
    check(r#"{service="api"} | logfmt | tokens>"12""#, "line 1, col 35: syntax error: unexpected STRING");
    check(
        r#"count_over_time({service="worker"}[1m]) @ 1768471800"#,
        "line 1, col 41: syntax error: unexpected IDENTIFIER",
    );
    check(
        r#"quantile_over_time(foo,{namespace="tns"} | json | unwrap latency [5m])"#,
        "line 1, col 20: syntax error: unexpected IDENTIFIER, expecting NUMBER or { or (",
    );
}

#[test]
fn errors_of_meaning_are_lokis() {
    let check =
        |query: &str, want: &str| assert_eq!(error_of(query), format!("parse error : {want}"), "{query}");
    let selective = "queries require at least one regexp or equality matcher that does not have an empty-compatible value. For instance, \
                     app=~\".*\" does not meet this requirement, but app=~\".+\" will";
    check(r#"{foo!="bar"}"#, selective);
    check(r#"{app=~".*"}"#, selective);
    check("{}", selective);
    check(r#"1 + count_over_time({app=~".+"}[5m]) + count_over_time({app=~".*"}[5m]) + 1"#, selective);
    check(r#"{service=~"("}"#, "error parsing regexp: missing closing ): `(`");
    check(
        r#"{app="foo"} | logfmt | status_code > 0x10"#,
        r#"unable to parse literal as a float: strconv.ParseFloat: parsing "0x10": invalid syntax"#,
    );
    check(
        r#"absent_over_time({ foo = "bar" }[5h]) by (foo)"#,
        "grouping not allowed for absent_over_time aggregation",
    );
    check(
        r#"approx_topk(2, count_over_time({ foo = "bar" }[5h])) by (foo)"#,
        "grouping not allowed for approx_topk aggregation",
    );
    check(
        r#"count_over_time({a="b"} | json | unwrap foo [5m])"#,
        "invalid aggregation count_over_time with unwrap",
    );
    check(r#"sum_over_time({a="b"} | json [5m])"#, "invalid aggregation sum_over_time without unwrap");
    check(r#"sum(3 ,count_over_time({ foo = "bar" }[5h]))"#, "unsupported parameter for operation sum(3,");
    check(r#"topk(count_over_time({ foo = "bar" }[5h]))"#, "parameter required for operation topk");
    check(r#"bottomk(1.2,count_over_time({ foo = "bar" }[5h]))"#, "invalid parameter bottomk(1.2,");
    check(
        r#"topk(0,count_over_time({ foo = "bar" }[5h]))"#,
        "invalid parameter (must be greater than 0) topk(0",
    );
    check(r#"sort(count_over_time({a="b"}[5h])) by (c)"#, "sort and sort_desc doesn't allow grouping by ");
    check(
        r#"sum_over_time(50,{a="b"} | json | unwrap c [5m])"#,
        "parameter 50 not supported for operation sum_over_time",
    );
    check(
        r#"quantile_over_time({a="b"} | json | unwrap c [5m])"#,
        "parameter required for operation quantile_over_time",
    );
    check(
        r#"{foo="bar"} + {foo="bar"}"#,
        "unexpected type for left leg of binary operation (+): *syntax.MatchersExpr",
    );
    check(
        r#"count_over_time({ foo = "bar" }[12m]) > { foo = "bar" }"#,
        "unexpected type for right leg of binary operation (>): *syntax.MatchersExpr",
    );
    check(
        r#"sum(count_over_time({foo="bar"}[5m])) by (foo) + 1 or 1"#,
        "unexpected literal for right leg of logical/set binary operation (or): 1.000000",
    );
    check(
        r#"1 unless sum(count_over_time({foo="bar"}[5m])) by (foo)"#,
        "unexpected literal for left leg of logical/set binary operation (unless): 1.000000",
    );
    check(
        r#"label_replace(rate({ foo = "bar" }[5m]),"foo","$1","bar","^^^^x43\\q")"#,
        "invalid regex in label_replace: error parsing regexp: invalid escape sequence: `\\q`",
    );
}

#[test]
fn spans_cover_their_text() {
    let query = r#"sum by (a) (rate({b="c"} |= "d" | json [5m]))"#;
    let Ok(Expr::Metric(MetricExpr::Vector(sum))) = parse(query) else {
        panic!("{query} is an aggregation");
    };
    let text = |span: Span| &query[span.start..span.end];
    assert_eq!(text(sum.span), query);
    let MetricExpr::Range(rate) = &sum.expr else {
        panic!("{query} has a rate");
    };
    assert_eq!(text(rate.span), r#"rate({b="c"} |= "d" | json [5m])"#);
    assert_eq!(text(rate.range.log.stages[0].span), r#"|= "d""#);
    assert_eq!(text(rate.range.log.stages[1].span), "| json");
}

#[test]
fn long_queries_are_laid_out_over_lines() {
    let query = r#"sum by (container, namespace) (rate({namespace="production", container="a-very-long-container-name"} |= "error" | json | status >= 500 [5m]))"#;
    let expr = parse(query).expect("a query");
    let want = r#"sum by (container, namespace)(
  rate(
    {namespace="production", container="a-very-long-container-name"} |= "error" | json | status>=500 [5m]
  )
)"#;
    assert_eq!(format_query(&expr), want);
    let again = parse(want).expect("the same query");
    assert_eq!(again.to_string(), expr.to_string());
    let filters = r#"{namespace="production", container="a-very-long-container-name"} |= "error" != "timeout" | json | status >= 500 and status < 600"#;
    let want = r#"{namespace="production", container="a-very-long-container-name"}
  |= "error" != "timeout"
  | json
  | ( status>=500 , status<600 )"#;
    assert_eq!(format_query(&parse(filters).expect("a query")), want);
    assert_eq!(format_query(&parse(r#"{a="b"}|="c""#).expect("a query")), r#"{a="b"} |= "c""#);
}

#[test]
fn nesting_is_bounded() {
    let parens = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(error_of(&parens[..131_000]).contains("nested too deeply"));
    let chain = vec![r#"rate({a="b"}[1m])"#; 5000].join("+");
    assert!(error_of(&chain).contains("nested too deeply"));
    let filters = format!(r#"{{a="b"}} | {}"#, vec!["c=1"; 5000].join(" "));
    assert!(error_of(&filters).contains("nested too deeply"));
    let filters = format!(r#"{{a="b"}} | {}"#, vec!["c=1"; 5000].join(" and "));
    assert!(error_of(&filters).contains("nested too deeply"));
    assert!(error_of(&"a".repeat(200_000)).contains("input size too long"));
    let hundred = format!("{}1{}", "(".repeat(100), ")".repeat(100));
    assert!(parse(&hundred).is_ok());
}

#[test]
fn bare_selectors() {
    assert_eq!(parse_matchers(r#"{a="b", c=~"d"}"#).map(|matchers| matchers.len()), Ok(2));
    let error = parse_matchers(r#"{a="b"} |= "c""#).expect_err("a pipeline");
    assert_eq!(error.to_string(), "only label matchers are supported");
    assert!(parse_matchers("1 + 1").is_err());
}

/// Pieces of queries: put together they often parse, and if not, fail in interesting places.
const PIECES: &[&str] = &[
    "{a=\"b\"}",
    "{",
    "}",
    "(",
    ")",
    "[5m]",
    "|=",
    "!=",
    "|~",
    "!~",
    "|>",
    "| json",
    "| logfmt",
    "--strict",
    "| unwrap x",
    "\"text\"",
    "`raw`",
    "ip(\"10.0.0.0/8\")",
    "or",
    "and",
    "unless",
    ",",
    "sum",
    "rate",
    "topk",
    "count_over_time",
    "by (a)",
    "without (b)",
    "1",
    "2.5",
    "+",
    "-",
    "*",
    "/",
    "^",
    "%",
    "==",
    ">",
    "bool",
    "on (a)",
    "group_left",
    "offset 1h",
    "| a > 5",
    "| b = \"c\"",
    "20MB",
    "5s",
    "| line_format \"{{.a}}\"",
    "| drop a",
    "vector(",
    "label_replace(",
    "quantile_over_time",
    "#",
    "\n",
    "é",
    "'x'",
    "=",
    "|",
];

fn query_of(pieces: &[usize]) -> String {
    pieces.iter().map(|at| PIECES[at % PIECES.len()]).collect::<Vec<_>>().join(" ")
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in ".{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn what_parses_prints_and_parses_again(pieces in prop::collection::vec(0usize..PIECES.len(), 0..14)) {
        let query = query_of(&pieces);
        if let Ok(expr) = parse(&query) {
            let printed = expr.to_string();
            if !printed.contains("NaN") && !printed.contains("Inf") {
                let again = parse(&printed).map_err(|error| TestCaseError::fail(format!("{printed}: {error}")))?;
                prop_assert_eq!(again.to_string(), printed);
            }
            let laid_out = format_query(&expr);
            if !laid_out.contains("NaN") && !laid_out.contains("Inf") {
                prop_assert!(parse(&laid_out).is_ok(), "{}", laid_out);
            }
        }
    }
}
