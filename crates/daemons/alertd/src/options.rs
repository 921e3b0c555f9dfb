//! How the daemon runs, whatever its configuration file says.

use std::{path::PathBuf, time::Duration};

use notify::{Clock, SilenceLimits};
use routing::MatcherMode;

use crate::ConfigSource;

/// What [`crate::App::with_options`] needs. The defaults are those of the flags.
#[derive(Debug, Clone)]
pub struct Options {
    /// The configuration.
    pub config: ConfigSource,
    /// The folder for silences and the notification log.
    pub storage_path: PathBuf,
    /// How long expired silences, and notifications at most, are remembered.
    pub retention: Duration,
    /// `host:port` or `:port`, one or more.
    pub listen_addresses: Vec<String>,
    /// The `web.yml` with TLS, users and headers.
    pub web_config_file: Option<PathBuf>,
    /// Where the daemon is reached from outside; empty for this host's name and the first port.
    pub external_url: String,
    /// The path before all routes; that of the external URL unless set.
    pub route_prefix: Option<String>,
    /// Most GET requests at a time; 0 for as many as there are processors, but at least 8.
    pub get_concurrency: usize,
    /// How often alerts that are over are forgotten.
    pub alert_gc_interval: Duration,
    /// Most alerts of one name; 0 for any number.
    pub per_alertname_limit: usize,
    /// How many and how large silences may be.
    pub silence_limits: SilenceLimits,
    /// How long after the start nothing is sent.
    pub start_delay: Duration,
    /// How matchers are written.
    pub matcher_mode: MatcherMode,
    /// What time it is.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            config: ConfigSource::File("alertmanager.yml".into()),
            storage_path: "data/".into(),
            retention: Duration::from_secs(120 * 3600),
            listen_addresses: vec![":9093".into()],
            web_config_file: None,
            external_url: String::new(),
            route_prefix: None,
            get_concurrency: 0,
            alert_gc_interval: Duration::from_secs(30 * 60),
            per_alertname_limit: 0,
            silence_limits: SilenceLimits::default(),
            start_delay: Duration::ZERO,
            matcher_mode: MatcherMode::default(),
            clock: Clock::system(),
        }
    }
}
