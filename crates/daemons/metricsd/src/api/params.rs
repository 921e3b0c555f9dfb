//! What requests ask, read from their parameters.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{FromRequest, Request};
use config::parse_prometheus;
use jiff::Timestamp;
use model::{Matcher, Millis, quote};
use promql::syntax::parse_labels;
use service::FormParams;

use super::ApiError;

/// The earliest and the latest time that queries print and take back: Go's minimal and maximal times.
const MIN_TIME: &str = "-292273086-05-16T16:47:06Z";
const MAX_TIME: &str = "292277025-08-18T07:12:54.999999999Z";
/// The range that stands for "all of it".
pub(super) const ALL_TIME: (Millis, Millis) = (Millis::MIN / 2, Millis::MAX / 2);

/// A duration in nanoseconds, negative ones too: what is said of those differs.
pub(super) type Nanos = i64;

/// A request's parameters.
#[derive(Debug, Default)]
pub(super) struct Params(FormParams);

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        FormParams::from_request(request, state)
            .await
            .map(Self)
            .map_err(|error| ApiError::BadData(error.to_string()))
    }
}

impl Params {
    /// The first value of a parameter; empty where it is not given.
    pub fn get<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.get(name)
    }

    /// All values of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.all(name)
    }

    /// A time; `None` where it is not given.
    pub fn time(&self, name: &str) -> Result<Option<Millis>, ApiError> {
        self.optional_time(name).map_err(|error| invalid(name, error))
    }

    /// The same; the error is text, for parameters wrap it differently.
    pub fn optional_time(&self, name: &str) -> Result<Option<Millis>, String> {
        match self.get(name) {
            "" => Ok(None),
            text => parse_time(text)
                .map(Some)
                .map_err(|error| format!("invalid time value for '{name}': {error}")),
        }
    }

    /// A time that has to be given.
    pub fn required_time(&self, name: &str) -> Result<Millis, ApiError> {
        parse_time(self.get(name)).map_err(|error| invalid(name, error))
    }

    /// `start` and `end`, all time where they are not given. The end may be before the start: nothing is between them.
    pub fn range(&self) -> Result<(Millis, Millis), ApiError> {
        Ok((self.time("start")?.unwrap_or(ALL_TIME.0), self.time("end")?.unwrap_or(ALL_TIME.1)))
    }

    /// A duration in seconds or Prometheus' form; `None` where it is not given. The error is text, for parameters wrap it differently.
    pub fn duration(&self, name: &str) -> Result<Option<Nanos>, String> {
        match self.get(name) {
            "" => Ok(None),
            text => parse_duration(text).map(Some),
        }
    }

    /// A duration that has to be given.
    pub fn required_duration(&self, name: &str) -> Result<Nanos, ApiError> {
        parse_duration(self.get(name)).map_err(|error| invalid(name, error))
    }

    /// `limit`; 0 means no limit.
    pub fn limit(&self) -> Result<usize, ApiError> {
        let limit = self.integer("limit").map_err(|error| invalid("limit", error.to_string()))?;
        usize::try_from(limit.unwrap_or_default())
            .map_err(|_| invalid("limit", "limit must be non-negative".into()))
    }

    /// A whole number; `None` where it is not given.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, NotParsed> {
        match self.get(name) {
            "" => Ok(None),
            text => parse_integer(text, "Atoi").map(Some),
        }
    }

    /// Yes or no, in any of Go's forms; `None` where it is not given.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, NotParsed> {
        match self.get(name) {
            "" => Ok(None),
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(Some(true)),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(Some(false)),
            text => Err(NotParsed::new("ParseBool", text, "invalid syntax")),
        }
    }

    /// The selectors of `match[]`; the error is text, for endpoints wrap it differently.
    pub fn selectors(&self) -> Result<Vec<Vec<Matcher>>, String> {
        self.all("match[]")
            .map(|text| {
                let matchers = parse_labels(text).map_err(|error| error.to_string())?;
                if matchers.iter().all(|matcher| matcher.matches("")) {
                    return Err("match[] must contain at least one non-empty matcher".to_owned());
                }
                Ok(matchers)
            })
            .collect()
    }
}

/// A value that is not what its parameter takes, in the words of Go's `strconv`, which clients see.
#[derive(Debug, thiserror::Error)]
#[error("strconv.{function}: parsing {}: {reason}", quote(text))]
pub(super) struct NotParsed {
    function: &'static str,
    text: String,
    reason: &'static str,
}

impl NotParsed {
    fn new(function: &'static str, text: &str, reason: &'static str) -> Self {
        Self { function, text: text.to_owned(), reason }
    }
}

pub(super) fn invalid(name: &str, text: String) -> ApiError {
    ApiError::BadData(format!("invalid parameter {name:?}: {text}"))
}

/// Now, in milliseconds since the Unix epoch.
pub(crate) fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}

/// Seconds with a fraction, rounded to milliseconds, or RFC 3339. Numbers that are no moment are refused, where the original overflows.
fn parse_time(text: &str) -> Result<Millis, String> {
    let not_a_time = || format!("cannot parse {} to a valid timestamp", quote(text));
    if let Ok(seconds) = text.parse::<f64>() {
        let millis = (seconds * 1000.0).round();
        return if millis.abs() < 9e18 { Ok(millis as Millis) } else { Err(not_a_time()) };
    }
    match text {
        MIN_TIME => Ok(ALL_TIME.0),
        MAX_TIME => Ok(ALL_TIME.1),
        _ => text.parse::<Timestamp>().map(Timestamp::as_millisecond).map_err(|_| not_a_time()),
    }
}

fn parse_duration(text: &str) -> Result<Nanos, String> {
    let not_a_duration = || format!("cannot parse {} to a valid duration", quote(text));
    if let Ok(seconds) = text.parse::<f64>() {
        let nanos = seconds * 1e9;
        if nanos.abs() > Nanos::MAX as f64 {
            return Err(format!("{}. It overflows int64", not_a_duration()));
        }
        // What is not a number is none at all.
        return Ok(nanos as Nanos);
    }
    let parsed = parse_prometheus(text).map_err(|_| not_a_duration())?;
    Nanos::try_from(parsed.as_nanos()).map_err(|_| not_a_duration())
}

/// A decimal number with or without a sign, as Go reads it.
pub(super) fn parse_integer(text: &str, function: &'static str) -> Result<i64, NotParsed> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotParsed::new(function, text, "invalid syntax"));
    }
    text.parse().map_err(|_| NotParsed::new(function, text, "value out of range"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_every_form() {
        let check = |text: &str, want: Option<Millis>| assert_eq!(parse_time(text).ok(), want, "{text}");
        check("1", Some(1000));
        check("1543578564.705", Some(1_543_578_564_705));
        check("-0.0004", Some(0));
        check("2015-06-03T13:21:58.555Z", Some(1_433_337_718_555));
        check("2015-06-03T14:21:58.555+01:00", Some(1_433_337_718_555));
        check(MIN_TIME, Some(ALL_TIME.0));
        check("foo", None);
        check("1e300", None);
        check("NaN", None);
    }

    #[test]
    fn durations_in_every_form() {
        let check = |text: &str, millis: i64| {
            assert_eq!(parse_duration(text), Ok(millis * 1_000_000), "{text}");
        };
        check("15", 15_000);
        check("0.5", 500);
        check("1h30m", 5_400_000);
        check("-1", -1000);
        check("NaN", 0);
        let refused = |text: &str, want: &str| assert_eq!(parse_duration(text), Err(want.to_owned()));
        refused("1x", "cannot parse \"1x\" to a valid duration");
        refused("", "cannot parse \"\" to a valid duration");
        refused("1e300", "cannot parse \"1e300\" to a valid duration. It overflows int64");
    }

    #[test]
    fn integers_as_go_reads_them() {
        let check = |text: &str, want: Result<i64, &str>| {
            let got = parse_integer(text, "Atoi").map_err(|error| error.to_string());
            assert_eq!(got, want.map_err(str::to_owned), "{text}");
        };
        check("-7", Ok(-7));
        check("+7", Ok(7));
        check("x", Err("strconv.Atoi: parsing \"x\": invalid syntax"));
        check("1.5", Err("strconv.Atoi: parsing \"1.5\": invalid syntax"));
        check(
            "9999999999999999999",
            Err("strconv.Atoi: parsing \"9999999999999999999\": value out of range"),
        );
    }
}
