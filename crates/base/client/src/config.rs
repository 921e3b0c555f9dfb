//! `http_config` as it stands in configuration files.

use std::{collections::BTreeMap, path::PathBuf};

use config::{Inert, Secret};
use serde::{Deserialize, Serialize};

/// Settings of an outgoing HTTP client. Where a peer has these keys beside others in one block, [`http_client_shape!`](crate::http_client_shape)
/// adds them to the block's struct.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpClientConfig {
    /// User and password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// An `Authorization` header of any scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Authorization>,
    /// Older form of `authorization` with the scheme `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_token: Option<Secret>,
    /// Older form of `authorization.credentials_file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_token_file: Option<PathBuf>,
    /// Tokens from an OAuth 2 server: not supported yet.
    #[serde(skip_serializing)]
    pub oauth2: Inert,
    /// A proxy for all requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_url: Option<String>,
    /// Hosts that are reached without the proxy, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_proxy: Option<String>,
    /// Takes the proxy from `HTTP_PROXY` and its kin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_from_environment: Option<bool>,
    /// Headers for the proxy's CONNECT: not supported yet.
    #[serde(skip_serializing)]
    pub proxy_connect_header: Inert,
    /// Whether redirects are followed; yes unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_redirects: Option<bool>,
    /// Whether HTTP/2 is offered; yes unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_http2: Option<bool>,
    /// TLS settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_config: Option<TlsConfig>,
    /// More headers for every request.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub http_headers: BTreeMap<String, HeaderValues>,
}

/// `basic_auth`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BasicAuth {
    /// The user.
    pub username: String,
    /// A file with the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_file: Option<PathBuf>,
    /// The password.
    pub password: Secret,
    /// A file with the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
}

/// `authorization`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Authorization {
    /// The scheme; `Bearer` unless set.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// What follows the scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Secret>,
    /// A file with what follows the scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_file: Option<PathBuf>,
}

/// `tls_config`. PEM may stand in the file itself or in a file of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// Certificates to trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// A file with certificates to trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// The client's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<String>,
    /// A file with the client's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<PathBuf>,
    /// The client's key.
    #[serde(skip_serializing)]
    pub key: Option<SecretText>,
    /// A file with the client's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// The name to expect in the server's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Trusts any certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insecure_skip_verify: Option<bool>,
    /// `TLS12` or `TLS13`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_version: Option<String>,
    /// `TLS12` or `TLS13`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_version: Option<String>,
}

/// A [`Secret`] that can be part of a hashed key.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct SecretText(pub(crate) String);

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<secret>")
    }
}

/// The values of one header in `http_headers`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeaderValues {
    /// Values that may be shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Values that may not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
    /// Files with values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PathBuf>,
}

/// Settings that contradict each other. The texts are Prometheus'.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HttpClientConfigError(String);

impl HttpClientConfig {
    /// Refuses contradictions, and what is not supported yet.
    pub fn check(&self) -> Result<(), HttpClientConfigError> {
        let error = |text: &str| Err(HttpClientConfigError(text.to_owned()));
        if self.bearer_token.is_some() && self.bearer_token_file.is_some() {
            return error("at most one of bearer_token & bearer_token_file must be configured");
        }
        let bearer = self.bearer_token.is_some() || self.bearer_token_file.is_some();
        if self.basic_auth.is_some() && bearer {
            return error(
                "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured",
            );
        }
        if let Some(basic) = &self.basic_auth {
            if !basic.username.is_empty() && basic.username_file.is_some() {
                return error("at most one of basic_auth username & username_file must be configured");
            }
            if !basic.password.is_empty() && basic.password_file.is_some() {
                return error(
                    "at most one of basic_auth password, password_file & password_ref must be configured",
                );
            }
        }
        if let Some(authorization) = &self.authorization {
            if bearer {
                return error("authorization is not compatible with bearer_token & bearer_token_file");
            }
            if self.basic_auth.is_some() {
                return error("at most one of basic_auth, oauth2 & authorization must be configured");
            }
            if authorization.credentials.is_some() && authorization.credentials_file.is_some() {
                return error(
                    "at most one of authorization credentials & credentials_file must be configured",
                );
            }
            if authorization
                .scheme
                .as_deref()
                .is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("basic"))
            {
                return error(r#"authorization type cannot be set to "basic", use "basic_auth" instead"#);
            }
        }
        if self.oauth2.is_set() {
            return error("not supported yet: oauth2");
        }
        if self.proxy_connect_header.is_set() {
            return error("not supported yet: proxy_connect_header");
        }
        if self.proxy_from_environment == Some(true) && (self.proxy_url.is_some() || self.no_proxy.is_some())
        {
            return error(
                "if proxy_from_environment is configured, proxy_url and no_proxy must not be configured",
            );
        }
        if self.no_proxy.is_some() && self.proxy_url.is_none() {
            return error("if no_proxy is configured, proxy_url must also be configured");
        }
        self.tls_config.iter().try_for_each(TlsConfig::check)
    }
}

impl TlsConfig {
    fn check(&self) -> Result<(), HttpClientConfigError> {
        let error = |text: String| Err(HttpClientConfigError(text));
        for (inline, file, name) in [
            (self.ca.is_some(), self.ca_file.is_some(), "ca"),
            (self.cert.is_some(), self.cert_file.is_some(), "cert"),
            (self.key.is_some(), self.key_file.is_some(), "key"),
        ] {
            if inline && file {
                return error(format!("at most one of {name} and {name}_file must be configured"));
            }
        }
        let cert = self.cert.is_some() || self.cert_file.is_some();
        let key = self.key.is_some() || self.key_file.is_some();
        if cert && !key {
            return error(
                "exactly one of key or key_file must be configured when a client certificate is configured"
                    .into(),
            );
        }
        if key && !cert {
            return error(
                "exactly one of cert or cert_file must be configured when a client key is configured".into(),
            );
        }
        for (key, version) in [("min_version", &self.min_version), ("max_version", &self.max_version)] {
            if let Some(version) = version
                && !matches!(version.as_str(), "TLS10" | "TLS11" | "TLS12" | "TLS13")
            {
                return error(format!("unknown TLS version in {key}: {version}"));
            }
        }
        Ok(())
    }
}

/// Adds the keys of [`HttpClientConfig`] to the struct of a block that has them beside its own, and `http_client()` to collect them.
///
/// (serde's `flatten` would do it, but loses the positions of mistakes and the refusal of unknown keys.)
#[macro_export]
macro_rules! http_client_shape {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
            /// User and password.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub basic_auth: Option<$crate::BasicAuth>,
            /// An `Authorization` header of any scheme.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub authorization: Option<$crate::Authorization>,
            /// Older form of `authorization`.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub bearer_token: Option<::config::Secret>,
            /// Older form of `authorization.credentials_file`.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub bearer_token_file: Option<::std::path::PathBuf>,
            /// Not supported yet.
            #[serde(skip_serializing)]
            pub oauth2: ::config::Inert,
            /// A proxy for all requests.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub proxy_url: Option<String>,
            /// Hosts that are reached without the proxy.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub no_proxy: Option<String>,
            /// Takes the proxy from the environment.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub proxy_from_environment: Option<bool>,
            /// Not supported yet.
            #[serde(skip_serializing)]
            pub proxy_connect_header: ::config::Inert,
            /// Whether redirects are followed.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub follow_redirects: Option<bool>,
            /// Whether HTTP/2 is offered.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub enable_http2: Option<bool>,
            /// TLS settings.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub tls_config: Option<$crate::TlsConfig>,
            /// More headers for every request.
            #[serde(skip_serializing_if = "::std::collections::BTreeMap::is_empty")]
            pub http_headers: ::std::collections::BTreeMap<String, $crate::HeaderValues>,
        }

        impl $name {
            /// The keys that are the HTTP client's.
            pub fn http_client(&self) -> $crate::HttpClientConfig {
                $crate::HttpClientConfig {
                    basic_auth: self.basic_auth.clone(),
                    authorization: self.authorization.clone(),
                    bearer_token: self.bearer_token.clone(),
                    bearer_token_file: self.bearer_token_file.clone(),
                    oauth2: self.oauth2,
                    proxy_url: self.proxy_url.clone(),
                    no_proxy: self.no_proxy.clone(),
                    proxy_from_environment: self.proxy_from_environment,
                    proxy_connect_header: self.proxy_connect_header,
                    follow_redirects: self.follow_redirects,
                    enable_http2: self.enable_http2,
                    tls_config: self.tls_config.clone(),
                    http_headers: self.http_headers.clone(),
                }
            }
        }
    };
}
