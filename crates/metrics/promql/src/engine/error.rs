//! Why a query has no answer.

use storage::QueryError;
use vector::{MatchError, SameLabelset};

use crate::syntax::ParseError;

/// A query failed. The texts are Prometheus', for clients show them.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The text is no query.
    #[error(transparent)]
    Parse(ParseError),
    /// A time, step or duration does not make sense.
    #[error("{0}")]
    Invalid(String),
    /// The query would keep more samples in memory at once than `--query.max-samples` allows.
    #[error("query processing would load too many samples into memory in query execution")]
    TooManySamples,
    /// The query would keep more bytes in memory at once than `--query.max-bytes` allows, which is so much.
    #[error(
        "query processing would take more than {0} bytes of memory; ask for fewer series or samples, or raise --query.max-bytes"
    )]
    TooManyBytes(usize),
    /// The time for the query is over.
    #[error("query timed out in expression evaluation")]
    Timeout,
    /// The client left, or someone stopped the query.
    #[error("query was canceled in expression evaluation")]
    Canceled,
    /// The storage failed.
    #[error("expanding series")]
    Storage(#[source] QueryError),
    /// Series of two sides do not pair up.
    #[error(transparent)]
    Match(#[from] MatchError),
    /// Two results have the same labels.
    #[error(transparent)]
    SameLabelset(#[from] SameLabelset),
    /// The data or the arguments do not fit the operation.
    #[error("{0}")]
    Execution(String),
    /// Part of the language that this engine does not have yet.
    #[error("not supported yet: {0}")]
    NotSupported(String),
}

/// What a client is told about the kind of failure: `errorType` of the HTTP API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is at fault.
    BadData,
    /// The query is valid and cannot be computed.
    Execution,
    /// It was stopped.
    Canceled,
    /// It took too long.
    Timeout,
    /// The server is at fault.
    Internal,
}

impl ErrorKind {
    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadData => "bad_data",
            Self::Execution => "execution",
            Self::Canceled => "canceled",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
        }
    }
}

impl EngineError {
    /// The kind of failure.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Parse(_) | Self::Invalid(_) => ErrorKind::BadData,
            Self::TooManySamples
            | Self::TooManyBytes(_)
            | Self::Match(_)
            | Self::SameLabelset(_)
            | Self::Execution(_)
            | Self::NotSupported(_) => ErrorKind::Execution,
            Self::Timeout => ErrorKind::Timeout,
            Self::Canceled | Self::Storage(QueryError::Cancelled) => ErrorKind::Canceled,
            Self::Storage(_) => ErrorKind::Internal,
        }
    }

    pub(crate) fn execution(text: impl Into<String>) -> Self {
        Self::Execution(text.into())
    }
}

impl From<QueryError> for EngineError {
    fn from(error: QueryError) -> Self {
        Self::Storage(error)
    }
}
