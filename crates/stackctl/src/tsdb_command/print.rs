//! Tables, times and numbers as promtool prints them, so that scripts made for it go on.

use std::fmt::Write as _;

use jiff::{Timestamp, tz::TimeZone};
use tsdb::{BlockAnalysis, Stat};

/// Narrowest column of a table, and the space behind the widest cell.
const COLUMN: usize = 13;
const SPACE: usize = 2;

/// Rows with their cells below each other.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count() + SPACE).max().unwrap_or_default().max(COLUMN)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            let width = if at + 1 == row.len() { 0 } else { widths.get(at).copied().unwrap_or_default() };
            // Writing to a string does not fail.
            let _ = write!(text, "{cell:width$}");
        }
        text.push('\n');
    }
    text
}

/// The figures of a block.
pub(super) fn analysis(analysis: &BlockAnalysis, selector: Option<&str>) -> String {
    let BlockAnalysis { meta, matched, label_names, label_pairs, entries, .. } = analysis;
    let length = meta.max_time.saturating_sub(meta.min_time);
    let mut text = format!("Block ID: {}\nDuration: {}\n", meta.ulid, duration(length));
    let _ = writeln!(text, "Total Series: {}", meta.stats.num_series);
    if let Some(selector) = selector {
        let _ = writeln!(text, "Matcher: {selector}");
    }
    let _ = writeln!(text, "Label names: {label_names}");
    if selector.is_some() {
        let _ = writeln!(text, "Matched series: {matched}");
    }
    let _ = writeln!(text, "Postings (unique label pairs): {label_pairs}");
    let _ = writeln!(text, "Postings entries (total label pairs): {entries}");
    for (title, list) in [
        ("Label pairs most involved in churning", &analysis.churning_pairs),
        ("Label names most involved in churning", &analysis.churning_names),
        ("Most common label pairs", &analysis.common_pairs),
        ("Label names with highest cumulative label value length", &analysis.value_bytes),
        ("Highest cardinality labels", &analysis.value_counts),
        ("Highest cardinality metric names", &analysis.metric_names),
    ] {
        let _ = writeln!(text, "\n{title}:");
        for Stat { name, value } in list {
            let _ = writeln!(text, "{value} {name}");
        }
    }
    text
}

/// Milliseconds as Go prints a duration: `1h30m0s`, `1.5s`, `20ms`.
pub(super) fn duration(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    if millis == 0 {
        return "0s".to_owned();
    }
    if millis < 1000 {
        return format!("{sign}{millis}ms");
    }
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let seconds = (millis % 60_000) as f64 / 1000.0;
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, _) => format!("{sign}{minutes}m{seconds}s"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// Milliseconds since 1970 as Go prints a time, whole seconds.
pub(super) fn time(millis: i64) -> String {
    match Timestamp::from_second(millis / 1000) {
        Ok(time) => time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string(),
        // Beyond the year 9999.
        Err(_) => millis.to_string(),
    }
}

/// Bytes in all units that it has some of: `1MiB20KiB3B`.
pub(super) fn bytes(size: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if size == 0 {
        return "0B".to_owned();
    }
    let mut parts = Vec::new();
    for (power, unit) in UNITS.iter().enumerate() {
        let count = (size >> (10 * power)) % 1024;
        if count > 0 {
            parts.push(format!("{count}{unit}"));
        }
    }
    parts.reverse();
    parts.concat()
}

/// A float as Go's `%g` prints it.
pub(super) fn float(value: f64) -> String {
    /// From this exponent on numbers have one.
    const LARGE: i32 = 6;
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..LARGE).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_gos() {
        for (millis, want) in [
            (0, "0s"),
            (1, "1ms"),
            (999, "999ms"),
            (1500, "1.5s"),
            (60_001, "1m0.001s"),
            (7_200_000, "2h0m0s"),
            (-90_000, "-1m30s"),
            (i64::MAX, "2562047788015h12m55.807s"),
        ] {
            assert_eq!(duration(millis), want, "{millis}");
        }
    }

    #[test]
    fn times_and_sizes_are_promtools() {
        assert_eq!(time(60_001), "1970-01-01 00:01:00 +0000 UTC");
        assert_eq!(time(7_258_118_400_000), "2200-01-01 00:00:00 +0000 UTC");
        assert_eq!(time(i64::MAX), i64::MAX.to_string());
        assert_eq!(bytes(635), "635B");
        assert_eq!(bytes((1 << 20) + 3), "1MiB3B");
        assert_eq!(bytes(0), "0B");
    }

    #[test]
    fn floats_are_gos() {
        for (value, want) in [
            (1.0, "1"),
            (0.1, "0.1"),
            (123456.0, "123456"),
            (1_234_567.0, "1.234567e+06"),
            (1e-5, "1e-05"),
            (-2.5e30, "-2.5e+30"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(float(value), want);
        }
        assert_eq!(float(f64::NEG_INFINITY), "-Inf");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["A", "B", "C"], ["longer than the least", "x", "end"]];
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect();
        assert_eq!(
            table(&rows),
            "A                      B            C\nlonger than the least  x            end\n"
        );
    }
}
