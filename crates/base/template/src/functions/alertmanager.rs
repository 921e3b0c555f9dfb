//! Functions of Alertmanager's notifications.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use jiff::tz::TimeZone;

use super::clock::Clock;
use super::set::{Function, Functions, Kind, Signature};
use super::text::{
    ANY, ANYS, NONE, STR, STR_TIME, STR2, TIME, query_unescape, title_words, to_lower, to_upper,
};
use super::{json, prometheus};
use crate::exec::{Call, FunctionError};
use crate::gotime::Time;
use crate::value::{Safe, Value};

/// Go's functions and those of Alertmanager. `routeLabels` gives nothing until a run binds its own.
pub fn functions(clock: &Clock) -> Functions {
    let mut functions = Functions::builtin();
    prometheus::add_regex(&mut functions);
    prometheus::add_humanize_duration(&mut functions);
    functions.insert("routeLabels", Function::new(STR, |_| Ok(Value::from(""))));
    add_strings(&mut functions);
    add_times(&mut functions, clock);
    add_collections(&mut functions);
    functions
}

fn add_strings(functions: &mut Functions) {
    functions.add("toUpper", STR, |call| Ok(to_upper(call.str(0)).into()));
    functions.add("toLower", STR, |call| Ok(to_lower(call.str(0)).into()));
    functions.add("title", STR, |call| Ok(title_words(call.str(0), true).into()));
    functions.add("trimSpace", STR, |call| Ok(call.str(0).trim().into()));
    functions.add("join", Signature::new(&[Kind::Str, Kind::Any]), join);
    functions.add("safeHtml", STR, |call| Ok(Value::Safe(Safe::Html, call.str(0).into())));
    functions.add("safeUrl", STR, |call| Ok(Value::Safe(Safe::Url, call.str(0).into())));
    functions.add("urlUnescape", STR, |call| Ok(query_unescape(call.str(0))?.into()));
    functions.add("stringSlice", Signature::variadic_of(&[], Kind::Str), |call| {
        Ok(Value::list(call.arguments().iter().cloned()))
    });
    functions.add("toJson", ANY, |call| to_json(call, json::Style::default()));
    functions.add("base64encode", STR, |call| {
        let text = URL_SAFE.encode(call.str(0));
        call.check_size(text.len())?;
        Ok(text.into())
    });
    functions.add("base64decode", STR, |call| {
        let bytes = URL_SAFE.decode(call.str(0)).map_err(|_| FunctionError::from("illegal base64 data"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned().into())
    });
}

/// The texts of a list, or of an object that is one.
fn join(call: &mut Call<'_>) -> Result<Value, FunctionError> {
    let (separator, items) = (call.str(0), call.get(1));
    let values: Vec<Value> = match items {
        Value::Nil => Vec::new(),
        Value::List(values) => values.to_vec(),
        Value::Object(object) if object.items().is_some() => {
            object.items().unwrap_or_default().into_iter().map(|(_, value)| value).collect()
        }
        other => {
            let got = other.type_name();
            return Err(FunctionError::Arguments(format!(
                "wrong type for value; expected []string; got {got}"
            )));
        }
    };
    call.charge(values.len())?;
    call.write(|out| {
        use std::fmt::Write;
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                out.write_str(separator)?;
            }
            write!(out, "{value}")?;
        }
        Ok(())
    })
}

/// JSON of an argument.
pub(super) fn to_json(call: &mut Call<'_>, style: json::Style) -> Result<Value, FunctionError> {
    let value = call.get(0);
    let mut unsupported = None;
    let text = call.write(|out| match json::write(value, style, out) {
        Ok(()) => Ok(()),
        Err(json::JsonError::Full) => Err(std::fmt::Error),
        Err(json::JsonError::Unsupported(text)) => {
            unsupported = Some(text);
            Ok(())
        }
    })?;
    match unsupported {
        Some(text) => Err(FunctionError::Failed(text)),
        None => Ok(text),
    }
}

fn add_times(functions: &mut Functions, clock: &Clock) {
    functions.add("date", STR_TIME, |call| {
        let text = call.time(1).format(call.str(0));
        call.check_size(text.len())?;
        Ok(text.into())
    });
    functions.add("tz", STR_TIME, |call| Ok(call.time(1).in_zone(zone(call.str(0))?).into()));
    functions.add("now", NONE, {
        let clock = clock.clone();
        move |_| Ok(clock.now().into())
    });
    functions.add("since", TIME, {
        let clock = clock.clone();
        move |call| Ok(clock.now().since(&call.time(0)).into())
    });
    functions.add("toDate", STR2, |call| {
        let time = Time::parse(call.str(0), call.str(1), &TimeZone::UTC);
        Ok(time.unwrap_or_else(|_| Time::zero()).into())
    });
    functions.add("mustToDate", STR2, |call| {
        let time = Time::parse(call.str(0), call.str(1), &TimeZone::UTC);
        Ok(time.map_err(FunctionError::failed)?.into())
    });
}

fn zone(name: &str) -> Result<TimeZone, FunctionError> {
    match name {
        "" | "UTC" => Ok(TimeZone::UTC),
        _ => TimeZone::get(name).map_err(|_| FunctionError::Failed(format!("unknown time zone {name}"))),
    }
}

fn add_collections(functions: &mut Functions) {
    functions.add("list", ANYS, |call| Ok(Value::list(call.arguments().iter().cloned())));
    functions.add("append", Signature::variadic_of(&[Kind::List], Kind::Any), |call| {
        let values = call.list(0);
        call.charge(values.len())?;
        let more = call.arguments().get(1..).unwrap_or_default();
        Ok(Value::list(values.iter().chain(more).cloned()))
    });
    functions.add("dict", ANYS, |call| {
        let values = call.arguments();
        if values.len() % 2 != 0 {
            return Err("dict requires an even number of arguments".into());
        }
        let mut entries = Vec::with_capacity(values.len() / 2);
        for pair in values.chunks_exact(2) {
            let [Value::Str(key), value] = pair else {
                return Err("dict keys must be strings".into());
            };
            entries.push((key.clone(), value.clone()));
        }
        Ok(Value::map(entries))
    });
}
