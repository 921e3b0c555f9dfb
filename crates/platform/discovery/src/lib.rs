//! Service discovery: where targets come from, for scraping, for Alertmanagers and for log files.
//!
//! Each kind of discovery is one file that produces [`TargetGroup`]s; [`Discovery`] runs the kinds a block names and publishes all their
//! groups together. Kinds that are known but not there yet are named by [`DiscoveryConfigs::check`].
//! Source: Prometheus docs/configuration, `*_sd_config`.

#![forbid(unsafe_code)]

mod configs;
mod file;
mod run;
mod static_config;

#[cfg(test)]
mod tests;

pub use configs::{DiscoveryConfigs, DiscoveryError, set_keys};
pub use file::FileSdConfig;
pub use run::{Discovery, Groups};
pub use static_config::StaticConfig;

use model::Labels;

/// Targets that share labels and a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroup {
    /// Names the group among those of one discovery: the file it came from, the number in the configuration.
    pub source: String,
    /// One label set a target; `__address__` says where it is.
    pub targets: Vec<Labels>,
    /// Labels that all its targets have.
    pub labels: Labels,
}
