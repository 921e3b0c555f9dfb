//! The outgoing HTTP client, with the settings that every peer calls `http_config`.
//!
//! Secrets in files (`password_file`, `credentials_file`) are read at every request, so that they can be rotated. Certificates are read
//! when the client is built. Source: Prometheus docs/configuration, sections on HTTP clients.

#![forbid(unsafe_code)]

mod body;
mod config;
mod http_client;

#[cfg(test)]
mod tests;

pub use body::{BodyError, read_body};
pub use config::{
    Authorization, BasicAuth, HeaderValues, HttpClientConfig, HttpClientConfigError, TlsConfig,
};
pub use http_client::{BuildError, ClientOptions, HttpClient, SendError};
