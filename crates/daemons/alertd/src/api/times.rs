//! Times as the API writes and reads them.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::{Serialize, Serializer};

/// A time in UTC with milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct ApiTime(pub Timestamp);

impl Serialize for ApiTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
}

/// Reads a time; one without a zone is in UTC. `None` for nothing, and for Go's zero time, which means nothing.
pub(super) fn read(text: Option<&str>) -> Result<Option<Timestamp>, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let in_utc = || text.parse::<DateTime>().and_then(|civil| civil.to_zoned(TimeZone::UTC));
    let time = text
        .parse::<Timestamp>()
        .or_else(|_| in_utc().map(|zoned| zoned.timestamp()))
        .map_err(|_| format!("parsing time {text:?}: not a time such as \"2006-01-02T15:04:05Z\""))?;
    Ok(Some(time).filter(|time| time.to_zoned(TimeZone::UTC).year() > 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_times() {
        let check = |text: &str, want: Option<&str>| {
            let time = read(Some(text)).expect(text);
            let written = time.map(|time| serde_json::to_string(&ApiTime(time)).expect("json"));
            assert_eq!(written, want.map(|want| format!("\"{want}\"")), "{text}");
        };
        check("2024-01-02T03:04:05Z", Some("2024-01-02T03:04:05.000Z"));
        check("2024-01-02T03:04:05.6789+02:00", Some("2024-01-02T01:04:05.678Z"));
        check("2024-01-02T03:04:05", Some("2024-01-02T03:04:05.000Z"));
        check("0001-01-01T00:00:00Z", None);
        check("", None);
        assert!(read(Some("garbage")).is_err());
    }
}
