//! Matching, shapes and replacement.

use proptest::prelude::*;

use super::{Literals, Regex, decode};

fn new(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|error| panic!("{error}"))
}

fn anchored(pattern: &str) -> Regex {
    Regex::anchored(pattern).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn finds_the_leftmost_first_match() {
    let cases = [
        ("", "abc", Some((0, 0))),
        ("a*", "baaau", Some((0, 0))),
        ("a+", "baaau", Some((1, 4))),
        ("a+?", "baaau", Some((1, 2))),
        ("(?U)a+", "baaau", Some((1, 2))),
        ("(?U)a+?", "baaau", Some((1, 4))),
        ("a|ab", "ab", Some((0, 1))),
        ("ab|a", "ab", Some((0, 2))),
        ("a.c", "a\nc", None),
        ("(?s)a.c", "a\nc", Some((0, 3))),
        ("^b", "a\nb", None),
        ("(?m)^b", "a\nb", Some((2, 3))),
        ("a$", "a\n", None),
        ("(?m)a$", "a\n", Some((0, 1))),
        (r"a\z", "ba", Some((1, 2))),
        (r"(?m)\Ab", "a\nb", None),
        (r"\bfoo\b", "a foo b", Some((2, 5))),
        (r"\bé", "é", None),
        (r"\Bé", "é", Some((0, 2))),
        (r"\d", "٣", None),
        (r"\s", "\u{0b}", None),
        (r"[[:space:]]", "\u{0b}", Some((0, 1))),
        (r"(?i)straße", "STRAẞE", Some((0, 8))),
        ("(?i)k", "\u{212a}", Some((0, 3))),
        (r"\Qa.b\E+", "a.bbb", Some((0, 5))),
        (r"\101\x42", "AB", Some((0, 2))),
        ("x{2,3}?", "xxxx", Some((0, 2))),
        ("a{,2}", "a{,2}", Some((0, 5))),
        (r"[^\n]", "\n", None),
        ("[^a]", "\n", Some((0, 1))),
        (r"\x{d800}|b", "ab", Some((1, 2))),
        (r"\pL+", "1é²", Some((1, 3))),
    ];
    for (pattern, text, expected) in cases {
        let found = new(pattern).find(text).map(|range| (range.start, range.end));
        assert_eq!(found, expected, "{pattern:?} in {text:?}");
    }
}

#[test]
fn anchored_patterns_match_the_whole_text() {
    let cases = [
        ("foo", "foo", true),
        ("foo", "foo\n", false),
        ("foo", "xfoo", false),
        ("a|b", "ab", false),
        ("foo.*", "foo\nbar", true),
        ("(?-s:foo.*)", "foo\nbar", false),
        (".+", "", false),
        (".+", "\n", true),
        ("", "", true),
        ("", "a", false),
        ("^foo$", "foo", true),
        ("(?i)FoO", "fOo", true),
        ("(a|b)c?", "bc", true),
        ("node-[0-9]+", "node-17", true),
        ("node-[0-9]+", "node-17x", false),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(anchored(pattern).is_match(text), expected, "{pattern:?} on {text:?}");
    }
    assert_eq!(
        Regex::anchored("a)|(b").unwrap_err().to_string(),
        "error parsing regexp: unexpected ): `a)|(b`"
    );
}

#[test]
fn tells_what_the_shape_allows() {
    let literal = |text: &str| Literals::Literal(text.into());
    let prefix = |text: &str| Literals::Prefix(text.into());
    let suffix = |text: &str| Literals::Suffix(text.into());
    let contains = |text: &str| Literals::Contains(text.into());
    let set = |texts: &[&str]| Literals::Set(texts.iter().map(|text| text.to_string()).collect());
    let cases = [
        (anchored("foo"), literal("foo")),
        (anchored("^foo$"), literal("foo")),
        (anchored("(foo)"), literal("foo")),
        (anchored(""), literal("")),
        (anchored(r"a\.b"), literal("a.b")),
        (anchored("b|a|b"), set(&["a", "b"])),
        (anchored("foo|foobar|fox"), set(&["foo", "foobar", "fox"])),
        (anchored("(web|db)-[12]"), set(&["db-1", "db-2", "web-1", "web-2"])),
        (anchored("(?i)ab"), set(&["AB", "Ab", "aB", "ab"])),
        (anchored("ab?"), set(&["a", "ab"])),
        (anchored("a{2,3}"), set(&["aa", "aaa"])),
        (anchored(r"[^\x00-\x{10ffff}]"), set(&[])),
        (anchored("foo.*"), prefix("foo")),
        (anchored("(foo)(.*)"), prefix("foo")),
        (anchored(".*"), prefix("")),
        (anchored(".*.*"), prefix("")),
        (anchored("foo.*?"), prefix("foo")),
        (anchored(".*foo"), suffix("foo")),
        (anchored(".*foo.*"), contains("foo")),
        (anchored("foo.+"), Literals::None),
        (anchored("(?-s)foo.*"), Literals::None),
        (anchored("[a-z]+"), Literals::None),
        (anchored("[a-z][a-z]"), Literals::None),
        (anchored(".*(a|b).*"), Literals::None),
        (anchored(r"\bfoo"), Literals::None),
        (new("foo"), contains("foo")),
        (new(".*foo.*"), contains("foo")),
        (new("^foo"), prefix("foo")),
        (new("^foo.*"), prefix("foo")),
        (new("foo$"), suffix("foo")),
        (new("^foo$"), literal("foo")),
        (new("^(a|b)$"), set(&["a", "b"])),
        (new("(?m)^foo"), Literals::None),
        (new("^foo.*$"), Literals::None),
        (new(".+foo"), Literals::None),
        (new(""), prefix("")),
        (new("a\u{fffd}"), Literals::None),
    ];
    for (regex, expected) in cases {
        assert_eq!(*regex.literals(), expected, "{regex}");
    }
    assert!(matches!(anchored("[a-p][a-p]").literals(), Literals::Set(strings) if strings.len() == 256));
}

#[test]
fn tells_the_prefix_that_a_match_needs() {
    let cases = [
        ("foo.+", "foo"),
        ("foo[0-9]+", "foo"),
        ("a(b)(c|d)e", "ab"),
        (".*foo", ""),
        ("(?i)foo", ""),
        ("foo|bar", ""),
    ];
    for (pattern, expected) in cases {
        assert_eq!(anchored(pattern).required_prefix(), expected, "{pattern}");
    }
    assert_eq!(new("foo[0-9]").required_prefix(), "");
    assert_eq!(new("^foo[0-9]").required_prefix(), "foo");
}

#[test]
fn a_stray_byte_is_a_replacement_character() {
    assert!(new("^a.b$").is_match_bytes(b"a\xffb"));
    assert!(!new("^a.b$").is_match_bytes(b"a\xe2\x82b"));
    assert!(new("^a..b$").is_match_bytes(b"a\xe2\x82b"));
    assert!(new("\u{fffd}").is_match_bytes(b"\xff"));
    assert!(new("foo").is_match_bytes(b"\xfffoo"));
}

#[test]
fn captures_by_number_and_name() {
    let regex = new(r"(?P<key>\w+)=(?:(\d+)|(?P<word>\w+))");
    let captures = regex.captures("x a=b").unwrap();
    assert_eq!(captures.iter().collect::<Vec<_>>(), [Some("a=b"), Some("a"), None, Some("b")]);
    assert_eq!(captures.name("word"), Some("b"));
    assert_eq!(captures.name("nope"), None);
    assert_eq!(captures.range(1), Some(2..3));
    assert_eq!(captures.get(9), None);
    assert_eq!(regex.capture_names().collect::<Vec<_>>(), [None, Some("key"), None, Some("word")]);
    assert!(regex.captures("nothing").is_none());

    let twice = new("(?P<n>a)|(?P<n>b)");
    assert_eq!(twice.captures("b").unwrap().name("n"), Some("b"));

    // A group that the repetition takes away still has its number.
    let gone = new("(a){0}(b)(c){0}");
    assert_eq!(gone.captures_len(), 4);
    assert_eq!(gone.captures("b").unwrap().iter().collect::<Vec<_>>(), [Some("b"), None, Some("b"), None]);
}

#[test]
fn locations_are_reused() {
    let regex = new("(a)|(b)");
    let mut locations = regex.locations();
    assert!(regex.captures_at("xab", 0, &mut locations));
    assert_eq!((locations.get(1), locations.get(2)), (Some(1..2), None));
    assert!(regex.captures_at("xab", 2, &mut locations));
    assert_eq!((locations.get(1), locations.get(2)), (None, Some(2..3)));
    assert!(!regex.captures_at("xab", 3, &mut locations));
    assert_eq!(locations.get(0), None);
    assert!(!regex.captures_at("xab", 99, &mut locations));
}

#[test]
fn expands_as_go() {
    let cases = [
        ("$1", "key"),
        ("${1}x", "keyx"),
        ("$1x", ""),
        ("$k-$v", "key-value"),
        ("${k}${v}", "keyvalue"),
        ("$$1", "$1"),
        ("$", "$"),
        ("a$ b", "a$ b"),
        ("${k", "${k"),
        ("${}", "${}"),
        ("$0", "key=value"),
        ("$01", ""),
        ("$9", ""),
        ("$99999999999999999999", ""),
        ("$é", ""),
        ("$-1", "$-1"),
        ("$$$1", "$key"),
    ];
    let regex = new(r"(?P<k>\w+)=(?P<v>\w+)");
    let captures = regex.captures("key=value").unwrap();
    for (template, expected) in cases {
        let mut out = String::new();
        captures.expand(template, &mut out);
        assert_eq!(out, expected, "{template}");
    }
}

#[test]
fn replaces_as_go() {
    let cases = [
        ("", "", "x", "x"),
        ("b", "", "x", "x"),
        ("", "x", "", "x"),
        ("", "x", "abc", "xaxbxcx"),
        ("b", "x", "", ""),
        ("b+", "x", "bbabb", "xax"),
        ("[a-c]*", "x", "\u{65e5}", "x\u{65e5}x"),
        ("[a-c]*", "x", "abcbcdcdedef", "xdxdxexdxexfx"),
        ("^[a-c]*", "x", "abcdabc", "xdabc"),
        ("[a-c]*$", "x", "abcdabc", "abcdx"),
        ("(a)(b)", "$2$1", "abab", "baba"),
        ("a*", "(${0})", "banana", "()b(a)n(a)n(a)"),
        ("(?i)ERROR", "e", "Error error", "e e"),
        ("$", "!", "a", "a!"),
    ];
    for (pattern, template, text, expected) in cases {
        assert_eq!(new(pattern).replace_all(text, template), expected, "{pattern} {template} {text}");
    }
    assert_eq!(new("a").replace_all_literal("bab", "$1"), "b$1b");
}

#[test]
fn finds_all_matches() {
    let cases = [
        ("a+", "baaab", "1..4"),
        ("a*", "baaab", "0..0 1..4 5..5"),
        ("", "é", "0..0 2..2"),
        ("a|b|c", "abc", "0..1 1..2 2..3"),
        ("^a", "aa", "0..1"),
        ("x", "", ""),
        ("$", "ab", "2..2"),
    ];
    for (pattern, text, expected) in cases {
        let found: Vec<String> = new(pattern).find_iter(text).map(|found| format!("{found:?}")).collect();
        assert_eq!(found.join(" "), expected, "{pattern}");
    }
}

#[test]
fn refuses_programs_that_are_too_large() {
    let error = Regex::new(r"[\pL\pN]{1000}[^\pL]{1000}\pL{1000}").unwrap_err();
    assert!(error.to_string().starts_with("error parsing regexp: expression too large"), "{error}");
}

/// Patterns of the small pieces that shapes are about.
fn shaped_pattern() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(".*"),
        Just(".+"),
        Just(".*?"),
        Just("a"),
        Just("b"),
        Just("ab"),
        Just("é"),
        Just("(a|b)"),
        Just("(?i:a)"),
        Just("[ab]"),
        Just("a?"),
        Just("b*"),
        Just("^"),
        Just("$"),
        Just("(?s:.*)"),
        Just("(?-s:.*)"),
        Just("(?s:.+)"),
        Just("(?-s:.+)"),
        Just("|"),
        Just("\\n"),
        Just("."),
        Just("(?:a|bb|)"),
        Just("()"),
        Just("a{2}"),
        Just("\u{fffd}"),
        Just("\\b"),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn shape_and_automaton_agree(pattern in shaped_pattern(), text in "[ab\\né\u{fffd}]{0,5}") {
        let Ok(whole) = Regex::anchored(&pattern) else { return Ok(()) };
        prop_assert_eq!(whole.is_match(&text), whole.automaton().is_match(&text));
        prop_assert!(!whole.is_match(&text) || text.starts_with(whole.required_prefix()));
        check_literals(&whole, &text);
        let Ok(part) = Regex::new(&pattern) else { return Ok(()) };
        prop_assert_eq!(part.is_match(&text), part.automaton().is_match(&text));
        prop_assert!(!part.is_match(&text) || text.starts_with(part.required_prefix()));
        check_literals(&part, &text);
    }

    #[test]
    fn bytes_are_matched_as_their_decoded_text(pattern in shaped_pattern(), text in proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), Just(0xc3), Just(0xa9), Just(0xff)], 0..5)) {
        let Ok(regex) = Regex::anchored(&pattern) else { return Ok(()) };
        prop_assert_eq!(regex.is_match_bytes(&text), regex.automaton().is_match(&*decode(&text)));
    }

    #[test]
    fn expansion_never_panics(template in "[$a{}0-9é]{0,12}", text in "[ab]{0,5}") {
        let _ = new("(?P<a>a)|(b)").replace_all(&text, &template);
    }
}

fn check_literals(regex: &Regex, text: &str) {
    let said = match regex.literals() {
        Literals::Literal(literal) => text == literal,
        Literals::Set(set) => set.iter().any(|literal| literal == text),
        Literals::Prefix(prefix) => text.starts_with(prefix.as_str()),
        Literals::Suffix(suffix) => text.ends_with(suffix.as_str()),
        Literals::Contains(part) => text.contains(part.as_str()),
        Literals::None => return,
    };
    assert_eq!(regex.is_match(text), said, "{regex} on {text:?}");
}
