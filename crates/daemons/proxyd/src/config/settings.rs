//! What the static configuration means, checked; nothing behind it validates again.

mod access_log;
mod entry_point;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use ::config::{ConfigError, Warnings};
use balance::{Hosts, ServersTransportConfig};
use router::Syntax;

pub(crate) use access_log::{AccessLogFormat, AccessLogSettings, FieldMode};
pub(crate) use entry_point::{EntryPoint, UnderscoreHeaders};

use super::{
    arguments::{self, Arguments},
    decode::decode,
    node::{Node, Value},
    read_tree,
    static_file::{AccessLogFile, ApiFile, EntryPointFile, PingFile, PrometheusFile, StaticFile},
};

/// The entry point for the proxy's own pages.
pub(crate) const OWN_ENTRY_POINT: &str = "traefik";
/// Where Traefik looks for its configuration if nothing says where it is.
const DEFAULT_FILES: [&str; 3] =
    ["/etc/traefik/traefik.yml", "/etc/traefik/traefik.yaml", "/etc/traefik/traefik.toml"];
/// The same, beside the working directory.
const LOCAL_FILES: [&str; 3] = ["traefik.yml", "traefik.yaml", "traefik.toml"];
/// Where the default certificate is kept if nothing says where.
const DEFAULT_DATA_DIR: &str = "data/proxyd";

/// The proxy's settings for its lifetime.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) entry_points: BTreeMap<String, Arc<EntryPoint>>,
    pub(crate) file_provider: Option<FileProvider>,
    pub(crate) api: Option<ApiFile>,
    pub(crate) ping: Option<PingFile>,
    pub(crate) prometheus: Option<PrometheusFile>,
    /// Whether the proxy's own routers are measured too.
    pub(crate) measures_internals: bool,
    pub(crate) has_access_log: bool,
    /// Whether the proxy's own routers are logged too.
    pub(crate) logs_internals: bool,
    /// Taken by the access log when it starts.
    pub(crate) access_log: Option<AccessLogSettings>,
    pub(crate) servers_transport: ServersTransportConfig,
    pub(crate) certificate_resolvers: Vec<String>,
    pub(crate) default_syntax: Syntax,
    pub(crate) hosts: Arc<Hosts>,
    pub(crate) data_dir: PathBuf,
    pub(crate) log_level: String,
    pub(crate) log_format: service::LogFormat,
    /// Names of configured providers, as the overview shows them.
    pub(crate) providers: Vec<String>,
}

/// Where dynamic configuration is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileProvider {
    pub(crate) source: FileSource,
    /// Whether changes are looked for.
    pub(crate) watch: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileSource {
    File(PathBuf),
    /// With all folders in it.
    Directory(PathBuf),
}

impl Settings {
    /// Reads file, flags and environment. A file's settings are overridden by flags; the environment speaks where neither does.
    ///
    /// # Errors
    /// Files that cannot be read, unknown keys, values that do not hold.
    pub(crate) fn load(
        arguments: &Arguments,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Warnings), ConfigError> {
        let mut warnings = Warnings::new();
        let (path, mut tree) = match find_file(arguments) {
            Some(path) => {
                let tree = read_tree(&path)?;
                (path, tree)
            }
            None => (PathBuf::from("command line"), Node::map()),
        };
        if arguments.settings.is_empty() && tree.entries().is_empty() {
            arguments::apply(&Arguments::of_environment(environment), &mut tree);
        } else {
            if !tree.entries().is_empty() {
                for (name, _) in &arguments.settings {
                    warnings.push(name, format!("the flag overrides `{}`", path.display()));
                }
            }
            arguments::apply(&arguments.settings, &mut tree);
        }
        // Anchors to be used elsewhere in the file.
        if let Value::Map(entries) = &mut tree.value {
            entries.retain(|entry| !entry.key.starts_with("x-"));
        }
        let file: StaticFile = decode(&path, &tree)?;
        let settings = Self::check(&path, file, arguments, &mut warnings)?;
        Ok((settings, warnings))
    }

    fn check(
        path: &Path,
        file: StaticFile,
        arguments: &Arguments,
        warnings: &mut Warnings,
    ) -> Result<Self, ConfigError> {
        let bad = |message: String| ConfigError::of(path, message);
        warn_of_unused(&file, warnings);
        let StaticFile { entry_points, providers, api, metrics, ping, log, access_log, core, .. } = file;
        let prometheus = metrics.as_ref().and_then(|metrics| metrics.prometheus.clone());
        let mut entry_points = entry_points;
        if entry_points.is_empty() {
            let http = EntryPointFile { address: ":80".to_owned(), ..EntryPointFile::default() };
            entry_points.insert("http".to_owned(), http);
        }
        let uses_own = |entry_point: &str, is_manual: bool| entry_point == OWN_ENTRY_POINT && !is_manual;
        let needs_own = api.as_ref().is_some_and(|api| api.insecure)
            || ping.as_ref().is_some_and(|ping| uses_own(&ping.entry_point, ping.manual_routing))
            || prometheus
                .as_ref()
                .is_some_and(|metrics| uses_own(&metrics.entry_point, metrics.manual_routing));
        if needs_own && !entry_points.contains_key(OWN_ENTRY_POINT) {
            let own = EntryPointFile { address: ":8080".to_owned(), ..EntryPointFile::default() };
            entry_points.insert(OWN_ENTRY_POINT.to_owned(), own);
        }
        let mut checked = BTreeMap::new();
        for (name, shape) in &entry_points {
            let key = format!("entryPoints.{name}");
            let point = EntryPoint::check(name, shape, &entry_points, warnings)
                .map_err(|message| bad(format!("{key}: {message}")))?;
            if let Some(point) = point {
                checked.insert(name.clone(), Arc::new(point));
            }
        }
        let used = [
            ping.as_ref().filter(|ping| !ping.manual_routing).map(|ping| ("ping", &ping.entry_point)),
            prometheus
                .as_ref()
                .filter(|metrics| !metrics.manual_routing)
                .map(|metrics| ("metrics.prometheus", &metrics.entry_point)),
        ];
        for (section, name) in used.into_iter().flatten() {
            if !checked.contains_key(name) {
                return Err(bad(format!("{section}.entryPoint: unknown entry point {name:?}")));
            }
        }
        let mut names: Vec<String> = providers.unsupported().iter().map(|name| (*name).to_owned()).collect();
        names.extend(providers.file.is_some().then(|| "file".to_owned()));
        names.sort();
        let file_provider = match &providers.file {
            None => None,
            Some(file) => {
                let source = match (file.directory.as_str(), file.filename.as_str()) {
                    ("", "") => {
                        return Err(bad("providers.file: neither filename nor directory is set".to_owned()));
                    }
                    ("", filename) => FileSource::File(filename.into()),
                    (directory, _) => FileSource::Directory(directory.into()),
                };
                Some(FileProvider { source, watch: file.watch })
            }
        };
        let access_log = access_log
            .map(|file: AccessLogFile| {
                AccessLogSettings::check(&file).map_err(|message| bad(format!("accessLog.{message}")))
            })
            .transpose()?;
        Ok(Self {
            has_access_log: access_log.is_some(),
            logs_internals: access_log.as_ref().is_some_and(|log| log.logs_internals),
            entry_points: checked,
            file_provider,
            api,
            ping,
            prometheus,
            measures_internals: metrics.is_some_and(|metrics| metrics.add_internals),
            access_log,
            servers_transport: file.servers_transport,
            certificate_resolvers: file.certificates_resolvers.into_keys().collect(),
            default_syntax: parse_syntax(&core.default_rule_syntax)
                .map_err(|message| bad(format!("core.defaultRuleSyntax: {message}")))?
                .unwrap_or_default(),
            hosts: Arc::new(Hosts::from_iter(arguments.hosts.clone())),
            data_dir: arguments.data_dir.clone().unwrap_or_else(|| DEFAULT_DATA_DIR.into()),
            log_level: parse_level(&log.level).map_err(|message| bad(format!("log.level: {message}")))?,
            log_format: match log.format.as_str() {
                "" | "common" => service::LogFormat::Logfmt,
                "json" => service::LogFormat::Json,
                other => {
                    warnings.push("log.format", format!("unknown format {other:?}, common is used"));
                    service::LogFormat::Logfmt
                }
            },
            providers: names,
        })
    }
}

/// `None` for the default.
pub(crate) fn parse_syntax(text: &str) -> Result<Option<Syntax>, String> {
    match text {
        "" => Ok(None),
        "v3" | "default" => Ok(Some(Syntax::V3)),
        "v2" => Ok(Some(Syntax::V2)),
        other => Err(format!("unknown rule syntax {other:?}, expected v3 or v2")),
    }
}

/// Traefik's level as one of ours. Its default is ERROR; ours is INFO, since a proxy that starts in silence helps nobody.
fn parse_level(level: &str) -> Result<String, String> {
    let lower = level.to_ascii_lowercase();
    match lower.as_str() {
        "" => Ok("info".to_owned()),
        "trace" | "debug" | "info" | "warn" | "error" => Ok(lower),
        "warning" => Ok("warn".to_owned()),
        "fatal" | "panic" => Ok("error".to_owned()),
        _ => {
            Err(format!("unknown level {level:?}, expected TRACE, DEBUG, INFO, WARN, ERROR, FATAL or PANIC"))
        }
    }
}

fn find_file(arguments: &Arguments) -> Option<PathBuf> {
    if arguments.config_file.is_some() {
        return arguments.config_file.clone();
    }
    let home = ["XDG_CONFIG_HOME", "HOME"].into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    let homes = home.flat_map(|home| LOCAL_FILES.map(|name| home.join(name)));
    let fixed = DEFAULT_FILES.into_iter().map(PathBuf::from);
    fixed.chain(homes).chain(LOCAL_FILES.map(PathBuf::from)).find(|path| path.is_file())
}

fn warn_of_unused(file: &StaticFile, warnings: &mut Warnings) {
    for name in file.providers.unsupported() {
        warnings.push(
            format!("providers.{name}"),
            format!("not supported yet: provider {name}, its configuration is not read"),
        );
    }
    for (name, resolver) in &file.certificates_resolvers {
        let kind = if resolver.tailscale.is_set() { "Tailscale" } else { "ACME" };
        warnings.push(
            format!("certificatesResolvers.{name}"),
            format!(
                "not supported yet: {kind} issuing; routers that name this resolver are served with the self-signed default certificate \
                 or with certificates from files"
            ),
        );
    }
    let inert = [
        ("tcpServersTransport", &file.tcp_servers_transport),
        ("tracing", &file.tracing),
        ("hostResolver", &file.host_resolver),
        ("experimental", &file.experimental),
        ("spiffe", &file.spiffe),
        ("ocsp", &file.ocsp),
        ("providers.precedence", &file.providers.precedence),
        ("log.otlp", &file.log.otlp),
    ];
    for (key, section) in inert {
        warnings.not_acted_on(key, section);
    }
    warnings.retired("pilot", &file.pilot, "the service behind it is gone");
    if !file.log.file_path.is_empty() {
        warnings.push("log.filePath", "not supported yet: logs go to standard error");
    }
    if let Some(metrics) = &file.metrics {
        let inert = [
            ("metrics.datadog", &metrics.datadog),
            ("metrics.statsD", &metrics.stats_d),
            ("metrics.influxDB2", &metrics.influx_db2),
            ("metrics.influxDB", &metrics.influx_db),
            ("metrics.otlp", &metrics.otlp),
        ];
        for (key, section) in inert {
            warnings.not_acted_on(key, section);
        }
        if let Some(prometheus) = &metrics.prometheus {
            warnings.not_acted_on("metrics.prometheus.headerLabels", &prometheus.header_labels);
        }
    }
    if let Some(access_log) = &file.access_log {
        warnings.not_acted_on("accessLog.otlp", &access_log.otlp);
    }
    if file.api.as_ref().is_some_and(|api| api.debug) {
        warnings.push("api.debug", "not supported yet: there are no debug endpoints");
    }
    if file.api.as_ref().is_some_and(|api| !matches!(api.base_path.as_str(), "" | "/")) {
        warnings.push("api.basePath", "not supported yet: the API stays below /api");
    }
}
