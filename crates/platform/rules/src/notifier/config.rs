//! The `alerting` section: its shape in the file, and what it means.

use std::{path::Path, path::PathBuf, time::Duration};

use client::HttpClientConfig;
use config::{Inert, PromDuration, null_as_default};
use discovery::DiscoveryConfigs;
use relabel::{RelabelConfig, Rule};
use serde::{Deserialize, Serialize};

discovery::discovery_shape! {
    /// One entry of `alerting.alertmanagers`, as written.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct AlertmanagerConfig {
        /// `http` unless set.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub scheme: Option<String>,
        /// Before `/api/v2/alerts`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub path_prefix: Option<String>,
        /// 10 s unless set.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub timeout: Option<PromDuration>,
        /// Only `v2`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub api_version: Option<String>,
        /// AWS signatures: not supported yet.
        #[serde(skip_serializing)]
        pub sigv4: Inert,
        /// Rules for the Alertmanagers found.
        #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
        pub relabel_configs: Vec<RelabelConfig>,
        /// Rules for the alerts sent to these Alertmanagers.
        #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
        pub alert_relabel_configs: Vec<RelabelConfig>,
    }
}

/// A checked `alerting` section.
#[derive(Debug, Clone, Default)]
pub struct NotifierConfig {
    pub(crate) alert_relabel: Vec<Rule>,
    pub(crate) alertmanagers: Vec<Checked>,
}

/// A checked entry of `alertmanagers`.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub scheme: String,
    pub path_prefix: String,
    pub timeout: Duration,
    pub relabel: Vec<Rule>,
    pub alert_relabel: Vec<Rule>,
    pub http: HttpClientConfig,
    pub discovery: DiscoveryConfigs,
    pub base_dir: PathBuf,
}

/// Why an `alerting` section does not hold.
#[derive(Debug, thiserror::Error)]
pub enum NotifierConfigError {
    /// A value.
    #[error("alerting: {0}")]
    Invalid(String),
    /// A relabelling rule.
    #[error("alerting: {key}[{at}]")]
    Relabel {
        /// Which list.
        key: &'static str,
        /// Which rule, from 0.
        at: usize,
        /// What is wrong.
        source: relabel::RelabelError,
    },
    /// The HTTP client's settings.
    #[error("alerting: alertmanagers")]
    Http(#[from] client::HttpClientConfigError),
    /// Discovery settings.
    #[error("alerting: alertmanagers")]
    Discovery(#[from] discovery::DiscoveryError),
}

impl NotifierConfig {
    /// Checks `alert_relabel_configs` and `alertmanagers`. Paths are relative to `base_dir`.
    pub fn check(
        alert_relabel: &[RelabelConfig],
        alertmanagers: &[AlertmanagerConfig],
        base_dir: &Path,
    ) -> Result<Self, NotifierConfigError> {
        Ok(Self {
            alert_relabel: compile("alert_relabel_configs", alert_relabel)?,
            alertmanagers: alertmanagers
                .iter()
                .map(|block| block.check(base_dir))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl AlertmanagerConfig {
    fn check(&self, base_dir: &Path) -> Result<Checked, NotifierConfigError> {
        match self.api_version.as_deref() {
            None | Some("" | "v2") => {}
            Some(other) => {
                return Err(NotifierConfigError::Invalid(format!(
                    "expected Alertmanager api version to be one of [v2] but got {other}"
                )));
            }
        }
        if self.sigv4.is_set() {
            return Err(NotifierConfigError::Invalid("not supported yet: sigv4".into()));
        }
        let http = self.http_client();
        http.check()?;
        let mut discovery = self.discovery();
        discovery.check()?;
        discovery.resolve_paths(base_dir);
        let text = |set: &Option<String>, default: &str| {
            set.clone().filter(|set| !set.is_empty()).unwrap_or_else(|| default.into())
        };
        Ok(Checked {
            scheme: text(&self.scheme, "http"),
            path_prefix: text(&self.path_prefix, "/"),
            timeout: self.timeout.map_or(Duration::from_secs(10), |set| set.0),
            relabel: compile("relabel_configs", &self.relabel_configs)?,
            alert_relabel: compile("alert_relabel_configs", &self.alert_relabel_configs)?,
            http,
            discovery,
            base_dir: base_dir.to_owned(),
        })
    }
}

fn compile(key: &'static str, configs: &[RelabelConfig]) -> Result<Vec<Rule>, NotifierConfigError> {
    configs
        .iter()
        .enumerate()
        .map(|(at, config)| {
            config.compile().map_err(|source| NotifierConfigError::Relabel { key, at, source })
        })
        .collect()
}
