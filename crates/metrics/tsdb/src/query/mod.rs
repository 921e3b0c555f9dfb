//! Finding series and putting together what head and blocks know of them.

mod chunks;
mod label_query;
mod merge;
mod select;
mod sorted;

#[cfg(test)]
mod tests;

use model::Matcher;
use storage::{LabelQuery, QueryError, Series};

pub(crate) use chunks::{ChunkSource, ChunkSources, SourceChunk, Visible};
pub(crate) use label_query::{label_names, label_values};
pub(crate) use merge::{DbQuerier, merge_columns};
pub(crate) use select::{PostingsSource, SeriesSet, at_most, has_prefix, matching, matching_any};
pub(crate) use sorted::{FileNumber, keep, meets, remove, unite};

/// One place that samples are in: the head or a block. Like `storage::Querier`, but for the part only.
pub(crate) trait Part: Send + Sync {
    /// The series that satisfy the matchers and have samples about the part's time range, sorted by labels. Those that are not in
    /// `projection` may be missing in the result.
    fn select(
        &self,
        matchers: &[Matcher],
        projection: Option<&[String]>,
    ) -> Result<PartSet<Series>, QueryError>;

    /// The same series, with their chunks.
    fn select_chunks(&self, matchers: &[Matcher]) -> Result<PartSet<ChunkSources>, QueryError>;

    /// Names of labels, in no order, without duplicates.
    fn label_names(&self, query: &LabelQuery) -> Result<Vec<String>, QueryError>;

    /// Values of a label, in no order, without duplicates.
    fn label_values(&self, name: &str, query: &LabelQuery) -> Result<Vec<String>, QueryError>;

    /// How many series satisfy the matchers at most, whenever they have samples; see `storage::Querier`.
    fn at_most(&self, matchers: &[Matcher]) -> Result<usize, QueryError>;

    /// How many values a label has, or how many names labels have where none is named.
    fn texts_at_most(&self, label: Option<&str>) -> usize;
}

/// The series of one part in order.
pub(crate) type PartSet<S> = Box<dyn Iterator<Item = Result<S, QueryError>> + Send>;
