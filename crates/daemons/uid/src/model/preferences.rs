//! How somebody likes it.

use serde::{Deserialize, Serialize};

/// Preferences of a user or of the organisation, in Grafana's shape; empty means not chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Preferences {
    /// `dark`, `light`, `system`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub theme: String,
    /// The dashboard to show first.
    #[serde(rename = "homeDashboardUID", skip_serializing_if = "String::is_empty")]
    pub home_dashboard_uid: String,
    /// `browser`, `utc` or a zone's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub timezone: String,
    /// `monday`, `saturday`, `sunday`, `browser`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub week_start: String,
    /// `en-US`, …
    #[serde(skip_serializing_if = "String::is_empty")]
    pub language: String,
}
