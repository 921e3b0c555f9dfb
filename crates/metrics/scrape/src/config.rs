//! A scrape configuration: its shape in the file, and what it means.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use client::HttpClientConfig;
use config::{Inert, PromDuration, UnitByteSize, Warnings, null_as_default};
use discovery::DiscoveryConfigs;
use relabel::{RelabelConfig, Rule};
use serde::{Deserialize, Serialize};

discovery::discovery_shape! {
    /// One entry of `scrape_configs`, as written. Source: Prometheus docs/configuration, `scrape_config`.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct ScrapeConfig {
        /// Names the job; unique.
        pub job_name: String,
        /// How often.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub scrape_interval: Option<PromDuration>,
        /// How long a scrape may take.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub scrape_timeout: Option<PromDuration>,
        /// Where failures are logged: not supported yet.
        #[serde(skip_serializing)]
        pub scrape_failure_log_file: Inert,
        /// `/metrics` unless set.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub metrics_path: Option<String>,
        /// `http` unless set.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub scheme: Option<String>,
        /// Query parameters.
        #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
        pub params: BTreeMap<String, Vec<String>>,
        /// Whether a metric's own labels win over the target's.
        pub honor_labels: bool,
        /// Whether a metric's own time is taken; yes unless set.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub honor_timestamps: Option<bool>,
        /// Whether series with times of their own go stale.
        pub track_timestamps_staleness: bool,
        /// Formats in order of preference.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub scrape_protocols: Option<Vec<ScrapeProtocol>>,
        /// What an answer without a usable content type is taken for.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub fallback_scrape_protocol: Option<ScrapeProtocol>,
        /// Native histograms: not supported yet.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub scrape_native_histograms: Option<bool>,
        /// Of a histogram that has both forms, whether the classic one is kept too.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub always_scrape_classic_histograms: Option<bool>,
        /// The same under its older name.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub scrape_classic_histograms: Option<bool>,
        /// Classic histograms as native ones with custom buckets: not supported yet.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub convert_classic_histograms_to_nhcb: Option<bool>,
        /// Whether gzip is asked for; yes unless set.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub enable_compression: Option<bool>,
        /// Largest answer, uncompressed; 0 means any.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub body_size_limit: Option<UnitByteSize>,
        /// Most samples after relabelling; 0 means any.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub sample_limit: Option<u64>,
        /// Most targets after relabelling; 0 means any.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub target_limit: Option<u64>,
        /// Most labels of a sample; 0 means any.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub label_limit: Option<u64>,
        /// Longest label name; 0 means any.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub label_name_length_limit: Option<u64>,
        /// Longest label value; 0 means any.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub label_value_length_limit: Option<u64>,
        /// Most buckets of a native histogram.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub native_histogram_bucket_limit: Option<u64>,
        /// Coarsest growth of a native histogram's buckets that is aimed for.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub native_histogram_min_bucket_factor: Option<f64>,
        /// Dropped targets that are remembered; 0 means all.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub keep_dropped_targets: Option<u64>,
        /// `utf8` or `legacy`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub metric_name_validation_scheme: Option<String>,
        /// How names are escaped for older formats.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub metric_name_escaping_scheme: Option<String>,
        /// Writes limits and timeouts as metrics too.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub extra_scrape_metrics: Option<bool>,
        /// Rules for targets.
        #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
        pub relabel_configs: Vec<RelabelConfig>,
        /// Rules for samples.
        #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
        pub metric_relabel_configs: Vec<RelabelConfig>,
    }
}

/// A format of exposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScrapeProtocol {
    /// Protobuf: not supported yet, skipped.
    PrometheusProto,
    /// OpenMetrics 0.0.1.
    #[serde(rename = "OpenMetricsText0.0.1")]
    OpenMetricsText001,
    /// OpenMetrics 1.0.0.
    #[serde(rename = "OpenMetricsText1.0.0")]
    OpenMetricsText100,
    /// The text format with quoted names.
    #[serde(rename = "PrometheusText1.0.0")]
    PrometheusText100,
    /// The text format.
    #[serde(rename = "PrometheusText0.0.4")]
    PrometheusText004,
}

/// What `global` says for jobs that say nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Defaults {
    /// How often.
    pub interval: Duration,
    /// How long a scrape may take.
    pub timeout: Duration,
    /// Formats in order of preference.
    pub protocols: Vec<ScrapeProtocol>,
    /// Limits.
    pub limits: Limits,
    /// Whether limits and timeouts become metrics.
    pub extra_metrics: bool,
    /// The folder that paths are relative to.
    pub base_dir: PathBuf,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            timeout: Duration::from_secs(10),
            protocols: vec![
                ScrapeProtocol::OpenMetricsText100,
                ScrapeProtocol::OpenMetricsText001,
                ScrapeProtocol::PrometheusText100,
                ScrapeProtocol::PrometheusText004,
            ],
            limits: Limits::default(),
            extra_metrics: false,
            base_dir: PathBuf::new(),
        }
    }
}

/// Bounds of a scrape; 0 means none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an answer, uncompressed.
    pub body_size: u64,
    /// Samples after relabelling.
    pub samples: u64,
    /// Targets after relabelling.
    pub targets: u64,
    /// Labels of a sample.
    pub labels: u64,
    /// Bytes of a label's name.
    pub label_name_length: u64,
    /// Bytes of a label's value.
    pub label_value_length: u64,
    /// Dropped targets that are remembered.
    pub keep_dropped_targets: u64,
}

/// A checked scrape configuration.
#[derive(Debug, Clone)]
pub struct JobConfig {
    /// Names the job.
    pub job_name: String,
    /// How often.
    pub interval: Duration,
    /// How long a scrape may take; not longer than the interval.
    pub timeout: Duration,
    /// Path of the URL.
    pub metrics_path: String,
    /// `http` or `https`.
    pub scheme: String,
    /// Query parameters.
    pub params: BTreeMap<String, Vec<String>>,
    /// Whether a metric's own labels win.
    pub honor_labels: bool,
    /// Whether a metric's own time is taken.
    pub honor_timestamps: bool,
    /// Whether series with times of their own go stale.
    pub track_timestamps_staleness: bool,
    /// Whether gzip is asked for.
    pub enable_compression: bool,
    /// Formats in order of preference, only those that can be read.
    pub protocols: Vec<ScrapeProtocol>,
    /// What an answer without a usable content type is taken for.
    pub fallback_protocol: Option<ScrapeProtocol>,
    /// Bounds.
    pub limits: Limits,
    /// Whether limits and timeouts become metrics.
    pub extra_metrics: bool,
    /// Rules for targets.
    pub relabel: Vec<Rule>,
    /// Rules for samples.
    pub metric_relabel: Vec<Rule>,
    /// The HTTP client's settings.
    pub http: HttpClientConfig,
    /// Where targets come from.
    pub discovery: DiscoveryConfigs,
    /// Paths are relative to this folder.
    pub base_dir: PathBuf,
    /// As written, with defaults filled in: what `/api/v1/status/config` shows and a reload compares.
    pub file: ScrapeConfig,
}

/// Why a scrape configuration does not hold. The texts are Prometheus'.
#[derive(Debug, thiserror::Error)]
pub enum ScrapeConfigError {
    /// A value.
    #[error("{0}")]
    Invalid(String),
    /// A relabelling rule.
    #[error("{key}[{at}] of scrape config with job name {job:?}")]
    Relabel {
        /// Which list.
        key: &'static str,
        /// Which rule, from 0.
        at: usize,
        /// Whose.
        job: String,
        /// What is wrong.
        source: relabel::RelabelError,
    },
    /// The HTTP client's settings.
    #[error("scrape config with job name {job:?}")]
    Http {
        /// Whose.
        job: String,
        /// What is wrong.
        source: client::HttpClientConfigError,
    },
    /// Discovery settings.
    #[error("scrape config with job name {job:?}")]
    Discovery {
        /// Whose.
        job: String,
        /// What is wrong.
        source: discovery::DiscoveryError,
    },
}

impl ScrapeConfig {
    /// Checks the configuration and fills in the defaults.
    pub fn check(
        mut self,
        defaults: &Defaults,
        warnings: &mut Warnings,
    ) -> Result<JobConfig, ScrapeConfigError> {
        let invalid = |text: String| Err(ScrapeConfigError::Invalid(text));
        if self.job_name.is_empty() {
            return invalid("job_name is empty".into());
        }
        let job = self.job_name.clone();
        let key = |name: &str| format!("scrape_configs[{job}].{name}");
        let interval = match self.scrape_interval {
            Some(set) if !set.0.is_zero() => set.0,
            _ => defaults.interval,
        };
        let timeout = match self.scrape_timeout {
            Some(set) if !set.0.is_zero() => set.0,
            _ => defaults.timeout.min(interval),
        };
        if timeout > interval {
            return invalid(format!(
                "scrape timeout greater than scrape interval for scrape config with job name {job:?}"
            ));
        }
        let scheme = self.scheme.clone().filter(|scheme| !scheme.is_empty()).unwrap_or_else(|| "http".into());
        let asked = self.scrape_protocols.clone().unwrap_or_else(|| defaults.protocols.clone());
        check_protocols(&asked).map_err(|text| {
            ScrapeConfigError::Invalid(format!("{text} for scrape config with job name {job:?}"))
        })?;
        if asked.contains(&ScrapeProtocol::PrometheusProto) {
            warnings.push(
                key("scrape_protocols"),
                "not supported yet: PrometheusProto is skipped, the text formats are asked for",
            );
        }
        let mut protocols: Vec<_> =
            asked.into_iter().filter(|protocol| *protocol != ScrapeProtocol::PrometheusProto).collect();
        if protocols.is_empty() {
            protocols.clone_from(&defaults.protocols);
        }
        for (name, set) in [
            ("scrape_native_histograms", self.scrape_native_histograms),
            ("convert_classic_histograms_to_nhcb", self.convert_classic_histograms_to_nhcb),
        ] {
            if set == Some(true) {
                warnings.push(key(name), "not supported yet: histograms are stored in their classic form");
            }
        }
        warnings.not_acted_on(&key("scrape_failure_log_file"), &self.scrape_failure_log_file);
        match self.metric_name_validation_scheme.as_deref() {
            None | Some("" | "utf8") => {}
            Some("legacy") => warnings
                .push(key("metric_name_validation_scheme"), "not supported yet: UTF-8 names are taken"),
            Some(other) => {
                return invalid(format!(
                    "unknown global name validation method {other:?}, must be one of legacy, utf8"
                ));
            }
        }
        if let Some(scheme) = self.metric_name_escaping_scheme.as_deref()
            && !matches!(scheme, "" | "allow-utf-8" | "underscores" | "dots" | "values")
        {
            return invalid(format!(
                "unknown global name escaping method {scheme:?}, must be one of allow-utf-8, underscores, dots, values"
            ));
        }
        let http = self.http_client();
        http.check().map_err(|source| ScrapeConfigError::Http { job: job.clone(), source })?;
        let mut discovery = self.discovery();
        discovery.check().map_err(|source| ScrapeConfigError::Discovery { job: job.clone(), source })?;
        discovery.resolve_paths(&defaults.base_dir);
        let relabel = compile("relabel_configs", &self.relabel_configs, &job)?;
        let metric_relabel = compile("metric_relabel_configs", &self.metric_relabel_configs, &job)?;
        let or = |set: Option<u64>, default: u64| set.unwrap_or(default);
        let limits = Limits {
            body_size: self.body_size_limit.map_or(defaults.limits.body_size, |size| size.0),
            samples: or(self.sample_limit, defaults.limits.samples),
            targets: or(self.target_limit, defaults.limits.targets),
            labels: or(self.label_limit, defaults.limits.labels),
            label_name_length: or(self.label_name_length_limit, defaults.limits.label_name_length),
            label_value_length: or(self.label_value_length_limit, defaults.limits.label_value_length),
            keep_dropped_targets: or(self.keep_dropped_targets, defaults.limits.keep_dropped_targets),
        };
        let metrics_path = self.metrics_path.clone().unwrap_or_else(|| "/metrics".into());
        self.scrape_interval = Some(PromDuration(interval));
        self.scrape_timeout = Some(PromDuration(timeout));
        self.metrics_path = Some(metrics_path.clone());
        self.scheme = Some(scheme.clone());
        Ok(JobConfig {
            interval,
            timeout,
            metrics_path,
            scheme,
            params: self.params.clone(),
            honor_labels: self.honor_labels,
            honor_timestamps: self.honor_timestamps.unwrap_or(true),
            track_timestamps_staleness: self.track_timestamps_staleness,
            enable_compression: self.enable_compression.unwrap_or(true),
            protocols,
            fallback_protocol: self.fallback_scrape_protocol,
            limits,
            extra_metrics: self.extra_scrape_metrics.unwrap_or(defaults.extra_metrics),
            relabel,
            metric_relabel,
            http,
            discovery,
            base_dir: defaults.base_dir.clone(),
            job_name: job,
            file: self,
        })
    }
}

impl JobConfig {
    /// Whether a running pool can go on unchanged with this configuration.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.file == other.file
            && self.limits == other.limits
            && self.protocols == other.protocols
            && self.extra_metrics == other.extra_metrics
            && self.base_dir == other.base_dir
    }

    /// The folder of the configuration file.
    pub fn base_dir(&self) -> &Path {
        &self.base_dir
    }
}

fn check_protocols(protocols: &[ScrapeProtocol]) -> Result<(), &'static str> {
    if protocols.is_empty() {
        return Err("scrape_protocols cannot be empty");
    }
    for (at, protocol) in protocols.iter().enumerate() {
        if protocols[..at].contains(protocol) {
            return Err("duplicated protocol in scrape_protocols");
        }
    }
    Ok(())
}

fn compile(key: &'static str, configs: &[RelabelConfig], job: &str) -> Result<Vec<Rule>, ScrapeConfigError> {
    configs
        .iter()
        .enumerate()
        .map(|(at, config)| {
            config.compile().map_err(|source| ScrapeConfigError::Relabel {
                key,
                at,
                job: job.to_owned(),
                source,
            })
        })
        .collect()
}
