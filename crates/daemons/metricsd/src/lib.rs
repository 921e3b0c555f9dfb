//! Scrapes, stores and answers: a daemon that takes Prometheus' configuration, speaks its HTTP API and keeps its data in its format.
//!
//! [`App`] is the whole daemon; `main.rs` only starts it, and so does the program that runs all daemons in one process.

mod api;
mod app;
mod check;
mod config;
mod evaluator;
mod flags;
mod notifications;
mod queries;
mod query_log;
mod reload;

pub use app::{App, Options};
pub use check::{Checked, check_config, check_rules};
pub use config::{Config, LoadError};
pub use flags::Flags;
