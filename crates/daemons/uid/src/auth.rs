//! Who asks: passwords, failed logins, sessions, roles.

mod authenticator;
mod identity;
mod login_limit;
mod passwords;

pub(crate) use authenticator::{AuthError, Authenticator};
pub(crate) use identity::{Identity, Person};
pub(crate) use passwords::{PasswordError, Passwords};
