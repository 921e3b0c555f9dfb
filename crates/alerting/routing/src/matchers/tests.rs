use proptest::prelude::*;

use super::*;

fn texts(text: &str, mode: MatcherMode) -> Result<String, String> {
    parse_matchers(text, mode)
        .map(|parsed| parsed.matchers.iter().map(matcher_text).collect::<Vec<_>>().join(","))
        .map_err(|error| error.to_string())
}

#[test]
fn utf8_syntax() {
    let check = |text: &str, want: &str| {
        assert_eq!(texts(text, MatcherMode::Utf8Strict).as_deref(), Ok(want), "{text}");
    };
    check("", "");
    check("{}", "");
    check("foo=bar", r#"foo="bar""#);
    check(r#"{foo="bar"}"#, r#"foo="bar""#);
    check(r#"{foo!="bar",}"#, r#"foo!="bar""#);
    check(r#" foo =~ "b.*r" , bar!~baz "#, r#"foo=~"b.*r",bar!~"baz""#);
    check(r#"{"foo with space"="bar🙂"}"#, r#""foo with space"="bar🙂""#);
    check("foo🙂=bar", r#"foo🙂="bar""#);
    check(r#"foo="a\tb\u263a\x41\101""#, "foo=\"a\tb☺AA\"");
    check("foo:=bar", r#"foo:="bar""#);
}

#[test]
fn utf8_mistakes() {
    let check = |text: &str, want: &str| {
        assert_eq!(texts(text, MatcherMode::Utf8Strict), Err(want.into()), "{text}");
    };
    check("{foo=bar", "0:8: end of input: expected close brace");
    check("foo=bar}", "0:8: }: expected opening brace");
    check("{", "0:1: end of input: expected close brace");
    check("foo", "end of input: expected an operator such as '=', '!=', '=~' or '!~'");
    check("foo=", "end of input: expected label value");
    check("=bar", "0:1: unexpected =: expected label name");
    check("foo==bar", "4:5: unexpected =: expected label value");
    check("foo!bar", "3:4: !: expected one of '=~'");
    check("foo!", "3:4: unexpected end of input, expected one of '=~'");
    check("foo=\"bar", "4:8: \"bar: missing end \"");
    check("foo=bar baz=x", "8:11: unexpected baz: expected a comma or close brace");
    check("foo=bar,=", "8:9: unexpected =: expected a matcher or close brace after comma");
    check("{foo=bar}}", "9:10: }: expected end of input");
    check(r#"foo="\q""#, r#"4:8: "\q": invalid input"#);
    check(r#"foo="\xff""#, r#"4:10: "\xff": invalid input"#);
    check("foo=[a-z'", "8:9: ': invalid input");
    assert!(texts("foo=~(", MatcherMode::Utf8Strict).is_err_and(|error| error.contains("missing closing )")));
}

#[test]
fn classic_syntax() {
    let check = |text: &str, want: Result<&str, &str>| {
        let got = texts(text, MatcherMode::Classic);
        assert_eq!(got.as_deref().map_err(String::as_str), want, "{text}");
    };
    check("{foo = \"bar\", dings != \"bums\", }", Ok(r#"foo="bar",dings!="bums""#));
    check("foo=bar,dings!=bums", Ok(r#"foo="bar",dings!="bums""#));
    check(r#"{quote="She said: \"Hi, ladies!\""}"#, Ok(r#"quote="She said: \"Hi, ladies!\"""#));
    check(r#"statuscode=~"5..""#, Ok(r#"statuscode=~"5..""#));
    check(r"path=C:\dir", Ok(r#"path="C:\\dir""#));
    check("foo=", Ok(r#"foo="""#));
    check("foo=!bar", Ok(r#"foo="!bar""#));
    check("severity = critical", Ok(r#"severity="critical""#));
    check("foo", Err("bad matcher format: foo"));
    check("1foo=x", Err("bad matcher format: 1foo=x"));
    check("foo!bar", Err("bad matcher format: foo!bar"));
    check(r#"foo="bar"#, Err(r#"matcher value contains unescaped double quote: "bar"#));
    check(r#"foo=ba"r"#, Err(r#"matcher value contains unescaped double quote: ba"r"#));
}

#[test]
fn falls_back_with_a_notice() {
    // Bare words may not hold `{`, but the classic syntax takes them.
    let parsed = parse_matchers("foo=~[a-z]{2}x", MatcherMode::Fallback).expect("classic");
    assert_eq!(matchers_text(&parsed.matchers), r#"{foo=~"[a-z]{2}x"}"#);
    assert!(parsed.notice.expect("a notice").contains(r#"write `foo=~"[a-z]{2}x"`"#));
    // Both syntaxes read it, differently: an escape of Go's is a backslash in the classic one.
    let parsed = parse_matchers(r#"foo="a\tb""#, MatcherMode::Fallback).expect("both");
    assert_eq!(parsed.matchers[0].value(), r"a\tb");
    assert!(parsed.notice.is_some());
    assert!(parse_matchers("foo=bar", MatcherMode::Fallback).expect("both").notice.is_none());
    assert_eq!(texts("foo", MatcherMode::Fallback), Err("bad matcher format: foo".into()));
}

#[test]
fn one_matcher_has_no_braces() {
    let check = |text: &str| parse_matcher(text, MatcherMode::Fallback).map_err(|error| error.to_string());
    assert_eq!(matcher_text(&check("a=b").expect("valid")), r#"a="b""#);
    assert_eq!(check("{a=b}"), Err("unexpected open or close brace: {a=b}".into()));
    assert_eq!(check(""), Err("bad matcher format: ".into()));
}

proptest! {
    #[test]
    fn never_panics_and_reads_back(text in r#"[{}a-z"\\=!~, 🙂\n]{0,24}"#) {
        for mode in [MatcherMode::Fallback, MatcherMode::Utf8Strict, MatcherMode::Classic] {
            let _ = parse_matcher(&text, mode);
            let _ = parse_matchers(&text, mode);
        }
        if let Ok(parsed) = parse_matchers(&text, MatcherMode::Classic) {
            let printed = matchers_text(&parsed.matchers);
            let again = parse_matchers(&printed, MatcherMode::Classic).expect("its own text");
            prop_assert_eq!(again.matchers, parsed.matchers);
        }
    }
}
