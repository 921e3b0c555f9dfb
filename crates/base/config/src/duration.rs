//! The two ways in which the peers write durations.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseDurationError {
    /// Nothing there.
    #[error("empty duration string")]
    Empty,
    /// Not of the form.
    #[error("not a valid duration string: {0:?}")]
    Invalid(String),
    /// Longer than can be held.
    #[error("duration out of range")]
    OutOfRange,
}

/// A duration as Prometheus and Alertmanager write it: `1h30m`, `15d`, `500ms`, `0`; units `y w d h m s ms`, descending, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct PromDuration(pub Duration);

/// A duration as Go writes it: `1h30m`, `1.5h`, `300ms`, `1m0s`, `0`; units `h m s ms us µs ns`. Days and longer are read as well, as
/// Loki does; a bare number is a number of seconds, as Traefik and Grafana read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct GoDuration(pub Duration);

/// Milliseconds a unit of Prometheus' has, in the order in which they must appear.
const PROMETHEUS_UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads a Prometheus duration. Refuses what `model.ParseDuration` refuses; the longest is about 292 years.
pub fn parse_prometheus(text: &str) -> Result<Duration, ParseDurationError> {
    if text.is_empty() {
        return Err(ParseDurationError::Empty);
    }
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let invalid = || ParseDurationError::Invalid(text.to_owned());
    let mut rest = text;
    let mut next_unit = 0;
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let at = PROMETHEUS_UNITS.iter().position(|(name, _)| *name == unit).ok_or_else(invalid)?;
        if at < next_unit || number.is_empty() {
            return Err(invalid());
        }
        let number: u64 = number.parse().map_err(|_| ParseDurationError::OutOfRange)?;
        millis = number
            .checked_mul(PROMETHEUS_UNITS[at].1)
            .and_then(|part| millis.checked_add(part))
            .filter(|sum| *sum <= i64::MAX as u64 / 1_000_000)
            .ok_or(ParseDurationError::OutOfRange)?;
        next_unit = at + 1;
        rest = tail;
    }
    Ok(Duration::from_millis(millis))
}

/// Writes a duration as Prometheus does: the largest units that divide it, `0s` for none.
pub fn format_prometheus(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, size) in PROMETHEUS_UNITS {
        // Years, weeks and days are written only where nothing is left over: `90d` stays days, `36h` becomes `1d12h`.
        let exact_only = matches!(unit, "y" | "w");
        if millis / size == 0 || (exact_only && millis % size != 0) {
            continue;
        }
        text.push_str(&format!("{}{unit}", millis / size));
        millis %= size;
    }
    text
}

/// Reads a Go duration, see [`GoDuration`]. Negative durations are refused: no setting of ours can be negative.
pub fn parse_go(text: &str) -> Result<Duration, ParseDurationError> {
    if text.is_empty() {
        return Err(ParseDurationError::Empty);
    }
    let invalid = || ParseDurationError::Invalid(text.to_owned());
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().map(Duration::from_secs).map_err(|_| ParseDurationError::OutOfRange);
    }
    let mut rest = text;
    let mut nanos: f64 = 0.0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let size = match unit {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            "d" => 86_400e9,
            "w" => 7.0 * 86_400e9,
            "y" => 365.0 * 86_400e9,
            _ => return Err(invalid()),
        };
        nanos += number * size;
        rest = tail;
    }
    if nanos > i64::MAX as f64 {
        return Err(ParseDurationError::OutOfRange);
    }
    Ok(Duration::from_nanos(nanos.round() as u64))
}

fn format_go(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    if nanos < 1_000 {
        return format!("{nanos}ns");
    }
    if nanos < 1_000_000 {
        return format!("{}µs", nanos as f64 / 1e3);
    }
    if nanos < 1_000_000_000 {
        return format!("{}ms", nanos as f64 / 1e6);
    }
    let (hours, rest) = (duration.as_secs() / 3600, duration.as_secs() % 3600);
    let seconds = format!("{}s", (rest % 60) as f64 + f64::from(duration.subsec_nanos()) / 1e9);
    match (hours, rest / 60) {
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}m{seconds}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
    }
}

macro_rules! duration_type {
    ($name:ident, $parse:path, $format:path, $example:literal) => {
        impl $name {
            /// Whole seconds.
            pub const fn from_secs(seconds: u64) -> Self {
                Self(Duration::from_secs(seconds))
            }

            /// Milliseconds, saturating.
            pub fn as_millis(self) -> i64 {
                i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX)
            }
        }

        impl FromStr for $name {
            type Err = ParseDurationError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&$format(self.0))
            }
        }

        impl From<$name> for Duration {
            fn from(duration: $name) -> Self {
                duration.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("a duration such as ", $example))
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                        text.parse().map_err(E::custom)
                    }

                    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
                        number.to_string().parse().map_err(E::custom)
                    }

                    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
                        Err(E::custom(format_args!("not a valid duration: {number}")))
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }
    };
}

duration_type!(PromDuration, parse_prometheus, format_prometheus, "`15s`, `1h30m` or `15d`");
duration_type!(GoDuration, parse_go, format_go, "`15s`, `1h30m` or `300ms`");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_prometheus_durations() {
        let check = |text: &str, millis: u64| {
            assert_eq!(parse_prometheus(text), Ok(Duration::from_millis(millis)), "{text}");
        };
        check("0", 0);
        check("0s", 0);
        check("324ms", 324);
        check("3s", 3_000);
        check("1h30m", 5_400_000);
        check("4d1h4s10ms", 349_204_010);
        check("1y", 365 * 86_400_000);
        check("10w", 70 * 86_400_000);
        for bad in ["", "1", "1y1m1d", "-1w", "1.5d", "d", "294y", "200y10400w107675d2584200h", "1h1h"] {
            assert!(parse_prometheus(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn writes_prometheus_durations() {
        let check =
            |millis: u64, want: &str| assert_eq!(format_prometheus(Duration::from_millis(millis)), want);
        check(0, "0s");
        check(90_000, "1m30s");
        check(15 * 86_400_000, "15d");
        check(14 * 86_400_000, "2w");
        check(129_600_000, "1d12h");
        check(365 * 86_400_000, "1y");
        check(60_001, "1m1ms");
    }

    #[test]
    fn reads_and_writes_go_durations() {
        let check = |text: &str, nanos: u64, printed: &str| {
            let duration: GoDuration = text.parse().expect(text);
            assert_eq!(duration.0, Duration::from_nanos(nanos), "{text}");
            assert_eq!(duration.to_string(), printed, "{text}");
        };
        check("0", 0, "0s");
        check("90", 90_000_000_000, "1m30s");
        check("1.5h", 5_400_000_000_000, "1h30m0s");
        check("300ms", 300_000_000, "300ms");
        check("1m0s", 60_000_000_000, "1m0s");
        check("10µs", 10_000, "10µs");
        check("7d", 604_800_000_000_000, "168h0m0s");
        for bad in ["", "1x", "h", "-1s", "1..5s"] {
            assert!(bad.parse::<GoDuration>().is_err(), "{bad}");
        }
    }
}
