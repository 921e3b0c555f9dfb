//! What the server keeps: users, data sources, folders, dashboards, preferences.

mod dashboard;
mod data_source;
mod folder;
mod ids;
mod preferences;
mod role;
mod user;

pub(crate) use dashboard::{Dashboard, DashboardError, Provisioned, slugify};
pub(crate) use data_source::{DataSource, DataSourceKind, uid_of_name};
pub(crate) use folder::Folder;
pub(crate) use ids::{check_uid, hex, random_token, random_uid, stable_uid};
pub(crate) use preferences::Preferences;
pub use role::Role;
pub(crate) use user::User;
