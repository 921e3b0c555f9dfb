//! Who asks.

use std::sync::Arc;

use crate::model::{Role, User};

/// Who asks and what they may do.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// Who.
    pub person: Person,
    /// What they may do.
    pub role: Role,
}

/// A user, or somebody who has not said.
#[derive(Debug, Clone)]
pub(crate) enum Person {
    /// Logged in.
    User(Arc<User>),
    /// Let in without a login.
    Anonymous,
}

impl Identity {
    /// The user, if it is one.
    pub(crate) fn user(&self) -> Option<&Arc<User>> {
        match &self.person {
            Person::User(user) => Some(user),
            Person::Anonymous => None,
        }
    }

    /// The name for "created by".
    pub(crate) fn name(&self) -> &str {
        self.user().map_or("Anonymous", |user| &user.login)
    }

    /// Whether they administer the server.
    pub(crate) fn is_server_admin(&self) -> bool {
        self.user().is_some_and(|user| user.is_admin)
    }
}
