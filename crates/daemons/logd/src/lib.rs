//! Takes, keeps and searches log lines: a daemon that takes Loki's configuration and speaks its HTTP API.
//!
//! ```text
//! push (HTTP, gRPC) ─► api, grpc: decode ─► ingest: labels, limits, rates ─► tenants: a store each ─► logstore
//! query             ─► api: parameters   ─► queries: a turn, a deadline   ─► logql over the tenant's store
//! ```
//!
//! [`App`] is the whole daemon; `main.rs` only starts it, and so does the program that runs all daemons in one process.

#![forbid(unsafe_code)]

mod api;
mod app;
mod config;
mod flags;
mod grpc;
mod ingest;
mod maintenance;
mod queries;
mod tenants;
mod verify;

pub use app::{App, Options};
pub use config::{Config, Limits};
pub use flags::Flags;
pub use verify::main;
