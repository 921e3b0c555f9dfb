//! The command line.

use std::path::PathBuf;

use clap::Parser;
use service::LogFormat;

/// Runs the whole observability stack in one process: metrics, logs, alerts, dashboards, agent and proxy.
///
/// Everything lies in one data directory. Configuration files are generated there at every start, in the formats of Prometheus, Loki,
/// Promtail, Alertmanager, Traefik and Grafana; a file of the same name in the configuration directory is used instead.
///
/// Example: stackd --data.dir=/var/lib/stackd
#[derive(Debug, Clone, Parser)]
#[command(name = "stackd", version)]
pub struct Flags {
    /// Where all data lies.
    #[arg(long = "data.dir", default_value = "data", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Where configuration files of your own lie. Default: config/ in the data directory.
    #[arg(long = "config.dir", value_name = "DIR")]
    pub config_dir: Option<PathBuf>,

    /// Address on which all daemons listen. Only the proxy asks for passwords everywhere: keep to loopback, or use a firewall.
    #[arg(long = "listen.host", default_value = "127.0.0.1", value_name = "HOST")]
    pub host: String,

    /// Port of metricsd (Prometheus' API).
    #[arg(long = "port.metricsd", default_value_t = 9090, value_name = "PORT")]
    pub metricsd: u16,

    /// Port of alertd (Alertmanager's API).
    #[arg(long = "port.alertd", default_value_t = 9093, value_name = "PORT")]
    pub alertd: u16,

    /// Port of logd (Loki's API).
    #[arg(long = "port.logd", default_value_t = 3100, value_name = "PORT")]
    pub logd: u16,

    /// Port of logd's gRPC push service; 0 switches it off.
    #[arg(long = "port.logd-grpc", default_value_t = 9095, value_name = "PORT")]
    pub logd_grpc: u16,

    /// Port of agentd.
    #[arg(long = "port.agentd", default_value_t = 9080, value_name = "PORT")]
    pub agentd: u16,

    /// Port of uid (Grafana's API and the web app).
    #[arg(long = "port.uid", default_value_t = 3000, value_name = "PORT")]
    pub uid: u16,

    /// Port of proxyd for HTTP. Default: 80 for root, else 8000.
    #[arg(long = "port.http", value_name = "PORT")]
    pub http: Option<u16>,

    /// Port of proxyd for HTTPS. Default: 443 for root, else 8443.
    #[arg(long = "port.https", value_name = "PORT")]
    pub https: Option<u16>,

    /// Port of proxyd's own API and metrics. Default: 8080 for root, else 8088.
    #[arg(long = "port.proxyd", value_name = "PORT")]
    pub proxyd: Option<u16>,

    /// Log files to follow, as a pattern; may be given several times.
    #[arg(long = "logs.path", default_value = "/var/log/**/*.log", value_name = "PATTERN")]
    pub logs_path: Vec<String>,

    /// How often targets are scraped and rules evaluated, as Prometheus writes durations.
    #[arg(long = "scrape.interval", default_value = "5s", value_name = "DURATION")]
    pub scrape_interval: config::PromDuration,

    /// Webhook to which alerts are sent.
    #[arg(long = "alerts.webhook", value_name = "URL")]
    pub alerts_webhook: Option<String>,

    /// Only log messages of this severity or above: debug, info, warn, error.
    #[arg(long = "log.level", default_value = "info", value_name = "LEVEL")]
    pub log_level: String,

    /// Form of log lines: logfmt or json.
    #[arg(long = "log.format", default_value = "logfmt", value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// The ports in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    pub metricsd: u16,
    pub alertd: u16,
    pub logd: u16,
    pub logd_grpc: u16,
    pub agentd: u16,
    pub uid: u16,
    pub http: u16,
    pub https: u16,
    pub proxyd: u16,
}

impl Flags {
    /// The ports in force; `is_root` says whether the low ones can be had.
    pub(crate) fn ports(&self, is_root: bool) -> Ports {
        let or = |set: Option<u16>, root: u16, other: u16| set.unwrap_or(if is_root { root } else { other });
        Ports {
            metricsd: self.metricsd,
            alertd: self.alertd,
            logd: self.logd,
            logd_grpc: self.logd_grpc,
            agentd: self.agentd,
            uid: self.uid,
            http: or(self.http, 80, 8000),
            https: or(self.https, 443, 8443),
            proxyd: or(self.proxyd, 8080, 8088),
        }
    }
}
