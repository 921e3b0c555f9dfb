//! The distribution. Source: `/etc/os-release` or `/usr/lib/os-release` below the root folder (os-release(5)).

use std::{collections::BTreeMap, path::PathBuf};

use crate::{
    Options,
    collector::{CollectError, Collector, read_value},
    exposition::{Exposition, Kind},
};

/// Labels of the info metric, and the file's keys.
const LABELS: [(&str, &str); 12] = [
    ("build_id", "BUILD_ID"),
    ("id", "ID"),
    ("id_like", "ID_LIKE"),
    ("image_id", "IMAGE_ID"),
    ("image_version", "IMAGE_VERSION"),
    ("name", "NAME"),
    ("pretty_name", "PRETTY_NAME"),
    ("variant", "VARIANT"),
    ("variant_id", "VARIANT_ID"),
    ("version", "VERSION"),
    ("version_codename", "VERSION_CODENAME"),
    ("version_id", "VERSION_ID"),
];

pub(crate) struct Os(PathBuf);

impl Os {
    pub(crate) fn new(options: &Options) -> Self {
        Self(options.root())
    }
}

impl Collector for Os {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let text = ["etc/os-release", "usr/lib/os-release"]
            .into_iter()
            .find_map(|path| read_value(&self.0.join(path)))
            .ok_or(CollectError::NoData("no os-release file"))?;
        let values: BTreeMap<&str, String> = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(key, value)| (key.trim(), unquote(value.trim())))
            .collect();
        let get = |key: &str| values.get(key).map(String::as_str).unwrap_or_default();
        let labels: Vec<(&str, &str)> = LABELS.iter().map(|(label, key)| (*label, get(key))).collect();
        out.family("node_os_info", Kind::Gauge, "What the system is; the value is 1.").add(&labels, 1.0);
        if let Some(version) = version(get("VERSION_ID")) {
            let labels = [("id", get("ID")), ("id_like", get("ID_LIKE")), ("name", get("NAME"))];
            out.family("node_os_version", Kind::Gauge, "Major and minor version of the system.")
                .add(&labels, version);
        }
        if let Some(end) = day_to_unix(get("SUPPORT_END")) {
            out.gauge("node_os_support_end_timestamp_seconds", "When support for the system ends.", end);
        }
        Ok(())
    }
}

/// `MAJOR.MINOR` of a version.
fn version(text: &str) -> Option<f64> {
    let mut parts = text.split('.');
    let major = parts.next()?;
    match parts.next() {
        Some(minor) => format!("{major}.{minor}").parse().ok(),
        None => major.parse().ok(),
    }
}

fn unquote(text: &str) -> String {
    let inner = ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.unwrap_or(text).replace("\\\"", "\"").replace("\\$", "$").replace("\\`", "`").replace("\\\\", "\\")
}

/// Midnight UTC of `2026-01-31`.
fn day_to_unix(text: &str) -> Option<f64> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from civil: years begin in March, so that the leap day is the last.
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted / 400, shifted % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468;
    Some((days * 86_400) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_versions() {
        assert_eq!(day_to_unix("1970-01-01"), Some(0.0));
        assert_eq!(day_to_unix("2024-03-01"), Some(1_709_251_200.0));
        assert_eq!(day_to_unix("2026-13-01"), None);
        assert_eq!(version("20.04"), Some(20.04));
        assert_eq!(version("12"), Some(12.0));
        assert_eq!(version("7.5.1804"), Some(7.5));
        assert_eq!(version("rolling"), None);
        assert_eq!(unquote("\"a \\\"b\\\"\""), "a \"b\"");
    }
}
