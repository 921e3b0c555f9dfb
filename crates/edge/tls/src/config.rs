//! The shape of a dynamic configuration's `tls` section.

use std::collections::BTreeMap;

use config::null_as_default;
use serde::{Deserialize, Serialize};

/// The whole section.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TlsConfig {
    /// Certificates by the names in them.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificateFile>,
    /// Options by name; `default` holds where a router names none.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, TlsOptions>,
    /// Stores by name; only `default` is used.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub stores: BTreeMap<String, StoreConfig>,
}

/// A certificate with its key, each a file name or PEM text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CertificateFile {
    /// The chain, the server's own certificate first.
    pub cert_file: config::Secret,
    /// The private key.
    pub key_file: config::Secret,
    /// Stores it is for; `default` if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<String>,
}

/// One entry of `options`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TlsOptions {
    /// `VersionTLS12` (the default) or `VersionTLS13`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub min_version: String,
    /// As `min_version`; none if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub max_version: String,
    /// Names of Go or IANA; all if empty. TLS 1.3 suites cannot be chosen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cipher_suites: Vec<String>,
    /// Key exchange groups; all if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub curve_preferences: Vec<String>,
    /// Certificates of clients.
    pub client_auth: ClientAuth,
    /// Whether clients that ask for a name without a certificate are refused.
    pub sni_strict: bool,
    /// Protocols offered; h2 and http/1.1 if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alpn_protocols: Vec<String>,
    /// Whether sessions are never resumed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_session_tickets: bool,
    /// Of version 2, without effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefer_server_cipher_suites: Option<bool>,
}

/// Whether clients show certificates, and which are good.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClientAuth {
    /// Authorities, each a file name or PEM text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ca_files: Vec<String>,
    /// `NoClientCert`, `VerifyClientCertIfGiven` or `RequireAndVerifyClientCert`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_auth_type: String,
}

/// One entry of `stores`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StoreConfig {
    /// For names without a certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_certificate: Option<CertificateFile>,
    /// A default certificate to be got from a resolver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_generated_cert: Option<DefaultGeneratedCert>,
}

/// Which resolver gets the default certificate, and for what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DefaultGeneratedCert {
    /// The resolver's name.
    pub resolver: String,
    /// The names in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
}

/// Names of one certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Domain {
    /// The first.
    pub main: String,
    /// The others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sans: Vec<String>,
}
