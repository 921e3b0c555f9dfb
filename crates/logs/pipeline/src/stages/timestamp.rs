//! `timestamp`: an extracted value becomes the entry's time.

use std::{collections::VecDeque, sync::Arc};

use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_yaml::Value as Yaml;
use template::gotime::Time;

use super::{Stage, Verdict, decode};
use crate::{LabelSet, Record, StageError, run::Context};

/// Streams whose last time is remembered for `fudge`.
const MAX_STREAMS: usize = 10_000;

/// Go's names for layouts. They say where their zone stands, so `location` does not concern them.
const NAMED: [(&str, &str); 10] = [
    ("ANSIC", "Mon Jan _2 15:04:05 2006"),
    ("UnixDate", "Mon Jan _2 15:04:05 MST 2006"),
    ("RubyDate", "Mon Jan 02 15:04:05 -0700 2006"),
    ("RFC822", "02 Jan 06 15:04 MST"),
    ("RFC822Z", "02 Jan 06 15:04 -0700"),
    ("RFC850", "Monday, 02-Jan-06 15:04:05 MST"),
    ("RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"),
    ("RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"),
    ("RFC3339", "2006-01-02T15:04:05Z07:00"),
    ("RFC3339Nano", "2006-01-02T15:04:05.999999999Z07:00"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    source: Option<String>,
    format: Option<String>,
    fallback_formats: Option<Vec<String>>,
    location: Option<String>,
    action_on_failure: Option<String>,
}

pub(crate) struct TimestampStage {
    source: Arc<str>,
    formats: Vec<Format>,
    /// The last good time of each stream, if failures are fudged from it.
    last: Option<LastTimes>,
}

enum Format {
    /// Seconds, with a fraction.
    Unix,
    /// Whole units of so many nanoseconds.
    Units(i128),
    Layout {
        layout: String,
        zone: TimeZone,
        has_year: bool,
    },
}

#[derive(Default)]
struct LastTimes {
    times: FxHashMap<LabelSet, Timestamp>,
    order: VecDeque<LabelSet>,
}

impl TimestampStage {
    pub(crate) fn new(config: Yaml) -> Result<Self, StageError> {
        let Config { source, format, fallback_formats, location, action_on_failure } = decode(config)?;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let source =
            given(source).ok_or_else(|| StageError::invalid("timestamp source value is required"))?;
        let format = given(format).ok_or_else(|| StageError::invalid("timestamp format is required"))?;
        let zone = match given(location) {
            None => TimeZone::UTC,
            Some(name) if name == "Local" => TimeZone::system(),
            Some(name) => TimeZone::get(&name)
                .map_err(|_| StageError::invalid(format!("invalid location specified: {name}")))?,
        };
        let fudge = match action_on_failure.as_deref() {
            None | Some("" | "fudge") => true,
            Some("skip") => false,
            Some(_) => {
                return Err(StageError::invalid(
                    "invalid action on failure (supported values are [skip fudge])",
                ));
            }
        };
        let formats = std::iter::once(format).chain(fallback_formats.unwrap_or_default());
        Ok(Self {
            source: source.into(),
            formats: formats.map(|format| Format::new(format, &zone)).collect(),
            last: fudge.then(LastTimes::default),
        })
    }

    /// The stage as `docker` and `cri` have it.
    pub(crate) fn rfc3339_nano(source: &str) -> Self {
        Self {
            source: source.into(),
            formats: vec![Format::new("RFC3339Nano".into(), &TimeZone::UTC)],
            last: Some(LastTimes::default()),
        }
    }
}

impl Format {
    fn new(text: String, zone: &TimeZone) -> Self {
        match text.as_str() {
            "Unix" => return Self::Unix,
            "UnixMs" => return Self::Units(1_000_000),
            "UnixUs" => return Self::Units(1_000),
            "UnixNs" => return Self::Units(1),
            _ => {}
        }
        if let Some((_, layout)) = NAMED.iter().find(|(name, _)| *name == text) {
            return Self::Layout { layout: (*layout).to_owned(), zone: TimeZone::UTC, has_year: true };
        }
        let has_year = text.contains("2006") || text.contains("06");
        Self::Layout { layout: text, zone: zone.clone(), has_year }
    }

    fn parse(&self, text: &str, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Unix => parse_unix(text),
            Self::Units(nanos) => {
                Timestamp::from_nanosecond(i128::from(text.parse::<i64>().ok()?) * nanos).ok()
            }
            Self::Layout { layout, zone, has_year } => {
                let time = Time::parse(layout, text, zone).ok()?;
                if *has_year { Some(time.timestamp()) } else { with_year(&time, zone, now) }
            }
        }
    }
}

/// `1768472700.25`: digits beyond nanoseconds are cut.
fn parse_unix(text: &str) -> Option<Timestamp> {
    let Some((whole, fraction)) = text.split_once('.') else {
        return Timestamp::from_second(text.parse().ok()?).ok();
    };
    let seconds: i64 = whole.parse().ok()?;
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos: i128 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Timestamp::from_nanosecond(i128::from(seconds) * 1_000_000_000 + nanos).ok()
}

/// A time of which only the year is not known: that of now, or the one next to it around New Year.
fn with_year(time: &Time, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let now = now.to_zoned(zone.clone());
    let parsed = time.civil();
    let year = match (parsed.month(), now.month()) {
        (12, 1) => now.year() - 1,
        (1, 12) => now.year() + 1,
        _ => now.year(),
    };
    // February 29 of another year is March 1.
    let first = civil::date(year, parsed.month(), 1);
    let date = first.checked_add((i64::from(parsed.day()) - 1).days()).ok()?;
    date.to_datetime(parsed.time()).to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
}

impl LastTimes {
    fn set(&mut self, labels: &LabelSet, time: Timestamp) {
        if let Some(own) = self.times.get_mut(labels) {
            *own = time;
            return;
        }
        if self.order.len() >= MAX_STREAMS
            && let Some(oldest) = self.order.pop_front()
        {
            self.times.remove(&oldest);
        }
        self.order.push_back(labels.clone());
        self.times.insert(labels.clone(), time);
    }
}

impl Stage for TimestampStage {
    fn apply(&mut self, record: &mut Record, context: &Context<'_>) -> Verdict {
        let parsed = record
            .extracted
            .text(&self.source)
            .and_then(|text| self.formats.iter().find_map(|format| format.parse(&text, context.now)));
        let Some(last) = &mut self.last else {
            record.timestamp = parsed.unwrap_or(record.timestamp);
            return Verdict::Keep;
        };
        let time = parsed.or_else(|| last.times.get(&record.labels)?.checked_add(1.nanosecond()).ok());
        if let Some(time) = time {
            record.timestamp = time;
            last.set(&record.labels, time);
        }
        Verdict::Keep
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_is_filled_in_around_new_year() {
        let format = Format::new("Jan _2 15:04:05".into(), &TimeZone::UTC);
        let check = |text: &str, now: &str, want: &str| {
            let parsed = format.parse(text, now.parse().expect("a time"));
            assert_eq!(parsed.map(|time| time.to_string()).as_deref(), Some(want), "{text} at {now}");
        };
        check("Mar  5 10:00:00", "2026-06-01T00:00:00Z", "2026-03-05T10:00:00Z");
        check("Dec 31 23:59:59", "2026-01-01T00:00:03Z", "2025-12-31T23:59:59Z");
        check("Jan  1 00:00:01", "2025-12-31T23:59:59Z", "2026-01-01T00:00:01Z");
        check("Feb 29 00:00:00", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z");
    }

    #[test]
    fn unix_times() {
        let check = |text: &str, want: Option<i128>| {
            assert_eq!(parse_unix(text).map(Timestamp::as_nanosecond), want, "{text}");
        };
        check("1.5", Some(1_500_000_000));
        check("-5", Some(-5_000_000_000));
        check("1.1234567891", Some(1_123_456_789));
        for bad in ["", "1.", "1.2.3", "x", "99999999999999999999"] {
            check(bad, None);
        }
    }
}
