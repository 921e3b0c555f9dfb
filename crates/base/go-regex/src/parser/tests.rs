//! What Go accepts, what it refuses and how it says so.

use proptest::prelude::*;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::parse;

fn hir(pattern: &str) -> Hir {
    parse(pattern, false).unwrap_or_else(|error| panic!("{pattern}: {error}")).hir
}

fn error(pattern: &str) -> String {
    match parse(pattern, false) {
        Ok(_) => format!("accepted: {pattern}"),
        Err(error) => error.to_string().replace("error parsing regexp: ", ""),
    }
}

/// The ranges of a pattern that is one class, as `a-c x`.
fn ranges(pattern: &str) -> String {
    let show = |low: char, high: char| match (low, high) {
        (low, high) if low == high => format!("{:x}", low as u32),
        (low, high) => format!("{:x}-{:x}", low as u32, high as u32),
    };
    match hir(pattern).into_kind() {
        HirKind::Class(Class::Unicode(class)) => {
            let ranges: Vec<_> = class.iter().map(|range| show(range.start(), range.end())).collect();
            ranges.join(" ")
        }
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0)
            .chars()
            .map(|char| show(char, char))
            .collect::<Vec<_>>()
            .join(" "),
        other => panic!("{pattern} is {other:?}"),
    }
}

#[test]
fn refuses_with_the_words_of_go() {
    let cases = [
        ("*", "missing argument to repetition operator: `*`"),
        ("+", "missing argument to repetition operator: `+`"),
        ("?", "missing argument to repetition operator: `?`"),
        ("a|*b", "missing argument to repetition operator: `*`"),
        ("(+?)", "missing argument to repetition operator: `+?`"),
        ("{2}", "missing argument to repetition operator: `{2}`"),
        (r"\Q\E*", "missing argument to repetition operator: `*`"),
        ("(?i)*", "missing argument to repetition operator: `*`"),
        ("(abc", "missing closing ): `(abc`"),
        ("(a|b|", "missing closing ): `(a|b|`"),
        ("(?P<name>a", "missing closing ): `(?P<name>a`"),
        ("abc)", "unexpected ): `abc)`"),
        (")", "unexpected ): `)`"),
        ("a|b|)", "unexpected ): `a|b|)`"),
        ("x[a-z", "missing closing ]: `[a-z`"),
        ("[a", "missing closing ]: `[a`"),
        ("[]", "missing closing ]: `[]`"),
        ("[^]", "missing closing ]: `[^]`"),
        ("[", "missing closing ]: `[`"),
        ("[[:alpha:]", "missing closing ]: `[[:alpha:]`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        // In Rust's own syntax this is a difference of sets.
        ("[a--b]", "invalid character class range: `a--`"),
        ("(?i)[a-Z]", "invalid character class range: `a-Z`"),
        (r"[\d-\x00a-Z]", "invalid character class range: `a-Z`"),
        ("[[:nope:]]", "invalid character class range: `[:nope:]`"),
        (r"\p{Nope}", r"invalid character class range: `\p{Nope}`"),
        (r"\p{Grek}", r"invalid character class range: `\p{Grek}`"),
        (r"\p{IsGreek}", r"invalid character class range: `\p{IsGreek}`"),
        (r"a\p{Greek", r"invalid character class range: `\p{Greek`"),
        (r"\pQ", r"invalid character class range: `\pQ`"),
        (r"\p", r"invalid character class range: `\p`"),
        (r"abc\", "trailing backslash at end of expression: ``"),
        (r"[a\", "trailing backslash at end of expression: ``"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a*+", "invalid nested repetition operator: `*+`"),
        ("a??*", "invalid nested repetition operator: `??*`"),
        ("a{1}{2}", "invalid nested repetition operator: `{1}{2}`"),
        ("a{1}*?", "invalid nested repetition operator: `{1}*?`"),
        ("x{1001}", "invalid repeat count: `{1001}`"),
        ("x{9876543210}", "invalid repeat count: `{9876543210}`"),
        ("x{2,1}", "invalid repeat count: `{2,1}`"),
        ("x{1,9876543210}", "invalid repeat count: `{1,9876543210}`"),
        ("x{1001,}", "invalid repeat count: `{1001,}`"),
        ("(?:x{100}){11}", "invalid repeat count: `{11}`"),
        ("(?:[a-z]{4}){0,251}", "invalid repeat count: `{0,251}`"),
        ("((((((((((x{2}){2}){2}){2}){2}){2}){2}){2}){2}){2})", "invalid repeat count: `{2}`"),
        (r"\x", r"invalid escape sequence: `\x`"),
        (r"\xg1", r"invalid escape sequence: `\xg1`"),
        (r"\x{}", r"invalid escape sequence: `\x{}`"),
        (r"\x{110000}", r"invalid escape sequence: `\x{110000`"),
        (r"\x{12", r"invalid escape sequence: `\x{12`"),
        (r"\8", r"invalid escape sequence: `\8`"),
        (r"(a)\1", r"invalid escape sequence: `\1`"),
        (r"\y", r"invalid escape sequence: `\y`"),
        (r"\Z", r"invalid escape sequence: `\Z`"),
        (r"\C", r"invalid escape sequence: `\C`"),
        (r"\é", r"invalid escape sequence: `\é`"),
        (r"[\b]", r"invalid escape sequence: `\b`"),
        (r"a\E", r"invalid escape sequence: `\E`"),
        ("(?P<x y>a)", "invalid named capture: `(?P<x y>`"),
        ("(?P<>a)", "invalid named capture: `(?P<>`"),
        ("(?P<é>a)", "invalid named capture: `(?P<é>`"),
        ("(?P<name", "invalid named capture: `(?P<name`"),
        ("(?<name", "invalid named capture: `(?<name`"),
        ("(?<=a)", "invalid named capture: `(?<=a)`"),
        ("(?x)a", "invalid or unsupported Perl syntax: `(?x`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?P=n)", "invalid or unsupported Perl syntax: `(?P`"),
        ("(?i-)a", "invalid or unsupported Perl syntax: `(?i-)`"),
        ("(?i--s)a", "invalid or unsupported Perl syntax: `(?i--`"),
        ("a(?i", "invalid or unsupported Perl syntax: `(?i`"),
        ("(?", "invalid or unsupported Perl syntax: `(?`"),
        ("(?<", "invalid or unsupported Perl syntax: `(?<`"),
        ("(?P<", "invalid or unsupported Perl syntax: `(?P`"),
    ];
    for (pattern, expected) in cases {
        assert_eq!(error(pattern), expected, "{pattern}");
    }
}

#[test]
fn accepts_what_go_accepts() {
    let patterns = [
        "",
        "|",
        "||",
        "()",
        "(|a)*",
        "a{,2}",
        "a{",
        "{",
        "}",
        "a{a",
        "x{1001",
        "x{2,1",
        "x{01}",
        "a{1,2}{",
        "]",
        "a]",
        "[]a]",
        "[^]a]",
        "[-a]",
        "[a-]",
        "[a-b-c]",
        "[[a]",
        "[[:word:]]",
        "[[:^alpha:]]",
        "[[:alpha]",
        r"\_",
        r"\-",
        r"\<a\>",
        r"\Qa.b",
        r"\Q\\E",
        r"\Q*\E+",
        r"\07",
        r"\101",
        "(?i)(?-i)a",
        "(?im-sU:a)",
        "(?)",
        "(?-s:a)",
        "(?P<n>a)(?P<n>b)",
        "(?P<1>a)",
        "(?<n>a)",
        r"\p{^Greek}",
        r"\PN",
        r"\p{any}",
        r"\x{d800}",
        r"[\x{d800}-\x{dfff}]",
        "(?:a*)*",
        "a(?i)*",
        r"\b\B\A\z^$",
        "[&&]",
        "^*",
        "(?:)*",
        r"\Q\E",
    ];
    for pattern in patterns {
        if let Err(error) = parse(pattern, false) {
            panic!("{pattern}: {error}");
        }
    }
}

#[test]
fn classes_are_those_of_go() {
    let cases = [
        (r"\d", "30-39"),
        (r"\D", "0-2f 3a-10ffff"),
        (r"\s", "9-a c-d 20"),
        (r"\S", "0-8 b e-1f 21-10ffff"),
        (r"\w", "30-39 41-5a 5f 61-7a"),
        (r"(?i)\w", "30-39 41-5a 5f 61-7a 17f 212a"),
        (r"(?i)\W", "0-2f 3a-40 5b-5e 60 7b-17e 180-2129 212b-10ffff"),
        ("[[:lower:]]", "61-7a"),
        ("[^[:lower:]]", "0-60 7b-10ffff"),
        ("[[:^lower:]]", "0-60 7b-10ffff"),
        ("(?i)[a-z]", "41-5a 61-7a 17f 212a"),
        ("(?i)[[:^lower:]]", "0-40 5b-60 7b-17e 180-2129 212b-10ffff"),
        ("[[:space:]]", "9-d 20"),
        ("[[:punct:]]", "21-2f 3a-40 5b-60 7b-7e"),
        ("[[:xdigit:]]", "30-39 41-46 61-66"),
        ("[^a]", "0-60 62-10ffff"),
        ("[α-ε☺]", "3b1-3b5 263a"),
        ("[a&&b]", "26 61-62"),
        ("[a~~b]", "61-62 7e"),
        ("[]-a]", "5d-61"),
        (r"[\012-\234]", "a-9c"),
        (r"[\x{41}-\x7a]", "41-7a"),
        (r"\p{Braille}", "2800-28ff"),
        (r"\P{^Braille}", "2800-28ff"),
        (r"[\P{Braille}]", "0-27ff 2900-10ffff"),
        (r"\p{Canadian_Aboriginal}", "1400-167f 18b0-18f5 11ab0-11abf"),
        (r"\p{canadian aboriginal}", "1400-167f 18b0-18f5 11ab0-11abf"),
        (r"\pZ", "20 a0 1680 2000-200a 2028-2029 202f 205f 3000"),
        (r"\p{Zl}", "2028"),
        (r"(?i)\p{ascii}", "0-7f 17f 212a"),
        (r"\p{Any}", "0-10ffff"),
        (r"(?i)k", "4b 6b 212a"),
        (r"(?i)K", "4b 6b 212a"),
        ("(?i)ß", "df 1e9e"),
        ("(?i)-", "2d"),
        ("[Δδ]", "394 3b4"),
        (".", "0-9 b-10ffff"),
        ("(?s).", "0-10ffff"),
        (r"[\x{d000}-\x{e000}]", "d000-e000"),
        (r"[^\x{d800}-\x{dfff}\x{110}]", "0-10f 111-10ffff"),
        (r"[^\x00-\x{d7ff}\x{e000}-\x{10fffe}]", "10ffff"),
    ];
    for (pattern, expected) in cases {
        assert_eq!(ranges(pattern), expected, "{pattern}");
    }
    assert_eq!(ranges(r"\p{Lu}"), ranges(r"\p{upper case-let ter}"));
    assert_eq!(ranges(r"\p{L}"), ranges(r"\p{Letter}"));
    // Private use begins right after the surrogates, and unassigned characters end right before them.
    assert!(!ranges(r"\PC").contains("d7ff"));
    assert_eq!(ranges(r"\p{^Assigned}"), ranges(r"\p{Cn}"));
}

#[test]
fn bounds_nesting_and_size_as_go_does() {
    assert!(parse(&format!("{}{}", "(".repeat(999), ")".repeat(999)), false).is_ok());
    assert!(parse(&format!("{}{}", "(?:".repeat(999), ")*".repeat(999)), false).is_ok());
    assert!(parse(&format!("({})", "|".repeat(12345)), false).is_ok());
    assert!(parse("(?:[a-z]{4}){0,250}", false).is_ok());
    assert!(parse("((((((((((x{1}){2}){2}){2}){2}){2}){2}){2}){2}){2})", false).is_ok());
    let refused = [
        (format!("{}{}", "(".repeat(1000), ")".repeat(1000)), "expression nests too deeply"),
        (format!("{}{}", "(?:".repeat(1000), ")*".repeat(1000)), "expression nests too deeply"),
        ("(xx?){1000}".repeat(1000), "expression too large"),
        (format!("({}){{1000}}", "(xx?)".repeat(1000)), "expression too large"),
        (r"\pL".repeat(27000), "expression too large"),
        ("(".repeat(2 << 20), "expression too large"),
        (format!("(?i){}", "a".repeat(1 << 19)), "expression too large"),
    ];
    for (pattern, expected) in refused {
        let text = error(&pattern);
        assert!(text.starts_with(expected), "{}", text.chars().take(80).collect::<String>());
    }
}

#[test]
fn names_groups_in_the_order_of_their_parentheses() {
    let parsed = parse("(a)(?P<x>(b))(?:c)(?<y>d)", false).unwrap();
    let names: Vec<_> = parsed.names.iter().map(Option::as_deref).collect();
    assert_eq!(names, [None, None, Some("x"), None, Some("y")]);
}

proptest! {
    #[test]
    fn no_text_panics(pattern in r"(?s).{0,40}") {
        let _ = parse(&pattern, true);
    }

    #[test]
    fn no_text_of_syntax_panics(pattern in r"[]()\[|*+?{},0-9\\^$.:<>PQEpLx\-ai]{0,30}") {
        let _ = parse(&pattern, false);
    }
}
