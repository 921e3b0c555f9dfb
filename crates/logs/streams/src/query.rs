//! Reading log lines.

use std::sync::Arc;

use go_regex::Regex;
use model::{Labels, Matcher, Nanos};

use crate::LineBatch;

/// Something that holds logs.
pub trait LogSource: Send + Sync {
    /// Opens a consistent view: what is compacted or deleted meanwhile stays readable.
    fn querier(&self) -> Result<Arc<dyn LogQuerier>, QueryError>;
}

/// A view on the logs.
pub trait LogQuerier: Send + Sync {
    /// The entries of all streams that satisfy the matchers, in batches.
    ///
    /// Batches of one stream come in the order of the query's direction and do not overlap in time; batches of different streams may
    /// come in any order, so that a segment is read once. Equal entries (same stream, time, line and metadata) occur once.
    fn select(
        &self,
        select: &SelectLogs,
    ) -> Result<Box<dyn Iterator<Item = Result<LineBatch, QueryError>> + Send>, QueryError>;

    /// The label sets of the streams that have entries in the range, sorted.
    fn series(&self, query: &StreamQuery) -> Result<Vec<Labels>, QueryError>;

    /// Names of stream labels, sorted.
    fn label_names(&self, query: &StreamQuery) -> Result<Vec<String>, QueryError>;

    /// Values of a stream label, sorted.
    fn label_values(&self, name: &str, query: &StreamQuery) -> Result<Vec<String>, QueryError>;

    /// How much a selection would read.
    fn volume(&self, query: &StreamQuery) -> Result<Volume, QueryError>;
}

/// What to read.
#[derive(Debug, Clone)]
pub struct SelectLogs {
    /// Conditions on stream labels; at least one refuses the empty value.
    pub matchers: Vec<Matcher>,
    /// First moment, inclusive.
    pub start: Nanos,
    /// Last moment, exclusive.
    pub end: Nanos,
    /// Order of time.
    pub direction: Direction,
    /// Conditions on lines. The store leaves out lines that fail one where that saves work; it may return some all the same, so the
    /// caller checks again.
    pub filters: Vec<LineFilter>,
    /// Which columns the caller is going to use.
    pub wanted: Wanted,
}

/// Order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Oldest first.
    Forward,
    /// Newest first, the default of log queries.
    #[default]
    Backward,
}

/// A condition on a line's text.
#[derive(Debug, Clone)]
pub enum LineFilter {
    /// The line contains one of the texts.
    Contains(Vec<String>),
    /// The line contains none of the texts.
    ContainsNot(Vec<String>),
    /// The line contains a match.
    Matches(Regex),
    /// The line contains no match.
    MatchesNot(Regex),
}

/// Columns a query uses. Times are always read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The lines' text. Without it, lines come back empty: counting needs no text.
    pub lines: bool,
    /// Structured metadata.
    pub metadata: bool,
}

/// Which streams are asked about.
#[derive(Debug, Clone)]
pub struct StreamQuery {
    /// Selectors, of which a stream has to satisfy one; none means all streams.
    pub selectors: Vec<Vec<Matcher>>,
    /// First moment, inclusive.
    pub start: Nanos,
    /// Last moment, exclusive.
    pub end: Nanos,
}

/// Size of a selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Volume {
    /// Streams.
    pub streams: u64,
    /// Segments and buffers that hold entries of them.
    pub chunks: u64,
    /// Entries.
    pub entries: u64,
    /// Bytes of text, uncompressed.
    pub bytes: u64,
}

/// Why a query could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// Reading failed; other segments are unaffected.
    #[error("cannot read {what}")]
    Read {
        /// What was being read, with its path or id.
        what: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store was closed meanwhile.
    #[error("log store is closed")]
    Closed,
    /// The query was stopped: its client left, its time was up, or someone killed it.
    #[error("query was cancelled")]
    Cancelled,
}
