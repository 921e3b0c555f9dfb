//! The command line: Alertmanager's flags. Source: `alertmanager --help`.

use std::path::PathBuf;

use clap::Parser;
use config::{GoDuration, Warnings};
use notify::{Clock, SilenceLimits};
use routing::MatcherMode;
use service::{LogFormat, LogOptions};

use crate::{ConfigSource, Options};

/// Groups, mutes and delivers alerts: a drop-in for Alertmanager.
///
/// Reads alertmanager.yml as it is and speaks the API v2.
///
/// Example: alertd --config.file=/etc/alertmanager/alertmanager.yml --storage.path=/alertmanager
#[derive(Debug, Clone, Parser)]
#[command(name = "alertd", version)]
pub struct Flags {
    /// Alertmanager configuration file name.
    #[arg(long = "config.file", default_value = "alertmanager.yml", value_name = "FILE")]
    pub config_file: PathBuf,

    /// Base path for data storage.
    #[arg(long = "storage.path", default_value = "data/", value_name = "DIR")]
    pub storage_path: PathBuf,

    /// How long to keep data for.
    #[arg(long = "data.retention", default_value = "120h", value_name = "DURATION")]
    pub retention: GoDuration,

    /// Interval between snapshots (they are written at every change here: without effect).
    #[arg(long = "data.maintenance-interval", value_name = "DURATION", hide = true)]
    pub maintenance_interval: Option<GoDuration>,

    /// Maximum number of silences, including expired silences; 0 for any number.
    #[arg(
        long = "silences.max-silences",
        default_value_t = 0,
        value_name = "N",
        allow_negative_numbers = true
    )]
    pub max_silences: i64,

    /// Maximum size of a silence in bytes; 0 for any size.
    #[arg(
        long = "silences.max-silence-size-bytes",
        default_value_t = 0,
        value_name = "N",
        allow_negative_numbers = true
    )]
    pub max_silence_bytes: i64,

    /// Log changes of silences (not supported yet).
    #[arg(long = "log.silences", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set, hide = true)]
    pub log_silences: bool,

    /// Interval between removals of alerts that are over.
    #[arg(long = "alerts.gc-interval", default_value = "30m", value_name = "DURATION")]
    pub alert_gc_interval: GoDuration,

    /// Maximum number of alerts per alertname; 0 for any number.
    #[arg(
        long = "alerts.per-alertname-limit",
        default_value_t = 0,
        value_name = "N",
        allow_negative_numbers = true
    )]
    pub per_alertname_limit: i64,

    /// Interval between maintenance of groups (they are removed at once here: without effect).
    #[arg(long = "dispatch.maintenance-interval", value_name = "DURATION", hide = true)]
    pub dispatch_maintenance_interval: Option<GoDuration>,

    /// Minimum time to wait before the first notification after a start.
    #[arg(long = "dispatch.start-delay", default_value = "0s", value_name = "DURATION")]
    pub start_delay: GoDuration,

    /// Addresses on which to expose metrics and the API. Repeatable.
    #[arg(long = "web.listen-address", default_value = ":9093", value_name = "HOST:PORT")]
    pub listen_addresses: Vec<String>,

    /// File with TLS, users and headers for the API (web.yml).
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub web_config_file: Option<PathBuf>,

    /// The URL under which the daemon is externally reachable, for links in notifications.
    #[arg(long = "web.external-url", default_value = "", value_name = "URL")]
    pub external_url: String,

    /// Prefix for the internal routes. Defaults to the path of --web.external-url.
    #[arg(long = "web.route-prefix", value_name = "PATH")]
    pub route_prefix: Option<String>,

    /// Maximum number of GET requests processed concurrently; 0 for the number of processors, but at least 8.
    #[arg(
        long = "web.get-concurrency",
        default_value_t = 0,
        value_name = "N",
        allow_negative_numbers = true
    )]
    pub get_concurrency: i64,

    /// Timeout for HTTP requests (not supported yet).
    #[arg(long = "web.timeout", value_name = "DURATION", hide = true)]
    pub web_timeout: Option<GoDuration>,

    /// Use systemd socket activation (not supported yet).
    #[arg(long = "web.systemd-socket", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set, hide = true)]
    pub systemd_socket: bool,

    /// Fraction of memory for Go's collector (there is none here: without effect).
    #[arg(long = "auto-gomemlimit.ratio", value_name = "RATIO", hide = true)]
    pub gomemlimit_ratio: Option<String>,

    /// Feature names, separated by commas: classic-mode, utf8-strict-mode.
    #[arg(long = "enable-feature", value_name = "NAME", value_delimiter = ',')]
    pub enable_feature: Vec<String>,

    /// Listen address for cluster (clustering is not supported yet).
    #[arg(long = "cluster.listen-address", value_name = "HOST:PORT", hide = true)]
    pub cluster_listen_address: Option<String>,

    #[command(flatten)]
    pub(crate) cluster: ClusterFlags,

    /// Only log messages of this severity or above: debug, info, warn, error.
    #[arg(long = "log.level", default_value = "info", value_name = "LEVEL")]
    pub log_level: String,

    /// Form of log lines: logfmt or json.
    #[arg(long = "log.format", default_value = "logfmt", value_name = "FORMAT")]
    pub log_format: LogFormat,
}

macro_rules! cluster_flags {
    ($($field:ident: $name:literal;)*) => {
        /// The flags of the original's cluster: accepted, without effect.
        #[derive(Debug, Clone, Default, clap::Args)]
        pub(crate) struct ClusterFlags {
            $(
                #[arg(long = $name, value_name = "VALUE", hide = true)]
                $field: Vec<String>,
            )*
            #[arg(long = "cluster.allow-insecure-public-advertise-address-discovery", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide = true)]
            allow_insecure_advertise: Option<bool>,
        }

        impl ClusterFlags {
            /// The flags that are set.
            fn set(&self) -> impl Iterator<Item = &'static str> {
                [$(($name, !self.$field.is_empty())),*].into_iter().filter(|(_, set)| *set).map(|(name, _)| name)
            }
        }
    };
}

cluster_flags! {
    advertise_address: "cluster.advertise-address";
    peer_name: "cluster.peer-name";
    peer: "cluster.peer";
    peer_timeout: "cluster.peer-timeout";
    peers_resolve_timeout: "cluster.peers-resolve-timeout";
    gossip_interval: "cluster.gossip-interval";
    pushpull_interval: "cluster.pushpull-interval";
    tcp_timeout: "cluster.tcp-timeout";
    probe_timeout: "cluster.probe-timeout";
    probe_interval: "cluster.probe-interval";
    settle_timeout: "cluster.settle-timeout";
    reconnect_interval: "cluster.reconnect-interval";
    reconnect_timeout: "cluster.reconnect-timeout";
    tls_config: "cluster.tls-config";
    label: "cluster.label";
}

impl Flags {
    /// Where and how to log.
    pub(crate) fn log_options(&self) -> LogOptions {
        LogOptions { level: self.log_level.clone(), format: self.log_format }
    }

    /// Flags that are accepted but do not do what they say.
    pub(crate) fn warnings(&self) -> Warnings {
        const NOT_YET: &str = "not supported yet: the flag is accepted and has no effect";
        let mut warnings = Warnings::new();
        // An empty address switches the cluster off, and that is how it is here.
        let listens = self.cluster_listen_address.as_ref().is_some_and(|address| !address.is_empty());
        for name in listens.then_some("cluster.listen-address").into_iter().chain(self.cluster.set()) {
            warnings.push(format!("--{name}"), "not supported yet: clustering");
        }
        for (name, set) in [
            ("--log.silences", self.log_silences),
            ("--web.timeout", self.web_timeout.is_some_and(|timeout| !timeout.0.is_zero())),
            ("--web.systemd-socket", self.systemd_socket),
        ] {
            if set {
                warnings.push(name, NOT_YET);
            }
        }
        for feature in &self.enable_feature {
            if !matches!(feature.as_str(), "" | "classic-mode" | "utf8-strict-mode") {
                warnings.push("--enable-feature", format!("not supported yet: {feature}"));
            }
        }
        warnings
    }

    /// What the flags say.
    pub(crate) fn into_options(self) -> Result<Options, &'static str> {
        // Zero and less mean no limit.
        let limit = |number: i64| usize::try_from(number).unwrap_or(0);
        let has = |name: &str| self.enable_feature.iter().any(|feature| feature == name);
        let matcher_mode = match (has("classic-mode"), has("utf8-strict-mode")) {
            (true, true) => return Err("cannot use classic mode and utf8 strict mode at the same time"),
            (true, false) => MatcherMode::Classic,
            (false, true) => MatcherMode::Utf8Strict,
            (false, false) => MatcherMode::Fallback,
        };
        Ok(Options {
            config: ConfigSource::File(self.config_file),
            storage_path: self.storage_path,
            retention: self.retention.0,
            listen_addresses: self.listen_addresses,
            web_config_file: self.web_config_file.filter(|path| !path.as_os_str().is_empty()),
            external_url: self.external_url,
            route_prefix: self.route_prefix.filter(|prefix| !prefix.is_empty()),
            get_concurrency: limit(self.get_concurrency),
            alert_gc_interval: self.alert_gc_interval.0,
            per_alertname_limit: limit(self.per_alertname_limit),
            silence_limits: SilenceLimits {
                count: limit(self.max_silences),
                bytes: limit(self.max_silence_bytes),
            },
            start_delay: self.start_delay.0,
            matcher_mode,
            clock: Clock::system(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Flags {
        let arguments = ["alertd"].iter().chain(arguments).map(std::ffi::OsString::from);
        Flags::try_parse_from(service::normalize_arguments(arguments)).expect("valid flags")
    }

    #[test]
    fn takes_what_the_original_takes() {
        let flags = parse(&[
            "--config.file=/etc/alertmanager/alertmanager.yml",
            "--storage.path=/alertmanager",
            "--web.external-url=https://monitoring.plugged.in/alertmanager",
            "--web.listen-address=:9093",
            "--web.listen-address=[::1]:9094",
            "--data.retention=48h",
            "--silences.max-silences=-1",
            "--cluster.listen-address=",
        ]);
        assert!(flags.warnings().is_empty());
        let options = flags.into_options().expect("valid");
        assert_eq!(options.listen_addresses, [":9093", "[::1]:9094"]);
        assert_eq!(options.retention, std::time::Duration::from_secs(48 * 3600));
        assert_eq!(options.silence_limits.count, 0);
    }

    #[test]
    fn clustering_is_named_as_missing() {
        let flags =
            parse(&["--cluster.peer=a:9094", "--cluster.peer=b:9094", "--cluster.listen-address=:9094"]);
        let warnings: Vec<String> = flags.warnings().iter().map(ToString::to_string).collect();
        assert_eq!(
            warnings,
            [
                "--cluster.listen-address: not supported yet: clustering",
                "--cluster.peer: not supported yet: clustering",
            ]
        );
    }

    #[test]
    fn matcher_modes_exclude_each_other() {
        let mode = |features: &str| parse(&[&format!("--enable-feature={features}")]).into_options();
        assert_eq!(mode("classic-mode").expect("valid").matcher_mode, MatcherMode::Classic);
        assert!(mode("classic-mode,utf8-strict-mode").is_err());
    }
}
