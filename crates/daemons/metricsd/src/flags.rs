//! The command line: Prometheus' flags. Source: Prometheus docs/command-line/prometheus.md.

use std::path::PathBuf;

use clap::Parser;
use config::{ByteSize, PromDuration};
use service::{LogFormat, LogOptions};

/// Collects, stores and queries metrics: a drop-in for Prometheus.
///
/// Reads prometheus.yml and rule files as they are, keeps its data in Prometheus' own format, and speaks its HTTP API.
///
/// Example: metricsd --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/prometheus
#[derive(Debug, Clone, Parser)]
#[command(name = "metricsd", version)]
pub struct Flags {
    /// Prometheus configuration file path.
    #[arg(long = "config.file", default_value = "prometheus.yml", value_name = "FILE")]
    pub config_file: PathBuf,

    /// Address to listen on for the API and metrics.
    #[arg(long = "web.listen-address", default_value = "0.0.0.0:9090", value_name = "HOST:PORT")]
    pub listen_address: String,

    /// File with TLS, users and headers for the API (web.yml).
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub web_config_file: Option<PathBuf>,

    /// Maximum number of simultaneous connections.
    #[arg(long = "web.max-connections", default_value_t = 512, value_name = "N")]
    pub max_connections: usize,

    /// The URL under which the daemon is externally reachable, for links in alerts.
    #[arg(long = "web.external-url", default_value = "", value_name = "URL")]
    pub external_url: String,

    /// Prefix for the internal routes. Defaults to the path of --web.external-url.
    #[arg(long = "web.route-prefix", value_name = "PATH")]
    pub route_prefix: Option<String>,

    /// Enable shutdown and reload via HTTP.
    #[arg(long = "web.enable-lifecycle", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub enable_lifecycle: bool,

    /// Enable the admin API: deleting series, snapshots.
    #[arg(long = "web.enable-admin-api", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub enable_admin_api: bool,

    /// Take samples by remote write on /api/v1/write.
    #[arg(long = "web.enable-remote-write-receiver", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub enable_remote_write_receiver: bool,

    /// Most samples that remote read returns for a query, 0 for no limit. Streamed chunks have none.
    #[arg(long = "storage.remote.read-sample-limit", default_value_t = 50_000_000, value_name = "N")]
    pub remote_read_sample_limit: u64,

    /// Most remote reads that are answered at a time; others wait.
    #[arg(long = "storage.remote.read-concurrent-limit", default_value_t = 10, value_name = "N")]
    pub remote_read_concurrent_limit: usize,

    /// Bytes of a frame of streamed chunks, before it is sent.
    #[arg(long = "storage.remote.read-max-bytes-in-frame", default_value_t = 1 << 20, value_name = "BYTES")]
    pub remote_read_max_bytes_in_frame: usize,

    /// Most results of a request to the search API, 0 for no limit.
    #[arg(long = "web.search.max-limit", default_value_t = 10_000, value_name = "N")]
    pub search_max_limit: usize,

    /// Most clients that follow notifications live.
    #[arg(long = "web.max-notifications-subscribers", default_value_t = 16, value_name = "N")]
    pub max_notifications_subscribers: usize,

    /// Regex for allowed origins of cross-origin requests, anchored.
    #[arg(long = "web.cors.origin", default_value = ".*", value_name = "REGEX")]
    pub cors_origin: String,

    /// Title of the web pages (there are none here: without effect).
    #[arg(long = "web.page-title", value_name = "TITLE", hide = true)]
    pub page_title: Option<String>,

    /// Console templates (there are none here: without effect).
    #[arg(long = "web.console.templates", value_name = "DIR", hide = true)]
    pub console_templates: Option<PathBuf>,

    /// Console libraries (there are none here: without effect).
    #[arg(long = "web.console.libraries", value_name = "DIR", hide = true)]
    pub console_libraries: Option<PathBuf>,

    /// Path for the database.
    #[arg(long = "storage.tsdb.path", default_value = "data/", value_name = "DIR")]
    pub storage_path: PathBuf,

    /// How long to retain samples. Default: 15d.
    #[arg(long = "storage.tsdb.retention.time", value_name = "DURATION")]
    pub retention_time: Option<PromDuration>,

    /// Maximum size of all blocks together; 0 means any.
    #[arg(long = "storage.tsdb.retention.size", value_name = "SIZE")]
    pub retention_size: Option<ByteSize>,

    /// Range of the first blocks.
    #[arg(
        long = "storage.tsdb.min-block-duration",
        default_value = "2h",
        value_name = "DURATION",
        hide = true
    )]
    pub min_block_duration: PromDuration,

    /// Size at which a segment of the write-ahead log is ended.
    #[arg(long = "storage.tsdb.wal-segment-size", value_name = "SIZE", hide = true)]
    pub wal_segment_size: Option<ByteSize>,

    /// Widest range of merged blocks. Default: a tenth of the retention time, at most 31d.
    #[arg(long = "storage.tsdb.max-block-duration", value_name = "DURATION", hide = true)]
    pub max_block_duration: Option<PromDuration>,

    /// Compress the write-ahead log.
    #[arg(long = "storage.tsdb.wal-compression", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true, action = clap::ArgAction::Set)]
    pub compress_wal: bool,

    /// How the write-ahead log is compressed: snappy or zstd.
    #[arg(long = "storage.tsdb.wal-compression-type", default_value = "snappy", value_name = "TYPE")]
    pub wal_compression_type: WalCompression,

    /// Number of chunks queued before they are written to `chunks_head` (without effect: the queue is bounded by itself).
    #[arg(long = "storage.tsdb.head-chunks-write-queue-size", value_name = "N", hide = true)]
    pub head_chunks_write_queue_size: Option<u64>,

    /// Overlapping blocks are always merged here (without effect).
    #[arg(long = "storage.tsdb.allow-overlapping-blocks", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set, hide = true)]
    pub allow_overlapping_blocks: Option<bool>,

    /// Overlapping blocks are always merged here (without effect).
    #[arg(long = "storage.tsdb.allow-overlapping-compaction", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set, hide = true)]
    pub allow_overlapping_compaction: Option<bool>,

    /// Samples a chunk aims at (without effect: 120, as the original has it).
    #[arg(long = "storage.tsdb.samples-per-chunk", value_name = "N", hide = true)]
    pub samples_per_chunk: Option<u32>,

    /// Do not lock the data directory.
    #[arg(long = "storage.tsdb.no-lockfile", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub no_lockfile: bool,

    /// Most series held in memory; new ones are refused above it, known ones go on. 0 means any. (Not a flag of the original.)
    #[arg(long = "storage.tsdb.max-series", default_value_t = 0, value_name = "N")]
    pub max_series: u64,

    /// Maximum lookback for retrieving samples.
    #[arg(long = "query.lookback-delta", default_value = "5m", value_name = "DURATION")]
    pub lookback_delta: PromDuration,

    /// Maximum time a query may take.
    #[arg(long = "query.timeout", default_value = "2m", value_name = "DURATION")]
    pub query_timeout: PromDuration,

    /// Maximum number of queries executed concurrently.
    #[arg(long = "query.max-concurrency", default_value_t = 20, value_name = "N")]
    pub max_concurrency: usize,

    /// Maximum number of samples a query may hold in memory.
    #[arg(long = "query.max-samples", default_value_t = 50_000_000, value_name = "N")]
    pub max_samples: usize,

    /// Maximum memory a query may take for samples and labels, like 512MB; without it, only samples are bounded.
    #[arg(long = "query.max-bytes", value_name = "SIZE")]
    pub query_max_bytes: Option<ByteSize>,

    /// Maximum time the daemon may have been down for alerts to find their "for" state again.
    #[arg(long = "rules.alert.for-outage-tolerance", default_value = "1h", value_name = "DURATION")]
    pub for_outage_tolerance: PromDuration,

    /// Minimum time an alert stays pending after a restart.
    #[arg(long = "rules.alert.for-grace-period", default_value = "10m", value_name = "DURATION")]
    pub for_grace_period: PromDuration,

    /// Minimum time before a firing alert is sent to Alertmanager again.
    #[arg(long = "rules.alert.resend-delay", default_value = "1m", value_name = "DURATION")]
    pub resend_delay: PromDuration,

    /// Maximum number of rule groups evaluated concurrently.
    #[arg(long = "rules.max-concurrent-evals", default_value_t = 4, value_name = "N")]
    pub max_concurrent_evals: usize,

    /// Capacity of the queue for alerts to Alertmanager.
    #[arg(long = "alertmanager.notification-queue-capacity", default_value_t = 10_000, value_name = "N")]
    pub notification_queue_capacity: usize,

    /// Maximum number of alerts in one request to Alertmanager.
    #[arg(long = "alertmanager.notification-batch-size", default_value_t = 256, value_name = "N")]
    pub notification_batch_size: usize,

    /// Feature names, separated by commas.
    #[arg(long = "enable-feature", value_name = "NAME", value_delimiter = ',')]
    pub enable_feature: Vec<String>,

    /// Only log messages of this severity or above: debug, info, warn, error.
    #[arg(long = "log.level", default_value = "info", value_name = "LEVEL")]
    pub log_level: String,

    /// Form of log lines: logfmt or json.
    #[arg(long = "log.format", default_value = "logfmt", value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// How records of the write-ahead log are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum WalCompression {
    /// About half the size at next to no cost.
    Snappy,
    /// Smaller and dearer.
    Zstd,
}

impl Flags {
    /// How the database compresses its log.
    pub(crate) fn wal_compression(&self) -> tsdb::Compression {
        match self.wal_compression_type {
            _ if !self.compress_wal => tsdb::Compression::None,
            WalCompression::Snappy => tsdb::Compression::Snappy,
            WalCompression::Zstd => tsdb::Compression::Zstd,
        }
    }

    /// Whether exemplars are kept.
    pub(crate) fn keeps_exemplars(&self) -> bool {
        self.enable_feature.iter().any(|name| name == "exemplar-storage")
    }

    /// Flags of the original that were given and change nothing here, each with the reason.
    pub(crate) fn without_effect(&self) -> Vec<(&'static str, &'static str)> {
        const OVERLAPPING: &str = "without effect: overlapping blocks are always taken and merged";
        let given = [
            (
                "storage.tsdb.head-chunks-write-queue-size",
                self.head_chunks_write_queue_size.is_some(),
                "without effect: chunks wait in memory of bounded size",
            ),
            ("storage.tsdb.allow-overlapping-blocks", self.allow_overlapping_blocks.is_some(), OVERLAPPING),
            (
                "storage.tsdb.allow-overlapping-compaction",
                self.allow_overlapping_compaction.is_some(),
                OVERLAPPING,
            ),
            (
                "storage.tsdb.samples-per-chunk",
                self.samples_per_chunk.is_some(),
                "without effect: a chunk aims at 120 samples",
            ),
        ];
        given.into_iter().filter(|(_, set, _)| *set).map(|(name, _, text)| (name, text)).collect()
    }

    /// Where and how to log.
    pub(crate) fn log_options(&self) -> LogOptions {
        LogOptions { level: self.log_level.clone(), format: self.log_format }
    }

    /// All flags with their values, as `/api/v1/status/flags` shows them.
    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let path = |path: &std::path::Path| path.display().to_string();
        vec![
            ("alertmanager.notification-batch-size", self.notification_batch_size.to_string()),
            ("alertmanager.notification-queue-capacity", self.notification_queue_capacity.to_string()),
            ("config.file", path(&self.config_file)),
            ("enable-feature", self.enable_feature.join(",")),
            ("log.level", self.log_level.clone()),
            ("query.lookback-delta", self.lookback_delta.to_string()),
            ("query.max-bytes", self.query_max_bytes.unwrap_or_default().to_string()),
            ("query.max-concurrency", self.max_concurrency.to_string()),
            ("query.max-samples", self.max_samples.to_string()),
            ("query.timeout", self.query_timeout.to_string()),
            ("rules.alert.for-grace-period", self.for_grace_period.to_string()),
            ("rules.alert.for-outage-tolerance", self.for_outage_tolerance.to_string()),
            ("rules.alert.resend-delay", self.resend_delay.to_string()),
            ("rules.max-concurrent-evals", self.max_concurrent_evals.to_string()),
            ("storage.remote.read-concurrent-limit", self.remote_read_concurrent_limit.to_string()),
            ("storage.remote.read-max-bytes-in-frame", self.remote_read_max_bytes_in_frame.to_string()),
            ("storage.remote.read-sample-limit", self.remote_read_sample_limit.to_string()),
            (
                "storage.tsdb.max-block-duration",
                self.max_block_duration.map(|set| set.to_string()).unwrap_or_default(),
            ),
            ("storage.tsdb.max-series", self.max_series.to_string()),
            ("storage.tsdb.min-block-duration", self.min_block_duration.to_string()),
            ("storage.tsdb.no-lockfile", self.no_lockfile.to_string()),
            ("storage.tsdb.path", path(&self.storage_path)),
            ("storage.tsdb.retention.size", self.retention_size.unwrap_or_default().to_string()),
            ("storage.tsdb.retention.time", self.retention_time.unwrap_or_default().to_string()),
            ("storage.tsdb.wal-compression", self.compress_wal.to_string()),
            (
                "storage.tsdb.wal-compression-type",
                match self.wal_compression_type {
                    WalCompression::Snappy => "snappy".to_owned(),
                    WalCompression::Zstd => "zstd".to_owned(),
                },
            ),
            ("web.config.file", self.web_config_file.as_deref().map(path).unwrap_or_default()),
            ("web.cors.origin", self.cors_origin.clone()),
            ("web.enable-admin-api", self.enable_admin_api.to_string()),
            ("web.enable-lifecycle", self.enable_lifecycle.to_string()),
            ("web.enable-remote-write-receiver", self.enable_remote_write_receiver.to_string()),
            ("web.external-url", self.external_url.clone()),
            ("web.listen-address", self.listen_address.clone()),
            ("web.max-connections", self.max_connections.to_string()),
            ("web.max-notifications-subscribers", self.max_notifications_subscribers.to_string()),
            ("web.route-prefix", self.route_prefix.clone().unwrap_or_default()),
            ("web.search.max-limit", self.search_max_limit.to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Flags {
        let arguments = ["metricsd"].iter().chain(arguments).map(std::ffi::OsString::from);
        Flags::try_parse_from(service::normalize_arguments(arguments)).expect("valid flags")
    }

    #[test]
    fn takes_what_the_original_takes() {
        let flags = parse(&[
            "--config.file=/etc/prometheus/prometheus.yml",
            "--storage.tsdb.path=/prometheus",
            "--storage.tsdb.retention.time=15d",
            "--web.console.libraries=/usr/share/prometheus/console_libraries",
            "--web.console.templates=/usr/share/prometheus/consoles",
            "--web.enable-lifecycle",
            "--web.external-url=https://monitoring.plugged.in/prometheus",
            "--web.route-prefix=/",
            "--storage.tsdb.wal-compression-type=zstd",
            "--storage.tsdb.max-block-duration=2h",
            "--storage.tsdb.allow-overlapping-blocks",
            "--storage.tsdb.head-chunks-write-queue-size=10000",
        ]);
        assert_eq!(flags.wal_compression(), tsdb::Compression::Zstd);
        assert_eq!(flags.without_effect().len(), 2);
        assert_eq!(parse(&["--no-storage.tsdb.wal-compression"]).wal_compression(), tsdb::Compression::None);
        assert!(flags.enable_lifecycle);
        assert_eq!(flags.retention_time, Some(PromDuration::from_secs(15 * 86_400)));
        assert!(!parse(&["-web.enable-lifecycle=false"]).enable_lifecycle);
    }

    #[test]
    fn every_flag_is_shown_in_order() {
        let names: Vec<_> = parse(&[]).shown().into_iter().map(|(name, _)| name).collect();
        assert!(names.is_sorted());
    }
}
