//! The agent: follows log files and sends their lines to Loki, and tells about the machine as node_exporter does.
//!
//! It reads Promtail's configuration file and takes Promtail's flags; an `integrations:` block of our own adds the machine's metrics.
//!
//! ```text
//!  files ──tail──► job (one thread each) ──pipeline──► queue ──► client ──HTTP or gRPC──► Loki
//!            ▲                                                     │
//!            └──────────── position ◄──── acknowledgement ─────────┘
//! ```
//!
//! **Invariant**: a position moves only over lines that every client has delivered, or that were dropped for a counted reason. When a
//! server is away, clients try again for as long as it takes, queues fill, and reading pauses: memory is bounded, files hold the rest.
//!
//! Where we differ from Promtail on purpose: positions follow acknowledgement, `backoff_config.max_retries` does not make us give
//! lines up that files still hold, and a stream too many (`max_streams`) refuses that stream alone.

#![forbid(unsafe_code)]

mod api;
mod app;
mod config;
mod flags;
mod generation;
mod job;
mod metrics;
mod node_integration;
mod sending;
mod targets;

pub use app::{App, Options, Source};
pub use config::{LoadError, Overrides, Settings, load};
pub use flags::Flags;
