//! Layouts and durations against Go's documented behaviour.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::{Duration, Time};

fn time(text: &str) -> Time {
    Time::utc(text.parse::<Timestamp>().unwrap())
}

#[test]
fn formats_by_layout() {
    let time = time("2006-01-02T15:04:05.123456Z");
    let cases = [
        ("Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 2006"),
        ("Monday, 02-Jan-06 15:04:05 MST", "Monday, 02-Jan-06 15:04:05 UTC"),
        ("2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z"),
        ("2006-01-02T15:04:05-07:00", "2006-01-02T15:04:05+00:00"),
        ("2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.123456Z"),
        ("3:04PM", "3:04PM"),
        ("03:04 pm", "03:04 pm"),
        ("Jan _2 15:04:05.000", "Jan  2 15:04:05.123"),
        ("15:04:05,000000000", "15:04:05,123456000"),
        ("002 __2", "002   2"),
        ("January Januaryx Janx", "January Januaryx Janx"),
        ("1/2/06", "1/2/06"),
        ("no pieces", "no pieces"),
        ("", ""),
        ("_2006", "_2006"),
        (".001", ".001"),
        ("20060102150405", "20060102150405"),
    ];
    for (layout, expected) in cases {
        assert_eq!(time.format(layout), expected, "{layout}");
    }
}

#[test]
fn shows_zones() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let summer = time("2026-07-01T12:00:00Z").in_zone(berlin);
    assert_eq!(summer.to_string(), "2026-07-01 14:00:00 +0200 CEST");
    let fixed =
        Time::parse("2006-01-02T15:04:05Z07:00", "2026-07-01T14:00:00+05:30", &TimeZone::UTC).unwrap();
    assert_eq!(fixed.to_string(), "2026-07-01 14:00:00 +0530 +0530");
    assert_eq!(Time::zero().to_string(), "0001-01-01 00:00:00 +0000 UTC");
    assert_eq!(Time::zero().unix(), -62_135_596_800);
    assert_eq!(time("1969-12-31T23:59:58.5Z").unix(), -2);
}

#[test]
fn parses_by_layout() {
    let cases = [
        ("2006-01-02", "2021-11-02", "2021-11-02T00:00:00Z"),
        ("2006-01-02T15:04:05Z07:00", "2026-01-15T10:25:00Z", "2026-01-15T10:25:00Z"),
        ("2006-01-02T15:04:05Z07:00", "2026-01-15T10:25:00.25Z", "2026-01-15T10:25:00.25Z"),
        ("2006-01-02T15:04:05Z07:00", "2026-01-15T12:25:00+02:00", "2026-01-15T10:25:00Z"),
        ("2006-01-02T15:04:05.999999999Z07:00", "2026-01-15T10:25:00Z", "2026-01-15T10:25:00Z"),
        ("02/Jan/2006:15:04:05 -0700", "15/Jan/2026:11:25:01 +0100", "2026-01-15T10:25:01Z"),
        ("Jan _2 15:04:05", "Feb  9 01:02:03", "0000-02-09T01:02:03Z"),
        ("3:04PM", "12:30AM", "0000-01-01T00:30:00Z"),
        ("3:04PM", "1:30PM", "0000-01-01T13:30:00Z"),
        ("Mon, 02 Jan 2006 15:04:05 MST", "Thu, 15 Jan 2026 10:25:00 UTC", "2026-01-15T10:25:00Z"),
        ("06-1-2", "99-7-4", "1999-07-04T00:00:00Z"),
        ("2006-002", "2026-032", "2026-02-01T00:00:00Z"),
        ("15:04:05.000", "01:02:03.004", "0000-01-01T01:02:03.004Z"),
        ("January 2, 2006", "march 3, 2026", "2026-03-03T00:00:00Z"),
    ];
    for (layout, text, expected) in cases {
        let parsed = Time::parse(layout, text, &TimeZone::UTC).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(parsed.timestamp(), expected.parse().unwrap(), "{layout} {text}");
    }
}

#[test]
fn refuses_with_the_words_of_go() {
    let cases = [
        ("2006-01-02", "bad", r#"parsing time "bad" as "2006-01-02": cannot parse "bad" as "2006""#),
        ("2006-01-02", "2026-13-02", r#"parsing time "2026-13-02": month out of range"#),
        ("2006-01-02", "2026-02-30", r#"parsing time "2026-02-30": day out of range"#),
        ("2006-01-02", "2026-02-03x", r#"parsing time "2026-02-03x": extra text: "x""#),
        ("15:04", "25:00", r#"parsing time "25:00": hour out of range"#),
        ("15:04", "1500", r#"parsing time "1500" as "15:04": cannot parse "00" as ":""#),
        ("Jan", "Foo", r#"parsing time "Foo" as "Jan": cannot parse "Foo" as "Jan""#),
    ];
    for (layout, text, expected) in cases {
        let error = Time::parse(layout, text, &TimeZone::UTC).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn durations_read_and_show() {
    let cases = [
        ("0", "0s"),
        ("5s", "5s"),
        ("1h2m5s", "1h2m5s"),
        ("90m", "1h30m0s"),
        ("1.5s", "1.5s"),
        ("100ms", "100ms"),
        ("1us", "1µs"),
        ("1µs", "1µs"),
        ("12ns", "12ns"),
        (".5h", "30m0s"),
        ("-1m", "-1m0s"),
        ("1h1ns", "1h0m0.000000001s"),
        ("1m10s500ms", "1m10.5s"),
    ];
    for (text, expected) in cases {
        assert_eq!(Duration::parse(text).unwrap().to_string(), expected, "{text}");
    }
    let refused = [
        ("", r#"time: invalid duration """#),
        ("3", r#"time: missing unit in duration "3""#),
        ("3x", r#"time: unknown unit "x" in duration "3x""#),
        (".s", r#"time: invalid duration ".s""#),
        ("9999999999h", r#"time: invalid duration "9999999999h""#),
    ];
    for (text, expected) in refused {
        assert_eq!(Duration::parse(text).unwrap_err().to_string(), expected);
    }
    assert_eq!(Duration::parse("1m29s").unwrap().round(Duration::from_seconds(60)).to_string(), "1m0s");
    assert_eq!(Duration::parse("1m30s").unwrap().round(Duration::from_seconds(60)).to_string(), "2m0s");
}

proptest! {
    #[test]
    fn no_text_panics(layout in "[-0-9JanMonSTPMpm:.,Z+_ é]{0,20}", text in "[-0-9JanMonUTCGMTPM:.,Z+ é]{0,20}") {
        let _ = Time::parse(&layout, &text, &TimeZone::UTC);
        let _ = Time::zero().format(&layout);
        let _ = Duration::parse(&text);
    }

    #[test]
    fn durations_round_trip(nanoseconds: i64) {
        let text = Duration(nanoseconds).to_string();
        prop_assert_eq!(Duration::parse(&text).map(|duration| duration.0), Ok(nanoseconds));
    }
}
