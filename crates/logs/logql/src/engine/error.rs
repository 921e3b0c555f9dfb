//! Why a query was not answered.

use model::Labels;
use streams::QueryError;

use crate::pipeline::ERROR;
use crate::syntax::ParseError;

/// A query that was not answered: what kind of failure, and the text its client reads, Loki's where Loki has one.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct EngineError {
    /// What kind of failure.
    pub kind: EngineErrorKind,
    message: String,
    #[source]
    source: Option<QueryError>,
}

/// What a caller may want to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineErrorKind {
    /// The query does not parse or makes no sense: the client's fault.
    Parse,
    /// Parameters that cannot be: the client's fault.
    BadRequest,
    /// A limit was reached: the client's fault.
    Limit,
    /// A line could not be processed and the query did not say what to do about it: the client's fault.
    Pipeline,
    /// What the language has and this engine has not.
    NotSupported,
    /// Stopped from outside.
    Cancelled,
    /// The time was up.
    Timeout,
    /// The source failed.
    Source,
}

impl EngineError {
    pub(super) fn new(kind: EngineErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Whether the client can do something about it: status 400 and not 500.
    pub fn is_clients_fault(&self) -> bool {
        use EngineErrorKind::{BadRequest, Limit, NotSupported, Parse, Pipeline};
        matches!(self.kind, Parse | BadRequest | Limit | Pipeline | NotSupported)
    }

    pub(super) fn limit(message: impl Into<String>) -> Self {
        Self::new(EngineErrorKind::Limit, message)
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(EngineErrorKind::BadRequest, message)
    }

    pub(super) fn cancelled() -> Self {
        Self::new(EngineErrorKind::Cancelled, "the request was cancelled by the client")
    }

    pub(super) fn timeout() -> Self {
        let message = "request timed out, decrease the duration of the request or add more label matchers (prefer exact match over regex \
                       match) to reduce the amount of data processed";
        Self::new(EngineErrorKind::Timeout, message)
    }

    pub(super) fn instant_log_query() -> Self {
        Self::bad_request(
            "log queries are not supported as an instant query type, please change your query to a range query type",
        )
    }

    pub(super) fn variants_disabled() -> Self {
        Self::bad_request("multi variant queries are disabled for this instance")
    }

    /// An entry of a metric query ended with an error in its labels.
    pub(super) fn pipeline(labels: &Labels) -> Self {
        let error = labels.value(ERROR);
        let message = format!(
            "pipeline error: '{error}' for series: '{labels}'.\n\
             Use a label filter to intentionally skip this error. (e.g | __error__!=\"{error}\").\n\
             To skip all potential errors you can match empty errors.(e.g __error__=\"\")\n\
             The label filter can also be specified after unwrap. (e.g | unwrap latency | __error__=\"\" )\n"
        );
        Self::new(EngineErrorKind::Pipeline, message)
    }
}

impl From<ParseError> for EngineError {
    fn from(error: ParseError) -> Self {
        let kind = if error.message().contains("not supported yet: ") {
            EngineErrorKind::NotSupported
        } else {
            EngineErrorKind::Parse
        };
        Self::new(kind, error.to_string())
    }
}

impl From<QueryError> for EngineError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Cancelled => Self::cancelled(),
            error @ (QueryError::Read { .. } | QueryError::Closed) => Self {
                kind: EngineErrorKind::Source,
                message: "cannot read logs".to_owned(),
                source: Some(error),
            },
        }
    }
}
