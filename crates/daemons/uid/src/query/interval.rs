//! How far apart points are. Source: Grafana's documented rounding table and its Prometheus back end.

/// Most points of a series that Prometheus answers with.
const MAX_POINTS: i64 = 11_000;

/// Upper bound (exclusive) and interval, in milliseconds.
const ROUNDING: [(i64, i64); 29] = [
    (10, 1),
    (15, 10),
    (35, 20),
    (75, 50),
    (150, 100),
    (350, 200),
    (750, 500),
    (1_500, 1_000),
    (3_500, 2_000),
    (7_500, 5_000),
    (12_500, 10_000),
    (17_500, 15_000),
    (25_000, 20_000),
    (45_000, 30_000),
    (90_000, 60_000),
    (210_000, 120_000),
    (450_000, 300_000),
    (750_000, 600_000),
    (1_050_000, 900_000),
    (1_500_000, 1_200_000),
    (2_700_000, 1_800_000),
    (5_400_000, 3_600_000),
    (9_000_000, 7_200_000),
    (16_200_000, 10_800_000),
    (32_400_000, 21_600_000),
    (86_400_000, 43_200_000),
    (604_800_000, 86_400_000),
    (1_814_400_000, 604_800_000),
    (3_628_800_000, 2_592_000_000),
];

const YEAR_MS: i64 = 365 * 86_400_000;

/// The nearest pleasant interval.
pub(super) fn round(ms: i64) -> i64 {
    ROUNDING.iter().find(|(bound, _)| ms < *bound).map_or(YEAR_MS, |(_, interval)| *interval)
}

/// The interval for a range and a number of points, not below `minimum`.
pub(super) fn calculate(range_ms: i64, max_data_points: i64, minimum_ms: i64) -> i64 {
    round(range_ms / max_data_points.max(1)).max(minimum_ms).max(1)
}

/// The shortest interval that keeps a series within what Prometheus answers with.
pub(super) fn safe(range_ms: i64) -> i64 {
    round(range_ms / MAX_POINTS)
}

/// `$__rate_interval`: never so short that a scrape that is missing makes a gap.
pub(super) fn rate_interval(interval_ms: i64, scrape_ms: i64) -> i64 {
    interval_ms.saturating_add(scrape_ms).max(scrape_ms.saturating_mul(4))
}

/// A time floored to a multiple of the step, in the zone that is `offset` from UTC: so that a day's step begins at midnight.
pub(super) fn align(time_ms: i64, step_ms: i64, offset_ms: i64) -> i64 {
    let step = step_ms.max(1);
    time_ms.saturating_add(offset_ms).div_euclid(step).saturating_mul(step).saturating_sub(offset_ms)
}

/// `15s`, `1m`, `2h`, `1d`: the largest unit that divides it.
pub(super) fn format(ms: i64) -> String {
    for (size, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
        if ms >= size && ms % size == 0 {
            return format!("{}{unit}", ms / size);
        }
    }
    format!("{ms}ms")
}

/// `1m0s`, as Go prints a duration.
pub(super) fn format_go(ms: i64) -> String {
    config::GoDuration(std::time::Duration::from_millis(ms.unsigned_abs())).to_string()
}

/// `15s`, `1m30s`, `>15s`, `1M`; also a bare number of seconds. Milliseconds.
pub(super) fn parse(text: &str) -> Option<i64> {
    let text = text.trim().trim_start_matches(['<', '>', '=']).trim();
    // Months are Grafana's own.
    if let Some(months) = text.strip_suffix('M') {
        return months.parse::<i64>().ok()?.checked_mul(30 * 86_400_000).filter(|ms| *ms > 0);
    }
    let duration = config::parse_go(text).ok()?;
    i64::try_from(duration.as_millis()).ok().filter(|ms| *ms > 0)
}
