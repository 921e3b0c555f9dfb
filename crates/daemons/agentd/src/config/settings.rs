//! What the configuration means, checked.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};

use ::config::Warnings;
use http::{HeaderName, HeaderValue};
use pipeline::LabelSet;
use relabel::Rule;
use url::Url;

use super::{
    client::{BackoffConfig, ClientConfig},
    file::{File, LimitsConfig},
    integrations::NodeIntegration,
    scrape::{ScrapeConfig, StaticConfig},
};

/// Most scrape configurations, and most clients.
const MAX_PARTS: usize = 1000;
/// Bounds of `batchsize`.
const BATCH_BYTES: std::ops::RangeInclusive<u64> = 1..=(64 << 20);

type Problem = (String, Box<dyn std::error::Error + Send + Sync>);

/// What flags change about a file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Takes the place of all `clients`.
    pub client_url: Option<String>,
    /// That client's tenant.
    pub client_tenant_id: Option<String>,
    /// Labels for the entries of every client.
    pub client_external_labels: BTreeMap<String, String>,
    /// The HTTP server's port.
    pub http_listen_port: Option<u16>,
    /// The HTTP server's address.
    pub http_listen_address: Option<String>,
    /// No HTTP server.
    pub disable_server: bool,
    /// Whether `POST /reload` works.
    pub enable_runtime_reload: Option<bool>,
    /// The positions file.
    pub positions_file: Option<PathBuf>,
    /// Entries are printed, positions are not saved.
    pub dry_run: bool,
}

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) server: Server,
    pub(crate) clients: Vec<Client>,
    pub(crate) positions: PositionsSettings,
    pub(crate) jobs: Vec<Job>,
    /// Between two searches for files.
    pub(crate) discovery_interval: Duration,
    pub(crate) poll_interval: Duration,
    pub(crate) limits: Limits,
    pub(crate) node: Option<NodeIntegration>,
    pub(crate) dry_run: bool,
    /// The file as it is in force, without secrets.
    pub(crate) text: String,
    /// The folder that relative paths start from.
    pub(crate) base_dir: PathBuf,
    warnings: Warnings,
}

#[derive(Debug, Clone)]
pub(crate) struct PositionsSettings {
    pub path: PathBuf,
    pub sync_period: Duration,
    pub ignore_invalid: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// `None`: no server.
    pub address: Option<String>,
    pub health_check_target: bool,
    pub enable_reload: bool,
}

/// A checked client.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub transport: Transport,
    /// Host and port, the label `host` of metrics.
    pub host: String,
    pub tenant: Option<String>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub batch_wait: Duration,
    pub batch_bytes: usize,
    pub backoff: Backoff,
    pub drop_rate_limited: bool,
    pub external_labels: LabelSet,
    pub timeout: Duration,
}

#[derive(Debug, Clone)]
pub(crate) enum Transport {
    /// Loki's push API.
    Http { url: Url, client: Box<client::HttpClientConfig> },
    /// `logproto.Pusher`: `grpc://host:port`.
    Grpc { authority: String },
    /// Prints to standard output.
    Print,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    pub min: Duration,
    pub max: Duration,
    pub warn_after: u32,
}

/// A checked job.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub name: String,
    /// As the file has them; building the pipeline checks them.
    pub stages: Vec<serde_yaml::Value>,
    pub rules: Vec<Rule>,
    /// Labels of targets before relabelling.
    pub targets: Vec<BTreeMap<String, String>>,
}

/// `limits_config`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub readline_rate: Option<(f64, f64)>,
    pub readline_drop: bool,
    pub max_streams: Option<usize>,
    pub max_line: Option<usize>,
    pub truncate_line: bool,
}

impl Settings {
    /// What is accepted and has no effect.
    pub fn warnings(&self) -> &Warnings {
        &self.warnings
    }

    pub(crate) fn new(file: File, path: &Path, overrides: &Overrides) -> Result<Self, Problem> {
        let mut warnings = Warnings::new();
        warn_of_file(&file, &mut warnings);
        let text = serde_yaml::to_string(&file).unwrap_or_default();
        let clients = if overrides.dry_run { vec![print_client()] } else { clients(&file, overrides)? };
        let jobs = jobs(&file.scrape_configs, &mut warnings)?;
        let File { server, positions, target_config, limits_config, global, integrations, .. } = file;
        let period = |key: &str, value: Duration| {
            if value.is_zero() { Err(problem(key, "must be more than zero")) } else { Ok(value) }
        };
        let port = overrides.http_listen_port.unwrap_or(server.http_listen_port);
        let address = overrides.http_listen_address.as_deref().unwrap_or(&server.http_listen_address);
        let disabled = overrides.disable_server || server.disable;
        Ok(Self {
            server: Server {
                address: (!disabled).then(|| listen_address(address, port)),
                health_check_target: server.health_check_target,
                enable_reload: overrides.enable_runtime_reload.unwrap_or(server.enable_runtime_reload),
            },
            clients,
            positions: PositionsSettings {
                path: overrides.positions_file.clone().unwrap_or(positions.filename),
                sync_period: period("positions.sync_period", positions.sync_period.0)?,
                ignore_invalid: positions.ignore_invalid_yaml,
            },
            jobs,
            discovery_interval: period("target_config.sync_period", target_config.sync_period.0)?,
            poll_interval: period(
                "global.file_watch_config.min_poll_frequency",
                global.file_watch_config.min_poll_frequency.0,
            )?,
            limits: limits(&limits_config)?,
            node: integrations.node.enabled.then_some(integrations.node),
            dry_run: overrides.dry_run,
            text,
            base_dir: path.parent().unwrap_or(Path::new("")).to_owned(),
            warnings,
        })
    }
}

fn problem(key: impl Into<String>, text: impl Into<String>) -> Problem {
    (key.into(), text.into().into())
}

fn listen_address(host: &str, port: u16) -> String {
    let is_v6 = host.contains(':') && !host.starts_with('[');
    if is_v6 { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn warn_of_file(file: &File, warnings: &mut Warnings) {
    file.server.warn(warnings);
    warnings.not_acted_on("options", &file.options);
    warnings.not_acted_on("target_config.stdin", &file.target_config.stdin);
    if file.tracing.enabled {
        warnings.push("tracing", "not supported yet: the key is accepted and has no effect");
    }
    if file.wal.enabled {
        warnings.push("wal", "not needed: positions follow what was delivered, so files themselves are the log to start again from");
    }
}

fn limits(config: &LimitsConfig) -> Result<Limits, Problem> {
    let rate = config.readline_rate;
    if config.readline_rate_enabled && (rate.is_nan() || rate <= 0.0 || config.readline_burst == 0) {
        return Err(problem("limits_config", "readline_rate and readline_burst must be more than zero"));
    }
    Ok(Limits {
        readline_rate: config.readline_rate_enabled.then_some((rate, f64::from(config.readline_burst))),
        readline_drop: config.readline_rate_drop,
        max_streams: Some(config.max_streams).filter(|most| *most > 0),
        max_line: Some(config.max_line_size.as_usize()).filter(|most| *most > 0),
        truncate_line: config.max_line_size_truncate,
    })
}

fn clients(file: &File, overrides: &Overrides) -> Result<Vec<Client>, Problem> {
    let mut configs: Vec<ClientConfig> = file.client.iter().chain(&file.clients).cloned().collect();
    if let Some(url) = &overrides.client_url {
        let tenant_id = overrides.client_tenant_id.clone().unwrap_or_default();
        configs = vec![ClientConfig { url: url.clone(), tenant_id, ..ClientConfig::default() }];
    }
    if configs.is_empty() && !file.scrape_configs.is_empty() {
        return Err(problem("clients", "at least one client config must be provided"));
    }
    if configs.len() > MAX_PARTS {
        return Err(problem("clients", format!("at most {MAX_PARTS}")));
    }
    let mut names = BTreeSet::new();
    let mut clients = Vec::with_capacity(configs.len());
    for (at, config) in configs.iter().enumerate() {
        let key = format!("clients[{at}]");
        if !config.name.is_empty() && !names.insert(&config.name) {
            return Err(problem(key, format!("duplicate client name: {}", config.name)));
        }
        clients.push(client_of(config, overrides).map_err(|error| (key, error))?);
    }
    Ok(clients)
}

fn client_of(
    config: &ClientConfig,
    overrides: &Overrides,
) -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    let url = Url::parse(&config.url).map_err(|error| format!("url {:?}: {error}", config.url))?;
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => return Err(format!("url {:?} has no host", config.url).into()),
    };
    let http_client = config.http_client();
    http_client.check()?;
    let transport = match url.scheme() {
        "http" | "https" => Transport::Http { url, client: Box::new(http_client) },
        "grpc" if url.port().is_none() => return Err("a grpc:// url needs a port".into()),
        "grpc" if http_client != client::HttpClientConfig::default() => {
            return Err("not supported yet: authentication, TLS or proxies with a grpc:// url".into());
        }
        "grpc" => Transport::Grpc { authority: host.clone() },
        "grpcs" => return Err("not supported yet: gRPC over TLS".into()),
        other => return Err(format!("url scheme {other:?} is none of http, https and grpc").into()),
    };
    if !BATCH_BYTES.contains(&config.batchsize.0) {
        return Err("batchsize must be from 1 byte to 64 MiB".into());
    }
    let BackoffConfig { min_period, max_period, max_retries } = &config.backoff_config;
    if min_period.0.is_zero() || min_period.0 > max_period.0 {
        return Err("backoff_config: min_period must be more than zero and at most max_period".into());
    }
    let headers = config.headers.iter().map(|(name, value)| {
        let mut value = HeaderValue::from_str(value.expose())
            .map_err(|_| format!("headers: {name}: not a header value"))?;
        value.set_sensitive(true);
        let name = HeaderName::try_from(name.as_str())
            .map_err(|_| format!("headers: {name:?} is not a header name"))?;
        Ok::<_, String>((name, value))
    });
    let labels = overrides.client_external_labels.iter().chain(&config.external_labels);
    Ok(Client {
        transport,
        host,
        tenant: Some(config.tenant_id.clone()).filter(|tenant| !tenant.is_empty()),
        headers: headers.collect::<Result<_, _>>()?,
        batch_wait: config.batchwait.0,
        batch_bytes: config.batchsize.as_usize(),
        backoff: Backoff { min: min_period.0, max: max_period.0, warn_after: *max_retries },
        drop_rate_limited: config.drop_rate_limited_batches,
        external_labels: LabelSet::new(labels.map(|(name, value)| (name.as_str(), value.as_str()))),
        timeout: config.timeout.0,
    })
}

fn print_client() -> Client {
    let second = Duration::from_secs(1);
    Client {
        transport: Transport::Print,
        host: "stdout".into(),
        tenant: None,
        headers: Vec::new(),
        batch_wait: Duration::from_millis(100),
        batch_bytes: 1 << 20,
        backoff: Backoff { min: second, max: second, warn_after: 1 },
        drop_rate_limited: false,
        external_labels: LabelSet::default(),
        timeout: second,
    }
}

fn jobs(configs: &[ScrapeConfig], warnings: &mut Warnings) -> Result<Vec<Job>, Problem> {
    if configs.len() > MAX_PARTS {
        return Err(problem("scrape_configs", format!("at most {MAX_PARTS}")));
    }
    let mut jobs = Vec::with_capacity(configs.len());
    for (at, config) in configs.iter().enumerate() {
        let key = format!("scrape_configs[{at}]");
        for kind in config.not_there_yet() {
            let text = format!("not supported yet: {kind} in scrape config {:?}", config.job_name);
            warnings.push(format!("{key}.{kind}"), text);
        }
        let rules = config.relabel_configs.iter().enumerate().map(|(rule_at, rule)| {
            rule.compile().map_err(|error| (format!("{key}.relabel_configs[{rule_at}]"), error.into()))
        });
        let rules = rules.collect::<Result<Vec<_>, Problem>>()?;
        let mut targets: Vec<_> = config.static_configs.iter().flat_map(static_targets).collect();
        let encoding = config.encoding.to_ascii_lowercase();
        if !matches!(encoding.as_str(), "" | "utf-8" | "utf8") && !targets.is_empty() {
            return Err(problem(
                format!("{key}.encoding"),
                format!("not supported yet: encoding {:?}", config.encoding),
            ));
        }
        if config.decompression.enabled {
            let text = format!(
                "not supported yet: decompression in scrape config {:?}; its files are not read",
                config.job_name
            );
            warnings.push(format!("{key}.decompression"), text);
            targets.clear();
        }
        jobs.push(Job {
            name: config.job_name.clone(),
            stages: config.pipeline_stages.clone(),
            rules,
            targets,
        });
    }
    Ok(jobs)
}

fn static_targets(config: &StaticConfig) -> Vec<BTreeMap<String, String>> {
    let localhost = ["localhost".to_owned()];
    let addresses = if config.targets.is_empty() { &localhost[..] } else { &config.targets };
    let targets = addresses.iter().map(|address| {
        let mut labels = config.labels.clone();
        labels.insert("__address__".into(), address.clone());
        labels
    });
    targets.collect()
}
