//! Printing against Go's documented forms.

use std::sync::Arc;

use proptest::prelude::*;

use super::print::{Bounded, print, println};
use super::printf::printf;
use super::{float, quote};
use crate::value::Value;

fn sprintf(format: &str, values: &[Value]) -> String {
    let mut out = String::new();
    printf(format, values, &mut Bounded { out: &mut out, limit: 1 << 20 }).unwrap();
    out
}

#[test]
fn floats() {
    let cases = [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (1.5, "1.5"),
        (100_000.0, "100000"),
        (1e6, "1e+06"),
        (1_353_755_652.0, "1.353755652e+09"),
        (1e21, "1e+21"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (3.8476190476190477, "3.8476190476190477"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
    ];
    for (value, expected) in cases {
        assert_eq!(float::shortest(value), expected);
    }
}

#[test]
fn verbs() {
    let int = Value::Int;
    let float = Value::Float;
    let str = |text: &str| Value::from(text);
    let list = Value::list([int(1), str("a"), Value::Nil]);
    let map = Value::map([(Arc::from("b"), int(1)), (Arc::from("a"), float(2.5))]);
    let cases: Vec<(&str, Vec<Value>, &str)> = vec![
        ("%v %v", vec![int(1), str("a")], "1 a"),
        (
            "%5d|%-5d|%05d|%+d|% d",
            vec![int(42), int(42), int(42), int(42), int(42)],
            "   42|42   |00042|+42| 42",
        ),
        (
            "%x %X %#x %o %#o %O %b",
            vec![int(255), int(255), int(255), int(8), int(8), int(8), int(5)],
            "ff FF 0xff 10 010 0o10 101",
        ),
        ("%c %q %U %#U", vec![int(65), int(65), int(0x263a), int(0x263a)], "A 'A' U+263A U+263A '☺'"),
        ("%.3d|%8.3d", vec![int(7), int(-7)], "007|    -007"),
        ("%.2f|%8.2f|%-8.2f|%08.2f|%+.1f", vec![float(3.1428); 5], "3.14|    3.14|3.14    |00003.14|+3.1"),
        (
            "%f %e %g %G",
            vec![float(1e-7), float(123456.0), float(1e-7), float(1e-7)],
            "0.000000 1.234560e+05 1e-07 1E-07",
        ),
        (
            "%.4g %.4g %.4g %.3g",
            vec![float(1234567.0), float(0.12345678), float(120.0), float(100.0)],
            "1.235e+06 0.1235 120 100",
        ),
        ("%#.4g %.0f %.0f", vec![float(120.0), float(0.5), float(1.5)], "120.0 0 2"),
        ("%6.2f%%", vec![float(12.345)], " 12.35%"),
        (
            "%s|%10s|%-10s|%.2s|%q|%x",
            vec![str("héllo"), str("hé"), str("hé"), str("héllo"), str("a\"b\n"), str("hi")],
            "héllo|        hé|hé        |hé|\"a\\\"b\\n\"|6869",
        ),
        ("%#q %+q", vec![str("a"), str("é")], "`a` \"\\u00e9\""),
        ("%t %v", vec![Value::Bool(true), Value::Bool(false)], "true false"),
        ("%v %v", vec![list.clone(), map.clone()], "[1 a <nil>] map[a:2.5 b:1]"),
        (
            "%T %T %T %T %T %T",
            vec![int(1), float(1.0), str(""), Value::Nil, list, map],
            "int float64 string <nil> []interface {} map[string]interface {}",
        ),
        ("%d", vec![str("hi")], "%!d(string=hi)"),
        ("%s", vec![int(5)], "%!s(int=5)"),
        ("%d", vec![float(3.0)], "%!d(float64=3)"),
        ("%d %d", vec![int(1)], "1 %!d(MISSING)"),
        ("%d", vec![int(1), int(2), str("x")], "1%!(EXTRA int=2, string=x)"),
        ("%d%", vec![int(1)], "1%!(NOVERB)"),
        ("%z", vec![int(1)], "%!z(int=1)"),
        ("%s", vec![Value::Nil], "%!s(<nil>)"),
        ("%[2]d %[1]d", vec![int(1), int(2)], "2 1"),
        ("%[3]d", vec![int(1)], "%!d(BADINDEX)"),
        ("%*d|%-*d|%.*f", vec![int(5), int(42), int(5), int(42), int(1), float(2.25)], "   42|42   |2.2"),
        ("%*d", vec![str("x"), int(1)], "%!(BADWIDTH)1"),
        ("%s", vec![Value::list([str("a"), str("b")])], "[a b]"),
        ("%5.1f|%v", vec![float(f64::INFINITY), float(f64::NAN)], " +Inf|NaN"),
        ("%d", vec![Value::Duration(crate::gotime::Duration(1500))], "1500"),
        (
            "%s %v",
            vec![Value::Duration(crate::gotime::Duration(1500)), Value::Duration(crate::gotime::Duration(0))],
            "1.5µs 0s",
        ),
        ("", vec![Value::Nil], "%!(EXTRA <nil>)"),
        ("100%%", vec![], "100%"),
    ];
    for (format, values, expected) in cases {
        assert_eq!(sprintf(format, &values), expected, "{format}");
    }
}

#[test]
fn sprint_puts_blanks_between_what_is_no_string() {
    let values = [
        Value::Int(1),
        Value::Int(2),
        Value::from("a"),
        Value::Int(3),
        Value::from("b"),
        Value::from("c"),
        Value::Nil,
        Value::Nil,
    ];
    let mut out = String::new();
    print(&values, &mut Bounded { out: &mut out, limit: 100 }).unwrap();
    assert_eq!(out, "1 2a3bc<nil> <nil>");
    out.clear();
    println(&values[..3], &mut Bounded { out: &mut out, limit: 100 }).unwrap();
    assert_eq!(out, "1 2 a\n");
}

#[test]
fn output_is_bounded() {
    let mut out = String::new();
    assert!(printf("%1000d", &[Value::Int(1)], &mut Bounded { out: &mut out, limit: 999 }).is_err());
    assert!(out.len() <= 999);
}

#[test]
fn quoted_strings_are_read() {
    let cases = [
        (r#""a""#, Some("a")),
        (r#""a\n\t\"\\\x41\101\u00e9\U0001F600""#, Some("a\n\t\"\\AAé😀")),
        (r#""\xc3\xa9""#, Some("é")),
        (r#""\xff""#, Some("\u{fffd}")),
        ("`a\\n`", Some("a\\n")),
        (r#""\'""#, None),
        (r#""\400""#, None),
        (r#""\ud800""#, None),
        (r#""\x4""#, None),
        ("\"a\nb\"", None),
        ("\"", None),
        ("", None),
    ];
    for (literal, expected) in cases {
        assert_eq!(quote::unquote(literal).as_deref(), expected, "{literal}");
    }
}

proptest! {
    #[test]
    fn no_format_panics(format in "[%a-zA-Z0-9.*#+ \\[\\]é-]{0,20}") {
        let values = [Value::Int(-3), Value::Float(1.5e9), Value::from("é"), Value::Nil, Value::Bool(true)];
        let mut out = String::new();
        let _ = printf(&format, &values, &mut Bounded { out: &mut out, limit: 1 << 16 });
    }

    #[test]
    fn quotes_round_trip(text: String) {
        prop_assert_eq!(quote::unquote(&quote::quote(&text, false)), Some(text.clone()));
        prop_assert_eq!(quote::unquote(&quote::quote(&text, true)), Some(text));
    }
}
