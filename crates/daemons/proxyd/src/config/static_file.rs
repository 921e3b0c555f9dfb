//! The shape of the static configuration, section for section.

use std::collections::BTreeMap;

use ::config::{GoDuration, Inert, null_as_default, present};
use balance::ServersTransportConfig;
use serde::{Deserialize, Serialize};

use super::dynamic_file::RouterTls;

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct StaticFile {
    pub(crate) global: Inert,
    pub(crate) servers_transport: ServersTransportConfig,
    pub(crate) tcp_servers_transport: Inert,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) entry_points: BTreeMap<String, EntryPointFile>,
    pub(crate) providers: ProvidersFile,
    #[serde(deserialize_with = "present")]
    pub(crate) api: Option<ApiFile>,
    #[serde(deserialize_with = "present")]
    pub(crate) metrics: Option<MetricsFile>,
    #[serde(deserialize_with = "present")]
    pub(crate) ping: Option<PingFile>,
    pub(crate) log: LogFile,
    #[serde(deserialize_with = "present")]
    pub(crate) access_log: Option<AccessLogFile>,
    pub(crate) tracing: Inert,
    pub(crate) host_resolver: Inert,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) certificates_resolvers: BTreeMap<String, ResolverFile>,
    pub(crate) experimental: Inert,
    pub(crate) core: CoreFile,
    pub(crate) spiffe: Inert,
    pub(crate) ocsp: Inert,
    pub(crate) pilot: Inert,
    // Sections of the other kind of file, which Traefik passes over here.
    pub(crate) http: Inert,
    pub(crate) tcp: Inert,
    pub(crate) udp: Inert,
    pub(crate) tls: Inert,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct EntryPointFile {
    pub(crate) address: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) as_default: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) reuse_port: bool,
    #[serde(rename = "allowACMEByPass", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) allow_acme_by_pass: bool,
    pub(crate) transport: TransportFile,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) proxy_protocol: Option<ProxyProtocolFile>,
    pub(crate) forwarded_headers: ForwardedHeadersFile,
    pub(crate) http: HttpFile,
    pub(crate) http2: Http2File,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) http3: Option<Http3File>,
    pub(crate) udp: UdpFile,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) observability: Option<ObservabilityFile>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct TransportFile {
    pub(crate) life_cycle: LifeCycleFile,
    pub(crate) responding_timeouts: RespondingTimeoutsFile,
    #[serde(skip_serializing_if = "is_zero_duration")]
    pub(crate) keep_alive_max_time: GoDuration,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) keep_alive_max_requests: u64,
}

fn is_zero_duration(duration: &GoDuration) -> bool {
    duration.0.is_zero()
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct LifeCycleFile {
    #[serde(skip_serializing_if = "is_zero_duration")]
    pub(crate) request_accept_grace_timeout: GoDuration,
    pub(crate) grace_time_out: GoDuration,
}

impl Default for LifeCycleFile {
    fn default() -> Self {
        Self {
            request_accept_grace_timeout: GoDuration::from_secs(0),
            grace_time_out: GoDuration::from_secs(10),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct RespondingTimeoutsFile {
    pub(crate) read_timeout: GoDuration,
    #[serde(skip_serializing_if = "is_zero_duration")]
    pub(crate) write_timeout: GoDuration,
    pub(crate) idle_timeout: GoDuration,
}

impl Default for RespondingTimeoutsFile {
    fn default() -> Self {
        Self {
            read_timeout: GoDuration::from_secs(60),
            write_timeout: GoDuration::from_secs(0),
            idle_timeout: GoDuration::from_secs(180),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ProxyProtocolFile {
    pub(crate) insecure: bool,
    #[serde(rename = "trustedIPs")]
    pub(crate) trusted_ips: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ForwardedHeadersFile {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) insecure: bool,
    #[serde(rename = "trustedIPs", skip_serializing_if = "Vec::is_empty")]
    pub(crate) trusted_ips: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) connection: Vec<String>,
    #[serde(rename = "notAppendXForwardedFor", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) not_append_x_forwarded_for: bool,
    #[serde(rename = "addXForwardedSchemeHeaders", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) add_x_forwarded_scheme_headers: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct HttpFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redirections: Option<RedirectionsFile>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) middlewares: Vec<String>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<RouterTls>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) encoded_characters: Option<EncodedCharactersFile>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) encode_query_semicolons: bool,
    pub(crate) sanitize_path: bool,
    pub(crate) max_header_bytes: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) underscore_headers_strategy: String,
}

impl Default for HttpFile {
    fn default() -> Self {
        Self {
            redirections: None,
            middlewares: Vec::new(),
            tls: None,
            encoded_characters: None,
            encode_query_semicolons: false,
            sanitize_path: true,
            max_header_bytes: 1 << 20,
            underscore_headers_strategy: String::new(),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct RedirectionsFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entry_point: Option<RedirectEntryPointFile>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct RedirectEntryPointFile {
    pub(crate) to: String,
    pub(crate) scheme: String,
    pub(crate) permanent: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<i64>,
}

impl Default for RedirectEntryPointFile {
    fn default() -> Self {
        Self { to: String::new(), scheme: "https".to_owned(), permanent: true, priority: None }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct EncodedCharactersFile {
    pub(crate) allow_encoded_slash: bool,
    pub(crate) allow_encoded_back_slash: bool,
    pub(crate) allow_encoded_null_character: bool,
    pub(crate) allow_encoded_semicolon: bool,
    pub(crate) allow_encoded_percent: bool,
    pub(crate) allow_encoded_question_mark: bool,
    pub(crate) allow_encoded_hash: bool,
}

impl Default for EncodedCharactersFile {
    fn default() -> Self {
        Self {
            allow_encoded_slash: true,
            allow_encoded_back_slash: true,
            allow_encoded_null_character: true,
            allow_encoded_semicolon: true,
            allow_encoded_percent: true,
            allow_encoded_question_mark: true,
            allow_encoded_hash: true,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Http2File {
    pub(crate) max_concurrent_streams: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_decoder_header_table_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_encoder_header_table_size: Option<u32>,
}

impl Default for Http2File {
    fn default() -> Self {
        Self {
            max_concurrent_streams: 250,
            max_decoder_header_table_size: None,
            max_encoder_header_table_size: None,
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Http3File {
    pub(crate) advertised_port: u16,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct UdpFile {
    pub(crate) timeout: GoDuration,
}

impl Default for UdpFile {
    fn default() -> Self {
        Self { timeout: GoDuration::from_secs(3) }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ObservabilityFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_logs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metrics: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tracing: Option<bool>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) trace_verbosity: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ProvidersFile {
    pub(crate) providers_throttle_duration: Option<GoDuration>,
    pub(crate) precedence: Inert,
    #[serde(deserialize_with = "present")]
    pub(crate) file: Option<FileProviderFile>,
    pub(crate) docker: Inert,
    pub(crate) swarm: Inert,
    pub(crate) http: Inert,
    pub(crate) redis: Inert,
    pub(crate) consul: Inert,
    pub(crate) etcd: Inert,
    pub(crate) zoo_keeper: Inert,
    pub(crate) rest: Inert,
    pub(crate) consul_catalog: Inert,
    pub(crate) nomad: Inert,
    pub(crate) ecs: Inert,
    #[serde(rename = "kubernetesCRD")]
    pub(crate) kubernetes_crd: Inert,
    pub(crate) kubernetes_ingress: Inert,
    #[serde(rename = "kubernetesIngressNGINX")]
    pub(crate) kubernetes_ingress_nginx: Inert,
    pub(crate) kubernetes_gateway: Inert,
    pub(crate) knative: Inert,
    pub(crate) plugin: Inert,
    // Of version 2.
    pub(crate) marathon: Inert,
    pub(crate) rancher: Inert,
}

impl ProvidersFile {
    /// Providers of Traefik's that are asked for and not there yet, as written in a file.
    pub(crate) fn unsupported(&self) -> Vec<&'static str> {
        let all = [
            ("docker", &self.docker),
            ("swarm", &self.swarm),
            ("http", &self.http),
            ("redis", &self.redis),
            ("consul", &self.consul),
            ("etcd", &self.etcd),
            ("zooKeeper", &self.zoo_keeper),
            ("rest", &self.rest),
            ("consulCatalog", &self.consul_catalog),
            ("nomad", &self.nomad),
            ("ecs", &self.ecs),
            ("kubernetesCRD", &self.kubernetes_crd),
            ("kubernetesIngress", &self.kubernetes_ingress),
            ("kubernetesIngressNGINX", &self.kubernetes_ingress_nginx),
            ("kubernetesGateway", &self.kubernetes_gateway),
            ("knative", &self.knative),
            ("plugin", &self.plugin),
            ("marathon", &self.marathon),
            ("rancher", &self.rancher),
        ];
        all.into_iter().filter_map(|(name, section)| section.is_set().then_some(name)).collect()
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct FileProviderFile {
    pub(crate) filename: String,
    pub(crate) directory: String,
    pub(crate) watch: bool,
    pub(crate) debug_log_generated_template: Inert,
}

impl Default for FileProviderFile {
    fn default() -> Self {
        Self {
            filename: String::new(),
            directory: String::new(),
            watch: true,
            debug_log_generated_template: Inert::default(),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ApiFile {
    pub(crate) base_path: String,
    pub(crate) insecure: bool,
    pub(crate) dashboard: bool,
    pub(crate) debug: bool,
    pub(crate) disable_dashboard_ad: Inert,
    pub(crate) dashboard_name: Inert,
}

impl Default for ApiFile {
    fn default() -> Self {
        Self {
            base_path: "/".to_owned(),
            insecure: false,
            dashboard: true,
            debug: false,
            disable_dashboard_ad: Inert::default(),
            dashboard_name: Inert::default(),
        }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct MetricsFile {
    pub(crate) add_internals: bool,
    #[serde(deserialize_with = "present")]
    pub(crate) prometheus: Option<PrometheusFile>,
    pub(crate) datadog: Inert,
    #[serde(rename = "statsD")]
    pub(crate) stats_d: Inert,
    #[serde(rename = "influxDB2")]
    pub(crate) influx_db2: Inert,
    #[serde(rename = "influxDB")]
    pub(crate) influx_db: Inert,
    pub(crate) otlp: Inert,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct PrometheusFile {
    pub(crate) buckets: Vec<f64>,
    pub(crate) add_entry_points_labels: bool,
    pub(crate) add_routers_labels: bool,
    pub(crate) add_services_labels: bool,
    pub(crate) entry_point: String,
    pub(crate) manual_routing: bool,
    pub(crate) header_labels: Inert,
}

impl Default for PrometheusFile {
    fn default() -> Self {
        Self {
            buckets: vec![0.1, 0.3, 1.2, 5.0],
            add_entry_points_labels: true,
            add_routers_labels: false,
            add_services_labels: true,
            entry_point: "traefik".to_owned(),
            manual_routing: false,
            header_labels: Inert::default(),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct PingFile {
    pub(crate) entry_point: String,
    pub(crate) manual_routing: bool,
    pub(crate) terminating_status_code: u16,
}

impl Default for PingFile {
    fn default() -> Self {
        Self { entry_point: "traefik".to_owned(), manual_routing: false, terminating_status_code: 503 }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct LogFile {
    pub(crate) level: String,
    pub(crate) format: String,
    pub(crate) no_color: Inert,
    pub(crate) file_path: String,
    pub(crate) max_size: Inert,
    pub(crate) max_age: Inert,
    pub(crate) max_backups: Inert,
    pub(crate) compress: Inert,
    pub(crate) otlp: Inert,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct AccessLogFile {
    pub(crate) file_path: String,
    pub(crate) format: String,
    pub(crate) filters: AccessLogFiltersFile,
    pub(crate) fields: AccessLogFieldsFile,
    pub(crate) buffering_size: Inert,
    pub(crate) add_internals: bool,
    pub(crate) dual_output: Inert,
    pub(crate) otlp: Inert,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct AccessLogFiltersFile {
    pub(crate) status_codes: Vec<String>,
    pub(crate) retry_attempts: bool,
    pub(crate) min_duration: GoDuration,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct AccessLogFieldsFile {
    pub(crate) default_mode: String,
    pub(crate) names: BTreeMap<String, String>,
    pub(crate) headers: AccessLogHeadersFile,
    pub(crate) query_parameters: Inert,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct AccessLogHeadersFile {
    pub(crate) default_mode: String,
    pub(crate) names: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ResolverFile {
    pub(crate) acme: Inert,
    pub(crate) tailscale: Inert,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct CoreFile {
    pub(crate) default_rule_syntax: String,
}
