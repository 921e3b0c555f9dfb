//! Takes alerts, groups, mutes and delivers them: a daemon that takes Alertmanager's configuration and speaks its API.
//!
//! [`App`] is the whole daemon; `main.rs` only starts it, and so does the program that runs all daemons in one process.

#![forbid(unsafe_code)]

mod api;
mod app;
mod config;
mod external_url;
mod flags;
mod options;

pub use app::{App, StartError};
pub use config::{Config, ConfigSource};
pub use flags::Flags;
pub use options::Options;
