//! Running templates: values, control, errors, bounds.

use std::fmt;

use proptest::prelude::*;

use super::{ExecError, Execution, FunctionError, Limits, MissingKey};
use crate::functions::{Function, Functions, Kind, Signature};
use crate::template::{Template, TemplateSet};
use crate::value::{Object, Value};

fn functions() -> Functions {
    let mut functions = Functions::builtin();
    functions.add("add", Signature::new(&[Kind::Int, Kind::Int]), |call| {
        Ok(Value::Int(call.int(0) + call.int(1)))
    });
    functions.add("upper", Signature::new(&[Kind::Str]), |call| Ok(call.str(0).to_uppercase().into()));
    functions.add("half", Signature::new(&[Kind::Float]), |call| Ok(Value::Float(call.float(0) / 2.0)));
    functions.add("fails", Signature::new(&[]), |_| Err("on purpose".into()));
    functions.add("many", Signature::variadic_of(&[Kind::Str], Kind::Int), |call| {
        Ok(Value::Int(call.arguments().len() as i64))
    });
    functions.add("if_true", Signature::new(&[Kind::Bool]), |call| Ok(call.bool(0).into()));
    functions.add("run", Signature::new(&[Kind::Str, Kind::Any]), |call| {
        let (name, data) = (call.str(0), call.get(1));
        Ok(call.execute(name, data)?.into())
    });
    functions
}

/// A struct with a method and a field.
struct Person;

impl Object for Person {
    fn type_name(&self) -> &str {
        "*main.Person"
    }

    fn field(&self, name: &str) -> Option<Value> {
        (name == "Name").then(|| "Anna".into())
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, FunctionError>> {
        match name {
            "Greet" => {
                Some(
                    Ok(format!("Hi {}", arguments.first().map_or_else(String::new, Value::to_string)).into()),
                )
            }
            "Fail" => Some(Err("no".into())),
            _ => None,
        }
    }

    fn display(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{Anna}")
    }
}

fn data() -> Value {
    let list = |items: &[i64]| Value::list(items.iter().copied().map(Value::Int));
    Value::map([
        ("s".into(), "text".into()),
        ("empty".into(), "".into()),
        ("zero".into(), 0.into()),
        ("n".into(), 7.into()),
        ("f".into(), 2.5.into()),
        ("t".into(), true.into()),
        ("list".into(), list(&[3, 4, 5])),
        ("none".into(), list(&[])),
        ("nil".into(), Value::Nil),
        ("map".into(), Value::strings([("b".into(), "2".into()), ("a".into(), "1".into())])),
        ("deep".into(), Value::map([("er".into(), Value::map([("est".into(), "bottom".into())]))])),
        ("person".into(), Value::object(Person)),
        (
            "fn".into(),
            Value::Function(Function::new(Signature::new(&[Kind::Int]), |call| {
                Ok(Value::Int(call.int(0) * 2))
            })),
        ),
    ])
}

fn run_with(text: &str, execution: &Execution<'_>) -> Result<String, ExecError> {
    let template = Template::parse("t", text, &functions()).unwrap_or_else(|error| panic!("{error}"));
    template.execute(&data(), execution)
}

fn run(text: &str) -> String {
    run_with(text, &Execution::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn error(text: &str) -> String {
    match run_with(text, &Execution::default()) {
        Ok(out) => panic!("{text} gave {out}"),
        Err(error) => error.to_string().replace("template: t:", ""),
    }
}

#[test]
fn values_print_as_in_go() {
    let cases = [
        ("{{.s}} {{.n}} {{.f}} {{.t}}", "text 7 2.5 true"),
        ("{{.list}} {{.map}} {{.none}}", "[3 4 5] map[a:1 b:2] []"),
        ("{{.nil}} {{.missing}} {{.missing.more}}", "<no value> <no value> <no value>"),
        ("{{printf \"%v\" .missing}} {{print nil}}", "<nil> <nil>"),
        ("{{.deep.er.est}} {{$.s}} {{(.deep).er.est}}", "bottom text bottom"),
        (
            "{{1}} {{-1}} {{0x1F}} {{0b101}} {{017}} {{1_000}} {{'a'}} {{1.5}} {{1e6}} {{1e3}} {{true}}",
            "1 -1 31 5 15 1000 97 1.5 1e+06 1000 true",
        ),
        ("{{\"a\\n\"}}{{`b\\n`}}", "a\nb\\n"),
        (
            "{{.person}} {{.person.Name}} {{.person.Greet \"Bo\"}} {{\"Cy\" | .person.Greet}} {{.person.Greet}}",
            "{Anna} Anna Hi Bo Hi Cy Hi ",
        ),
        ("{{call .fn 4}} {{4 | call .fn}}", "8 8"),
    ];
    for (text, expected) in cases {
        assert_eq!(run(text), expected, "{text}");
    }
}

#[test]
fn control_structures() {
    let cases = [
        ("{{if .s}}yes{{else}}no{{end}}", "yes"),
        ("{{if .empty}}a{{else if .zero}}b{{else if .none}}c{{else if .nil}}d{{else}}e{{end}}", "e"),
        ("{{if not .missing}}gone{{end}}", "gone"),
        ("{{with .deep.er}}{{.est}}{{end}}{{with .empty}}x{{else}}y{{end}}", "bottomy"),
        ("{{with .empty}}x{{else with .s}}{{.}}{{end}}", "text"),
        ("{{range .list}}{{.}},{{end}}", "3,4,5,"),
        ("{{range $i, $e := .list}}{{$i}}={{$e}};{{end}}", "0=3;1=4;2=5;"),
        ("{{range $e := .list}}{{$e}}{{end}}", "345"),
        ("{{range $k, $v := .map}}{{$k}}{{$v}}{{end}}", "a1b2"),
        ("{{range .none}}x{{else}}none{{end}}{{range .nil}}x{{else}}nil{{end}}", "nonenil"),
        ("{{range 3}}{{.}}{{end}}{{range $i, $j := 2}}{{$i}}{{$j}}{{end}}", "0120011"),
        ("{{range .list}}{{if eq . 4}}{{continue}}{{end}}{{.}}{{end}}", "35"),
        ("{{range .list}}{{if eq . 4}}{{break}}{{end}}{{.}}{{end}}!", "3!"),
        ("{{range .list}}{{range $.list}}{{break}}{{end}}{{.}}{{end}}", "345"),
        ("{{$x := 1}}{{range .list}}{{$x = add $x .}}{{end}}{{$x}}", "13"),
        ("{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}", "21"),
        ("{{$i := 0}}{{$e := 0}}{{range $i, $e = .list}}{{end}}{{$i}}{{$e}}", "25"),
        ("{{with $x := .n}}{{$x}}{{.}}{{end}}", "77"),
        (
            "{{define \"a\"}}[{{.}}{{$}}]{{end}}{{template \"a\" .n}}{{template \"a\"}}",
            "[77][<no value><no value>]",
        ),
        ("{{block \"b\" .s}}<{{.}}>{{end}}{{template \"b\" 1}}", "<text><1>"),
        ("{{run \"c\" 5}}{{define \"c\"}}c{{.}}{{end}}", "c5"),
        ("a {{- /* comment */ -}} b", "ab"),
    ];
    for (text, expected) in cases {
        assert_eq!(run(text), expected, "{text}");
    }
}

#[test]
fn builtin_functions() {
    let cases = [
        ("{{and 1 0 2}} {{and 1 2}} {{or 0 \"\" 3}} {{or 0 \"\"}} {{not 0}}", "0 2 3  true"),
        // What is not needed is not evaluated.
        ("{{or 1 fails}} {{and 0 fails}} {{if and .nil (index .nil 1)}}x{{end}}", "1 0 "),
        (
            "{{eq 1 1}} {{eq 1 2 1}} {{eq \"a\" \"a\"}} {{eq .n 7}} {{eq .f 2.5}} {{eq .missing nil}} {{eq .missing \"a\"}}",
            "true true true true true true false",
        ),
        (
            "{{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt 2 1}} {{ge 1 2}} {{lt \"a\" \"b\"}} {{gt 2.5 1.5}}",
            "true true true true false true true",
        ),
        (
            "{{index .list 1}} {{index .map \"a\"}} {{index .map \"zz\"}}| {{index .deep \"er\" \"est\"}} {{index \"abc\" 1}}",
            "4 1 | bottom 98",
        ),
        ("{{slice .list 1}} {{slice .list 1 2}} {{slice \"hello\" 1 3}}", "[4 5] [4] el"),
        ("{{len .s}} {{len .list}} {{len .map}} {{len \"é\"}}", "4 3 2 2"),
        (
            "{{print 1 2 \"a\" 3}}|{{println 1 \"a\"}}|{{printf \"%05.1f|%-4s|%q\" 2.25 \"ab\" \"c\"}}",
            "1 2a3|1 a\n|002.2|ab  |\"c\"",
        ),
        (
            "{{html \"<a href='x'>&\\\"\"}} {{js \"it's <b>=&\"}} {{urlquery \"a b&c/é\"}}",
            "&lt;a href=&#39;x&#39;&gt;&amp;&#34; it\\'s \\u003Cb\\u003E\\u003D\\u0026 a+b%26c%2F%C3%A9",
        ),
        ("{{.s | upper | printf \"%s-%s\" \"x\"}}", "x-TEXT"),
        ("{{half 3}} {{half 3.0}} {{add 1e3 2}} {{many \"a\" 1 2}}", "1.5 1.5 1002 3"),
    ];
    for (text, expected) in cases {
        assert_eq!(run(text), expected, "{text}");
    }
}

#[test]
fn errors_have_the_words_of_go() {
    let cases = [
        ("{{.s.x}}", "1:4: executing \"t\" at <.s.x>: can't evaluate field x in type string"),
        ("{{.s 1}}", "1:2: executing \"t\" at <.s>: s is not a method but has arguments"),
        ("{{1 2}}", "1:2: executing \"t\" at <1>: can't give argument to non-function 1"),
        ("{{nil}}", "1:2: executing \"t\" at <nil>: nil is not a command"),
        ("\n  {{fails}}", "2:4: executing \"t\" at <fails>: error calling fails: on purpose"),
        ("{{upper .n}}", "1:8: executing \"t\" at <.n>: wrong type for value; expected string; got int"),
        ("{{upper 5}}", "1:8: executing \"t\" at <5>: expected string; found 5"),
        ("{{upper .missing}}", "1:8: executing \"t\" at <.missing>: invalid value; expected string"),
        ("{{upper nil}}", "1:8: executing \"t\" at <nil>: cannot assign nil to string"),
        ("{{upper}}", "1:2: executing \"t\" at <upper>: wrong number of args for upper: want 1 got 0"),
        (
            "{{\"a\" | upper \"b\"}}",
            "1:8: executing \"t\" at <upper>: wrong number of args for upper: want 1 got 2",
        ),
        ("{{1 | upper}}", "1:6: executing \"t\" at <upper>: wrong type for value; expected string; got int"),
        ("{{many}}", "1:2: executing \"t\" at <many>: wrong number of args for many: want at least 1 got 0"),
        ("{{many \"a\" \"b\"}}", "1:11: executing \"t\" at <\"b\">: expected integer; found \"b\""),
        ("{{add 1.5 2}}", "1:6: executing \"t\" at <1.5>: expected integer; found 1.5"),
        ("{{if_true 1}}", "1:10: executing \"t\" at <1>: expected bool; found 1"),
        (
            "{{template \"x\" .s}}",
            "1:11: executing \"t\" at <{{template \"x\" .s}}>: template \"x\" not defined",
        ),
        ("{{range .s}}{{end}}", "1:8: executing \"t\" at <.s>: range can't iterate over text"),
        (
            "{{index .list 9}}",
            "1:2: executing \"t\" at <index .list 9>: error calling index: index out of range: 9",
        ),
        (
            "{{index .nil 1}}",
            "1:2: executing \"t\" at <index .nil 1>: error calling index: index of untyped nil",
        ),
        (
            "{{index 1 1}}",
            "1:2: executing \"t\" at <index 1 1>: error calling index: can't index item of type int",
        ),
        ("{{len 3}}", "1:2: executing \"t\" at <len 3>: error calling len: len of type int"),
        (
            "{{eq 1 \"a\"}}",
            "1:2: executing \"t\" at <eq 1 \"a\">: error calling eq: incompatible types for comparison",
        ),
        ("{{eq 1}}", "1:2: executing \"t\" at <eq 1>: error calling eq: missing argument for comparison"),
        (
            "{{lt true false}}",
            "1:2: executing \"t\" at <lt true false>: error calling lt: invalid type for comparison",
        ),
        (
            "{{slice .s 2 1}}",
            "1:2: executing \"t\" at <slice .s 2 1>: error calling slice: invalid slice index: 2 > 1",
        ),
        ("{{$x = 1}}", "1:7: executing \"t\" at <1>: undefined variable: $x"),
        (
            "{{.person.Nope}}",
            "1:9: executing \"t\" at <.person.Nope>: can't evaluate field Nope in type *main.Person",
        ),
        (
            "{{.person.Name 1}}",
            "1:9: executing \"t\" at <.person.Name>: Name has arguments but cannot be invoked as function",
        ),
        ("{{.person.Fail}}", "1:9: executing \"t\" at <.person.Fail>: error calling Fail: no"),
        ("{{.fn}}", "1:2: executing \"t\" at <.fn>: can't print .fn of type func"),
        (
            "{{define \"a\"}}\n{{.s.x}}{{end}}{{template \"a\" .}}",
            "2:4: executing \"a\" at <.s.x>: can't evaluate field x in type string",
        ),
        ("{{(nil).x}}", "1:3: executing \"t\" at <nil>: nil is not a command"),
        (
            "{{9999999999999999999}}",
            "1:2: executing \"t\" at <9999999999999999999>: 9999999999999999999 overflows int",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text), expected, "{text}");
    }
}

#[test]
fn missing_keys() {
    let run = |text: &str, missing_key: MissingKey| {
        let execution = Execution { missing_key, ..Execution::default() };
        run_with(text, &execution).map_err(|error| error.to_string())
    };
    assert_eq!(run("{{.map.zz}}", MissingKey::Default).unwrap(), "<no value>");
    assert_eq!(run("{{.map.zz}}", MissingKey::Zero).unwrap(), "");
    assert_eq!(run("{{.zz}}", MissingKey::Zero).unwrap(), "<no value>");
    let error = run("{{.map.zz}}", MissingKey::Error).unwrap_err();
    assert_eq!(error, "template: t:1:6: executing \"t\" at <.map.zz>: map has no entry for key \"zz\"");
    let error = run("{{.nil.zz}}", MissingKey::Error).unwrap_err();
    assert_eq!(error, "template: t:1:6: executing \"t\" at <.nil.zz>: nil data; no entry for key \"zz\"");
}

#[test]
fn runs_are_bounded() {
    let limits = Limits { max_output_bytes: 1000, max_steps: 10_000, max_depth: 50 };
    let bombs = [
        "{{range 1000000000}}{{end}}",
        "{{range 1000000000}}x{{end}}",
        "{{range 100}}{{range 100}}{{range 100}}{{end}}{{end}}{{end}}",
        "{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}",
        "{{define \"a\"}}{{run \"a\" 1}}{{end}}{{run \"a\" 1}}",
        "{{define \"a\"}}{{template \"b\"}}{{template \"b\"}}{{end}}{{define \"b\"}}{{template \"c\"}}{{template \"c\"}}{{end}}{{define \"c\"}}{{range 100}}{{range 100}}{{end}}{{end}}{{end}}{{template \"a\"}}",
        "{{printf \"%1001d\" 1}}",
        "{{$x := \"aaaaaaaaaaaaaaaa\"}}{{range 100}}{{$x = print $x $x}}{{end}}",
        "{{printf \"%999999d%999999d\" 1 1}}",
        "{{$x := printf \"%900d\" 1}}{{html $x $x}}",
    ];
    for text in bombs {
        let execution = Execution { limits, ..Execution::default() };
        let error = run_with(text, &execution).expect_err(text);
        assert!(error.is_limit(), "{text}: {error}");
    }
}

#[test]
fn the_deepest_nesting_fits_a_small_stack() {
    // As much as allowed: templates that call each other through as many blocks and parentheses as the parser takes.
    let blocks = 30;
    let text = format!(
        "{{{{define \"a\"}}}}{}{{{{template \"a\" {}1{}}}}}{}{{{{end}}}}{{{{template \"a\"}}}}",
        "{{if true}}".repeat(blocks),
        "(".repeat(blocks),
        ")".repeat(blocks),
        "{{end}}".repeat(blocks)
    );
    let run = move || run_with(&text, &Execution::default()).unwrap_err().is_limit();
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap();
    assert!(thread.join().unwrap());
}

#[test]
fn bindings_come_first() {
    let mut functions = Functions::builtin();
    functions.declare("__line__");
    let template = Template::parse("line", "{{__line__}}", &functions).unwrap();
    let bindings = [("__line__", Function::constant("a line".into()))];
    let execution = Execution { bindings: &bindings, ..Execution::default() };
    assert_eq!(template.execute(&Value::Nil, &execution).unwrap(), "a line");
    let error = template.execute(&Value::Nil, &Execution::default()).unwrap_err();
    assert!(error.to_string().ends_with("\"__line__\" is not a defined function"), "{error}");
}

#[test]
fn sets_share_templates() {
    let mut set = TemplateSet::new(functions());
    set.add(
        "default.tmpl",
        "{{define \"title\"}}[{{template \"inner\" .}}]{{end}}{{define \"inner\"}}default{{end}}",
    )
    .unwrap();
    set.add("user.tmpl", "{{define \"inner\"}}{{.n}}{{end}}").unwrap();
    // An empty definition does not replace one.
    set.add("empty.tmpl", "{{define \"inner\"}} {{end}}").unwrap();
    let template = set.template("", "{{template \"title\" .}}").unwrap();
    assert_eq!(template.execute(&data(), &Execution::default()).unwrap(), "[7]");
    assert_eq!(set.names(), ["default.tmpl", "empty.tmpl", "inner", "title", "user.tmpl"]);
    assert!(set.get("title").is_some() && set.get("nope").is_none());
    // A text of its own may be empty.
    assert_eq!(set.template("title", "").unwrap().execute(&data(), &Execution::default()).unwrap(), "");
    // A failed addition changes nothing.
    assert!(set.add("bad", "{{define \"new\"}}x{{end}}{{").is_err());
    assert!(set.get("new").is_none());
}

#[test]
fn tells_what_it_needs() {
    let parse = |text: &str| Template::parse("t", text, &functions()).unwrap();
    assert_eq!(parse("{{.msg}}").single_field(), Some("msg"));
    assert_eq!(parse("{{ .msg }}").single_field(), Some("msg"));
    assert_eq!(parse("{{.msg}} ").single_field(), None);
    assert_eq!(parse("{{.a.b}}").single_field(), None);
    assert_eq!(parse("{{.a | upper}}").single_field(), None);
    assert_eq!(parse("text").literal(), Some("text"));
    assert_eq!(parse("").literal(), Some(""));
    assert_eq!(
        parse("{{.a}}{{if eq .b (upper .c)}}{{.d}}{{else}}{{range .e}}{{.f}}{{end}}{{end}}").fields(),
        ["a", "b", "c", "d", "e", "f"]
    );
}

#[test]
fn escapers_see_text_and_values() {
    struct Brackets;
    impl super::Escaper for Brackets {
        fn value(&mut self, value: &Value, out: &mut crate::Bounded<'_>) -> fmt::Result {
            use std::fmt::Write;
            write!(out, "[{value}]")
        }
    }
    let template = Template::parse("t", "a{{.s}}b{{1}}", &functions()).unwrap();
    let mut out = String::from(">");
    template.execute_into(&data(), &Execution::default(), &mut Brackets, &mut out).unwrap();
    assert_eq!(out, ">a[text]b[1]");
}

fn snippet() -> impl Strategy<Value = String> {
    let action = prop_oneof![
        Just("{{.s}}"),
        Just("{{.list}}"),
        Just("{{range .list}}"),
        Just("{{range $i, $e := .map}}{{$e}}"),
        Just("{{if .t}}"),
        Just("{{else}}"),
        Just("{{end}}"),
        Just("{{with .deep}}"),
        Just("{{.er.est}}"),
        Just("{{.person.Name}}"),
        Just("{{printf \"%d%s%v\" . . .}}"),
        Just("{{index . \"s\"}}"),
        Just("{{index .list .n}}"),
        Just("{{slice .s .n}}"),
        Just("{{len .}}"),
        Just("{{.x.y.z}}"),
        Just("{{$x := .}}"),
        Just("{{template \"a\" .}}"),
        Just("{{define \"a\"}}{{.}}{{end}}"),
        Just("{{define \"b\"}}{{template \"b\"}}{{end}}"),
        Just("{{template \"b\"}}"),
        Just("{{break}}"),
        Just("{{and .s .n | or .t}}"),
        Just("{{eq . .}}"),
        Just("{{lt .n .f}}"),
        Just("{{call .fn .n}}"),
        Just("{{range 100000000}}"),
        Just("x"),
        Just("{{html . | js | urlquery}}"),
        Just("{{add .n 1}}"),
        Just("{{(.person.Greet .).x}}"),
        Just("{{fails}}"),
        Just("{{run \"a\" .}}"),
    ];
    proptest::collection::vec(action, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_template_panics_or_exceeds_its_limits(text in snippet()) {
        let limits = Limits { max_output_bytes: 2000, max_steps: 5000, max_depth: 40 };
        if let Ok(template) = Template::parse("t", &text, &functions()) {
            let execution = Execution { limits, ..Execution::default() };
            let mut out = String::new();
            let result = template.execute_into(&data(), &execution, &mut super::TextEscaper, &mut out);
            prop_assert!(out.len() <= 2000);
            prop_assert!(result.is_ok() || !result.unwrap_err().to_string().is_empty());
        }
    }
}

#[test]
fn values_are_cheap() {
    assert!(size_of::<Value>() <= 24, "{}", size_of::<Value>());
}
