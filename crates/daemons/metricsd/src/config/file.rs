//! The shape of `prometheus.yml`, key for key. Source: Prometheus docs/configuration/configuration.md.

use std::{collections::BTreeMap, path::PathBuf};

use config::{Inert, PromDuration, UnitByteSize, Warnings, null_as_default};
use relabel::RelabelConfig;
use rules::AlertmanagerConfig;
use scrape::{ScrapeConfig, ScrapeProtocol};
use serde::{Deserialize, Serialize};

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PrometheusFile {
    #[serde(deserialize_with = "null_as_default")]
    pub global: GlobalFile,
    #[serde(skip_serializing)]
    pub runtime: Inert,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "AlertingFile::is_default")]
    pub alerting: AlertingFile,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub rule_files: Vec<String>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub scrape_config_files: Vec<String>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub scrape_configs: Vec<Option<ScrapeConfig>>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "StorageFile::is_default")]
    pub storage: StorageFile,
    #[serde(skip_serializing)]
    pub tracing: Inert,
    #[serde(skip_serializing)]
    pub remote_write: Inert,
    #[serde(skip_serializing)]
    pub remote_read: Inert,
    #[serde(skip_serializing)]
    pub otlp: Inert,
}

/// `global`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct GlobalFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scrape_interval: Option<PromDuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scrape_timeout: Option<PromDuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scrape_protocols: Option<Vec<ScrapeProtocol>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation_interval: Option<PromDuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_query_offset: Option<PromDuration>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub external_labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_log_file: Option<PathBuf>,
    #[serde(skip_serializing)]
    pub scrape_failure_log_file: Inert,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_size_limit: Option<UnitByteSize>,
    pub sample_limit: u64,
    pub target_limit: u64,
    pub label_limit: u64,
    pub label_name_length_limit: u64,
    pub label_value_length_limit: u64,
    pub keep_dropped_targets: u64,
    #[serde(skip_serializing)]
    pub metric_name_validation_scheme: Inert,
    #[serde(skip_serializing)]
    pub metric_name_escaping_scheme: Inert,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scrape_native_histograms: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub convert_classic_histograms_to_nhcb: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub always_scrape_classic_histograms: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_scrape_metrics: Option<bool>,
}

/// `alerting`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AlertingFile {
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub alert_relabel_configs: Vec<RelabelConfig>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub alertmanagers: Vec<Option<AlertmanagerConfig>>,
}

/// `storage`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StorageFile {
    #[serde(deserialize_with = "null_as_default")]
    pub tsdb: TsdbFile,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exemplars: Option<ExemplarsFile>,
}

/// `storage.exemplars`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ExemplarsFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_exemplars: Option<i64>,
}

/// `storage.tsdb`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TsdbFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_order_time_window: Option<PromDuration>,
    #[serde(skip_serializing)]
    pub stale_series_compaction_threshold: Inert,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunk_encoding: Option<ChunkEncodingFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<RetentionFile>,
}

/// `storage.tsdb.chunk_encoding`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ChunkEncodingFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floats: Option<FloatEncodingFile>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FloatEncodingFile {
    Xor,
    Xor2,
}

/// `storage.tsdb.retention`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RetentionFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<PromDuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<UnitByteSize>,
    /// Of the file system's size, percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage: Option<f64>,
}

impl AlertingFile {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl StorageFile {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl PrometheusFile {
    /// Names the keys that are set and have no effect.
    pub fn warn(&self, warnings: &mut Warnings) {
        let Self { global, runtime, storage, tracing, remote_write, remote_read, otlp, .. } = self;
        if runtime.is_set() {
            warnings.push("runtime", "without effect: there is no garbage collector to set");
        }
        for (key, value) in [
            ("tracing", tracing),
            ("remote_write", remote_write),
            ("remote_read", remote_read),
            ("otlp", otlp),
            ("global.scrape_failure_log_file", &global.scrape_failure_log_file),
            ("global.metric_name_validation_scheme", &global.metric_name_validation_scheme),
            ("global.metric_name_escaping_scheme", &global.metric_name_escaping_scheme),
            (
                "storage.tsdb.stale_series_compaction_threshold",
                &storage.tsdb.stale_series_compaction_threshold,
            ),
        ] {
            warnings.not_acted_on(key, value);
        }
        for (key, set) in [
            ("global.scrape_native_histograms", global.scrape_native_histograms),
            ("global.convert_classic_histograms_to_nhcb", global.convert_classic_histograms_to_nhcb),
        ] {
            if set == Some(true) {
                warnings.push(key, "not supported yet: histograms are stored in their classic form");
            }
        }
    }
}
