//! What requests ask, read from their parameters.

use axum::extract::{FromRequest, Request};
use config::parse_prometheus;
use jiff::Timestamp;
use logql::{
    engine::QueryParams,
    syntax::{Expr, parse, parse_matchers},
};
use model::{Matcher, Nanos};
use service::FormParams;
use streams::Direction;

use super::ApiError;

const SECOND: Nanos = 1_000_000_000;
/// How far back queries without a start reach.
const DEFAULT_SINCE: Nanos = 3600 * SECOND;
/// Lines of queries without a limit.
const DEFAULT_LIMIT: i64 = 100;
/// Most steps of a range query.
const MAX_STEPS: i64 = 11_000;

/// A request's parameters.
#[derive(Debug, Default)]
pub(super) struct Params(FormParams);

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        FormParams::from_request(request, state)
            .await
            .map(Self)
            .map_err(|error| ApiError::BadRequest(error.to_string()))
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

    /// `start` and `end`, or `since` before the end; an hour up to now where nothing is given.
    pub fn bounds(&self, now: Nanos) -> Result<(Nanos, Nanos), ApiError> {
        let since = match self.get("since") {
            "" => DEFAULT_SINCE,
            text => parse_prometheus(text)
                .map(|since| Nanos::try_from(since.as_nanos()).unwrap_or(Nanos::MAX))
                .map_err(|error| {
                    ApiError::BadRequest(format!("could not parse 'since' parameter: {error}"))
                })?,
        };
        let time = |name: &str, default| {
            parse_time(self.get(name), default)
                .map_err(|error| ApiError::BadRequest(format!("could not parse '{name}' parameter: {error}")))
        };
        let end = time("end", now)?;
        let start = time("start", end.min(now).saturating_sub(since))?;
        Ok((start, end))
    }

    /// The same, refused where they are the wrong way round.
    pub fn ordered_bounds(&self, now: Nanos) -> Result<(Nanos, Nanos), ApiError> {
        let (start, end) = self.bounds(now)?;
        if end < start {
            let text = "end timestamp must not be before or equal to start time";
            return Err(ApiError::BadRequest(text.to_owned()));
        }
        Ok((start, end))
    }

    /// `time`, now where it is not given.
    pub fn time(&self, now: Nanos) -> Result<Nanos, ApiError> {
        parse_time(self.get("time"), now).map_err(ApiError::BadRequest)
    }

    /// `limit`.
    pub fn limit(&self) -> Result<usize, ApiError> {
        let limit = match self.get("limit") {
            "" => DEFAULT_LIMIT,
            text => text
                .parse()
                .map_err(|_| ApiError::BadRequest(format!("parsing {text:?} as limit: invalid syntax")))?,
        };
        if limit <= 0 {
            return Err(ApiError::BadRequest("limit must be a positive value".to_owned()));
        }
        u32::try_from(limit).map(|limit| limit as usize).map_err(|_| {
            ApiError::BadRequest(format!("limit value {limit} is out of range [0, {}]", u32::MAX))
        })
    }

    /// `direction`.
    pub fn direction(&self) -> Result<Direction, ApiError> {
        match self.get("direction") {
            "" => Ok(Direction::Backward),
            text if text.eq_ignore_ascii_case("backward") => Ok(Direction::Backward),
            text if text.eq_ignore_ascii_case("forward") => Ok(Direction::Forward),
            text => Err(ApiError::BadRequest(format!("invalid direction '{text}'"))),
        }
    }

    /// Everything a range query asks.
    pub fn range(&self, now: Nanos) -> Result<QueryParams, ApiError> {
        let (start, end) = self.ordered_bounds(now)?;
        let limit = self.limit()?;
        let direction = self.direction()?;
        let step = self.step(start, end)?;
        let interval = match self.get("interval") {
            "" => 0,
            text => parse_seconds(text)?,
        };
        if interval < 0 {
            return Err(ApiError::BadRequest("interval must be >= 0".to_owned()));
        }
        Ok(QueryParams { start, end, step, interval, direction, limit })
    }

    /// `step`, or one that makes about 250 of the range.
    pub fn step(&self, start: Nanos, end: Nanos) -> Result<i64, ApiError> {
        let length = end.saturating_sub(start);
        let step = match self.get("step") {
            "" => (length / 250 / SECOND).max(1) * SECOND,
            text => parse_seconds(text)?,
        };
        if step <= 0 {
            let text =
                "zero or negative query resolution step widths are not accepted. Try a positive integer";
            return Err(ApiError::BadRequest(text.to_owned()));
        }
        if length / step > MAX_STEPS {
            let text = "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter";
            return Err(ApiError::BadRequest(text.to_owned()));
        }
        Ok(step)
    }

    /// The query itself.
    pub fn query(&self) -> Result<Expr, ApiError> {
        match self.get("query") {
            "" => Err(no_query()),
            text => Ok(parse(text)?),
        }
    }

    /// The selector of `query`, which must be there.
    pub fn selector(&self) -> Result<Vec<Matcher>, ApiError> {
        match self.get("query") {
            "" => Err(no_query()),
            text => Ok(parse_matchers(text)?),
        }
    }

    /// The selector of `query`, if there is one.
    pub fn optional_selector(&self) -> Result<Vec<Vec<Matcher>>, ApiError> {
        match self.get("query") {
            "" => Ok(Vec::new()),
            text => Ok(vec![parse_matchers(text)?]),
        }
    }

    /// The selectors of `match` and `match[]`; none, or `{}` alone, asks for everything.
    pub fn selectors(&self) -> Result<Vec<Vec<Matcher>>, ApiError> {
        let mut texts: Vec<&str> = self.all("match").chain(self.all("match[]")).collect();
        texts.sort_unstable();
        texts.dedup();
        if let [only] = texts.as_slice()
            && only.replace(' ', "") == "{}"
        {
            return Ok(Vec::new());
        }
        Ok(texts.into_iter().map(parse_matchers).collect::<Result<_, _>>()?)
    }
}

/// Loki says no place where there is nothing at all.
fn no_query() -> ApiError {
    ApiError::BadRequest("parse error : syntax error: unexpected $end".to_owned())
}

/// A time: seconds with a fraction, seconds of up to ten digits, nanoseconds, or RFC 3339.
fn parse_time(text: &str, default: Nanos) -> Result<Nanos, String> {
    if text.is_empty() {
        return Ok(default);
    }
    if text.contains('.')
        && let Ok(seconds) = text.parse::<f64>()
        && seconds.abs() < 9e9
    {
        let millis = (seconds.fract() * 1000.0).round();
        return Ok(seconds.trunc() as Nanos * SECOND + millis as Nanos * 1_000_000);
    }
    if let Ok(number) = text.parse::<i64>() {
        return Ok(if text.len() <= 10 { number.saturating_mul(SECOND) } else { number });
    }
    let time: Timestamp =
        text.parse().map_err(|_| format!("{text:?} is neither a number nor a time in RFC 3339"))?;
    Nanos::try_from(time.as_nanosecond()).map_err(|_| format!("{text:?} is out of range"))
}

/// Seconds with a fraction, or a duration in Prometheus' form.
fn parse_seconds(text: &str) -> Result<i64, ApiError> {
    if let Ok(seconds) = text.parse::<f64>() {
        let nanos = seconds * 1e9;
        if nanos.is_nan() || nanos.abs() >= i64::MAX as f64 {
            let text = format!("cannot parse {text:?} to a valid duration. It overflows int64");
            return Err(ApiError::BadRequest(text));
        }
        return Ok(nanos as i64);
    }
    match parse_prometheus(text) {
        Ok(duration) => Ok(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)),
        Err(_) => Err(ApiError::BadRequest(format!("cannot parse {text:?} to a valid duration"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Nanos = 1_768_471_200 * SECOND;

    fn params(text: &str) -> Params {
        Params(FormParams::parse(text))
    }

    fn text<T: std::fmt::Debug>(result: Result<T, ApiError>) -> String {
        match result {
            Err(ApiError::BadRequest(text)) => text,
            other => panic!("expected a bad request, got {other:?}"),
        }
    }

    #[test]
    fn times_in_every_form() {
        let check = |text: &str, want: Nanos| assert_eq!(parse_time(text, 7), Ok(want), "{text}");
        check("", 7);
        check("1768471200", NOW);
        check("17684712000", 17_684_712_000);
        check("1768471200000000001", NOW + 1);
        check("1768471200.5", NOW + SECOND / 2);
        check("1768471200.12345", NOW + 123_000_000);
        check("-5", -5 * SECOND);
        check("2026-01-15T10:00:00Z", NOW);
        check("2026-01-15T11:00:00.000000001+01:00", NOW + 1);
        for bad in ["x", "1.2.3", "2026-01-15", "1e3", "999999999999999999999"] {
            assert!(parse_time(bad, 0).is_err(), "{bad}");
        }
    }

    #[test]
    fn bounds_by_what_is_given() {
        let check = |text: &str, want: (Nanos, Nanos)| {
            assert_eq!(params(text).bounds(NOW).expect(text), want, "{text}")
        };
        check("", (NOW - 3600 * SECOND, NOW));
        check("since=3d", (NOW - 3 * 86_400 * SECOND, NOW));
        check("end=1768471100&since=1m", (NOW - 160 * SECOND, NOW - 100 * SECOND));
        // An end in the future leaves the start where it would be.
        check("end=1768471300", (NOW - 3600 * SECOND, NOW + 100 * SECOND));
        check("start=1768471000", (NOW - 200 * SECOND, NOW));
        assert!(text(params("start=x").bounds(NOW)).starts_with("could not parse 'start' parameter: "));
        assert!(text(params("since=1x").bounds(NOW)).starts_with("could not parse 'since' parameter: "));
    }

    #[test]
    fn what_range_queries_ask() {
        let range =
            params("start=1768467600&end=1768471200&limit=5&direction=FORWARD&interval=2s").range(NOW);
        let range = range.expect("valid");
        assert_eq!((range.step, range.interval, range.limit), (14 * SECOND, 2 * SECOND, 5));
        assert_eq!(range.direction, Direction::Forward);
        let check = |query: &str, want: &str| assert_eq!(text(params(query).range(NOW)), want, "{query}");
        check("start=2000000000&end=1900000000", "end timestamp must not be before or equal to start time");
        check("limit=0", "limit must be a positive value");
        check("limit=-1", "limit must be a positive value");
        check("limit=4294967296", "limit value 4294967296 is out of range [0, 4294967295]");
        check("direction=sideways", "invalid direction 'sideways'");
        check(
            "step=0",
            "zero or negative query resolution step widths are not accepted. Try a positive integer",
        );
        check(
            "step=0.1",
            "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter",
        );
        check("interval=-1", "interval must be >= 0");
        check("step=1x", "cannot parse \"1x\" to a valid duration");
        check("step=1e300", "cannot parse \"1e300\" to a valid duration. It overflows int64");
        check("step=NaN", "cannot parse \"NaN\" to a valid duration. It overflows int64");
    }

    #[test]
    fn selectors_are_a_union() {
        let count = |query: &str| params(query).selectors().expect(query).len();
        assert_eq!(count(""), 0);
        assert_eq!(count("match=%7B%20%7D"), 0);
        assert_eq!(count("match=%7Ba%3D%22b%22%7D&match[]=%7Bc%3D%22d%22%7D"), 2);
        let both = params("match=%7Ba%3D%22b%22%7D&match[]=%7B%7D").selectors();
        assert!(text(both).starts_with("parse error : queries require at least one"));
    }
}
