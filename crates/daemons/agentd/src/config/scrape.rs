//! One entry of `scrape_configs`.

use std::collections::BTreeMap;

use ::config::{Inert, null_as_default};
use relabel::RelabelConfig;
use serde::{Deserialize, Serialize};

use super::file::Switch;

/// A job: where entries come from and what happens to them.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ScrapeConfig {
    #[serde(deserialize_with = "null_as_default")]
    pub job_name: String,
    #[serde(deserialize_with = "null_as_default")]
    pub pipeline_stages: Vec<serde_yaml::Value>,
    #[serde(deserialize_with = "null_as_default")]
    pub relabel_configs: Vec<RelabelConfig>,
    #[serde(deserialize_with = "null_as_default")]
    pub static_configs: Vec<StaticConfig>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "String::is_empty")]
    pub encoding: String,
    #[serde(deserialize_with = "null_as_default", skip_serializing)]
    pub decompression: Switch,
    // Ways to entries that are not there yet, by their keys.
    #[serde(skip_serializing)]
    pub journal: Inert,
    #[serde(skip_serializing)]
    pub syslog: Inert,
    #[serde(skip_serializing)]
    pub loki_push_api: Inert,
    #[serde(skip_serializing)]
    pub kafka: Inert,
    #[serde(skip_serializing)]
    pub gelf: Inert,
    #[serde(skip_serializing)]
    pub gcplog: Inert,
    #[serde(skip_serializing)]
    pub azure_event_hub: Inert,
    #[serde(skip_serializing)]
    pub azure_event_hubs: Inert,
    #[serde(skip_serializing)]
    pub cloudflare: Inert,
    #[serde(skip_serializing)]
    pub heroku_drain: Inert,
    #[serde(skip_serializing)]
    pub windows_events: Inert,
    #[serde(skip_serializing)]
    pub docker_sd_configs: Inert,
    #[serde(skip_serializing)]
    pub kubernetes_sd_configs: Inert,
    #[serde(skip_serializing)]
    pub file_sd_configs: Inert,
    #[serde(skip_serializing)]
    pub consul_sd_configs: Inert,
    #[serde(skip_serializing)]
    pub consulagent_sd_configs: Inert,
    #[serde(skip_serializing)]
    pub dns_sd_configs: Inert,
    #[serde(skip_serializing)]
    pub ec2_sd_configs: Inert,
    #[serde(skip_serializing)]
    pub gce_sd_configs: Inert,
    #[serde(skip_serializing)]
    pub azure_sd_configs: Inert,
    #[serde(skip_serializing)]
    pub openstack_sd_configs: Inert,
    #[serde(skip_serializing)]
    pub dockerswarm_sd_configs: Inert,
    #[serde(skip_serializing)]
    pub digitalocean_sd_configs: Inert,
    #[serde(skip_serializing)]
    pub triton_sd_configs: Inert,
    #[serde(skip_serializing)]
    pub marathon_sd_configs: Inert,
    #[serde(skip_serializing)]
    pub nerve_sd_configs: Inert,
    #[serde(skip_serializing)]
    pub serverset_sd_configs: Inert,
}

/// Targets that are written down.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StaticConfig {
    /// Of no meaning for files; `localhost` unless set.
    #[serde(deserialize_with = "null_as_default")]
    pub targets: Vec<String>,
    #[serde(deserialize_with = "null_as_default")]
    pub labels: BTreeMap<String, String>,
}

impl ScrapeConfig {
    /// The kinds of targets that the job asks for and that are not there yet.
    pub(crate) fn not_there_yet(&self) -> Vec<&'static str> {
        let kinds = [
            ("journal", &self.journal),
            ("syslog", &self.syslog),
            ("loki_push_api", &self.loki_push_api),
            ("kafka", &self.kafka),
            ("gelf", &self.gelf),
            ("gcplog", &self.gcplog),
            ("azure_event_hub", &self.azure_event_hub),
            ("azure_event_hubs", &self.azure_event_hubs),
            ("cloudflare", &self.cloudflare),
            ("heroku_drain", &self.heroku_drain),
            ("windows_events", &self.windows_events),
            ("docker_sd_configs", &self.docker_sd_configs),
            ("kubernetes_sd_configs", &self.kubernetes_sd_configs),
            ("file_sd_configs", &self.file_sd_configs),
            ("consul_sd_configs", &self.consul_sd_configs),
            ("consulagent_sd_configs", &self.consulagent_sd_configs),
            ("dns_sd_configs", &self.dns_sd_configs),
            ("ec2_sd_configs", &self.ec2_sd_configs),
            ("gce_sd_configs", &self.gce_sd_configs),
            ("azure_sd_configs", &self.azure_sd_configs),
            ("openstack_sd_configs", &self.openstack_sd_configs),
            ("dockerswarm_sd_configs", &self.dockerswarm_sd_configs),
            ("digitalocean_sd_configs", &self.digitalocean_sd_configs),
            ("triton_sd_configs", &self.triton_sd_configs),
            ("marathon_sd_configs", &self.marathon_sd_configs),
            ("nerve_sd_configs", &self.nerve_sd_configs),
            ("serverset_sd_configs", &self.serverset_sd_configs),
        ];
        kinds.into_iter().filter(|(_, value)| value.is_set()).map(|(key, _)| key).collect()
    }
}
