//! The file, key for key. Source: Alertmanager docs/configuration.md.

use std::collections::{BTreeMap, HashMap};

use client::{HeaderValues, TlsConfig};
use config::{Inert, PromDuration, Warnings, null_as_default};
use notify::{GlobalConfig, ReceiverFile};
use routing::{InhibitRuleFile, RouteFile, TimeInterval};
use serde::{Deserialize, Serialize};

/// The whole file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AlertmanagerFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global: Option<GlobalConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteFile>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub inhibit_rules: Vec<InhibitRuleFile>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub receivers: Vec<ReceiverFile>,
    #[serde(deserialize_with = "null_as_default")]
    pub templates: Vec<String>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub mute_time_intervals: Vec<NamedInterval>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub time_intervals: Vec<NamedInterval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracing: Option<TracingFile>,
    #[serde(skip_serializing)]
    pub event_recorder: Inert,
}

/// An entry of `time_intervals`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NamedInterval {
    name: String,
    #[serde(deserialize_with = "null_as_default")]
    time_intervals: Vec<TimeInterval>,
}

/// `tracing`: not supported yet.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TracingFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    client_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sampling_fraction: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    insecure: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_config: Option<TlsConfig>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, HeaderValues>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<PromDuration>,
}

impl AlertmanagerFile {
    pub fn warn(&self, warnings: &mut Warnings) {
        if self.tracing.is_some() {
            warnings.push("tracing", "not supported yet: the section is accepted and has no effect");
        }
        warnings.not_acted_on("event_recorder", &self.event_recorder);
        if !self.mute_time_intervals.is_empty() {
            warnings.push("mute_time_intervals", "deprecated: name the section `time_intervals`");
        }
    }

    /// Both sections of time intervals, by name.
    pub fn named_intervals(&self) -> Result<HashMap<String, Vec<TimeInterval>>, String> {
        let mut named = HashMap::new();
        for (what, section) in
            [("mute time interval", &self.mute_time_intervals), ("time interval", &self.time_intervals)]
        {
            for NamedInterval { name, time_intervals } in section {
                if name.is_empty() {
                    return Err(format!("missing name in {what}"));
                }
                if named.insert(name.clone(), time_intervals.clone()).is_some() {
                    return Err(format!("{what} {name:?} is not unique"));
                }
            }
        }
        Ok(named)
    }
}
