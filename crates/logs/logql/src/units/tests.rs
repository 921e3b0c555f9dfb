use super::*;

#[test]
fn prometheus_durations() {
    assert_eq!(parse_prometheus_duration("1h30m"), Ok(5400 * SECOND));
    assert_eq!(parse_prometheus_duration("1d"), Ok(86_400 * SECOND));
    assert_eq!(parse_prometheus_duration("0"), Ok(0));
    let fails =
        |text: &str, want: &str| assert_eq!(parse_prometheus_duration(text), Err(want.to_owned()), "{text}");
    fails("", "empty duration string");
    fails("1x", r#"unknown unit "x" in duration "1x""#);
    fails("5minutes", r#"unknown unit "minutes" in duration "5minutes""#);
    fails("1m1h", r#"not a valid duration string: "1m1h""#);
    fails("5", r#"not a valid duration string: "5""#);
    fails("1.5h", r#"unknown unit "." in duration "1.5h""#);
    fails("999999999y", "duration out of range");
}

#[test]
fn go_durations() {
    assert_eq!(parse_go_duration("1.5h"), Ok(5400 * SECOND));
    assert_eq!(parse_go_duration("-300ms"), Ok(-300_000_000));
    assert_eq!(parse_go_duration("20µs"), Ok(20_000));
    assert_eq!(parse_go_duration("1h3m"), Ok(3780 * SECOND));
    assert_eq!(parse_go_duration("5"), Err(r#"time: missing unit in duration "5""#.to_owned()));
    assert_eq!(parse_go_duration("x"), Err(r#"time: invalid duration "x""#.to_owned()));
    assert_eq!(parse_go_duration("5d"), Err(r#"time: unknown unit "d" in duration "5d""#.to_owned()));
    assert_eq!(
        parse_go_duration("99999999999999999999h"),
        Err(r#"time: invalid duration "99999999999999999999h""#.to_owned())
    );
}

#[test]
fn durations_print_in_both_forms() {
    let check = |nanos: i64, prometheus: &str, go: &str| {
        assert_eq!(format_prometheus_duration(nanos), prometheus);
        assert_eq!(format_go_duration(nanos), go);
    };
    check(0, "0s", "0s");
    check(5 * 60 * SECOND, "5m", "5m0s");
    check(3600 * SECOND, "1h", "1h0m0s");
    check(90 * 86_400 * SECOND, "90d", "2160h0m0s");
    check(14 * 86_400 * SECOND, "2w", "336h0m0s");
    check(1_500_000_000, "1s500ms", "1.5s");
    check(250_000_000, "250ms", "250ms");
    check(-60 * SECOND, "-1m", "-1m0s");
}

#[test]
fn sizes() {
    assert_eq!(parse_bytes("20MB"), Ok(20_000_000));
    assert_eq!(parse_bytes("1.5KiB"), Ok(1536));
    assert_eq!(parse_bytes("77"), Ok(77));
    assert_eq!(parse_bytes("1,000 b"), Ok(1000));
    assert_eq!(parse_bytes("5x"), Err("unhandled size name: x".to_owned()));
    assert_eq!(parse_bytes(""), Err(r#"strconv.ParseFloat: parsing "": invalid syntax"#.to_owned()));
    assert_eq!(format_bytes(20_000_000), "20MB");
    assert_eq!(format_bytes(1536), "1.5kB");
    assert_eq!(format_bytes(5), "5B");
    assert_eq!(format_bytes(1_000_000_000), "1.0GB");
}

#[test]
fn numbers_print_as_go_does() {
    let check = |value: f64, want: &str| assert_eq!(format_number(value), want);
    check(5.0, "5");
    check(0.1, "0.1");
    check(1e21, "1e+21");
    check(0.00001, "1e-05");
    check(1e20, "100000000000000000000");
    check(f64::INFINITY, "+Inf");
}
