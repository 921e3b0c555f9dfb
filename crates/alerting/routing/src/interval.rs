//! Time intervals: when a route is muted or active.

mod ranges;

#[cfg(test)]
mod tests;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use ranges::{DayOfMonthRange, MonthRange, TimeRange, WeekdayRange, YearRange};

/// One entry of `time_intervals`, as written and checked: a moment is in it when it is in one range of each kind that is set. A kind
/// that is set to nothing holds no moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeInterval {
    /// Times of day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<Vec<TimeRange>>,
    /// Days of the week.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weekdays: Option<Vec<WeekdayRange>>,
    /// Days of the month; negative ones count from its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_of_month: Option<Vec<DayOfMonthRange>>,
    /// Months.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub months: Option<Vec<MonthRange>>,
    /// Years.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub years: Option<Vec<YearRange>>,
    /// The time zone that all this is in; UTC unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<TimeZoneName>,
}

/// The name of a time zone that exists: `Europe/Berlin`, `Local`, `UTC`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZoneName {
    name: String,
    zone: TimeZone,
}

impl TimeInterval {
    /// Whether a moment lies in the interval.
    pub fn contains(&self, moment: Timestamp) -> bool {
        let zone = self.location.as_ref().map_or(TimeZone::UTC, |location| location.zone.clone());
        let at = moment.to_zoned(zone);
        let minute = i32::from(at.hour()) * 60 + i32::from(at.minute());
        let weekday = i32::from(at.weekday().to_sunday_zero_offset());
        any(&self.times, |range| range.contains(minute))
            && any(&self.days_of_month, |range| range.contains(at.day().into(), at.days_in_month().into()))
            && any(&self.months, |range| range.contains(at.month().into()))
            && any(&self.weekdays, |range| range.contains(weekday))
            && any(&self.years, |range| range.contains(at.year().into()))
    }
}

fn any<T>(ranges: &Option<Vec<T>>, holds: impl Fn(&T) -> bool) -> bool {
    ranges.as_ref().is_none_or(|ranges| ranges.iter().any(holds))
}

impl<'de> Deserialize<'de> for TimeZoneName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let zone = match name.as_str() {
            "" | "UTC" => TimeZone::UTC,
            "Local" => TimeZone::system(),
            other => TimeZone::get(other)
                .map_err(|_| serde::de::Error::custom(format_args!("unknown time zone {other}")))?,
        };
        Ok(Self { name, zone })
    }
}

impl Serialize for TimeZoneName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}
