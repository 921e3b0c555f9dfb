//! Somebody who can log in.

use serde::{Deserialize, Serialize};

use super::Role;

/// A user of the one organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    /// Number, from 1.
    pub id: u64,
    /// Public identifier.
    pub uid: String,
    /// The name to log in with.
    pub login: String,
    /// Mail address, the other name to log in with.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// A bcrypt hash, see `auth::Passwords`.
    pub password_hash: String,
    /// What they may do.
    pub role: Role,
    /// Whether they administer the server.
    pub is_admin: bool,
    /// When they were made, milliseconds since 1970.
    pub created_ms: i64,
    /// When they were changed last, milliseconds since 1970.
    pub updated_ms: i64,
}
