//! What receivers are built with.

use std::{path::Path, sync::Arc, time::Duration};

use client::{BuildError, ClientOptions, HttpClient, HttpClientConfig};

use crate::Templates;

use super::GlobalConfig;

/// Longest a request may take where nothing else bounds it; a flush ends it earlier.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(300);

/// What all receivers share.
#[derive(Debug, Clone)]
pub struct BuildContext<'a> {
    /// The section `global`.
    pub global: &'a GlobalConfig,
    /// Paths are relative to this folder.
    pub base_dir: &'a Path,
    /// The templates of the configuration.
    pub templates: &'a Templates,
    /// The `User-Agent` of requests.
    pub user_agent: &'a str,
}

/// Why a receiver does not hold.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct ReceiverError {
    text: String,
    source: Option<Arc<BuildError>>,
}

impl ReceiverError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), source: None }
    }

    pub(super) fn in_entry(mut self, key: &str, index: usize) -> Self {
        self.text = format!("{key}[{index}]: {}", self.text);
        self
    }
}

impl BuildContext<'_> {
    /// The client of an entry: by its own settings, or those of `global`.
    pub(super) fn client(&self, own: Option<&HttpClientConfig>) -> Result<HttpClient, ReceiverError> {
        let default = HttpClientConfig::default();
        let config = own.or(self.global.http_config.as_ref()).unwrap_or(&default);
        let options = ClientOptions {
            timeout: REQUEST_TIMEOUT,
            user_agent: self.user_agent.to_owned(),
            base_dir: self.base_dir.to_owned(),
        };
        HttpClient::new(config, &options).map_err(|error| ReceiverError {
            text: "cannot make the HTTP client".into(),
            source: Some(Arc::new(error)),
        })
    }
}

/// Whether entries under this key are delivered.
pub(super) fn is_supported(key: &str) -> bool {
    matches!(key, "webhook_configs")
}
