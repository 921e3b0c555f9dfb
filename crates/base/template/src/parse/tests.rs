//! The language: what is accepted, how nodes print, what errors say.

use proptest::prelude::*;

use super::ast::{Node, Tree};
use super::parse;

const KNOWN: [&str; 3] = ["printf", "contains", "len"];

fn trees(text: &str) -> Result<Vec<Tree>, String> {
    parse("t", text, &|name| KNOWN.contains(&name))
        .map_err(|error| error.to_string().replace("template: t:", ""))
}

/// The template as text: literal text quoted, actions in braces.
fn show(nodes: &[Node]) -> String {
    let mut out = String::new();
    for node in nodes {
        let branch = |word: &str, branch: &super::ast::Branch| {
            let otherwise = branch
                .otherwise
                .as_deref()
                .map_or_else(String::new, |nodes| format!("{{{{else}}}}{}", show(nodes)));
            format!("{{{{{word} {}}}}}{}{otherwise}{{{{end}}}}", branch.pipe, show(&branch.body))
        };
        out += &match node {
            Node::Text(text) => format!("{text:?}"),
            Node::Action(pipe) => format!("{{{{{pipe}}}}}"),
            Node::If(inner) => branch("if", inner),
            Node::With(inner) => branch("with", inner),
            Node::Range(inner) => branch("range", inner),
            Node::Template { name, pipe, .. } => format!(
                "{{{{template {name:?}{}}}}}",
                pipe.as_ref().map_or_else(String::new, |pipe| format!(" {pipe}"))
            ),
            Node::Break => "{{break}}".to_owned(),
            Node::Continue => "{{continue}}".to_owned(),
        };
    }
    out
}

fn shown(text: &str) -> String {
    let trees = trees(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let main = trees.iter().find(|tree| &*tree.name == "t").expect("the template itself");
    show(&main.root)
}

#[test]
fn accepts_the_language() {
    let cases = [
        ("", ""),
        ("{{/*\n\n*/}}", ""),
        (" \t\n", r#"" \t\n""#),
        ("{{.X}}", "{{.X}}"),
        ("{{$}}{{$.I}}", "{{$}}{{$.I}}"),
        ("{{with $x := 3}}{{$x 23}}{{end}}", "{{with $x := 3}}{{$x 23}}{{end}}"),
        ("{{printf `%d` 23}}", "{{printf `%d` 23}}"),
        ("{{.X|.Y}}", "{{.X | .Y}}"),
        ("{{$x := .X|.Y}}{{$x = 1}}", "{{$x := .X | .Y}}{{$x = 1}}"),
        ("{{.X (.Y .Z) (.A | .B .C) (.E)}}", "{{.X (.Y .Z) (.A | .B .C) (.E)}}"),
        ("{{(.Y .Z).Field.More}}", "{{(.Y .Z).Field.More}}"),
        ("{{$.A.B}} {{.A.B.C}}", r#"{{$.A.B}}" "{{.A.B.C}}"#),
        ("{{if .X}}a{{else}}b{{end}}", r#"{{if .X}}"a"{{else}}"b"{{end}}"#),
        (
            "{{if .X}}a{{else if .Y}}b{{else if .Z}}c{{else}}d{{end}}",
            r#"{{if .X}}"a"{{else}}{{if .Y}}"b"{{else}}{{if .Z}}"c"{{else}}"d"{{end}}{{end}}{{end}}"#,
        ),
        (
            "{{with .X}}a{{else with .Y}}b{{else}}c{{end}}",
            r#"{{with .X}}"a"{{else}}{{with .Y}}"b"{{else}}"c"{{end}}{{end}}"#,
        ),
        (
            "{{range $i, $e := .X}}{{break}}{{continue}}{{else}}b{{end}}",
            r#"{{range $i, $e := .X}}{{break}}{{continue}}{{else}}"b"{{end}}"#,
        ),
        ("{{range .X 1 -3.2 true false 'a' nil}}{{end}}", "{{range .X 1 -3.2 true false 'a' nil}}{{end}}"),
        ("{{template `x`}}{{template \"x\" .Y}}", r#"{{template "x"}}{{template "x" .Y}}"#),
        ("x \r\n\t{{- 3 -}}\n\n\ty", r#""x"{{3}}"y""#),
        ("x\n{{-  3   -}}\ny", r#""x"{{3}}"y""#),
        ("x {{- /* hi */ -}} y", r#""x""y""#),
        ("{{-\n/*\nhello\n*/\n-}}", ""),
        ("{{block \"foo\" .}}hello{{end}}", r#"{{template "foo" .}}"#),
        ("{{ $x \n := \n 1 \n }}", "{{$x := 1}}"),
        ("{{\n\"x\"\n|\nprintf\n}}", "{{\"x\" | printf}}"),
        ("{{-3}}", "{{-3}}"),
        ("{{3 -}} {{- 4}}", "{{3}}{{4}}"),
        ("{{$x:=.}}{{$x +2}}", "{{$x := .}}{{$x +2}}"),
        ("{{range $x = 0}}{{end}}", "{{range $x = 0}}{{end}}"),
        ("{{if ((true))}}y{{end}}", r#"{{if ((true))}}"y"{{end}}"#),
        ("}} {", r#""}} {""#),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn refuses_with_the_words_of_go() {
    let cases = [
        ("{{}}", "1: missing value for command"),
        ("{{\n}}", "2: missing value for command"),
        ("hello{{range", "1: unclosed action"),
        ("{{", "1: unclosed action"),
        ("{{ .x\n\n", "3: unclosed action started at t:1"),
        ("{{end}}", "1: unexpected {{end}}"),
        ("{{else}}", "1: unexpected {{else}}"),
        ("{{if .X}}1{{else}}2{{else}}3{{end}}", "1: expected end; found {{else}}"),
        ("hello{{range .x}}", "1: unexpected EOF"),
        ("{{undefined}}", "1: function \"undefined\" not defined"),
        ("\n\n{{nosuch .x}}", "3: function \"nosuch\" not defined"),
        ("{{$x}}", "1: undefined variable \"$x\""),
        ("{{with $x := 4}}{{end}}{{$x}}", "1: undefined variable \"$x\""),
        ("{{template $v}}", "1: unexpected \"$v\" in template clause"),
        ("{{template .X}}", "1: unexpected \".X\" in template clause"),
        ("{{printf 3, 4}}", "1: unexpected \",\" in operand"),
        ("{{with $v, $u := 3}}{{end}}", "1: too many declarations in with"),
        ("{{range $u, $v, $w := 3}}{{end}}", "1: too many declarations in range"),
        ("{{range $u, 3}}{{end}}", "1: range can only initialize variables"),
        ("{{printf (printf .).}}", "1: unexpected <.> in operand"),
        ("{{printf 3`x`}}", "1: unexpected \"`x`\" in operand"),
        ("{{break}}", "1: {{break}} outside {{range}}"),
        ("{{range .}}{{else}}{{continue}}{{end}}", "1: {{continue}} outside {{range}}"),
        ("{{$x += 1}}", "1: undefined variable \"$x\""),
        ("{{$x=1}}", "1: bad character U+003D '='"),
        ("{{1.E}}", "1: illegal number syntax: \"1.E\""),
        ("{{true.E}}", "1: unexpected . after term \"true\""),
        ("{{\"hello\".guys}}", "1: unexpected . after term \"\\\"hello\\\"\""),
        ("{{12|.}}", "1: non executable command in pipeline stage 2"),
        ("{{.|printf|\"error\"}}", "1: non executable command in pipeline stage 3"),
        ("{{printf \"%d\" ( ) }}", "1: missing value for parenthesized pipeline"),
        ("{{block \"foo\"}}hello{{end}}", "1: missing value for block clause"),
        ("{{define .x}}{{end}}", "1: unexpected \".x\" in define clause"),
        (
            "{{define \"a\"}}1{{end}}{{define \"a\"}}2{{end}}",
            "1: template: multiple definition of template \"a\"",
        ),
        ("{{\"a}}", "1: unterminated quoted string"),
        ("{{`a}}", "1: unterminated raw quoted string"),
        ("{{'a}}", "1: unterminated character constant"),
        ("{{''}}", "1: malformed character constant: ''"),
        ("{{/* a }}", "1: unclosed comment"),
        ("{{/* a */ b}}", "1: comment ends before closing delimiter"),
        ("{{(1}}", "1: unclosed left paren"),
        ("{{1)}}", "1: unexpected right paren"),
        ("{{\u{a0}}}", "1: unrecognized character in action: U+00A0"),
        ("{{.a\u{a0}}}", "1: bad character U+00A0"),
        ("{{3i}}", "1: not supported yet: complex number 3i"),
        ("{{99999999999999999999}}", "1: integer overflow: \"99999999999999999999\""),
        ("{{08}}", "1: integer overflow: \"08\""),
        ("{{\"\\q\"}}", "1: invalid syntax"),
        ("{{if .a}}{{else range .b}}{{end}}", "1: unexpected <range> in else"),
        ("{{.X . \"abcdefghijkl\"`x`}}", "1: unexpected \"`x`\" in operand"),
        (
            "{{template \"a\" \"abcdefghijkl\"}}{{abcdefghijkl 1, 2}}",
            "1: function \"abcdefghijkl\" not defined",
        ),
    ];
    for (text, expected) in cases {
        match trees(text) {
            Ok(_) => panic!("{text} was accepted"),
            Err(error) => assert_eq!(error, expected, "{text}"),
        }
    }
}

#[test]
fn nesting_is_bounded() {
    let deep = |count: usize| format!("{}x{}", "{{if .a}}".repeat(count), "{{end}}".repeat(count));
    assert!(trees(&deep(100)).is_ok());
    assert_eq!(trees(&deep(101)).unwrap_err(), "1: max expression depth exceeded");
    let parens = format!("{{{{{}1{}}}}}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(trees(&parens).unwrap_err(), "1: max expression depth exceeded");
    let chain = format!("{{{{if .a}}}}{}{{{{end}}}}", "{{else if .b}}".repeat(10_000));
    assert_eq!(trees(&chain).unwrap_err(), "1: max expression depth exceeded");
}

proptest! {
    #[test]
    fn no_text_panics(text in "(?s).{0,60}") {
        let _ = trees(&text);
        let _ = trees(&format!("{{{{{text}}}}}"));
    }

    #[test]
    fn no_tokens_panic(pieces in proptest::collection::vec(prop_oneof![
        Just("{{"), Just("}}"), Just("{{-"), Just(" -}}"), Just("if "), Just("else "), Just("end"), Just("range "), Just("with "), Just("define \"a\""),
        Just("block \"b\" ."), Just("template \"a\" "), Just("break"), Just("$x"), Just(":="), Just("="), Just(","), Just("|"), Just("("), Just(")"),
        Just(".a"), Just("."), Just(" "), Just("\n"), Just("1"), Just("1.5e3"), Just("'a'"), Just("\"s\""), Just("`r`"), Just("printf"), Just("nil"),
        Just("true"), Just("/*"), Just("*/"), Just("text"), Just("é"), Just("0x"), Just("-"), Just("\\"),
    ], 0..24)) {
        let _ = trees(&pieces.concat());
    }
}
