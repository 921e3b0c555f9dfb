//! What can be wrong with certificates and TLS settings.

use std::{fmt, path::PathBuf};

/// TLS material or settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of certificates or keys.
    #[error("cannot read `{}`", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: rustls_pki_types::pem::Error,
    },
    /// PEM given in place of a file name.
    #[error("cannot read the PEM text in {key}")]
    Inline {
        /// Path of the key that holds it.
        key: &'static str,
        /// The cause.
        source: rustls_pki_types::pem::Error,
    },
    /// There is PEM, but none of the kind.
    #[error("no certificate in `{0}`")]
    NoCertificate(String),
    /// Certificate, key and settings do not fit together.
    #[error("{what} does not hold")]
    Rejected {
        /// What was rejected.
        what: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An option does not hold.
    #[error("{key}: {message}")]
    Value {
        /// Path of the key.
        key: &'static str,
        /// What is wrong.
        message: String,
    },
    /// The original has it, this proxy has not.
    #[error("not supported yet: {0}")]
    NotSupported(String),
    /// The default certificate cannot be made or kept.
    #[error("cannot make the default certificate")]
    SelfSigned(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl TlsError {
    pub(crate) fn value(key: &'static str, message: impl fmt::Display) -> Self {
        Self::Value { key, message: message.to_string() }
    }

    pub(crate) fn rejected(
        what: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Rejected { what: what.into(), source: source.into() }
    }
}
