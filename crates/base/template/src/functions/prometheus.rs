//! Functions of Prometheus' alerts, recording rules and consoles.

mod duration;
mod host_port;
mod humanize;
mod sample;

use std::sync::Arc;

use super::set::{Function, Functions, Kind, Signature};
use super::text::{
    ANY, ANYS, Answer, Patterns, STR, STR2, STR3, query_escape, regex_replace, title_words, to_lower,
    to_upper,
};
use super::{convert, text};
use crate::exec::{Call, FunctionError};
use crate::gotime::{Duration, Time};
use crate::value::{Safe, Value};

pub use duration::parse_duration;
pub use humanize::{humanize, humanize_1024, humanize_duration, humanize_percentage, humanize_timestamp};
pub use sample::Sample;

/// Answers `query`: the expression gives a list of [`Sample`]s.
pub type Query = Arc<dyn Fn(&str) -> Result<Vec<Sample>, String> + Send + Sync>;

/// What one evaluation brings along; see [`Host::bindings`].
#[derive(Clone)]
pub struct Host {
    /// The time of the evaluation, in seconds since 1970.
    pub now: f64,
    /// The server's own address, for links.
    pub external_url: String,
    /// Its path alone.
    pub path_prefix: String,
    /// Runs expressions.
    pub query: Query,
}

impl Host {
    /// `query`, `now`, `externalURL` and `pathPrefix` for one run of a template with [`functions`].
    pub fn bindings(&self) -> Vec<(&'static str, Function)> {
        let query = Arc::clone(&self.query);
        let run = move |call: &mut Call<'_>| {
            let samples = query(call.str(0)).map_err(FunctionError::Failed)?;
            call.charge(samples.len())?;
            Ok(Value::list(samples.into_iter().map(Value::object)))
        };
        vec![
            ("query", Function::new(STR, run)),
            ("now", Function::constant(Value::Float(self.now))),
            ("externalURL", Function::constant(Value::from(self.external_url.as_str()))),
            ("pathPrefix", Function::constant(Value::from(self.path_prefix.as_str()))),
        ]
    }
}

/// Go's functions and those of Prometheus. `query`, `now`, `externalURL` and `pathPrefix` come with each run.
pub fn functions() -> Functions {
    let mut functions = Functions::builtin();
    for name in ["query", "now", "externalURL", "pathPrefix"] {
        functions.declare(name);
    }
    add_results(&mut functions);
    add_numbers(&mut functions);
    add_strings(&mut functions);
    functions
}

fn add_results(functions: &mut Functions) {
    functions.add("first", Signature::new(&[Kind::List]), |call| match call.list(0).first() {
        Some(sample) => Ok(sample.clone()),
        None => Err("first() called on vector with no elements".into()),
    });
    functions.add("label", Signature::new(&[Kind::Str, Kind::Any]), |call| {
        Ok(Value::from(sample_of(call.get(1))?.label(call.str(0))))
    });
    functions.add("value", ANY, |call| Ok(sample_of(call.get(0))?.value().clone()));
    functions.add("strvalue", ANY, |call| Ok(Value::from(sample_of(call.get(0))?.label("__value__"))));
    functions.add("sortByLabel", Signature::new(&[Kind::Str, Kind::List]), |call| {
        let mut samples = call.list(1).to_vec();
        call.charge(samples.len())?;
        let label = call.str(0);
        let key = |value: &Value| {
            value.downcast::<Sample>().map_or_else(String::new, |sample| sample.label(label).to_string())
        };
        samples.sort_by_cached_key(key);
        Ok(Value::from(samples))
    });
    functions.add("args", ANYS, |call| {
        let named =
            call.arguments().iter().enumerate().map(|(at, value)| (format!("arg{at}").into(), value.clone()));
        Ok(Value::map(named))
    });
    functions.add("tmpl", Signature::new(&[Kind::Str, Kind::Any]), |call| {
        let (name, data) = (call.str(0), call.get(1));
        Ok(Value::Safe(Safe::Html, call.execute(name, data)?.into()))
    });
}

fn sample_of(value: &Value) -> Result<&Sample, FunctionError> {
    value.downcast().ok_or_else(|| {
        let got = value.type_name();
        FunctionError::Arguments(format!("wrong type for value; expected *template.sample; got {got}"))
    })
}

fn add_numbers(functions: &mut Functions) {
    functions.add("humanize", ANY, |call| Ok(humanize(convert::to_float(call.get(0))?).into()));
    functions.add("humanize1024", ANY, |call| Ok(humanize_1024(convert::to_float(call.get(0))?).into()));
    functions.add("humanizePercentage", ANY, |call| {
        Ok(humanize_percentage(convert::to_float(call.get(0))?).into())
    });
    functions.add("humanizeTimestamp", ANY, |call| {
        Ok(humanize_timestamp(convert::to_float(call.get(0))?)?.into())
    });
    add_humanize_duration(functions);
    functions.add("toTime", ANY, |call| {
        let seconds = convert::to_float(call.get(0))?;
        if !seconds.is_finite() {
            return Err("value is NaN or Inf".into());
        }
        humanize::time_of(seconds).map(Value::from)
    });
    functions.add("toDuration", ANY, |call| {
        Ok(Value::Duration(Duration((convert::to_float(call.get(0))? * 1e9) as i64)))
    });
    functions.add("parseDuration", STR, |call| Ok(Value::Float(parse_duration(call.str(0))?.as_seconds())));
}

pub(super) fn add_humanize_duration(functions: &mut Functions) {
    functions
        .add("humanizeDuration", ANY, |call| Ok(humanize_duration(convert::to_float(call.get(0))?).into()));
}

/// `match` and `reReplaceAll`, which Alertmanager has as well.
pub(super) fn add_regex(functions: &mut Functions) {
    let patterns = Patterns::default();
    functions.add("match", STR2, {
        let patterns = patterns.clone();
        move |call| {
            let regex = patterns.get(call.str(0)).map_err(FunctionError::failed)?;
            Ok(Value::Bool(regex.is_match(call.str(1))))
        }
    });
    functions.add("reReplaceAll", STR3, move |call| {
        let pattern = call.str(0);
        let regex = patterns
            .get(pattern)
            .map_err(|error| FunctionError::Failed(format!("regexp: Compile(`{pattern}`): {error}")))?;
        regex_replace(call, &regex, call.str(2), Some(call.str(1)), "")
    });
}

fn add_strings(functions: &mut Functions) {
    add_regex(functions);
    let mut add = |name: &'static str, change: fn(&str) -> String| {
        functions.add(name, STR, move |call| -> Answer { Ok(Value::from(change(call.str(0)))) });
    };
    add("title", |text| title_words(text, false));
    add("toUpper", to_upper);
    add("toLower", to_lower);
    add("stripPort", host_port::strip_port);
    add("stripDomain", host_port::strip_domain);
    add("urlQueryEscape", query_escape);
    add("graphLink", |expression| format!("/graph?g0.expr={}&g0.tab=0", text::query_escape(expression)));
    add("tableLink", |expression| format!("/graph?g0.expr={}&g0.tab=1", text::query_escape(expression)));
    functions.add("safeHtml", STR, |call| Ok(Value::Safe(Safe::Html, call.str(0).into())));
}

/// The time of a number of seconds, for hosts that make data for templates.
///
/// # Errors
/// If the number is not finite or beyond the years 1678 to 2262.
pub fn time_of(seconds: f64) -> Result<Time, FunctionError> {
    humanize::time_of(seconds)
}
