//! What can go wrong, told apart as far as callers act differently.

use model::{Labels, Millis};

/// Why one sample was not taken. The texts are Prometheus', as remote write clients and scrape logs show them.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AppendError {
    /// Older than the newest sample of its series, and no out-of-order window is configured.
    #[error("out of order sample")]
    OutOfOrder,
    /// Outside of the time range that the storage takes now: older than the head, or too far in the future.
    #[error("out of bounds")]
    OutOfBounds,
    /// Older than the out-of-order window.
    #[error("too old sample")]
    TooOld,
    /// Another value for a timestamp that the series has already.
    #[error(
        "duplicate sample for timestamp {timestamp}; overrides not allowed: existing {existing}, new value {new}"
    )]
    Duplicate {
        /// The timestamp of both.
        timestamp: Millis,
        /// The value that stays.
        existing: f64,
        /// The value that was refused.
        new: f64,
    },
    /// A float for a timestamp for which the series has a native histogram already.
    #[error(
        "duplicate sample for timestamp {timestamp}; overrides not allowed: existing is a histogram, new value {new}"
    )]
    DuplicateOfHistogram {
        /// The timestamp of both.
        timestamp: Millis,
        /// The value that was refused.
        new: f64,
    },
    /// A native histogram for a timestamp for which the series has another one, or a float.
    #[error("duplicate sample for timestamp")]
    DuplicateHistogram,
    /// The exemplar is older than the newest one of its series.
    #[error("out of order exemplar")]
    OutOfOrderExemplar,
    /// The series would be one too many.
    #[error(
        "series limit of {limit} reached: {labels} was not added; raise the limit or drop labels with many values"
    )]
    SeriesLimit {
        /// The limit that is in force.
        limit: u64,
        /// The series that was refused.
        labels: Labels,
    },
    /// The label set is not one a series can have.
    #[error("invalid labels {labels}: {reason}")]
    InvalidLabels {
        /// The set.
        labels: Labels,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The histogram contradicts itself.
    #[error("{0}")]
    InvalidHistogram(String),
    /// The storage is shutting down, or stopped taking samples after a failed write.
    #[error("storage does not take samples: {0}")]
    Closed(String),
}

impl AppendError {
    /// Whether the sample itself is at fault because of its time or value, so that sending it again is pointless.
    pub fn is_sample_fault(&self) -> bool {
        !matches!(self, Self::Closed(_) | Self::SeriesLimit { .. })
    }

    /// Whether the series has another sample at the same time.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Duplicate { .. } | Self::DuplicateOfHistogram { .. } | Self::DuplicateHistogram)
    }
}

/// Why a batch could not be made durable. None of it is visible.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The log could not be written.
    #[error("cannot write to the write-ahead log")]
    Log(#[source] std::io::Error),
    /// The device is full: writes are refused until there is room again, reads go on.
    #[error("no space left for the write-ahead log")]
    DiskFull(#[source] std::io::Error),
    /// The storage was closed meanwhile.
    #[error("storage is closed")]
    Closed,
}

/// Why a query could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// Reading failed; data of other blocks is unaffected.
    #[error("cannot read {what}")]
    Read {
        /// What was being read, with its path or id.
        what: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The storage was closed meanwhile.
    #[error("storage is closed")]
    Closed,
    /// The query was stopped: its client left, its time was up, or someone killed it.
    #[error("query was cancelled")]
    Cancelled,
}
