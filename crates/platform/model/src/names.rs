//! Label names with a meaning of their own, and which names need no quotes.

/// The label that holds a metric's name.
pub const METRIC_NAME: &str = "__name__";
/// The label that holds an alert's name.
pub const ALERT_NAME: &str = "alertname";
/// The label with the upper bound of a classic histogram's bucket.
pub const BUCKET: &str = "le";
/// The label with a summary's quantile.
pub const QUANTILE: &str = "quantile";
/// The label that names the scrape job of a target.
pub const JOB: &str = "job";
/// The label that names the address of a target.
pub const INSTANCE: &str = "instance";

/// Whether `name` fits `[a-zA-Z_][a-zA-Z0-9_]*` and so is written without quotes.
pub fn is_legacy_label_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    !bytes.is_empty()
        && !bytes[0].is_ascii_digit()
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

/// Whether `name` fits `[a-zA-Z_:][a-zA-Z0-9_:]*` and so may stand before the braces of a selector.
pub fn is_legacy_metric_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    !bytes.is_empty()
        && !bytes[0].is_ascii_digit()
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b == b':')
}
