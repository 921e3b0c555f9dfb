//! What a client reads when a push, or some of it, is not taken.

use model::Labels;
use streams::PushError;

/// An answer other than "stored".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// What the client reads.
    pub text: String,
}

/// Why entries were discarded: the label `reason` of Loki's counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reason {
    RateLimited,
    StreamLimit,
    PerStreamRateLimit,
    LineTooLong,
    TooFarBehind,
    GreaterThanMaxSampleAge,
    TooFarInFuture,
    MaxLabelNamesPerSeries,
    LabelNameTooLong,
    LabelValueTooLong,
    DuplicateLabelNames,
    MissingLabels,
    StructuredMetadataTooLarge,
    StructuredMetadataTooMany,
    DisallowedStructuredMetadata,
    BlockedIngestion,
    MissingEnforcedLabels,
    RequestBodyTooLarge,
}

impl Reason {
    /// As the counters name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::StreamLimit => "stream_limit",
            Self::PerStreamRateLimit => "per_stream_rate_limit",
            Self::LineTooLong => "line_too_long",
            Self::TooFarBehind => "too_far_behind",
            Self::GreaterThanMaxSampleAge => "greater_than_max_sample_age",
            Self::TooFarInFuture => "too_far_in_future",
            Self::MaxLabelNamesPerSeries => "max_label_names_per_series",
            Self::LabelNameTooLong => "label_name_too_long",
            Self::LabelValueTooLong => "label_value_too_long",
            Self::DuplicateLabelNames => "duplicate_label_names",
            Self::MissingLabels => "missing_labels",
            Self::StructuredMetadataTooLarge => "structured_metadata_too_large",
            Self::StructuredMetadataTooMany => "structured_metadata_too_many",
            Self::DisallowedStructuredMetadata => "disallowed_structured_metadata",
            Self::BlockedIngestion => "blocked_ingestion",
            Self::MissingEnforcedLabels => "missing_enforced_labels",
            Self::RequestBodyTooLarge => "request_body_too_large",
        }
    }
}

impl Refusal {
    /// Any.
    pub fn new(status: u16, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    /// The request has no stream at all.
    pub fn no_streams() -> Self {
        Self::new(422, "error at least one valid stream is required for ingestion")
    }

    /// One more stream would be too many.
    pub fn stream_limit(labels: &Labels, tenant: &str) -> Self {
        let text = format!(
            "maximum active stream limit exceeded when trying to create stream {labels}, reduce the number of active streams (reduce \
             labels or reduce label values), or contact your Loki administrator to see if the limit can be increased, user: '{tenant}'"
        );
        Self::new(429, text)
    }

    /// The store takes nothing now.
    pub fn unavailable(error: &PushError) -> Self {
        Self::new(if matches!(error, PushError::Log(_)) { 500 } else { 503 }, service::report(error))
    }
}
