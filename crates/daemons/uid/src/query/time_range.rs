//! From and to, as clients write them.

use jiff::{RoundMode, Span, Timestamp, ToSpan, Unit, Zoned, ZonedRound, civil::Weekday, tz::TimeZone};
use serde_json::Value;

/// A range in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeRange {
    pub from_ms: i64,
    pub to_ms: i64,
}

impl TimeRange {
    /// Reads milliseconds (as number or text), RFC 3339, or `now-6h/d`. Rounding is in UTC.
    pub(super) fn parse(from: &Value, to: &Value, now_ms: i64) -> Option<Self> {
        let from_ms = instant(from, now_ms, false)?;
        let to_ms = instant(to, now_ms, true)?;
        (from_ms <= to_ms).then_some(Self { from_ms, to_ms })
    }

    pub(super) fn length_ms(self) -> i64 {
        self.to_ms - self.from_ms
    }
}

/// The year 2255: what is beyond is a mistake, and would overflow as nanoseconds.
const MAX_MS: i64 = 9_000_000_000_000;

fn instant(value: &Value, now_ms: i64, round_up: bool) -> Option<i64> {
    let ms = match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|ms| ms as i64))?,
        Value::String(text) => {
            let text = text.trim();
            match text.strip_prefix("now") {
                Some(rest) => relative(rest, now_ms, round_up)?,
                None => text
                    .parse()
                    .ok()
                    .or_else(|| text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond))?,
            }
        }
        _ => return None,
    };
    (-MAX_MS..=MAX_MS).contains(&ms).then_some(ms)
}

/// What follows `now`: `-1h`, `+2d`, `/w`, in any number.
fn relative(mut rest: &str, now_ms: i64, round_up: bool) -> Option<i64> {
    let mut time = Timestamp::from_millisecond(now_ms).ok()?.to_zoned(TimeZone::UTC);
    while let Some(sign) = rest.chars().next() {
        rest = rest.get(sign.len_utf8()..)?;
        if sign == '/' {
            let unit = rest.chars().next()?;
            rest = rest.get(1..)?;
            time = rounded(&time, unit, round_up)?;
            continue;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let amount: i64 = rest.get(..digits)?.parse().ok().filter(|amount| *amount <= 1_000_000)?;
        let unit = rest.get(digits..)?.chars().next()?;
        rest = rest.get(digits + 1..)?;
        let span = span(amount, unit)?;
        time = match sign {
            '-' => time.checked_sub(span).ok()?,
            '+' => time.checked_add(span).ok()?,
            _ => return None,
        };
    }
    Some(time.timestamp().as_millisecond())
}

fn span(amount: i64, unit: char) -> Option<Span> {
    Some(match unit {
        's' => amount.seconds(),
        'm' => amount.minutes(),
        'h' => amount.hours(),
        'd' => amount.days(),
        'w' => amount.weeks(),
        'M' => amount.months(),
        'Q' => (amount * 3).months(),
        'y' => amount.years(),
        _ => return None,
    })
}

/// The start of the unit, or its last millisecond.
fn rounded(time: &Zoned, unit: char, up: bool) -> Option<Zoned> {
    let truncate = |unit| time.round(ZonedRound::new().smallest(unit).mode(RoundMode::Trunc)).ok();
    let midnight = time.start_of_day().ok()?;
    let start = match unit {
        's' => truncate(Unit::Second)?,
        'm' => truncate(Unit::Minute)?,
        'h' => truncate(Unit::Hour)?,
        'd' => midnight,
        'w' => {
            let days = i64::from(midnight.weekday().since(Weekday::Monday));
            midnight.checked_sub(days.days()).ok()?
        }
        'M' => midnight.first_of_month().ok()?,
        'Q' => {
            let first = midnight.first_of_month().ok()?;
            first.checked_sub(i64::from((first.month() - 1) % 3).months()).ok()?
        }
        'y' => midnight.first_of_year().ok()?,
        _ => return None,
    };
    if !up {
        return Some(start);
    }
    start.checked_add(span(1, unit)?).ok()?.checked_sub(1.millisecond()).ok()
}
