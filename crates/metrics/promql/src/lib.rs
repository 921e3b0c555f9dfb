//! PromQL: the language, and the engine that answers queries in it.
//!
//! - [`syntax`] reads queries and prints them; it knows nothing of evaluation.
//! - [`Engine`] answers queries over anything that implements [`storage::Queryable`].
//! - [`testscript`] runs Prometheus' own test scripts; [`memory`] is the storage they load their series into.
//!
//! A query goes from `syntax` through `plan` (no syntax left, constants folded) to `exec` (rows of numbers, the operators of the `vector`
//! crate); `functions` holds what single functions compute, `histogram` how native histograms are computed with.

#![forbid(unsafe_code)]

mod engine;
mod exec;
mod functions;
mod histogram;
pub mod memory;
mod plan;
pub mod syntax;
pub mod testscript;

pub use engine::{
    CancelToken, Engine, EngineError, EngineOptions, ErrorKind, ExplainedOperator, QueryOptions, QueryResult,
    QueryStats, RangeSeries, Sample, SampleValue, Value,
};
pub use histogram::{HistogramBucket, histogram_buckets};
