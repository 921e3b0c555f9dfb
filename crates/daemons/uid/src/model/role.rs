//! What somebody may do.

use serde::{Deserialize, Serialize};

/// A role in the organisation; each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// Looks at dashboards.
    Viewer,
    /// Changes dashboards and folders.
    Editor,
    /// Changes data sources.
    Admin,
}

impl Role {
    /// The role of a name as Grafana writes it.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "Viewer" => Some(Self::Viewer),
            "Editor" => Some(Self::Editor),
            "Admin" => Some(Self::Admin),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "Viewer",
            Self::Editor => "Editor",
            Self::Admin => "Admin",
        }
    }
}
