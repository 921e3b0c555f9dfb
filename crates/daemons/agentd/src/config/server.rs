//! `server`.

use ::config::{Inert, Warnings};
use serde::{Deserialize, Serialize};

/// The port of every sample configuration; the original's own default is 80, which needs a privilege.
pub(crate) const DEFAULT_PORT: u16 = 9080;

/// The HTTP server. Keys of the original that concern its gRPC server or its server library are accepted without effect.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerConfig {
    pub disable: bool,
    pub http_listen_address: String,
    pub http_listen_port: u16,
    pub log_level: String,
    pub log_format: String,
    pub health_check_target: bool,
    pub enable_runtime_reload: bool,
    #[serde(skip_serializing)]
    pub external_url: Inert,
    #[serde(skip_serializing)]
    pub profiling_enabled: Inert,
    #[serde(skip_serializing)]
    pub reload: Inert,
    #[serde(skip_serializing)]
    pub http_listen_network: Inert,
    #[serde(skip_serializing)]
    pub http_listen_conn_limit: Inert,
    #[serde(skip_serializing)]
    pub grpc_listen_network: Inert,
    #[serde(skip_serializing)]
    pub grpc_listen_address: Inert,
    #[serde(skip_serializing)]
    pub grpc_listen_port: Inert,
    #[serde(skip_serializing)]
    pub grpc_listen_conn_limit: Inert,
    #[serde(skip_serializing)]
    pub proxy_protocol_enabled: Inert,
    #[serde(skip_serializing)]
    pub tls_cipher_suites: Inert,
    #[serde(skip_serializing)]
    pub tls_min_version: Inert,
    #[serde(skip_serializing)]
    pub http_tls_config: Inert,
    #[serde(skip_serializing)]
    pub grpc_tls_config: Inert,
    #[serde(skip_serializing)]
    pub register_instrumentation: Inert,
    #[serde(skip_serializing)]
    pub report_grpc_codes_in_instrumentation_label_enabled: Inert,
    #[serde(skip_serializing)]
    pub graceful_shutdown_timeout: Inert,
    #[serde(skip_serializing)]
    pub http_server_read_timeout: Inert,
    #[serde(skip_serializing)]
    pub http_server_read_header_timeout: Inert,
    #[serde(skip_serializing)]
    pub http_server_write_timeout: Inert,
    #[serde(skip_serializing)]
    pub http_server_idle_timeout: Inert,
    #[serde(skip_serializing)]
    pub http_log_closed_connections_without_response_enabled: Inert,
    #[serde(skip_serializing)]
    pub grpc_server_max_recv_msg_size: Inert,
    #[serde(skip_serializing)]
    pub grpc_server_max_send_msg_size: Inert,
    #[serde(skip_serializing)]
    pub grpc_server_max_concurrent_streams: Inert,
    #[serde(skip_serializing)]
    pub grpc_server_max_connection_idle: Inert,
    #[serde(skip_serializing)]
    pub grpc_server_max_connection_age: Inert,
    #[serde(skip_serializing)]
    pub grpc_server_max_connection_age_grace: Inert,
    #[serde(skip_serializing)]
    pub grpc_server_keepalive_time: Inert,
    #[serde(skip_serializing)]
    pub grpc_server_keepalive_timeout: Inert,
    #[serde(skip_serializing)]
    pub grpc_server_min_time_between_pings: Inert,
    #[serde(skip_serializing)]
    pub grpc_server_ping_without_stream_allowed: Inert,
    #[serde(skip_serializing)]
    pub grpc_server_num_workers: Inert,
    #[serde(skip_serializing)]
    pub log_source_ips_enabled: Inert,
    #[serde(skip_serializing)]
    pub log_source_ips_full: Inert,
    #[serde(skip_serializing)]
    pub log_source_ips_header: Inert,
    #[serde(skip_serializing)]
    pub log_source_ips_regex: Inert,
    #[serde(skip_serializing)]
    pub log_request_headers: Inert,
    #[serde(skip_serializing)]
    pub log_request_at_info_level_enabled: Inert,
    #[serde(skip_serializing)]
    pub log_request_exclude_headers_list: Inert,
    #[serde(skip_serializing)]
    pub http_path_prefix: Inert,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let unset = Inert::default();
        Self {
            disable: false,
            http_listen_address: String::new(),
            http_listen_port: DEFAULT_PORT,
            log_level: String::new(),
            log_format: String::new(),
            health_check_target: true,
            enable_runtime_reload: false,
            external_url: unset,
            profiling_enabled: unset,
            reload: unset,
            http_listen_network: unset,
            http_listen_conn_limit: unset,
            grpc_listen_network: unset,
            grpc_listen_address: unset,
            grpc_listen_port: unset,
            grpc_listen_conn_limit: unset,
            proxy_protocol_enabled: unset,
            tls_cipher_suites: unset,
            tls_min_version: unset,
            http_tls_config: unset,
            grpc_tls_config: unset,
            register_instrumentation: unset,
            report_grpc_codes_in_instrumentation_label_enabled: unset,
            graceful_shutdown_timeout: unset,
            http_server_read_timeout: unset,
            http_server_read_header_timeout: unset,
            http_server_write_timeout: unset,
            http_server_idle_timeout: unset,
            http_log_closed_connections_without_response_enabled: unset,
            grpc_server_max_recv_msg_size: unset,
            grpc_server_max_send_msg_size: unset,
            grpc_server_max_concurrent_streams: unset,
            grpc_server_max_connection_idle: unset,
            grpc_server_max_connection_age: unset,
            grpc_server_max_connection_age_grace: unset,
            grpc_server_keepalive_time: unset,
            grpc_server_keepalive_timeout: unset,
            grpc_server_min_time_between_pings: unset,
            grpc_server_ping_without_stream_allowed: unset,
            grpc_server_num_workers: unset,
            log_source_ips_enabled: unset,
            log_source_ips_full: unset,
            log_source_ips_header: unset,
            log_source_ips_regex: unset,
            log_request_headers: unset,
            log_request_at_info_level_enabled: unset,
            log_request_exclude_headers_list: unset,
            http_path_prefix: unset,
        }
    }
}

impl ServerConfig {
    /// Names the keys that were set and do nothing. What is about the gRPC server or about timeouts harms nobody and stays unmentioned.
    pub(crate) fn warn(&self, warnings: &mut Warnings) {
        for (key, value) in [
            ("server.http_path_prefix", &self.http_path_prefix),
            ("server.http_tls_config", &self.http_tls_config),
            ("server.profiling_enabled", &self.profiling_enabled),
            ("server.proxy_protocol_enabled", &self.proxy_protocol_enabled),
        ] {
            warnings.not_acted_on(key, value);
        }
    }
}
