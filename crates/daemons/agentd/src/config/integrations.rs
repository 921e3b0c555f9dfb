//! `integrations`: what Promtail does not have. Each stands in for an exporter.

use std::path::PathBuf;

use ::config::null_as_default;
use serde::{Deserialize, Serialize};

/// The block.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Integrations {
    #[serde(deserialize_with = "null_as_default")]
    pub node: NodeIntegration,
}

/// The machine's metrics, as node_exporter gives them: at `/metrics/node` of the agent's own server, and on a port of their own if asked for.
/// `flags` are node_exporter's, without the dashes.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NodeIntegration {
    pub enabled: bool,
    /// Such as `:9100`: `/metrics` there is node_exporter's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen_address: Option<String>,
    /// `web.yml` with TLS and users for that port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_config: Option<PathBuf>,
    #[serde(rename = "path.procfs", skip_serializing_if = "Option::is_none")]
    pub procfs: Option<PathBuf>,
    #[serde(rename = "path.sysfs", skip_serializing_if = "Option::is_none")]
    pub sysfs: Option<PathBuf>,
    #[serde(rename = "path.rootfs", skip_serializing_if = "Option::is_none")]
    pub rootfs: Option<PathBuf>,
    /// More of node_exporter's flags: `collector.textfile.directory: /var/lib/node`, `no-collector.netclass: true`.
    #[serde(deserialize_with = "null_as_default")]
    pub flags: std::collections::BTreeMap<String, FlagValue>,
}

/// A flag's value.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum FlagValue {
    Switch(bool),
    Number(u64),
    Text(String),
}

impl std::fmt::Display for FlagValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Switch(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
        }
    }
}
