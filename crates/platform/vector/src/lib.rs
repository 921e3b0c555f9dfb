//! Operators over step vectors: what PromQL and LogQL's metric queries do once series have become rows of numbers.
//!
//! A query asks for values at [`Steps`]: a start, a step, a count. Each series is one [`Row`]: a value a step and a [`Bitmap`] that says
//! at which steps there is one (absence is never a NaN, for NaN is a value). Rows are streamed: an aggregation takes one row after the
//! other and keeps group rows only, so its memory is groups × steps and not series × steps.
//!
//! | what | with |
//! |---|---|
//! | `sum avg min max count group stddev stdvar` | [`Groups`] gives a series its group, [`Reducer`] adds its row |
//! | `topk bottomk` | [`Ranker`] |
//! | `quantile` | [`QuantileReducer`] |
//! | `count_values` | [`ValueCounter`] |
//! | `limitk` | [`Limiter`] |
//! | `a + b`, `a > bool b` | [`join`] pairs the rows, [`combine`] computes |
//! | `and or unless` | [`set_operation`] |
//!
//! Labels are looked at once per series set, never once per step: [`Groups`] turns them into small numbers first.
//!
//! It knows neither language: which labels to drop, how to print values and which texts errors carry at their front is the caller's
//! part. It starts no threads and does no I/O.

#![forbid(unsafe_code)]

mod binary;
mod bitmap;
mod count_values;
mod error;
mod group;
mod join;
mod kahan;
mod limit;
mod matching;
mod quantile;
mod rank;
mod reduce;
mod row;
mod set;
mod steps;
mod table;

pub use binary::{BinaryOp, Comparison, Kept, Operand, combine};
pub use bitmap::Bitmap;
pub use count_values::{CountedValue, ValueCounter};
pub use error::{MatchError, SameLabelset, Side};
pub use group::{Grouping, Groups};
pub use join::{Join, Pair, join};
pub use kahan::{CompensatedSum, Mean, add_finite};
pub use limit::Limiter;
pub use matching::{Cardinality, Matching};
pub use quantile::{QuantileReducer, quantile};
pub use rank::{Rank, Ranker};
pub use reduce::{Reduce, Reducer};
pub use row::Row;
pub use set::{SetOp, set_operation};
pub use steps::Steps;
pub use table::{SeriesTable, has_duplicates};
