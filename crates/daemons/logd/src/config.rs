//! `loki-config.yml`: its shape in `file`, and what it means.

mod block;
mod file;
mod limits;

#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use config::{
    ConfigError, ExpandError, GoDuration, SourceFile, Warnings, expand_defaults, process_environment,
};
use service::{LogFormat, LogOptions};

use crate::{Flags, tenants::is_tenant_name};
use file::{LokiFile, ServerFile};

pub use limits::Limits;

/// What the folder of all tenants' stores is called.
const STORES: &str = "logstore";

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where HTTP listens, `host:port`.
    pub http_address: String,
    /// HTTP connections at a time.
    pub http_max_connections: usize,
    /// How long a client may take for a request's body.
    pub http_read_timeout: Duration,
    /// Prefix of all HTTP paths: empty, or `/` and a path without a slash at its end.
    pub http_path_prefix: String,
    /// Where gRPC listens, if it does.
    pub grpc_address: Option<String>,
    /// Largest gRPC message, bytes.
    pub grpc_max_message: usize,
    /// Largest push as sent, bytes.
    pub max_push_bytes: usize,
    /// Largest push decompressed, bytes.
    pub max_decompressed_bytes: usize,
    /// Whether requests name their tenant.
    pub auth_enabled: bool,
    /// Whose everything is where they do not.
    pub no_auth_tenant: String,
    /// The folder with one folder a tenant.
    pub stores_dir: PathBuf,
    /// The folder of write-ahead logs with one folder a tenant, where it is not in the stores' own.
    pub wal_dir: Option<PathBuf>,
    /// Whether there is a write-ahead log.
    pub wal_enabled: bool,
    /// Whether everything is sealed at the end.
    pub flush_on_shutdown: bool,
    /// Part of the device in use from which on pushes are refused.
    pub disk_full_threshold: f64,
    /// When an idle stream is sealed.
    pub chunk_idle_period: Duration,
    /// When any entry is sealed; half of it is how late an entry may come.
    pub max_chunk_age: Duration,
    /// How long lines are kept; `None`: for ever.
    pub retention: Option<Duration>,
    /// How often small segments are merged.
    pub compaction_interval: Duration,
    /// Entries named in the answer to a push of which some were refused.
    pub max_returned_stream_errors: usize,
    /// Queries at a time.
    pub max_concurrent_queries: usize,
    /// Queries of one tenant that may wait for their turn.
    pub max_outstanding_queries: usize,
    /// Whether the steps of metric queries are multiples of the step.
    pub align_steps: bool,
    /// What a tenant may do.
    pub limits: Limits,
    /// Keys that have no effect.
    pub warnings: Warnings,
    /// The file with its defaults, as `/config` shows it.
    pub shown: String,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No file was named and none lies at the usual places.
    #[error("{files} does not exist, set -config.file to the configuration file")]
    NoFile {
        /// What was looked for.
        files: String,
    },
    /// The file.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// `${…}` in it.
    #[error("{}", .path.display())]
    Expand {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ExpandError,
    },
    /// A value of the whole.
    #[error("{}: {message}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

impl Config {
    /// Reads and checks the file that the flags name.
    pub fn load(flags: &Flags) -> Result<Self, LoadError> {
        let path = flags.find_config_file().ok_or_else(|| LoadError::NoFile {
            files: flags.config_file.clone().unwrap_or_else(|| "config.yaml,config/config.yaml".into()),
        })?;
        Self::of(SourceFile::read(path)?, flags)
    }

    /// Reads and checks a text that stands for the file.
    pub fn from_text(text: &str, flags: &Flags) -> Result<Self, LoadError> {
        let path = flags.find_config_file().unwrap_or_else(|| PathBuf::from("loki-config.yml"));
        Self::of(SourceFile { path, text: text.to_owned() }, flags)
    }

    fn of(source: SourceFile, flags: &Flags) -> Result<Self, LoadError> {
        let path = source.path.clone();
        let mut file = read(source, flags)?;
        override_by_flags(&mut file, flags);
        meaning(&file).map_err(|message| LoadError::Invalid { path, message })
    }
}

/// The file's shape, environment expanded where the flags ask for it.
fn read(mut source: SourceFile, flags: &Flags) -> Result<LokiFile, LoadError> {
    if flags.expand_env {
        source.text = expand_defaults(&source.text, process_environment)
            .map_err(|error| LoadError::Expand { path: source.path.clone(), source: error })?;
    }
    Ok(source.parse()?)
}

/// How to log: the flags, or else the file. A file that does not read says so later, when there is a log to say it in.
pub(crate) fn log_options(flags: &Flags, text: Option<&str>) -> LogOptions {
    let source = match text {
        Some(text) => Some(SourceFile { path: PathBuf::new(), text: text.to_owned() }),
        None => flags.find_config_file().and_then(|path| SourceFile::read(path).ok()),
    };
    let file = source.and_then(|source| read(source, flags).ok());
    let server = file.map_or_else(ServerFile::default, |file| file.server);
    LogOptions {
        level: flags.log_level.clone().unwrap_or(server.log_level),
        format: flags.log_format.or_else(|| server.log_format.parse().ok()).unwrap_or_default(),
    }
}

fn override_by_flags(file: &mut LokiFile, flags: &Flags) {
    fn set<T: Clone>(place: &mut T, flag: &Option<T>) {
        if let Some(value) = flag {
            place.clone_from(value);
        }
    }
    set(&mut file.target, &flags.target);
    set(&mut file.auth_enabled, &flags.auth_enabled);
    let server = &mut file.server;
    set(&mut server.http_listen_address, &flags.http_listen_address);
    set(&mut server.http_listen_port, &flags.http_listen_port);
    set(&mut server.grpc_listen_address, &flags.grpc_listen_address);
    set(&mut server.grpc_listen_port, &flags.grpc_listen_port);
    set(&mut server.http_path_prefix, &flags.http_path_prefix);
    set(&mut server.log_level, &flags.log_level);
    set(&mut server.log_format, &flags.log_format.map(|format| format.to_string()));
}

fn meaning(file: &LokiFile) -> Result<Config, String> {
    let LokiFile { server, ingester, querier, compactor, limits_config: limits, .. } = file;
    for (key, set) in
        [("http_tls_config", server.http_tls_config), ("grpc_tls_config", server.grpc_tls_config)]
    {
        if set.is_set() {
            // Serving in the clear what should be encrypted would be worse than not serving.
            return Err(format!("not supported yet: server.{key}; put a proxy with TLS before the daemon"));
        }
    }
    if server.log_format.parse::<LogFormat>().is_err() {
        return Err(format!("server.log_format: {:?} is neither logfmt nor json", server.log_format));
    }
    if !is_tenant_name(&file.no_auth_tenant) {
        return Err(format!("no_auth_tenant: {:?} is not a tenant's name", file.no_auth_tenant));
    }
    if !(0.0..=1.0).contains(&ingester.wal.disk_full_threshold) {
        return Err("ingester.wal.disk_full_threshold: must be from 0 to 1".to_owned());
    }
    limits.check()?;
    let mut warnings = Warnings::new();
    if file.target != "all" {
        warnings.push("target", format!("not supported yet: {:?}: this process runs all parts", file.target));
    }
    file.warn_all(&mut warnings);
    let retention = retention(limits.retention_period, compactor.retention_enabled, &mut warnings);
    Ok(Config {
        http_address: address(&server.http_listen_address, server.http_listen_port),
        http_max_connections: if server.http_listen_conn_limit == 0 {
            1024
        } else {
            server.http_listen_conn_limit
        },
        http_read_timeout: positive(server.http_server_read_timeout, Duration::from_secs(30)),
        http_path_prefix: match server.http_path_prefix.trim_matches('/') {
            "" => String::new(),
            path => format!("/{path}"),
        },
        grpc_address: (server.grpc_listen_port != 0)
            .then(|| address(&server.grpc_listen_address, server.grpc_listen_port)),
        grpc_max_message: server.grpc_server_max_recv_msg_size,
        max_push_bytes: file.distributor.max_recv_msg_size,
        max_decompressed_bytes: file.distributor.max_decompressed_size,
        auth_enabled: file.auth_enabled,
        no_auth_tenant: file.no_auth_tenant.clone(),
        stores_dir: data_dir(file).join(STORES),
        wal_dir: (!ingester.wal.dir.is_empty()).then(|| PathBuf::from(&ingester.wal.dir)),
        wal_enabled: ingester.wal.enabled,
        flush_on_shutdown: ingester.wal.flush_on_shutdown,
        disk_full_threshold: ingester.wal.disk_full_threshold,
        chunk_idle_period: positive(ingester.chunk_idle_period, Duration::from_secs(30 * 60)),
        max_chunk_age: positive(ingester.max_chunk_age, Duration::from_secs(2 * 3600)),
        retention,
        compaction_interval: positive(compactor.compaction_interval, Duration::from_secs(600)),
        max_returned_stream_errors: ingester.max_returned_stream_errors,
        max_concurrent_queries: querier.max_concurrent.max(1),
        max_outstanding_queries: file.frontend.max_outstanding_per_tenant,
        align_steps: file.query_range.align_queries_with_step
            || !limits.split_queries_by_interval.0.is_zero(),
        limits: limits.clone(),
        warnings,
        shown: serde_yaml::to_string(file).unwrap_or_else(|error| format!("# cannot be shown: {error}\n")),
    })
}

fn retention(period: GoDuration, enabled: bool, warnings: &mut Warnings) -> Option<Duration> {
    let set = !period.0.is_zero();
    if set && !enabled {
        warnings.push(
            "limits_config.retention_period",
            "has no effect while compactor.retention_enabled is false: everything is kept",
        );
    }
    (set && enabled).then_some(period.0)
}

/// Where everything lies: `common.path_prefix`, or else the folder of the chunks, or else the working directory.
fn data_dir(file: &LokiFile) -> &Path {
    [
        &file.common.path_prefix,
        &file.storage_config.filesystem.directory,
        &file.common.storage.filesystem.chunks_directory,
    ]
    .into_iter()
    .find(|path| !path.is_empty())
    .map_or(Path::new("."), Path::new)
}

/// `host:port`; IPv6 addresses get their brackets.
fn address(host: &str, port: u16) -> String {
    if host.contains(':') && !host.starts_with('[') {
        return format!("[{host}]:{port}");
    }
    format!("{host}:{port}")
}

fn positive(set: GoDuration, default: Duration) -> Duration {
    if set.0.is_zero() { default } else { set.0 }
}
