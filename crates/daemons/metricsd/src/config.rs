//! `prometheus.yml`: its shape in `file`, and what it means.

mod file;

#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::Duration,
};

use config::{ConfigError, SourceFile, Warnings, expand_values, process_environment};
use model::Labels;
use rules::NotifierConfig;
use scrape::{Defaults, JobConfig, Limits, ScrapeConfig, ScrapeProtocol};
use serde::Deserialize;
use tsdb::FloatEncoding;

use file::{ExemplarsFile, FloatEncodingFile, GlobalFile, PrometheusFile};

/// `storage.exemplars.max_exemplars` where the file does not say.
const DEFAULT_MAX_EXEMPLARS: i64 = 100_000;

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The scrape jobs.
    pub jobs: Vec<JobConfig>,
    /// The rule files, patterns resolved.
    pub rule_files: Vec<PathBuf>,
    /// Where alerts go.
    pub notifier: NotifierConfig,
    /// Labels of this daemon, for alerts and everything that leaves it.
    pub external_labels: Labels,
    /// Where evaluated queries are logged, if anywhere.
    pub query_log_file: Option<PathBuf>,
    /// How often rules are evaluated unless their group says otherwise.
    pub evaluation_interval: Duration,
    /// How far in the past rules are evaluated unless their group says otherwise.
    pub rule_query_offset: Duration,
    /// How long samples are kept, where the file says so.
    pub retention_time: Option<Duration>,
    /// How large all blocks may get, where the file says so; bytes.
    pub retention_size: Option<u64>,
    /// Most exemplars kept in memory, where exemplars are kept.
    pub max_exemplars: usize,
    /// The same as a share of the file system, in percent, where the file says so; comes before the size.
    pub retention_percentage: Option<f64>,
    /// How much older than the newest sample a sample may be and still be taken out of order; zero takes none.
    pub out_of_order_time_window: Duration,
    /// How chunks of floats are written.
    pub float_encoding: FloatEncoding,
    /// Keys that have no effect.
    pub warnings: Warnings,
    /// The file with its defaults, secrets hidden: what `/api/v1/status/config` shows.
    pub shown: String,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// A value of the whole.
    #[error("{}: {message}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A scrape configuration.
    #[error("{}", .path.display())]
    Scrape {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: scrape::ScrapeConfigError,
    },
    /// The alerting section.
    #[error("{}", .path.display())]
    Alerting {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: rules::NotifierConfigError,
    },
}

/// A file of `scrape_config_files`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ScrapeConfigsFile {
    #[serde(deserialize_with = "config::null_as_default")]
    scrape_configs: Vec<Option<ScrapeConfig>>,
}

impl Config {
    /// Reads and checks a configuration file and what it includes.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        Self::of(&SourceFile::read(path)?)
    }

    fn of(source: &SourceFile) -> Result<Self, LoadError> {
        let file: PrometheusFile = source.parse()?;
        let path = &source.path;
        let base_dir = path.parent().unwrap_or(Path::new("")).to_owned();
        let invalid = |message: String| LoadError::Invalid { path: path.clone(), message };
        let mut warnings = Warnings::new();
        file.warn(&mut warnings);
        let global = &file.global;
        let interval = positive(global.scrape_interval).unwrap_or(Duration::from_secs(60));
        let timeout = positive(global.scrape_timeout).unwrap_or(Duration::from_secs(10).min(interval));
        if timeout > interval {
            return Err(invalid("global scrape timeout greater than scrape interval".into()));
        }
        let external_labels = external_labels(global).map_err(&invalid)?;
        let defaults =
            defaults(global, interval, timeout, base_dir.clone(), &mut warnings).map_err(&invalid)?;
        let mut entries = Vec::new();
        for entry in &file.scrape_configs {
            entries.push((path.clone(), entry.clone()));
        }
        for included in resolve(&file.scrape_config_files, &base_dir).map_err(&invalid)? {
            let contents: ScrapeConfigsFile = SourceFile::read(&included)?.parse()?;
            entries.extend(contents.scrape_configs.into_iter().map(|entry| (included.clone(), entry)));
        }
        let mut jobs = Vec::new();
        let mut names = HashSet::new();
        for (from, entry) in entries {
            let entry = entry.ok_or_else(|| LoadError::Invalid {
                path: from.clone(),
                message: "empty or null scrape config section".into(),
            })?;
            let job = entry
                .check(&defaults, &mut warnings)
                .map_err(|source| LoadError::Scrape { path: from.clone(), source })?;
            if !names.insert(job.job_name.clone()) {
                let message = format!("found multiple scrape configs with job name {:?}", job.job_name);
                return Err(LoadError::Invalid { path: from, message });
            }
            jobs.push(job);
        }
        let alerting = &file.alerting;
        let alertmanagers: Vec<_> = alerting.alertmanagers.iter().flatten().cloned().collect();
        if alertmanagers.len() != alerting.alertmanagers.len() {
            return Err(invalid("empty or null Alertmanager config section".into()));
        }
        let notifier = NotifierConfig::check(&alerting.alert_relabel_configs, &alertmanagers, &base_dir)
            .map_err(|source| LoadError::Alerting { path: path.clone(), source })?;
        let tsdb = &file.storage.tsdb;
        let retention = tsdb.retention.clone().unwrap_or_default();
        if let Some(share) = retention.percentage.filter(|share| !(0.0..=100.0).contains(share)) {
            return Err(invalid(format!(
                "'storage.tsdb.retention.percentage' must be in the range [0, 100], got {share}"
            )));
        }
        Ok(Self {
            rule_files: resolve(&file.rule_files, &base_dir).map_err(&invalid)?,
            notifier,
            external_labels,
            query_log_file: global
                .query_log_file
                .as_ref()
                .filter(|file| !file.as_os_str().is_empty())
                .map(|file| base_dir.join(file)),
            evaluation_interval: positive(global.evaluation_interval).unwrap_or(Duration::from_secs(60)),
            rule_query_offset: global.rule_query_offset.map_or(Duration::ZERO, |set| set.0),
            retention_time: retention.time.map(|set| set.0),
            retention_size: retention.size.map(|set| set.0),
            max_exemplars: max_exemplars(file.storage.exemplars.as_ref()),
            retention_percentage: retention.percentage,
            out_of_order_time_window: tsdb.out_of_order_time_window.map_or(Duration::ZERO, |set| set.0),
            float_encoding: match tsdb.chunk_encoding.as_ref().and_then(|set| set.floats) {
                None | Some(FloatEncodingFile::Xor) => FloatEncoding::Xor,
                Some(FloatEncodingFile::Xor2) => FloatEncoding::Xor2,
            },
            warnings,
            shown: shown(file, &jobs),
            jobs,
        })
    }
}

/// Fewer than none means none, as in the original.
fn max_exemplars(set: Option<&ExemplarsFile>) -> usize {
    let most = set.and_then(|set| set.max_exemplars).unwrap_or(DEFAULT_MAX_EXEMPLARS);
    usize::try_from(most).unwrap_or_default()
}

fn positive(set: Option<config::PromDuration>) -> Option<Duration> {
    set.map(|set| set.0).filter(|set| !set.is_zero())
}

/// `${VAR}` in values is the environment's variable; `$$` is a dollar sign.
fn external_labels(global: &GlobalFile) -> Result<Labels, String> {
    for name in global.external_labels.keys() {
        if name.is_empty() || name == model::METRIC_NAME {
            return Err(format!("{name:?} is not a valid label name"));
        }
    }
    Ok(global
        .external_labels
        .iter()
        .map(|(name, value)| (name, expand_values(value, process_environment)))
        .collect())
}

fn defaults(
    global: &GlobalFile,
    interval: Duration,
    timeout: Duration,
    base_dir: PathBuf,
    warnings: &mut Warnings,
) -> Result<Defaults, String> {
    let mut protocols = Defaults::default().protocols;
    if let Some(set) = &global.scrape_protocols {
        if set.is_empty() {
            return Err("scrape_protocols cannot be empty for global config".into());
        }
        if set.iter().enumerate().any(|(at, protocol)| set[..at].contains(protocol)) {
            return Err("duplicated protocol in scrape_protocols for global config".into());
        }
        let usable: Vec<_> =
            set.iter().copied().filter(|protocol| *protocol != ScrapeProtocol::PrometheusProto).collect();
        if usable.len() != set.len() {
            warnings.push(
                "global.scrape_protocols",
                "not supported yet: PrometheusProto is skipped, the text formats are asked for",
            );
        }
        if !usable.is_empty() {
            protocols = usable;
        }
    }
    Ok(Defaults {
        interval,
        timeout,
        protocols,
        limits: Limits {
            body_size: global.body_size_limit.unwrap_or_default().0,
            samples: global.sample_limit,
            targets: global.target_limit,
            labels: global.label_limit,
            label_name_length: global.label_name_length_limit,
            label_value_length: global.label_value_length_limit,
            keep_dropped_targets: global.keep_dropped_targets,
        },
        extra_metrics: global.extra_scrape_metrics.unwrap_or(false),
        base_dir,
    })
}

/// The files that patterns name, relative to the configuration's folder. A pattern that names nothing is no mistake.
fn resolve(patterns: &[String], base_dir: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for pattern in patterns {
        let full = base_dir.join(pattern);
        let found = glob::glob(&full.to_string_lossy())
            .map_err(|error| format!("error retrieving rule files for {pattern:?}: {error}"))?;
        for file in found {
            files
                .push(file.map_err(|error| format!("error retrieving rule files for {pattern:?}: {error}"))?);
        }
    }
    Ok(files)
}

/// The file with the defaults of its jobs, as YAML; secrets print as `<secret>`.
fn shown(mut file: PrometheusFile, jobs: &[JobConfig]) -> String {
    file.scrape_configs = jobs.iter().map(|job| Some(job.file.clone())).collect();
    serde_yaml::to_string(&file).unwrap_or_else(|error| format!("# cannot be shown: {error}\n"))
}
