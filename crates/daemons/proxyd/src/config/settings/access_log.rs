//! What the access log's section means.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use crate::config::static_file::AccessLogFile;

/// Which requests are logged, where and how.
#[derive(Debug)]
pub(crate) struct AccessLogSettings {
    /// Standard output if there is none.
    pub(crate) file: Option<PathBuf>,
    pub(crate) format: AccessLogFormat,
    /// Any of the three keeps a request; without one all are kept.
    pub(crate) statuses: Vec<StatusFilter>,
    pub(crate) keeps_retried: bool,
    pub(crate) min_duration: Duration,
    pub(crate) default_field: FieldMode,
    pub(crate) fields: BTreeMap<String, FieldMode>,
    pub(crate) default_header: FieldMode,
    /// By lower case name.
    pub(crate) headers: BTreeMap<String, FieldMode>,
    /// Whether the proxy's own routers are logged too.
    pub(crate) logs_internals: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessLogFormat {
    /// Apache's, with the router, the server and the duration after it.
    Common,
    /// Apache's alone.
    GenericClf,
    Json,
}

/// Both ends are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatusFilter {
    pub(crate) first: u16,
    pub(crate) last: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldMode {
    Keep,
    Drop,
    Redact,
}

impl AccessLogSettings {
    pub(super) fn check(file: &AccessLogFile) -> Result<Self, String> {
        let modes =
            |key: &str, names: &BTreeMap<String, String>| -> Result<BTreeMap<String, FieldMode>, String> {
                names
                    .iter()
                    .map(|(name, mode)| Ok((name.clone(), parse_mode(&format!("{key}.{name}"), mode)?)))
                    .collect()
            };
        let mode_or = |key: &str, mode: &str, default| match mode {
            "" => Ok(default),
            mode => parse_mode(key, mode),
        };
        let headers = modes("fields.headers.names", &file.fields.headers.names)?;
        Ok(Self {
            file: (!file.file_path.is_empty()).then(|| file.file_path.clone().into()),
            format: match file.format.as_str() {
                "" | "common" => AccessLogFormat::Common,
                "genericCLF" => AccessLogFormat::GenericClf,
                "json" => AccessLogFormat::Json,
                other => {
                    return Err(format!(
                        "format: unknown format {other:?}, expected common, genericCLF or json"
                    ));
                }
            },
            statuses: file
                .filters
                .status_codes
                .iter()
                .map(|text| parse_statuses(text))
                .collect::<Result<_, _>>()?,
            keeps_retried: file.filters.retry_attempts,
            min_duration: file.filters.min_duration.0,
            default_field: mode_or("fields.defaultMode", &file.fields.default_mode, FieldMode::Keep)?,
            fields: modes("fields.names", &file.fields.names)?,
            default_header: mode_or(
                "fields.headers.defaultMode",
                &file.fields.headers.default_mode,
                FieldMode::Drop,
            )?,
            headers: headers.into_iter().map(|(name, mode)| (name.to_ascii_lowercase(), mode)).collect(),
            logs_internals: file.add_internals,
        })
    }

    /// Whether a request is logged.
    pub(crate) fn keeps(&self, status: u16, retries: u32, duration: Duration) -> bool {
        let has_filters = !self.statuses.is_empty() || self.keeps_retried || !self.min_duration.is_zero();
        !has_filters
            || self.statuses.iter().any(|filter| (filter.first..=filter.last).contains(&status))
            || (self.keeps_retried && retries > 0)
            || (!self.min_duration.is_zero() && duration > self.min_duration)
    }

    pub(crate) fn field(&self, name: &str) -> FieldMode {
        self.fields.get(name).copied().unwrap_or(self.default_field)
    }

    pub(crate) fn header(&self, name: &str) -> FieldMode {
        self.headers.get(name).copied().unwrap_or(self.default_header)
    }
}

fn parse_mode(key: &str, mode: &str) -> Result<FieldMode, String> {
    match mode {
        "keep" => Ok(FieldMode::Keep),
        "drop" => Ok(FieldMode::Drop),
        "redact" => Ok(FieldMode::Redact),
        other => Err(format!("{key}: unknown mode {other:?}, expected keep, drop or redact")),
    }
}

/// `200` or `400-599`.
fn parse_statuses(text: &str) -> Result<StatusFilter, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) => Ok(StatusFilter { first, last }),
        _ => Err(format!("filters.statusCodes: invalid status code or range {text:?}")),
    }
}
