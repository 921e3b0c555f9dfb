//! The file as a whole.

use std::path::PathBuf;

use ::config::{ByteSize, GoDuration, Inert, null_as_default};
use serde::{Deserialize, Serialize};

use super::{client::ClientConfig, integrations::Integrations, scrape::ScrapeConfig, server::ServerConfig};

/// Promtail's configuration file, and `integrations` of our own.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct File {
    #[serde(deserialize_with = "null_as_default")]
    pub global: Global,
    #[serde(deserialize_with = "null_as_default")]
    pub server: ServerConfig,
    /// One client, the older form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientConfig>,
    #[serde(deserialize_with = "null_as_default")]
    pub clients: Vec<ClientConfig>,
    #[serde(deserialize_with = "null_as_default")]
    pub positions: PositionsConfig,
    #[serde(deserialize_with = "null_as_default")]
    pub scrape_configs: Vec<ScrapeConfig>,
    #[serde(deserialize_with = "null_as_default")]
    pub target_config: TargetConfig,
    #[serde(deserialize_with = "null_as_default")]
    pub limits_config: LimitsConfig,
    #[serde(skip_serializing)]
    pub options: Inert,
    #[serde(deserialize_with = "null_as_default", skip_serializing)]
    pub tracing: Switch,
    #[serde(deserialize_with = "null_as_default", skip_serializing)]
    pub wal: Switch,
    #[serde(deserialize_with = "null_as_default")]
    pub integrations: Integrations,
}

/// `global`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Global {
    #[serde(deserialize_with = "null_as_default")]
    pub file_watch_config: FileWatchConfig,
}

/// How often files are looked at. We keep to the shorter one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FileWatchConfig {
    pub min_poll_frequency: GoDuration,
    pub max_poll_frequency: GoDuration,
}

/// `positions`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PositionsConfig {
    pub filename: PathBuf,
    pub sync_period: GoDuration,
    pub ignore_invalid_yaml: bool,
}

/// `target_config`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TargetConfig {
    pub sync_period: GoDuration,
    #[serde(skip_serializing)]
    pub stdin: Inert,
}

/// `limits_config`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitsConfig {
    pub readline_rate_enabled: bool,
    /// Lines a second.
    pub readline_rate: f64,
    pub readline_burst: u32,
    pub readline_rate_drop: bool,
    /// 0: no bound.
    pub max_streams: usize,
    /// 0: no bound of the user's.
    pub max_line_size: ByteSize,
    pub max_line_size_truncate: bool,
}

/// A part that can be switched on, with keys of its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Switch {
    pub enabled: bool,
}

impl Default for FileWatchConfig {
    fn default() -> Self {
        let quarter = GoDuration(std::time::Duration::from_millis(250));
        Self { min_poll_frequency: quarter, max_poll_frequency: quarter }
    }
}

impl Default for PositionsConfig {
    fn default() -> Self {
        Self {
            filename: "/var/log/positions.yaml".into(),
            sync_period: GoDuration::from_secs(10),
            ignore_invalid_yaml: false,
        }
    }
}

impl Default for TargetConfig {
    fn default() -> Self {
        Self { sync_period: GoDuration::from_secs(10), stdin: Inert::default() }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            readline_rate_enabled: false,
            readline_rate: 10_000.0,
            readline_burst: 10_000,
            readline_rate_drop: true,
            max_streams: 0,
            max_line_size: ByteSize(0),
            max_line_size_truncate: false,
        }
    }
}
