//! Where those who use samples meet those who keep them.
//!
//! The query engine, the scraper, remote write and the rules know these traits only; the time series database, remote read, fan-outs
//! and tests implement them. Everything is synchronous: reading maps files and chews memory, so callers run it on blocking threads.

#![forbid(unsafe_code)]

mod append;
mod chunks;
mod error;
mod query;

pub use append::{Appendable, Appender, Exemplar, HistogramSample, Metadata, MetricType, SeriesRef};
pub use chunks::{
    Chunk, ChunkEncoding, ChunkQuerier, ChunkQueryable, ChunkReader, ChunkSeries, ChunkSeriesSet,
};
pub use error::{AppendError, CommitError, QueryError};
pub use query::{
    LabelQuery, Querier, Queryable, SelectHints, Series, SeriesReader, SeriesSet, StartTimestamps, collect,
};
