//! The command line: Loki's flags, with one dash or two. Source: Loki docs, "Configuration".

use std::path::{Path, PathBuf};

use clap::Parser;
use service::LogFormat;

/// Where the configuration is looked for when no flag says so.
const DEFAULT_FILES: [&str; 2] = ["config.yaml", "config/config.yaml"];

/// Takes, keeps and searches log lines: a drop-in for Loki.
///
/// Reads loki-config.yml as it is and speaks Loki's HTTP API. Flags come before the file.
///
/// Example: logd -config.file=/etc/loki/loki-config.yml
#[derive(Debug, Clone, Parser)]
#[command(name = "logd", version)]
pub struct Flags {
    /// Configuration file. Default: config.yaml, then config/config.yaml.
    #[arg(long = "config.file", value_name = "FILE")]
    pub config_file: Option<String>,

    /// Expand ${VAR} and ${VAR:-default} in the configuration file.
    #[arg(long = "config.expand-env", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub expand_env: bool,

    /// Parts to run; only `all` is supported yet.
    #[arg(long = "target", value_name = "NAME")]
    pub target: Option<String>,

    /// Check the configuration and exit.
    #[arg(long = "verify-config", visible_alias = "config.verify", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub verify_config: bool,

    /// Print the whole configuration to standard error at the start.
    #[arg(long = "print-config-stderr", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub print_config_stderr: bool,

    /// Log the configuration in reverse order (the order has no meaning here: without effect).
    #[arg(long = "log-config-reverse-order", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set, hide = true)]
    pub log_config_reverse_order: bool,

    /// Only log messages of this severity or above: debug, info, warn, error. Default: server.log_level of the file, or info.
    #[arg(long = "log.level", value_name = "LEVEL")]
    pub log_level: Option<String>,

    /// Form of log lines: logfmt or json. Default: server.log_format of the file, or logfmt.
    #[arg(long = "log.format", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// Address to listen on for HTTP.
    #[arg(long = "server.http-listen-address", value_name = "HOST")]
    pub http_listen_address: Option<String>,

    /// Port to listen on for HTTP. Default: 3100.
    #[arg(long = "server.http-listen-port", value_name = "PORT")]
    pub http_listen_port: Option<u16>,

    /// Address to listen on for gRPC.
    #[arg(long = "server.grpc-listen-address", value_name = "HOST")]
    pub grpc_listen_address: Option<String>,

    /// Port to listen on for gRPC; 0 switches gRPC off. Default: 9095.
    #[arg(long = "server.grpc-listen-port", value_name = "PORT")]
    pub grpc_listen_port: Option<u16>,

    /// Prefix of all HTTP paths.
    #[arg(long = "server.path-prefix", value_name = "PATH")]
    pub http_path_prefix: Option<String>,

    /// Whether requests name their tenant in X-Scope-OrgID.
    #[arg(long = "auth.enabled", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub auth_enabled: Option<bool>,
}

impl Flags {
    /// The configuration file: the first of the list in `-config.file`, or of the default places, that is there.
    pub(crate) fn find_config_file(&self) -> Option<PathBuf> {
        let names: Vec<&str> = match &self.config_file {
            Some(list) => list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect(),
            None => DEFAULT_FILES.to_vec(),
        };
        match names.as_slice() {
            // One file that is not there is told by its own error.
            [only] => Some(PathBuf::from(only)),
            names => names.iter().map(Path::new).find(|path| path.exists()).map(Path::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Flags {
        let arguments = ["logd"].iter().chain(arguments).map(std::ffi::OsString::from);
        Flags::try_parse_from(service::normalize_arguments(arguments)).expect("valid flags")
    }

    #[test]
    fn takes_what_the_original_takes() {
        let flags = parse(&[
            "-config.file=/etc/loki/local-config.yaml",
            "-config.expand-env=true",
            "-target=all",
            "-print-config-stderr",
            "-server.http-listen-port=3200",
            "-auth.enabled=false",
        ]);
        assert_eq!(flags.find_config_file(), Some("/etc/loki/local-config.yaml".into()));
        assert!(flags.expand_env && flags.print_config_stderr && !flags.verify_config);
        assert_eq!((flags.http_listen_port, flags.auth_enabled), (Some(3200), Some(false)));
        assert!(parse(&["-config.verify"]).verify_config);
        assert!(parse(&["--verify-config=true"]).verify_config);
    }

    #[test]
    fn the_first_file_of_a_list_that_exists_is_read() {
        let dir = tempfile::tempdir().expect("a folder");
        let there = dir.path().join("b.yaml");
        std::fs::write(&there, "").expect("written");
        let flags = parse(&[&format!("-config.file=/nowhere/a.yaml,{}", there.display())]);
        assert_eq!(flags.find_config_file(), Some(there));
    }
}
