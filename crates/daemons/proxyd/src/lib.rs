//! `proxyd`, the reverse proxy: Traefik's configuration, flags, API and metric names.
//!
//! The static configuration ([`Options`]) holds for the daemon's lifetime; the dynamic one is read by providers, built whole into a
//! runtime and swapped. Requests go entry point → router → middlewares → service → server; the parts that know nothing of configuration
//! files are the crates `router`, `middleware`, `balance` and `tls`.
//!
//! Where it differs from the original on purpose: a dynamic file with a mistake keeps its last good version and the other files go on;
//! flags override a file's settings instead of being ignored; `readTimeout` limits silence, not the length of an upload.

#![forbid(unsafe_code)]

mod api;
mod app;
mod config;
mod entry_point;
mod flags;
mod observe;
mod provider;
mod runtime;
mod shared;

pub use app::App;
pub use config::arguments::{ArgumentError, Arguments as Options};
pub use flags::Flags;
