//! Scraping: from a scrape configuration to samples in storage.
//!
//! ```text
//! JobConfig ─► Manager ─► one Pool a job: discovery ─► relabelling ─► targets
//!                                            one loop a target: fetch ─► exposition ─► Cache ─► Appender
//! ```
//!
//! A target's loop remembers every series by the bytes of its line up to the value, so that a scrape whose series did not change
//! builds no label set and allocates nothing per line.

#![forbid(unsafe_code)]

mod cache;
mod config;
pub mod exposition;
mod fetch;
mod ingest;
mod manager;
mod metrics;
mod pool;
mod target;
mod target_loop;

#[cfg(test)]
mod tests;

pub use config::{Defaults, JobConfig, Limits, ScrapeConfig, ScrapeConfigError, ScrapeProtocol};
pub use manager::Manager;
pub use pool::{DroppedTarget, PoolState};
pub use target::{Health, Target, TargetStatus};
