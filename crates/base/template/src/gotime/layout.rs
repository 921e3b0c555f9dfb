//! The pieces of a layout, and writing by them.

use std::fmt::Write as _;

use super::Time;

/// One piece of a layout that stands for a part of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    LongMonth,
    Month,
    NumericMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    SpaceDay,
    ZeroDay,
    SpaceYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    /// `-07…` or `Z07…`.
    Offset(OffsetStyle),
    /// `.000`: so many digits.
    FixedFraction(usize),
    /// `.999`: up to so many digits, without trailing zeros.
    Fraction(usize),
}

/// How an offset from UTC is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OffsetStyle {
    /// `Z` stands for UTC.
    pub z: bool,
    pub colon: bool,
    pub minutes: bool,
    pub seconds: bool,
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The text up to the first piece, the piece, its own text, and the rest.
pub(super) fn next_piece(layout: &str) -> Option<(&str, Piece, &str, &str)> {
    for (at, char) in layout.char_indices() {
        let Some(rest) = layout.get(at..) else { break };
        let Some((skip, piece, length)) = piece_at(char, rest) else { continue };
        let (before, rest) = layout.split_at_checked(at + skip)?;
        let (own, after) = rest.split_at_checked(length)?;
        return Some((before, piece, own, after));
    }
    None
}

/// Bytes to skip, the piece and its length, if one begins here.
fn piece_at(char: char, rest: &str) -> Option<(usize, Piece, usize)> {
    let plain = |piece, length| Some((0, piece, length));
    let lower_follows = |at: usize| rest.as_bytes().get(at).is_some_and(u8::is_ascii_lowercase);
    match char {
        'J' if rest.starts_with("January") => plain(Piece::LongMonth, 7),
        'J' if rest.starts_with("Jan") && !lower_follows(3) => plain(Piece::Month, 3),
        'M' if rest.starts_with("Monday") => plain(Piece::LongWeekday, 6),
        'M' if rest.starts_with("Mon") && !lower_follows(3) => plain(Piece::Weekday, 3),
        'M' if rest.starts_with("MST") => plain(Piece::ZoneName, 3),
        '0' => match rest.as_bytes().get(1)? {
            b'1' => plain(Piece::ZeroMonth, 2),
            b'2' => plain(Piece::ZeroDay, 2),
            b'3' => plain(Piece::ZeroHour12, 2),
            b'4' => plain(Piece::ZeroMinute, 2),
            b'5' => plain(Piece::ZeroSecond, 2),
            b'6' => plain(Piece::Year, 2),
            b'0' if rest.starts_with("002") => plain(Piece::ZeroYearDay, 3),
            _ => None,
        },
        '1' if rest.starts_with("15") => plain(Piece::Hour, 2),
        '1' => plain(Piece::NumericMonth, 1),
        '2' if rest.starts_with("2006") => plain(Piece::LongYear, 4),
        '2' => plain(Piece::Day, 1),
        // The underscore is text then.
        '_' if rest.starts_with("_2006") => Some((1, Piece::LongYear, 4)),
        '_' if rest.starts_with("_2") => plain(Piece::SpaceDay, 2),
        '_' if rest.starts_with("__2") => plain(Piece::SpaceYearDay, 3),
        '3' => plain(Piece::Hour12, 1),
        '4' => plain(Piece::Minute, 1),
        '5' => plain(Piece::Second, 1),
        'P' if rest.starts_with("PM") => plain(Piece::UpperPm, 2),
        'p' if rest.starts_with("pm") => plain(Piece::LowerPm, 2),
        '-' | 'Z' => {
            let (style, length) = offset_style(rest.get(1..)?)?;
            plain(Piece::Offset(OffsetStyle { z: char == 'Z', ..style }), length + 1)
        }
        '.' | ',' => {
            let digit = *rest.as_bytes().get(1).filter(|byte| matches!(byte, b'0' | b'9'))?;
            let digits = rest.bytes().skip(1).take_while(|byte| *byte == digit).count();
            if rest.as_bytes().get(1 + digits).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            let piece = if digit == b'0' { Piece::FixedFraction(digits) } else { Piece::Fraction(digits) };
            plain(piece, 1 + digits)
        }
        _ => None,
    }
}

fn offset_style(rest: &str) -> Option<(OffsetStyle, usize)> {
    let styles = [
        ("070000", false, true, true),
        ("07:00:00", true, true, true),
        ("0700", false, true, false),
        ("07:00", true, true, false),
        ("07", false, false, false),
    ];
    let (text, colon, minutes, seconds) = styles.into_iter().find(|(text, ..)| rest.starts_with(text))?;
    let style = OffsetStyle { z: false, colon, minutes, seconds };
    Some((style, text.len()))
}

/// Writes `time` by `layout`.
pub(super) fn format(time: &Time, layout: &str) -> String {
    let mut out = String::with_capacity(layout.len() + 8);
    let mut rest = layout;
    while let Some((before, piece, own, after)) = next_piece(rest) {
        out.push_str(before);
        // Writing to a string cannot fail.
        let _ = write_piece(time, piece, own, &mut out);
        rest = after;
    }
    out.push_str(rest);
    out
}

fn write_piece(time: &Time, piece: Piece, own: &str, out: &mut String) -> std::fmt::Result {
    let civil = time.civil();
    let month = usize::from(civil.month().unsigned_abs()).saturating_sub(1);
    let weekday = usize::from(civil.weekday().to_sunday_zero_offset().unsigned_abs());
    let hour12 = match civil.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    match piece {
        Piece::LongMonth => out.write_str(MONTHS[month]),
        Piece::Month => out.write_str(&MONTHS[month][..3]),
        Piece::NumericMonth => write!(out, "{}", civil.month()),
        Piece::ZeroMonth => write!(out, "{:02}", civil.month()),
        Piece::LongWeekday => out.write_str(WEEKDAYS[weekday]),
        Piece::Weekday => out.write_str(&WEEKDAYS[weekday][..3]),
        Piece::Day => write!(out, "{}", civil.day()),
        Piece::SpaceDay => write!(out, "{:2}", civil.day()),
        Piece::ZeroDay => write!(out, "{:02}", civil.day()),
        Piece::SpaceYearDay => write!(out, "{:3}", civil.day_of_year()),
        Piece::ZeroYearDay => write!(out, "{:03}", civil.day_of_year()),
        Piece::Hour => write!(out, "{:02}", civil.hour()),
        Piece::Hour12 => write!(out, "{hour12}"),
        Piece::ZeroHour12 => write!(out, "{hour12:02}"),
        Piece::Minute => write!(out, "{}", civil.minute()),
        Piece::ZeroMinute => write!(out, "{:02}", civil.minute()),
        Piece::Second => write!(out, "{}", civil.second()),
        Piece::ZeroSecond => write!(out, "{:02}", civil.second()),
        Piece::LongYear => write!(out, "{:04}", civil.year()),
        Piece::Year => write!(out, "{:02}", civil.year().rem_euclid(100)),
        Piece::UpperPm => out.write_str(if civil.hour() >= 12 { "PM" } else { "AM" }),
        Piece::LowerPm => out.write_str(if civil.hour() >= 12 { "pm" } else { "am" }),
        Piece::ZoneName => match time.zone_name() {
            name if !name.is_empty() => out.write_str(&name),
            _ => {
                let minutes = time.offset_seconds() / 60 % 60 != 0;
                let style = OffsetStyle { z: false, colon: false, minutes: true, seconds: false };
                write_offset(time.offset_seconds(), OffsetStyle { minutes, ..style }, out)
            }
        },
        Piece::Offset(style) => write_offset(time.offset_seconds(), style, out),
        Piece::FixedFraction(digits) | Piece::Fraction(digits) => {
            let point = own.get(..1).unwrap_or(".");
            let nanoseconds = format!("{:09}", civil.subsec_nanosecond());
            let fraction = nanoseconds.get(..digits.min(9)).unwrap_or(&nanoseconds);
            match piece {
                Piece::FixedFraction(_) => write!(out, "{point}{fraction:0<digits$}"),
                _ => match fraction.trim_end_matches('0') {
                    "" => Ok(()),
                    fraction => write!(out, "{point}{fraction}"),
                },
            }
        }
    }
}

fn write_offset(offset: i32, style: OffsetStyle, out: &mut String) -> std::fmt::Result {
    if style.z && offset == 0 {
        return out.write_char('Z');
    }
    let sign = if offset < 0 { '-' } else { '+' };
    let seconds = offset.unsigned_abs();
    let colon = if style.colon { ":" } else { "" };
    write!(out, "{sign}{:02}", seconds / 3600)?;
    if style.minutes {
        write!(out, "{colon}{:02}", seconds / 60 % 60)?;
    }
    if style.seconds {
        write!(out, "{colon}{:02}", seconds % 60)?;
    }
    Ok(())
}
