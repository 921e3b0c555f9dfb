//! What can go wrong with a service, when it is built and when it is used.

use std::{fmt, io, time::Duration};

use http::StatusCode;

/// Why a service cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BalanceError {
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
    /// TLS towards the servers.
    #[error("cannot set up TLS towards servers")]
    Tls(#[from] tls::TlsError),
}

impl BalanceError {
    pub(crate) fn value(key: &'static str, message: impl fmt::Display) -> Self {
        Self::Value { key, message: message.to_string() }
    }
}

/// Why a server did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// The name has no address.
    #[error("cannot resolve {host:?}")]
    Resolve {
        /// The name.
        host: String,
        /// The cause.
        source: io::Error,
    },
    /// No connection.
    #[error("cannot connect to {address}")]
    Connect {
        /// Host and port.
        address: String,
        /// The cause.
        source: io::Error,
    },
    /// No connection in time.
    #[error("no connection to {address} within {limit:?}")]
    DialTimeout {
        /// Host and port.
        address: String,
        /// The time allowed.
        limit: Duration,
    },
    /// The TLS handshake failed.
    #[error("TLS handshake with {address} failed")]
    Handshake {
        /// Host and port.
        address: String,
        /// The cause.
        source: io::Error,
    },
    /// The exchange broke off.
    #[error("the exchange with the server failed")]
    Exchange(#[source] hyper::Error),
    /// No headers in time.
    #[error("no response headers within {0:?}")]
    HeaderTimeout(Duration),
}

impl ForwardError {
    /// What the client is told.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::DialTimeout { .. } | Self::HeaderTimeout(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Exchange(error) if error.is_timeout() => StatusCode::GATEWAY_TIMEOUT,
            Self::Resolve { .. } | Self::Connect { .. } | Self::Handshake { .. } | Self::Exchange(_) => {
                StatusCode::BAD_GATEWAY
            }
        }
    }
}
