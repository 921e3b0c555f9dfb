//! The dashboards server: Grafana's HTTP API, provisioning files and settings, and a web app of its own.
//!
//! [`App`] is built from [`Options`] by whoever runs it; as a [`service::Daemon`] it reads them from flags and environment.

#![forbid(unsafe_code)]

mod api;
mod app;
mod auth;
mod clock;
mod config;
mod flags;
mod metrics;
mod model;
mod provisioning;
mod query;
mod store;
mod sub_path;
mod upstream;
mod web_app;

pub use app::{App, BuildError, Options};
pub use clock::Clock;
pub use config::{
    Anonymous, Auth, Dashboards, Paths, Security, Server, Settings, SettingsError, Sources, Users,
};
pub use flags::Flags;
pub use model::Role;
pub use provisioning::{BundledDashboard, BundledDataSource};
