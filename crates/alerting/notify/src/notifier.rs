//! What delivers notifications, and how a delivery fails.

use std::{io, sync::Arc};

use async_trait::async_trait;
use http::StatusCode;

use crate::Message;

/// Delivers notifications to one destination.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Tells the destination once. Whoever calls it repeats a failure that [`NotifyError::is_retryable`].
    async fn notify(&self, message: &Message) -> Result<(), NotifyError>;
}

/// One entry of a receiver: a notifier, and which of a receiver's entries it is.
#[derive(Clone)]
pub struct Integration {
    /// The kind: `webhook`.
    pub name: &'static str,
    /// Which of its kind in the receiver, from 0.
    pub index: usize,
    /// Whether it is told about alerts that are over.
    pub send_resolved: bool,
    /// What delivers.
    pub notifier: Arc<dyn Notifier>,
}

/// Why a destination was not told.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// It answered, but not with success.
    #[error("unexpected status code {}{details}", .status.as_u16())]
    Status {
        /// The status.
        status: StatusCode,
        /// The start of the body after `: `, if there is one.
        details: String,
    },
    /// There was no answer.
    #[error("no answer")]
    Request(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It took too long.
    #[error("no answer within {0}")]
    Timeout(String),
    /// A file with an address or a secret cannot be read.
    #[error("cannot read `{path}`")]
    File {
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// A template does not run.
    #[error("template {template:?} failed")]
    Template {
        /// The key whose value the template is.
        template: &'static str,
        /// The cause.
        source: template::ExecError,
    },
    /// A value that a template gave cannot be used.
    #[error("{0}")]
    Value(String),
    /// This kind of destination cannot be told yet.
    #[error("not supported yet: {0}")]
    NotSupported(String),
    /// The time for the notification was over, or the daemon stops.
    #[error("given up after {attempts} attempts")]
    GivenUp {
        /// How often it was tried.
        attempts: u32,
        /// The last failure.
        source: Option<Box<NotifyError>>,
    },
}

/// Failures by kind, as metrics tell them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureReason {
    Other,
    ClientError,
    ServerError,
    ContextCanceled,
    ContextDeadlineExceeded,
    AuthError,
    RateLimited,
}

impl NotifyError {
    /// Whether trying again may help.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Status { status, .. } => status.is_server_error(),
            Self::Request(_) | Self::Timeout(_) => true,
            Self::File { .. }
            | Self::Template { .. }
            | Self::Value(_)
            | Self::NotSupported(_)
            | Self::GivenUp { .. } => false,
        }
    }

    pub(crate) fn reason(&self) -> FailureReason {
        match self {
            Self::Status { status, .. } => match status.as_u16() {
                401 | 403 => FailureReason::AuthError,
                429 => FailureReason::RateLimited,
                400..=499 => FailureReason::ClientError,
                500..=599 => FailureReason::ServerError,
                _ => FailureReason::Other,
            },
            Self::Timeout(_) => FailureReason::ContextDeadlineExceeded,
            Self::GivenUp { source: Some(source), .. } => source.reason(),
            Self::GivenUp { source: None, .. } => FailureReason::ContextCanceled,
            _ => FailureReason::Other,
        }
    }
}

impl FailureReason {
    pub const ALL: [Self; 7] = [
        Self::Other,
        Self::ClientError,
        Self::ServerError,
        Self::ContextCanceled,
        Self::ContextDeadlineExceeded,
        Self::AuthError,
        Self::RateLimited,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::ClientError => "clientError",
            Self::ServerError => "serverError",
            Self::ContextCanceled => "contextCanceled",
            Self::ContextDeadlineExceeded => "contextDeadlineExceeded",
            Self::AuthError => "authError",
            Self::RateLimited => "rateLimited",
        }
    }
}
