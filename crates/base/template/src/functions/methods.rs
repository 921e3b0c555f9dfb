//! Methods of times and durations.

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::set::Kind;
use crate::exec::FunctionError;
use crate::gotime::{Duration, Time};
use crate::value::{Object, Value};

type Answer = Result<Value, FunctionError>;

/// The kind of a method's parameter, so that literals take the right type.
pub(crate) fn parameter(receiver: &Value, name: &str, index: usize) -> Kind {
    let kinds: &[Kind] = match (receiver, name) {
        (Value::Time(_), "Format") => &[Kind::Str],
        (Value::Time(_), "Add" | "Truncate" | "Round") => &[Kind::Duration],
        (Value::Time(_), "Sub" | "After" | "Before" | "Equal" | "Compare") => &[Kind::Time],
        (Value::Time(_), "AddDate") => &[Kind::Int, Kind::Int, Kind::Int],
        (Value::Duration(_), "Round" | "Truncate") => &[Kind::Duration],
        _ => &[],
    };
    kinds.get(index).copied().unwrap_or(Kind::Any)
}

/// Calls a method of a time or a duration. `None` if there is none of that name.
pub(crate) fn call(receiver: &Value, name: &str, arguments: &[Value]) -> Option<Answer> {
    match receiver {
        Value::Time(time) => time_method(time, name, arguments),
        Value::Duration(duration) => duration_method(*duration, name, arguments),
        _ => None,
    }
}

fn wrong_count(name: &str, want: usize, got: usize) -> FunctionError {
    FunctionError::Arguments(format!("wrong number of args for {name}: want {want} got {got}"))
}

fn wrong_type(expected: Kind, got: &Value) -> FunctionError {
    let (expected, got) = (expected.type_name(), got.type_name());
    FunctionError::Arguments(format!("wrong type for value; expected {expected}; got {got}"))
}

fn time_method(time: &Time, name: &str, arguments: &[Value]) -> Option<Answer> {
    let civil = time.civil();
    let int = |value: i64| Value::Int(value);
    let plain = match name {
        "Unix" => int(time.unix()),
        "UnixMilli" => int(time.timestamp().as_nanosecond().div_euclid(1_000_000) as i64),
        "UnixMicro" => int(time.timestamp().as_nanosecond().div_euclid(1_000) as i64),
        "UnixNano" => int(time.unix_nano()),
        "Year" => int(civil.year().into()),
        "Month" => Value::object(Named::month(time)),
        "Day" => int(civil.day().into()),
        "Hour" => int(civil.hour().into()),
        "Minute" => int(civil.minute().into()),
        "Second" => int(civil.second().into()),
        "Nanosecond" => int(civil.subsec_nanosecond().into()),
        "YearDay" => int(civil.date().day_of_year().into()),
        "Weekday" => Value::object(Named::weekday(time)),
        "IsZero" => Value::Bool(time.is_zero()),
        "UTC" => Value::time(time.in_zone(TimeZone::UTC)),
        // The zone it has: what the host's local zone is, it has told when it made the time.
        "Local" => Value::time(time.clone()),
        "String" => Value::from(time.to_string()),
        _ => return time_method_with_arguments(time, name, arguments),
    };
    Some(if arguments.is_empty() { Ok(plain) } else { Err(wrong_count(name, 0, arguments.len())) })
}

fn time_method_with_arguments(time: &Time, name: &str, arguments: &[Value]) -> Option<Answer> {
    let want = match name {
        "Format" | "Add" | "Sub" | "After" | "Before" | "Equal" | "Compare" | "Truncate" | "Round" => 1,
        "AddDate" => 3,
        _ => return None,
    };
    if arguments.len() != want {
        return Some(Err(wrong_count(name, want, arguments.len())));
    }
    let first = arguments.first().unwrap_or(&Value::Nil);
    Some(match (name, first) {
        ("Format", layout) => match layout.as_str() {
            Some(layout) => Ok(Value::from(time.format(layout))),
            None => Err(wrong_type(Kind::Str, layout)),
        },
        ("Add", Value::Duration(duration)) => Ok(Value::time(time.add(*duration))),
        ("Truncate" | "Round", Value::Duration(unit)) => {
            Ok(Value::time(to_multiple(time, *unit, name == "Round")))
        }
        ("Add" | "Truncate" | "Round", other) => Err(wrong_type(Kind::Duration, other)),
        ("Sub", Value::Time(other)) => Ok(Value::Duration(time.since(other))),
        ("After", Value::Time(other)) => Ok(Value::Bool(time.timestamp() > other.timestamp())),
        ("Before", Value::Time(other)) => Ok(Value::Bool(time.timestamp() < other.timestamp())),
        ("Equal", Value::Time(other)) => Ok(Value::Bool(time.timestamp() == other.timestamp())),
        ("Compare", Value::Time(other)) => Ok(Value::Int(time.timestamp().cmp(&other.timestamp()) as i64)),
        ("AddDate", _) => match arguments {
            [Value::Int(years), Value::Int(months), Value::Int(days)] => {
                Ok(Value::time(add_date(time, *years, *months, *days)))
            }
            _ => Err(wrong_type(Kind::Int, first)),
        },
        (_, other) => Err(wrong_type(Kind::Time, other)),
    })
}

/// Years and months that overflow a month run into the next, as in Go.
fn add_date(time: &Time, years: i64, months: i64, days: i64) -> Time {
    let civil = time.civil();
    let month = i64::from(civil.year())
        .saturating_add(years)
        .saturating_mul(12)
        .saturating_add(i64::from(civil.month()) - 1);
    let month = month.saturating_add(months);
    let shifted = i16::try_from(month.div_euclid(12)).ok().and_then(|year| {
        let first = jiff::civil::Date::new(year, month.rem_euclid(12) as i8 + 1, 1).ok()?;
        let days = days.saturating_add(i64::from(civil.day()) - 1);
        let date = first.checked_add(Span::new().try_days(days).ok()?).ok()?;
        let zone = time.in_zone_of(date.to_datetime(civil.time()))?;
        Some(zone)
    });
    shifted.unwrap_or_else(|| time.clone())
}

/// To a multiple of `unit` since Go's zero time.
fn to_multiple(time: &Time, unit: Duration, round: bool) -> Time {
    if unit.0 <= 0 {
        return time.clone();
    }
    let unit = i128::from(unit.0);
    let since = time.timestamp().as_nanosecond() - Time::zero().timestamp().as_nanosecond();
    let rest = since.rem_euclid(unit);
    let shift = if round && rest * 2 >= unit { unit - rest } else { -rest };
    match Timestamp::from_nanosecond(time.timestamp().as_nanosecond() + shift) {
        Ok(timestamp) => time.at(timestamp),
        Err(_) => time.clone(),
    }
}

fn duration_method(duration: Duration, name: &str, arguments: &[Value]) -> Option<Answer> {
    let plain = match name {
        "Hours" => Value::Float(duration.as_hours()),
        "Minutes" => Value::Float(duration.as_minutes()),
        "Seconds" => Value::Float(duration.as_seconds()),
        "Milliseconds" => Value::Int(duration.0 / 1_000_000),
        "Microseconds" => Value::Int(duration.0 / 1_000),
        "Nanoseconds" => Value::Int(duration.0),
        "Abs" => Value::Duration(Duration(duration.0.saturating_abs())),
        "String" => Value::from(duration.to_string()),
        "Round" | "Truncate" => {
            return Some(match arguments {
                [Value::Duration(unit)] if name == "Round" => Ok(Value::Duration(duration.round(*unit))),
                [Value::Duration(unit)] => Ok(Value::Duration(duration.truncate(*unit))),
                [other] => Err(wrong_type(Kind::Duration, other)),
                _ => Err(wrong_count(name, 1, arguments.len())),
            });
        }
        _ => return None,
    };
    Some(if arguments.is_empty() { Ok(plain) } else { Err(wrong_count(name, 0, arguments.len())) })
}

/// A month or a weekday: a number that prints as its name.
#[derive(Debug)]
struct Named {
    type_name: &'static str,
    number: i64,
    name: String,
}

impl Named {
    fn month(time: &Time) -> Named {
        Named { type_name: "time.Month", number: time.civil().month().into(), name: time.format("January") }
    }

    fn weekday(time: &Time) -> Named {
        Named {
            type_name: "time.Weekday",
            number: time.civil().weekday().to_sunday_zero_offset().into(),
            name: time.format("Monday"),
        }
    }
}

impl Object for Named {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Answer> {
        match name {
            "String" if arguments.is_empty() => Some(Ok(Value::from(self.name.as_str()))),
            "String" => Some(Err(wrong_count(name, 0, arguments.len()))),
            _ => None,
        }
    }

    fn is_true(&self) -> bool {
        self.number != 0
    }

    fn basic(&self) -> Option<Value> {
        Some(Value::Int(self.number))
    }

    fn display(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
