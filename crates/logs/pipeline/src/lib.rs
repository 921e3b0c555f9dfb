//! Promtail's pipeline stages: what happens to a log line between the file and the receiver.
//!
//! A [`Pipeline`] is built once from its configuration and then run line by line. An [`Entry`] is a [`Record`] (time, line, labels,
//! structured metadata, extracted values) and the [`Receipt`]s of the lines it was made of: whoever drops or merges entries passes
//! the receipts on, so that every line is accounted for.
//!
//! - One file a stage under `stages/`; `build.rs` is the one list of them.
//! - A stage's configuration is checked when the pipeline is built; running it cannot fail.
//! - What a stage holds back (blocks of `multiline`, parts of `cri`) is bounded, leaves by time with [`Pipeline::flush_due`], and at
//!   the end with [`Pipeline::finish`].
//!
//! Source: Promtail's documentation of its stages; where that is silent, what the program was seen to do.

#![forbid(unsafe_code)]

mod build;
mod custom;
mod entry;
mod error;
mod extracted;
mod go_json;
mod labels;
mod metrics;
mod raw_text;
mod run;
mod selector;
mod stages;
mod token_bucket;

pub use build::Builder;
pub use custom::CustomMetrics;
pub use entry::{Entry, Receipt, Record};
pub use error::{BuildError, StageError};
pub use labels::LabelSet;
pub use metrics::PipelineMetrics;
pub use run::{Context, Pipeline};
pub use token_bucket::TokenBucket;

/// The label under which the `tenant` stage notes an entry's tenant; it is never sent as a label.
pub const TENANT_LABEL: &str = "__tenant_id__";
