//! What requests ask, read from their parameters.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{FromRequest, Request};
use config::parse_prometheus;
use jiff::Timestamp;
use model::{Matcher, Millis};
use promql::syntax::parse_labels;
use service::FormParams;

use super::ApiError;

/// The earliest and the latest time that queries print and take back: Go's minimal and maximal times.
const MIN_TIME: &str = "-292273086-05-16T16:47:06Z";
const MAX_TIME: &str = "292277025-08-18T07:12:54.999999999Z";
/// The range that stands for "all of it".
pub(super) const ALL_TIME: (Millis, Millis) = (Millis::MIN / 2, Millis::MAX / 2);

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
        match self.get(name) {
            "" => Ok(None),
            text => parse_time(text).map(Some).ok_or_else(|| {
                let text =
                    format!("invalid time value for '{name}': cannot parse {text:?} to a valid timestamp");
                invalid(name, text)
            }),
        }
    }

    /// A time that has to be given.
    pub fn required_time(&self, name: &str) -> Result<Millis, ApiError> {
        let text = self.get(name);
        parse_time(text).ok_or_else(|| invalid(name, format!("cannot parse {text:?} to a valid timestamp")))
    }

    /// `start` and `end`, all time where they are not given.
    pub fn range(&self) -> Result<(Millis, Millis), ApiError> {
        let start = self.time("start")?.unwrap_or(ALL_TIME.0);
        let end = self.time("end")?.unwrap_or(ALL_TIME.1);
        if end < start {
            return Err(invalid("end", "end timestamp must not be before start time".into()));
        }
        Ok((start, end))
    }

    /// A duration in seconds or Prometheus' form; `None` where it is not given.
    pub fn duration(&self, name: &str) -> Result<Option<Duration>, ApiError> {
        match self.get(name) {
            "" => Ok(None),
            text => parse_duration(text)
                .map(Some)
                .ok_or_else(|| invalid(name, format!("cannot parse {text:?} to a valid duration"))),
        }
    }

    /// `limit`; 0 means no limit.
    pub fn limit(&self) -> Result<usize, ApiError> {
        self.count("limit").map(Option::unwrap_or_default)
    }

    /// A number of things; `None` where it is not given.
    pub fn count(&self, name: &str) -> Result<Option<usize>, ApiError> {
        match self.get(name) {
            "" => Ok(None),
            text => match text.parse::<i64>() {
                Ok(number) if number >= 0 => Ok(Some(usize::try_from(number).unwrap_or(usize::MAX))),
                Ok(_) => Err(invalid(name, format!("{name} must be non-negative"))),
                Err(_) => Err(invalid(name, format!("cannot parse {text:?} to a valid number"))),
            },
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

pub(super) fn invalid(name: &str, text: String) -> ApiError {
    ApiError::BadData(format!("invalid parameter {name:?}: {text}"))
}

/// Now, in milliseconds since the Unix epoch.
pub(super) fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}

/// Seconds with a fraction, rounded to milliseconds, or RFC 3339.
fn parse_time(text: &str) -> Option<Millis> {
    if let Ok(seconds) = text.parse::<f64>() {
        let millis = (seconds * 1000.0).round();
        return (millis.abs() < 9e18).then_some(millis as Millis);
    }
    match text {
        MIN_TIME => Some(ALL_TIME.0),
        MAX_TIME => Some(ALL_TIME.1),
        _ => text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond),
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return (0.0..9e9).contains(&seconds).then(|| Duration::from_secs_f64(seconds));
    }
    parse_prometheus(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_every_form() {
        let check = |text: &str, want: Option<Millis>| assert_eq!(parse_time(text), want, "{text}");
        check("1", Some(1000));
        check("1543578564.705", Some(1_543_578_564_705));
        check("-0.0004", Some(0));
        check("2015-06-03T13:21:58.555Z", Some(1_433_337_718_555));
        check("2015-06-03T14:21:58.555+01:00", Some(1_433_337_718_555));
        check(MIN_TIME, Some(ALL_TIME.0));
        check("foo", None);
        check("1e300", None);
    }

    #[test]
    fn durations_in_every_form() {
        let check = |text: &str, want: Option<u64>| {
            assert_eq!(parse_duration(text), want.map(Duration::from_millis), "{text}")
        };
        check("15", Some(15_000));
        check("0.5", Some(500));
        check("1h30m", Some(5_400_000));
        check("-1", None);
        check("1x", None);
    }
}
