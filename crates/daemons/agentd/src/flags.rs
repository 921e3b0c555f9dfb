//! The command line, Promtail's.

use std::{collections::BTreeMap, path::PathBuf};

use clap::Parser;

use crate::Overrides;

/// Follows log files and sends them to Loki; reports the machine's metrics.
#[derive(Debug, Clone, Parser)]
#[command(name = "agentd", version = service::Version::NUMBER, about, long_about = None)]
pub struct Flags {
    /// Configuration file; of several, separated by commas, the first that exists.
    #[arg(long = "config.file", default_value = "promtail.yaml,promtail.yml,config/promtail.yaml")]
    pub config_file: String,

    /// Expands `${VAR}` and `${VAR:-default}` in the configuration file.
    #[arg(long = "config.expand-env", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true")]
    pub expand_env: bool,

    /// Prints the configuration to standard error and goes on.
    #[arg(long = "print-config-stderr", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true")]
    pub print_config_stderr: bool,

    /// Logs the configuration and goes on.
    #[arg(long = "log-config-reverse-order", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true")]
    pub log_config: bool,

    /// Checks the configuration and ends.
    #[arg(long = "check-syntax", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true")]
    pub check_syntax: bool,

    /// Prints entries to standard output instead of sending them, and saves no positions.
    #[arg(long = "dry-run", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true")]
    pub dry_run: bool,

    /// Not supported yet: reads lines from standard input.
    #[arg(long = "stdin", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true")]
    pub stdin: bool,

    /// Not supported yet: shows what each stage changes.
    #[arg(long = "inspect", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true")]
    pub inspect: bool,

    /// Where to push, instead of the file's `clients`.
    #[arg(long = "client.url")]
    pub client_url: Option<String>,

    /// Tenant of `--client.url`.
    #[arg(long = "client.tenant-id")]
    pub client_tenant_id: Option<String>,

    /// Labels that every entry gets: `a=b,c=d`.
    #[arg(long = "client.external-labels", value_parser = parse_labels)]
    pub client_external_labels: Option<BTreeMap<String, String>>,

    /// Port of the HTTP server.
    #[arg(long = "server.http-listen-port")]
    pub http_listen_port: Option<u16>,

    /// Address of the HTTP server.
    #[arg(long = "server.http-listen-address")]
    pub http_listen_address: Option<String>,

    /// Accepted without effect: there is no gRPC server.
    #[arg(long = "server.grpc-listen-port", hide = true)]
    pub grpc_listen_port: Option<u16>,

    /// No HTTP server at all.
    #[arg(long = "server.disable", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true")]
    pub disable_server: bool,

    /// Lets `POST /reload` reload the configuration.
    #[arg(long = "server.enable-runtime-reload", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub enable_runtime_reload: Option<bool>,

    /// The positions file.
    #[arg(long = "positions.file")]
    pub positions_file: Option<PathBuf>,

    /// `debug`, `info`, `warn` or `error`.
    #[arg(long = "log.level", alias = "server.log-level")]
    pub log_level: Option<String>,

    /// `logfmt` or `json`.
    #[arg(long = "log.format", alias = "server.log-format")]
    pub log_format: Option<String>,
}

impl Flags {
    /// What the flags change about the configuration file.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            client_url: self.client_url.clone(),
            client_tenant_id: self.client_tenant_id.clone(),
            client_external_labels: self.client_external_labels.clone().unwrap_or_default(),
            http_listen_port: self.http_listen_port,
            http_listen_address: self.http_listen_address.clone(),
            disable_server: self.disable_server,
            enable_runtime_reload: self.enable_runtime_reload,
            positions_file: self.positions_file.clone(),
            dry_run: self.dry_run,
        }
    }

    /// The configuration file that is read.
    pub fn config_path(&self) -> PathBuf {
        let mut candidates = self.config_file.split(',').map(PathBuf::from);
        let first = candidates.clone().next().unwrap_or_default();
        candidates.find(|path| path.exists()).unwrap_or(first)
    }
}

fn parse_labels(text: &str) -> Result<BTreeMap<String, String>, String> {
    text.split(',')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) =
                pair.split_once('=').ok_or_else(|| format!("expected name=value, got {pair:?}"))?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect()
}
