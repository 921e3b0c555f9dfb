//! How a request reaches a server.

use bytes::Bytes;

use super::{grpc::GrpcTransport, http::HttpTransport};
use crate::config::{Client, Transport as Kind};

/// Why a request was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    /// The server answered with an error.
    #[error("server returned {status}: {text}")]
    Answer {
        /// The HTTP status, or the one that corresponds to the gRPC code.
        status: u16,
        /// The beginning of its answer.
        text: String,
    },
    /// There was no answer.
    #[error("cannot reach the server")]
    NoAnswer(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl TransportError {
    /// Whether the same request may be taken another time.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Answer { status, .. } => *status == 429 || *status >= 500,
            Self::NoAnswer(_) => true,
        }
    }

    /// The label `status_code`: -1 without an answer.
    pub(crate) fn status_code(&self) -> String {
        match self {
            Self::Answer { status, .. } => status.to_string(),
            Self::NoAnswer(_) => "-1".into(),
        }
    }

    /// Why entries are given up, as the label `reason` has it.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Answer { status: 429, .. } => "rate_limited",
            _ => "ingester_error",
        }
    }
}

/// A server that takes push requests.
#[derive(Debug)]
pub(crate) enum Transport {
    Http(HttpTransport),
    Grpc(GrpcTransport),
    Print,
}

impl Transport {
    /// Checks the settings; connects when the first request is sent.
    pub(crate) fn new(
        client: &Client,
        base_dir: &std::path::Path,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(match &client.transport {
            Kind::Http { url, client: http } => {
                Self::Http(HttpTransport::new(url.clone(), http, client, base_dir)?)
            }
            Kind::Grpc { authority } => Self::Grpc(GrpcTransport::new(authority, client)?),
            Kind::Print => Self::Print,
        })
    }

    /// Sends an encoded push request. Returns the bytes that went over the wire.
    pub(crate) async fn push(&self, request: &Bytes, tenant: Option<&str>) -> Result<usize, TransportError> {
        match self {
            Self::Http(http) => http.push(request, tenant).await,
            Self::Grpc(grpc) => grpc.push(request, tenant).await,
            Self::Print => Ok(0),
        }
    }
}
