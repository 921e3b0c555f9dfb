//! Settings: Grafana's `grafana.ini` and `GF_*` environment, from table to checked meaning.

mod ini;
mod reader;
mod settings;
mod table;

pub use reader::{SettingsError, Sources};
pub(crate) use settings::Log;
pub use settings::{Anonymous, Auth, Dashboards, Paths, Security, Server, Settings, Users};

pub(crate) use reader::expand_references;
pub(crate) use table::environment_name;

#[cfg(test)]
mod tests;
