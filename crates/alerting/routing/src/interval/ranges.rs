//! The ranges of a time interval: read from and written as text, checked when read.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// The days that every month has: what makes a range of days impossible in all months.
const SHORTEST_MONTH: i32 = 28;

/// Minutes of a day, the end exclusive: `{start_time: "09:00", end_time: "17:00"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "TimeRangeFile", into = "TimeRangeFile")]
pub struct TimeRange {
    start: i32,
    end: i32,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TimeRangeFile {
    start_time: String,
    end_time: String,
}

impl TimeRange {
    pub(super) fn contains(self, minute: i32) -> bool {
        (self.start..self.end).contains(&minute)
    }
}

impl TryFrom<TimeRangeFile> for TimeRange {
    type Error = String;

    fn try_from(file: TimeRangeFile) -> Result<Self, String> {
        if file.start_time.is_empty() || file.end_time.is_empty() {
            return Err("both start and end times must be provided".into());
        }
        let (start, end) = (minute_of_day(&file.start_time)?, minute_of_day(&file.end_time)?);
        if start >= end {
            return Err("start time cannot be equal or greater than end time".into());
        }
        Ok(Self { start, end })
    }
}

impl From<TimeRange> for TimeRangeFile {
    fn from(range: TimeRange) -> Self {
        let text = |minute: i32| format!("{:02}:{:02}", minute / 60, minute % 60);
        Self { start_time: text(range.start), end_time: text(range.end) }
    }
}

fn minute_of_day(text: &str) -> Result<i32, String> {
    let parse = || {
        let (hour, minute) = text.split_once(':')?;
        let number = |part: &str| {
            (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<i32>().ok())?
        };
        let minutes = number(hour)? * 60 + number(minute).filter(|minute| *minute < 60)?;
        (minutes <= 24 * 60).then_some(minutes)
    };
    parse().ok_or_else(|| format!("couldn't parse timestamp {text}, invalid format"))
}

macro_rules! inclusive_range {
    ($(#[$meta:meta])* $name:ident, $read:path, $check:path, $write:path) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name {
            first: i32,
            last: i32,
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?.to_lowercase();
                let (first, last) = match text.split_once(':') {
                    Some((_, rest)) if rest.contains(':') => {
                        return Err(D::Error::custom(format_args!("couldn't parse range {text}, invalid format")));
                    }
                    Some((first, last)) => ($read(first), $read(last)),
                    None => ($read(&text), $read(&text)),
                };
                let (first, last) = (first.map_err(D::Error::custom)?, last.map_err(D::Error::custom)?);
                $check(first, last).map_err(D::Error::custom)?;
                Ok(Self { first, last })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if self.first == self.last {
                    return serializer.serialize_str(&$write(self.first));
                }
                serializer.collect_str(&format_args!("{}:{}", $write(self.first), $write(self.last)))
            }
        }
    };
}

inclusive_range! {
    /// `monday`, `monday:friday`; Sunday is the first day.
    WeekdayRange, read_weekday, check_weekdays, write_weekday
}
inclusive_range! {
    /// `1`, `1:7`, `-3:-1`.
    DayOfMonthRange, read_number, check_days, write_number
}
inclusive_range! {
    /// `january`, `1:3`, `may:august`.
    MonthRange, read_month, check_months, write_number
}
inclusive_range! {
    /// `2024`, `2024:2026`.
    YearRange, read_number, check_years, write_number
}

impl WeekdayRange {
    pub(super) fn contains(self, weekday: i32) -> bool {
        (self.first..=self.last).contains(&weekday)
    }
}

impl DayOfMonthRange {
    pub(super) fn contains(self, day: i32, days_in_month: i32) -> bool {
        let from_end = |day: i32| if day < 0 { days_in_month + day + 1 } else { day };
        let (first, last) = (from_end(self.first), from_end(self.last));
        first <= days_in_month && (first..=last).contains(&day)
    }
}

impl MonthRange {
    pub(super) fn contains(self, month: i32) -> bool {
        (self.first..=self.last).contains(&month)
    }
}

impl YearRange {
    pub(super) fn contains(self, year: i32) -> bool {
        (self.first..=self.last).contains(&year)
    }
}

fn read_number(text: &str) -> Result<i32, String> {
    text.parse().map_err(|_| format!("{text:?} is not a number"))
}

fn write_number(number: i32) -> String {
    number.to_string()
}

fn read_weekday(text: &str) -> Result<i32, String> {
    let at = WEEKDAYS.iter().position(|day| *day == text);
    at.map(|at| at as i32).ok_or_else(|| format!("{text} is not a valid weekday"))
}

fn write_weekday(day: i32) -> String {
    usize::try_from(day).ok().and_then(|day| WEEKDAYS.get(day)).copied().unwrap_or_default().to_owned()
}

fn read_month(text: &str) -> Result<i32, String> {
    match MONTHS.iter().position(|month| *month == text) {
        Some(at) => Ok(at as i32 + 1),
        None => text.parse().map_err(|_| format!("{text} is not a valid month")),
    }
}

fn check_weekdays(first: i32, last: i32) -> Result<(), String> {
    if first > last { Err("start day cannot be before end day".into()) } else { Ok(()) }
}

fn check_days(first: i32, last: i32) -> Result<(), String> {
    for day in [first, last] {
        if day == 0 || !(-31..=31).contains(&day) {
            return Err(format!("{day} is not a valid day of the month: out of range"));
        }
    }
    if first < 0 && last > 0 {
        return Err("end day must be negative if start day is negative".into());
    }
    let in_shortest = |day: i32| if day < 0 { SHORTEST_MONTH + day } else { day };
    if in_shortest(first) > in_shortest(last) {
        return Err(format!("end day {last} is always before start day {first}"));
    }
    Ok(())
}

fn check_months(first: i32, last: i32) -> Result<(), String> {
    if first > last {
        return Err(format!("end month {} is before start month {}", month_name(last), month_name(first)));
    }
    Ok(())
}

fn month_name(month: i32) -> String {
    let name = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at));
    name.map_or_else(|| month.to_string(), |name| (*name).to_owned())
}

fn check_years(first: i32, last: i32) -> Result<(), String> {
    if first > last { Err(format!("end year {last} is before start year {first}")) } else { Ok(()) }
}
