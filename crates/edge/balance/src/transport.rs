//! Settings towards servers: timeouts, TLS, connections kept.

use std::{sync::Arc, time::Duration};

use config::{GoDuration, null_as_default};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use serde::{Deserialize, Serialize};
use tls::{CertificateFile, ClientOptions};
use tracing::warn;

use crate::{BalanceError, Hosts};

/// One entry of `http.serversTransports`, or the static `serversTransport`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServersTransportConfig {
    /// The name to ask for and to verify instead of the server's.
    pub server_name: String,
    /// Trust whoever answers.
    pub insecure_skip_verify: bool,
    /// Authorities to trust, files or PEM.
    #[serde(rename = "rootCAs", deserialize_with = "null_as_default")]
    pub root_cas: Vec<String>,
    /// What to show when asked.
    #[serde(deserialize_with = "null_as_default")]
    pub certificates: Vec<CertificateFile>,
    /// Connections kept per server.
    pub max_idle_conns_per_host: i64,
    /// How long things may take.
    pub forwarding_timeouts: ForwardingTimeouts,
    /// Whether HTTP/2 is not offered.
    #[serde(rename = "disableHTTP2")]
    pub disable_http2: bool,
    /// Verification by URI, which is not there yet.
    #[serde(rename = "peerCertURI")]
    pub peer_cert_uri: String,
    /// As in `tls.options`.
    pub min_version: String,
    /// As in `tls.options`.
    pub max_version: String,
    /// As in `tls.options`.
    pub cipher_suites: Vec<String>,
    /// Identities by SPIFFE, which is not there yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spiffe: Option<Spiffe>,
}

/// Options of `spiffe`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Spiffe {
    /// Identities to trust.
    pub ids: Vec<String>,
    /// Domain to trust.
    pub trust_domain: String,
}

impl Default for ServersTransportConfig {
    fn default() -> Self {
        Self {
            server_name: String::new(),
            insecure_skip_verify: false,
            root_cas: Vec::new(),
            certificates: Vec::new(),
            max_idle_conns_per_host: 200,
            forwarding_timeouts: ForwardingTimeouts::default(),
            disable_http2: false,
            peer_cert_uri: String::new(),
            min_version: String::new(),
            max_version: String::new(),
            cipher_suites: Vec::new(),
            spiffe: None,
        }
    }
}

/// Options of `forwardingTimeouts`; 0 is no limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ForwardingTimeouts {
    /// Until a connection stands, TLS included. 30 s if nothing is said.
    pub dial_timeout: GoDuration,
    /// From the request to the answer's headers. None if nothing is said.
    pub response_header_timeout: GoDuration,
    /// How long an unused connection is kept. 90 s if nothing is said.
    pub idle_conn_timeout: GoDuration,
    /// HTTP/2: silence after which the server is pinged. Never if nothing is said.
    pub read_idle_timeout: GoDuration,
    /// HTTP/2: how long the answer to a ping may take. 15 s if nothing is said.
    pub ping_timeout: GoDuration,
}

impl Default for ForwardingTimeouts {
    fn default() -> Self {
        Self {
            dial_timeout: GoDuration::from_secs(30),
            response_header_timeout: GoDuration::from_secs(0),
            idle_conn_timeout: GoDuration::from_secs(90),
            read_idle_timeout: GoDuration::from_secs(0),
            ping_timeout: GoDuration::from_secs(15),
        }
    }
}

/// Settings ready for use, shared by all servers that name them.
#[derive(Debug)]
pub struct Transport {
    pub(crate) hosts: Arc<Hosts>,
    pub(crate) tls: Arc<ClientConfig>,
    /// The same without HTTP/2, for upgrades.
    pub(crate) tls_http1: Arc<ClientConfig>,
    pub(crate) server_name: Option<ServerName<'static>>,
    pub(crate) max_idle: usize,
    pub(crate) dial_timeout: Option<Duration>,
    pub(crate) response_header_timeout: Option<Duration>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) read_idle_timeout: Option<Duration>,
    pub(crate) ping_timeout: Duration,
}

impl Transport {
    /// Checks the settings.
    ///
    /// # Errors
    /// TLS material that cannot be read, names that are none, kinds of verification that are not there yet.
    pub fn new(config: &ServersTransportConfig, hosts: Arc<Hosts>) -> Result<Self, BalanceError> {
        if config.spiffe.is_some() {
            return Err(BalanceError::NotSupported("serversTransport.spiffe".to_owned()));
        }
        if !config.peer_cert_uri.is_empty() {
            return Err(BalanceError::NotSupported("serversTransport.peerCertURI".to_owned()));
        }
        let options = ClientOptions {
            insecure_skip_verify: config.insecure_skip_verify,
            root_cas: &config.root_cas,
            certificates: &config.certificates,
            min_version: &config.min_version,
            max_version: &config.max_version,
            cipher_suites: &config.cipher_suites,
        };
        let mut tls_http1 = options.build()?;
        tls_http1.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut tls = tls_http1.clone();
        if !config.disable_http2 {
            tls.alpn_protocols.insert(0, b"h2".to_vec());
        }
        let server_name = match config.server_name.as_str() {
            "" => None,
            name => Some(
                ServerName::try_from(name.to_owned())
                    .map_err(|error| BalanceError::value("serversTransport.serverName", error))?,
            ),
        };
        let max_idle = usize::try_from(config.max_idle_conns_per_host).unwrap_or_else(|_| {
            warn!("serversTransport.maxIdleConnsPerHost: a negative number keeps no connection");
            0
        });
        let timeouts = &config.forwarding_timeouts;
        let limit = |duration: GoDuration| (!duration.0.is_zero()).then_some(duration.0);
        Ok(Self {
            hosts,
            tls: Arc::new(tls),
            tls_http1: Arc::new(tls_http1),
            server_name,
            max_idle,
            dial_timeout: limit(timeouts.dial_timeout),
            response_header_timeout: limit(timeouts.response_header_timeout),
            idle_timeout: limit(timeouts.idle_conn_timeout),
            read_idle_timeout: limit(timeouts.read_idle_timeout),
            ping_timeout: timeouts.ping_timeout.0,
        })
    }
}
