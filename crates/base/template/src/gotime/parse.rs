//! Reading a time by a layout.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

use super::Time;
use super::layout::{MONTHS, OffsetStyle, Piece, WEEKDAYS, next_piece};

/// A text that does not follow its layout, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseTimeError {
    /// The text does not look like the layout.
    #[error("parsing time {text:?} as {layout:?}: cannot parse {found:?} as {expected:?}")]
    Mismatch {
        /// The whole text.
        text: String,
        /// The whole layout.
        layout: String,
        /// What was left of the text.
        found: String,
        /// The piece of the layout that it should be.
        expected: String,
    },
    /// The text looks right but is no time, or goes on behind it.
    #[error("parsing time {text:?}: {problem}")]
    Invalid {
        /// The whole text.
        text: String,
        /// What is wrong.
        problem: String,
    },
}

/// What the text has told so far.
#[derive(Default)]
struct Parts {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    year_day: Option<i16>,
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    pm: Option<bool>,
    offset: Option<i32>,
    zone: Option<TimeZone>,
}

/// Why one piece did not fit.
enum Problem {
    Mismatch,
    OutOfRange(&'static str),
}

pub(super) fn parse(layout: &str, text: &str, zone: &TimeZone) -> Result<Time, ParseTimeError> {
    let mismatch = |found: &str, expected: &str| ParseTimeError::Mismatch {
        text: text.to_owned(),
        layout: layout.to_owned(),
        found: found.to_owned(),
        expected: expected.to_owned(),
    };
    let invalid = |problem: String| ParseTimeError::Invalid { text: text.to_owned(), problem };
    let mut parts = Parts::default();
    let (mut pattern, mut rest) = (layout, text);
    while let Some((before, piece, own, after)) = next_piece(pattern) {
        rest = skip(rest, before).ok_or_else(|| mismatch(rest, before))?;
        let hold = rest;
        pattern = after;
        rest = match parts.read(piece, own, after, rest) {
            Ok(rest) => rest,
            Err(Problem::Mismatch) => return Err(mismatch(hold, own)),
            Err(Problem::OutOfRange(what)) => return Err(invalid(format!("{what} out of range"))),
        };
    }
    rest = skip(rest, pattern).ok_or_else(|| mismatch(rest, pattern))?;
    if !rest.is_empty() {
        return Err(invalid(format!("extra text: {rest:?}")));
    }
    parts.finish(zone).map_err(|what| invalid(format!("{what} out of range")))
}

/// The text behind `prefix`; runs of blanks match runs of blanks.
fn skip<'t>(mut text: &'t str, mut prefix: &str) -> Option<&'t str> {
    while let Some(char) = prefix.chars().next() {
        if char == ' ' {
            if !text.is_empty() && !text.starts_with(' ') {
                return None;
            }
            prefix = prefix.trim_start_matches(' ');
            text = text.trim_start_matches(' ');
            continue;
        }
        text = text.strip_prefix(char)?;
        prefix = prefix.strip_prefix(char)?;
    }
    Some(text)
}

impl Parts {
    fn read<'t>(&mut self, piece: Piece, own: &str, after: &str, text: &'t str) -> Result<&'t str, Problem> {
        let checked = |value: i64, range: std::ops::RangeInclusive<i64>, what: &'static str| {
            if range.contains(&value) { Ok(value as i8) } else { Err(Problem::OutOfRange(what)) }
        };
        let rest = match piece {
            Piece::Year => {
                let (value, rest) = digits(text, 2, 2)?;
                self.year = Some(value as i16 + if value >= 69 { 1900 } else { 2000 });
                rest
            }
            Piece::LongYear => {
                let (value, rest) = digits(text, 4, 4)?;
                self.year = Some(value as i16);
                rest
            }
            Piece::Month => {
                let (index, rest) = name(text, MONTHS.iter().map(|month| &month[..3]))?;
                self.month = Some(index as i8 + 1);
                rest
            }
            Piece::LongMonth => {
                let (index, rest) = name(text, MONTHS.iter().copied())?;
                self.month = Some(index as i8 + 1);
                rest
            }
            Piece::NumericMonth | Piece::ZeroMonth => {
                let (value, rest) = one_or_two(text, piece == Piece::ZeroMonth)?;
                self.month = Some(checked(value, 1..=12, "month")?);
                rest
            }
            Piece::Weekday => name(text, WEEKDAYS.iter().map(|day| &day[..3]))?.1,
            Piece::LongWeekday => name(text, WEEKDAYS.iter().copied())?.1,
            Piece::Day | Piece::SpaceDay | Piece::ZeroDay => {
                let text =
                    if piece == Piece::SpaceDay { text.strip_prefix(' ').unwrap_or(text) } else { text };
                let (value, rest) = one_or_two(text, piece == Piece::ZeroDay)?;
                // Whether the month has that day is asked at the end.
                self.day = Some(value as i8);
                rest
            }
            Piece::SpaceYearDay | Piece::ZeroYearDay => {
                let trimmed = if piece == Piece::SpaceYearDay { text.trim_start_matches(' ') } else { text };
                let (value, rest) = digits(trimmed, if piece == Piece::SpaceYearDay { 1 } else { 3 }, 3)?;
                self.year_day = Some(value as i16);
                rest
            }
            Piece::Hour => {
                let (value, rest) = one_or_two(text, false)?;
                self.hour = checked(value, 0..=23, "hour")?;
                rest
            }
            Piece::Hour12 | Piece::ZeroHour12 => {
                let (value, rest) = one_or_two(text, piece == Piece::ZeroHour12)?;
                self.hour = checked(value, 0..=12, "hour")?;
                rest
            }
            Piece::Minute | Piece::ZeroMinute => {
                let (value, rest) = one_or_two(text, piece == Piece::ZeroMinute)?;
                self.minute = checked(value, 0..=59, "minute")?;
                rest
            }
            Piece::Second | Piece::ZeroSecond => {
                let (value, rest) = one_or_two(text, piece == Piece::ZeroSecond)?;
                self.second = checked(value, 0..=59, "second")?;
                self.unasked_fraction(rest, after)
            }
            Piece::UpperPm | Piece::LowerPm => {
                let names = if piece == Piece::UpperPm { ["AM", "PM"] } else { ["am", "pm"] };
                let index = names.iter().position(|name| text.starts_with(name)).ok_or(Problem::Mismatch)?;
                self.pm = Some(index == 1);
                text.get(2..).unwrap_or("")
            }
            Piece::Offset(style) => {
                let (offset, rest) = offset(text, style)?;
                match offset {
                    None => self.zone = Some(TimeZone::UTC),
                    Some(offset) => self.offset = Some(offset),
                }
                rest
            }
            Piece::ZoneName => {
                let (zone, rest) = zone_name(text)?;
                self.zone = Some(zone);
                rest
            }
            Piece::FixedFraction(count) => {
                let (point, rest) = text.split_at_checked(1).ok_or(Problem::Mismatch)?;
                if !matches!(point, "." | ",") || own.is_empty() {
                    return Err(Problem::Mismatch);
                }
                let (fraction, rest) = rest.split_at_checked(count).ok_or(Problem::Mismatch)?;
                self.nanosecond = nanoseconds(fraction).ok_or(Problem::Mismatch)?;
                rest
            }
            // The digits may be missing.
            Piece::Fraction(_) => self.fraction(text),
        };
        Ok(rest)
    }

    /// After seconds, a fraction is read even where the layout has none.
    fn unasked_fraction<'t>(&mut self, text: &'t str, layout: &str) -> &'t str {
        match next_piece(layout) {
            Some(("", Piece::FixedFraction(_) | Piece::Fraction(_), ..)) => text,
            _ => self.fraction(text),
        }
    }

    fn fraction<'t>(&mut self, text: &'t str) -> &'t str {
        let Some(rest) = text.strip_prefix(['.', ',']) else {
            return text;
        };
        let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        match rest.split_at_checked(end) {
            Some((fraction, rest)) if end > 0 => {
                self.nanosecond = nanoseconds(fraction).unwrap_or(0);
                rest
            }
            _ => text,
        }
    }

    fn finish(self, zone: &TimeZone) -> Result<Time, &'static str> {
        let hour = match (self.pm, self.hour) {
            (Some(true), hour) if hour < 12 => hour + 12,
            (Some(false), 12) => 0,
            (_, hour) => hour,
        };
        let year = self.year.unwrap_or(0);
        let date = match self.year_day {
            Some(year_day) => {
                let date = (Date::new(year, 1, 1).ok())
                    .and_then(|first| first.with().day_of_year(year_day).build().ok())
                    .ok_or("day-of-year")?;
                let fits = self.month.is_none_or(|month| month == date.month())
                    && self.day.is_none_or(|day| day == date.day());
                if fits { date } else { return Err("day-of-year") }
            }
            None => Date::new(year, self.month.unwrap_or(1), self.day.unwrap_or(1)).map_err(|_| "day")?,
        };
        let civil = date.at(hour, self.minute, self.second, self.nanosecond);
        let in_zone = |civil: DateTime, zone: TimeZone| {
            zone.to_ambiguous_zoned(civil)
                .compatible()
                .map(|zoned| Time::new(zoned.timestamp(), zoned.time_zone().clone()))
        };
        if let Some(seconds) = self.offset {
            let offset = Offset::from_seconds(seconds).map_err(|_| "time zone offset")?;
            let timestamp = offset.to_timestamp(civil).map_err(|_| "time")?;
            // The given zone, if it has that offset then: its name is nicer.
            let shown =
                if zone.to_offset(timestamp) == offset { zone.clone() } else { TimeZone::fixed(offset) };
            return Ok(Time::new(timestamp, shown));
        }
        in_zone(civil, self.zone.unwrap_or_else(|| zone.clone())).map_err(|_| "time")
    }
}

fn digits(text: &str, least: usize, most: usize) -> Result<(i64, &str), Problem> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count < least {
        return Err(Problem::Mismatch);
    }
    let (digits, rest) = text.split_at(count);
    Ok((digits.parse().map_err(|_| Problem::Mismatch)?, rest))
}

/// Two digits, or one where the layout does not ask for a leading zero.
fn one_or_two(text: &str, two: bool) -> Result<(i64, &str), Problem> {
    digits(text, if two { 2 } else { 1 }, 2)
}

fn name(text: &str, names: impl Iterator<Item = &'static str>) -> Result<(usize, &str), Problem> {
    for (index, name) in names.enumerate() {
        if let Some((head, rest)) = text.split_at_checked(name.len())
            && head.eq_ignore_ascii_case(name)
        {
            return Ok((index, rest));
        }
    }
    Err(Problem::Mismatch)
}

/// Seconds east of UTC; `None` for `Z`.
fn offset(text: &str, style: OffsetStyle) -> Result<(Option<i32>, &str), Problem> {
    if style.z
        && let Some(rest) = text.strip_prefix('Z')
    {
        return Ok((None, rest));
    }
    let sign = match text.as_bytes().first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return Err(Problem::Mismatch),
    };
    let (hours, mut rest) = digits(text.get(1..).unwrap_or(""), 2, 2)?;
    let mut seconds = hours * 3600;
    for (wanted, unit) in [(style.minutes, 60), (style.seconds, 1)] {
        if !wanted {
            continue;
        }
        if style.colon {
            rest = rest.strip_prefix(':').ok_or(Problem::Mismatch)?;
        }
        let (value, after) = digits(rest, 2, 2)?;
        if value > 59 {
            return Err(Problem::OutOfRange("time zone offset minute"));
        }
        seconds += value * unit;
        rest = after;
    }
    if hours > 24 {
        return Err(Problem::OutOfRange("time zone offset hour"));
    }
    Ok((Some(sign * seconds as i32), rest))
}

/// `UTC`, `CEST`, `GMT+3`. Only UTC says where it is; other names are taken as an unknown zone at offset zero, as Go does.
fn zone_name(text: &str) -> Result<(TimeZone, &str), Problem> {
    if let Some(rest) = text.strip_prefix("UTC") {
        return Ok((TimeZone::UTC, rest));
    }
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let (name, rest) = text.split_at(letters);
    let fits = match letters {
        3 => true,
        4 => name.ends_with('T') || name == "WITA",
        5 => name.ends_with("ST"),
        _ => false,
    };
    if !fits {
        return Err(Problem::Mismatch);
    }
    if name == "GMT"
        && let Some(sign) = rest.chars().next().filter(|char| matches!(char, '+' | '-'))
        && let Ok((hours, after)) = digits(rest.get(1..).unwrap_or(""), 1, 2)
        && hours < 24
    {
        let hours = if sign == '-' { -hours } else { hours };
        let offset = Offset::from_seconds(hours as i32 * 3600).map_err(|_| Problem::Mismatch)?;
        return Ok((TimeZone::fixed(offset), after));
    }
    Ok((TimeZone::fixed(Offset::UTC), rest))
}

/// The digits behind the point as nanoseconds; more than nine are cut.
fn nanoseconds(digits: &str) -> Option<i32> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nine: String = digits.chars().chain(std::iter::repeat('0')).take(9).collect();
    nine.parse().ok()
}
