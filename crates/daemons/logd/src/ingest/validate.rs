//! The checks on labels and entries, with Loki's texts.

use jiff::Timestamp;
use model::Nanos;
use wire::loki_push::PushedEntry;

use super::{Reason, SERVICE_NAME, label_text::LabelPairs};
use crate::Limits;

/// The times that are taken, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub oldest: Option<Nanos>,
    pub newest: Nanos,
}

/// Checks the entries of one stream.
pub(super) struct EntryCheck<'a> {
    pub limits: &'a Limits,
    pub bounds: Bounds,
    pub stream: &'a LabelPairs,
}

/// The times that are taken now.
pub(super) fn bounds(limits: &Limits, now: Nanos) -> Bounds {
    let nanos = |duration: std::time::Duration| Nanos::try_from(duration.as_nanos()).unwrap_or(Nanos::MAX);
    let oldest =
        limits.reject_old_samples.then(|| now.saturating_sub(nanos(limits.reject_old_samples_max_age.0)));
    Bounds { oldest, newest: now.saturating_add(nanos(limits.creation_grace_period.0)) }
}

/// Whether a stream's labels hold.
pub(super) fn labels(labels: &LabelPairs, limits: &Limits) -> Result<(), (Reason, String)> {
    if labels.is_empty() {
        let text = "error at least one label pair is required per stream";
        return Err((Reason::MissingLabels, text.to_owned()));
    }
    let count = labels.len() - usize::from(labels.get(SERVICE_NAME).is_some());
    let limit = limits.max_label_names_per_series;
    if count > limit {
        let text = format!("entry for stream '{labels}' has {count} label names; limit {limit}");
        return Err((Reason::MaxLabelNamesPerSeries, text));
    }
    let mut last = "";
    for (name, value) in labels.iter() {
        if name.len() > limits.max_label_name_length {
            let text = format!("stream '{labels}' has label name too long: '{name}'");
            return Err((Reason::LabelNameTooLong, text));
        }
        if value.len() > limits.max_label_value_length {
            let text = format!("stream '{labels}' has label value too long: '{value}'");
            return Err((Reason::LabelValueTooLong, text));
        }
        if name == last {
            let text = format!("stream '{labels}' has duplicate label name: '{name}'");
            return Err((Reason::DuplicateLabelNames, text));
        }
        last = name;
    }
    Ok(())
}

/// Bytes of an entry's structured metadata.
pub(super) fn metadata_size(entry: &PushedEntry) -> usize {
    entry.metadata.iter().map(|(name, value)| name.len() + value.len()).sum()
}

impl EntryCheck<'_> {
    /// Whether an entry holds.
    pub fn check(&self, entry: &PushedEntry) -> Result<(), (Reason, String)> {
        let Self { limits, bounds, stream } = self;
        if let Some(oldest) = bounds.oldest
            && entry.timestamp < oldest
        {
            let (at, oldest) = (seconds(entry.timestamp), seconds(oldest));
            let text = format!(
                "entry for stream '{stream}' has timestamp too old: {at}, oldest acceptable timestamp is: {oldest}"
            );
            return Err((Reason::GreaterThanMaxSampleAge, text));
        }
        if entry.timestamp > bounds.newest {
            let text =
                format!("entry for stream '{stream}' has timestamp too new: {}", seconds(entry.timestamp));
            return Err((Reason::TooFarInFuture, text));
        }
        let (max, length) = (limits.max_line_size.as_usize(), entry.line.len());
        if max != 0 && length > max {
            let text = format!(
                "max entry size '{max}' bytes exceeded for stream '{stream}' while adding an entry with length '{length}' bytes"
            );
            return Err((Reason::LineTooLong, text));
        }
        if entry.metadata.is_empty() { Ok(()) } else { self.check_metadata(entry) }
    }

    fn check_metadata(&self, entry: &PushedEntry) -> Result<(), (Reason, String)> {
        let Self { limits, stream, .. } = self;
        if !limits.allow_structured_metadata {
            let text = format!(
                "stream '{stream}' includes structured metadata, but this feature is disallowed. Please see \
                 `limits_config.allow_structured_metadata` or contact your Loki administrator to enable it"
            );
            return Err((Reason::DisallowedStructuredMetadata, text));
        }
        let (max, size) = (limits.max_structured_metadata_size.as_usize(), metadata_size(entry));
        if max != 0 && size > max {
            let text = format!(
                "stream '{stream}' has structured metadata too large: '{size}' bytes, limit: '{max}' bytes. Please see \
                 `limits_config.max_structured_metadata_size` or contact your Loki administrator to increase it"
            );
            return Err((Reason::StructuredMetadataTooLarge, text));
        }
        let (max, count) = (limits.max_structured_metadata_entries_count, entry.metadata.len());
        if max != 0 && count > max {
            let text = format!(
                "stream '{stream}' has too many structured metadata labels: '{count}', limit: '{max}'. Please see \
                 `limits_config.max_structured_metadata_entries_count` or contact your Loki administrator to increase it"
            );
            return Err((Reason::StructuredMetadataTooMany, text));
        }
        Ok(())
    }
}

/// A time in RFC 3339 to the second.
pub(super) fn seconds(time: Nanos) -> String {
    match Timestamp::from_second(time.div_euclid(1_000_000_000)) {
        Ok(time) => time.to_string(),
        Err(_) => time.to_string(),
    }
}

/// A time as Go prints it: `2026-01-15 10:00:00.5 +0000 UTC`.
pub(super) fn go_time(time: Nanos) -> String {
    match Timestamp::from_nanosecond(i128::from(time)) {
        Ok(time) => {
            let text = time.to_string();
            let text = text.trim_end_matches('Z').replacen('T', " ", 1);
            format!("{text} +0000 UTC")
        }
        Err(_) => time.to_string(),
    }
}
