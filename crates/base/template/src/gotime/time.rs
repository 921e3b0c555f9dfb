//! An instant with the zone it is shown in.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use super::{Duration, ParseTimeError, layout, parse};

/// Go's `time.Time`: an instant, shown in a zone. Years -9999 to 9999.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(Zoned);

impl Time {
    /// The instant in a zone.
    pub fn new(timestamp: Timestamp, zone: TimeZone) -> Time {
        Time(timestamp.to_zoned(zone))
    }

    /// The instant in UTC.
    pub fn utc(timestamp: Timestamp) -> Time {
        Time::new(timestamp, TimeZone::UTC)
    }

    /// Go's zero time: January 1 of year 1, UTC.
    pub fn zero() -> Time {
        Time::utc(Timestamp::from_second(ZERO_UNIX_SECONDS).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// Seconds and nanoseconds since 1970; `None` beyond the years this type knows.
    pub fn from_unix(seconds: i64, nanoseconds: i64, zone: TimeZone) -> Option<Time> {
        let seconds = seconds.checked_add(nanoseconds.div_euclid(1_000_000_000))?;
        let nanoseconds = i32::try_from(nanoseconds.rem_euclid(1_000_000_000)).ok()?;
        Timestamp::new(seconds, nanoseconds).ok().map(|timestamp| Time::new(timestamp, zone))
    }

    /// Reads `text` as Go's `time.ParseInLocation`: `zone` counts where the text names none.
    ///
    /// # Errors
    /// With Go's words, where the text does not follow the layout.
    pub fn parse(layout: &str, text: &str, zone: &TimeZone) -> Result<Time, ParseTimeError> {
        parse::parse(layout, text, zone)
    }

    /// Writes the time by a layout.
    pub fn format(&self, layout: &str) -> String {
        layout::format(self, layout)
    }

    /// The same instant in another zone.
    pub fn in_zone(&self, zone: TimeZone) -> Time {
        Time(self.0.with_time_zone(zone))
    }

    /// The instant.
    pub fn timestamp(&self) -> Timestamp {
        self.0.timestamp()
    }

    /// Date and clock in the time's zone.
    pub fn civil(&self) -> DateTime {
        self.0.datetime()
    }

    /// Seconds since 1970, rounded down.
    pub fn unix(&self) -> i64 {
        let timestamp = self.timestamp();
        timestamp.as_second() - i64::from(timestamp.subsec_nanosecond() < 0)
    }

    /// Nanoseconds since 1970; wraps around beyond the years 1678 to 2262, as Go's.
    pub fn unix_nano(&self) -> i64 {
        self.timestamp().as_nanosecond() as i64
    }

    /// The offset from UTC, in seconds.
    pub fn offset_seconds(&self) -> i32 {
        self.0.offset().seconds()
    }

    /// The abbreviation of the zone: `UTC`, `CET`; empty if it is only an offset.
    pub fn zone_name(&self) -> String {
        let zone = self.0.time_zone();
        if zone == &TimeZone::UTC {
            return "UTC".to_owned();
        }
        let info = zone.to_offset_info(self.timestamp());
        let name = info.abbreviation();
        if name.starts_with(['+', '-']) { String::new() } else { name.to_owned() }
    }

    /// Another instant in the same zone.
    pub fn at(&self, timestamp: Timestamp) -> Time {
        Time::new(timestamp, self.0.time_zone().clone())
    }

    /// Date and clock in the same zone; `None` beyond the years this type knows.
    pub fn in_zone_of(&self, civil: DateTime) -> Option<Time> {
        self.0.time_zone().to_ambiguous_zoned(civil).compatible().ok().map(Time)
    }

    /// Is it Go's zero time?
    pub fn is_zero(&self) -> bool {
        *self == Time::zero()
    }

    /// The time `duration` later; unchanged if that is out of range.
    pub fn add(&self, duration: Duration) -> Time {
        match self.0.checked_add(SignedDuration::from_nanos(duration.0)) {
            Ok(sum) => Time(sum),
            Err(_) => self.clone(),
        }
    }

    /// The duration since `other`, within Go's range of about 292 years.
    pub fn since(&self, other: &Time) -> Duration {
        let nanoseconds = self.timestamp().as_nanosecond() - other.timestamp().as_nanosecond();
        Duration(nanoseconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }
}

const ZERO_UNIX_SECONDS: i64 = -62_135_596_800;

/// As Go's `String`, without the monotonic clock.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format("2006-01-02 15:04:05.999999999 -0700 MST"))
    }
}
