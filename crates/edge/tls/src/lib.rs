//! TLS of the proxy, on both sides: certificates by name, options by name, and the settings towards servers.
//!
//! - [`TlsConfig`] is the shape of the `tls` section of a dynamic configuration.
//! - [`CertificateStore`] finds the certificate for a name: the exact one, else a wildcard of one label, else the default.
//! - [`ServerOptions::build`] makes a server configuration of one entry of `tls.options` and a store.
//! - [`ClientOptions::build`] makes a client configuration for servers spoken to by `https`.
//!
//! Nothing here opens a socket, and nothing is cached: whoever reloads builds anew and swaps.

#![forbid(unsafe_code)]

mod client;
mod config;
mod describe;
mod error;
mod names;
mod pem;
mod self_signed;
mod server;
mod store;

#[cfg(test)]
mod tests;

pub use client::ClientOptions;
pub use config::{
    CertificateFile, ClientAuth, DefaultGeneratedCert, Domain, StoreConfig, TlsConfig, TlsOptions,
};
pub use describe::{CertificateFacts, describe};
pub use error::TlsError;
pub use self_signed::default_certificate;
pub use server::ServerOptions;
pub use store::{CertificateStore, StoredCertificate};
