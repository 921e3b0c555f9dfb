//! Dates. A date argument is a time, or seconds since 1970; anything else is now.

use jiff::tz::TimeZone;

use crate::exec::FunctionError;
use crate::functions::clock::Clock;
use crate::functions::convert;
use crate::functions::set::{Functions, Kind, Signature};
use crate::functions::text::{ANY, NONE, STR_TIME, STR2, TIME};
use crate::gotime::{Duration, Time};
use crate::value::Value;

pub(super) fn add_to(functions: &mut Functions, clock: &Clock) {
    functions.add("now", NONE, {
        let clock = clock.clone();
        move |_| Ok(clock.now().into())
    });
    add_formats(functions, clock);
    add_parsers(functions, clock);
    functions.add("unixEpoch", TIME, |call| Ok(call.time(0).unix().to_string().into()));
    functions.add("ago", ANY, {
        let clock = clock.clone();
        move |call| {
            let elapsed = clock.now().since(&time_of(call.get(0), &clock));
            Ok(elapsed.round(Duration::from_seconds(1)).to_string().into())
        }
    });
    functions.add("duration", ANY, |call| {
        let seconds = match call.get(0) {
            Value::Int(seconds) => *seconds,
            other => other.as_str().and_then(|text| convert::parse_decimal(text).ok()).unwrap_or(0),
        };
        Ok(Duration::from_seconds(seconds).to_string().into())
    });
    functions.add("durationRound", ANY, {
        let clock = clock.clone();
        move |call| {
            let duration = match call.get(0) {
                Value::Int(nanoseconds) => Duration(*nanoseconds),
                Value::Time(time) => clock.now().since(time),
                other => other.as_str().and_then(|text| Duration::parse(text).ok()).unwrap_or_default(),
            };
            Ok(rounded(duration).into())
        }
    });
    for name in ["dateModify", "date_modify"] {
        functions.add(name, STR_TIME, |call| {
            let time = call.time(1);
            Ok(Duration::parse(call.str(0))
                .map_or_else(|_| (*time).clone(), |duration| time.add(duration))
                .into())
        });
    }
    for name in ["mustDateModify", "must_date_modify"] {
        functions.add(name, STR_TIME, |call| {
            let duration = Duration::parse(call.str(0)).map_err(FunctionError::failed)?;
            Ok(call.time(1).add(duration).into())
        });
    }
}

fn time_of(value: &Value, clock: &Clock) -> Time {
    match value {
        Value::Time(time) => (**time).clone(),
        Value::Int(seconds) => Time::from_unix(*seconds, 0, clock.local().clone()).unwrap_or_else(Time::zero),
        _ => clock.now(),
    }
}

fn zone(name: &str, clock: &Clock) -> TimeZone {
    match name {
        "Local" => clock.local().clone(),
        "" | "UTC" => TimeZone::UTC,
        _ => TimeZone::get(name).unwrap_or(TimeZone::UTC),
    }
}

fn add_formats(functions: &mut Functions, clock: &Clock) {
    functions.add("date", Signature::new(&[Kind::Str, Kind::Any]), {
        let clock = clock.clone();
        move |call| {
            let text = time_of(call.get(1), &clock).in_zone(clock.local().clone()).format(call.str(0));
            call.check_size(text.len())?;
            Ok(text.into())
        }
    });
    for name in ["dateInZone", "date_in_zone"] {
        let clock = clock.clone();
        functions.add(name, Signature::new(&[Kind::Str, Kind::Any, Kind::Str]), move |call| {
            let text = time_of(call.get(1), &clock).in_zone(zone(call.str(2), &clock)).format(call.str(0));
            call.check_size(text.len())?;
            Ok(text.into())
        });
    }
    functions.add("htmlDate", ANY, {
        let clock = clock.clone();
        move |call| {
            Ok(time_of(call.get(0), &clock).in_zone(clock.local().clone()).format("2006-01-02").into())
        }
    });
    functions.add("htmlDateInZone", Signature::new(&[Kind::Any, Kind::Str]), {
        let clock = clock.clone();
        move |call| {
            Ok(time_of(call.get(0), &clock).in_zone(zone(call.str(1), &clock)).format("2006-01-02").into())
        }
    });
}

fn add_parsers(functions: &mut Functions, clock: &Clock) {
    functions.add("toDate", STR2, {
        let local = clock.local().clone();
        move |call| Ok(Time::parse(call.str(0), call.str(1), &local).unwrap_or_else(|_| Time::zero()).into())
    });
    functions.add("mustToDate", STR2, {
        let local = clock.local().clone();
        move |call| Ok(Time::parse(call.str(0), call.str(1), &local).map_err(FunctionError::failed)?.into())
    });
}

/// The largest unit alone: `2h`, `3mo`.
fn rounded(duration: Duration) -> String {
    let seconds = duration.0.unsigned_abs() / 1_000_000_000;
    let nanoseconds = duration.0.unsigned_abs();
    let units = [(31_536_000, "y"), (2_592_000, "mo"), (86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let largest = units.into_iter().find(|(unit, _)| nanoseconds > unit * 1_000_000_000);
    largest.map_or_else(|| "0s".to_owned(), |(unit, name)| format!("{}{name}", seconds / unit))
}
