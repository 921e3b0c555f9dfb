//! The configuration: Promtail's file shape for shape, then what it means.

mod client;
mod file;
mod integrations;
mod scrape;
mod server;
mod settings;

use std::path::Path;

use ::config::{ConfigError, ExpandError, SourceFile, expand_defaults, process_environment};

pub use settings::{Overrides, Settings};
pub(crate) use {
    file::File,
    integrations::NodeIntegration,
    settings::{Client, Limits, Transport},
};

/// Why a configuration does not hold.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read or is not of the right shape.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// An environment variable that it needs is missing.
    #[error("cannot expand variables in `{path}`")]
    Expand {
        /// The file.
        path: String,
        /// The cause.
        source: ExpandError,
    },
    /// A value does not hold.
    #[error("{path}: {key}")]
    Value {
        /// The file.
        path: String,
        /// The key, as a path.
        key: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Reads a configuration file and checks what it says.
pub fn load(path: &Path, expand_env: bool, overrides: &Overrides) -> Result<Settings, LoadError> {
    let source = SourceFile::read(path)?;
    load_text(source, expand_env, overrides)
}

/// As [`load`] for a text that is already there.
pub(crate) fn load_text(
    mut source: SourceFile,
    expand_env: bool,
    overrides: &Overrides,
) -> Result<Settings, LoadError> {
    if expand_env {
        source.text = expand_defaults(&source.text, process_environment)
            .map_err(|error| LoadError::Expand { path: source.path.display().to_string(), source: error })?;
    }
    let file: File = source.parse()?;
    Settings::new(file, &source.path, overrides).map_err(|(key, error)| LoadError::Value {
        path: source.path.display().to_string(),
        key,
        source: error,
    })
}

/// `server.log_level` of a file, whatever else it says.
pub(crate) fn log_level(text: &str) -> Option<String> {
    let value: serde_yaml::Value = serde_yaml::from_str(text).ok()?;
    let level = value.get("server")?.get("log_level")?.as_str()?;
    ["debug", "info", "warn", "error"].contains(&level).then(|| level.to_owned())
}
