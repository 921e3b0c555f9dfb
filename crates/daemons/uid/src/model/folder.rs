//! A folder of dashboards.

use serde::{Deserialize, Serialize};

/// A folder; the top level ("General") is none and has the uid ``.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Folder {
    /// Number, shared with dashboards.
    pub id: u64,
    /// Public identifier.
    pub uid: String,
    /// Its name.
    pub title: String,
    /// The folder it lies in; empty at the top.
    pub parent_uid: String,
    /// Grows with every change, from 1.
    pub version: u64,
    /// When it was made, milliseconds since 1970.
    pub created_ms: i64,
    /// By whom.
    pub created_by: String,
    /// When it was changed last, milliseconds since 1970.
    pub updated_ms: i64,
    /// By whom.
    pub updated_by: String,
}
