//! From a request's credentials to an identity: session cookie, basic authentication, or nobody in particular.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};

use super::{Identity, PasswordError, Passwords, Person, login_limit::LoginLimit};
use crate::{
    clock::Clock,
    config::{Auth, Security, Settings},
    model::{Role, User},
    store::{Lifetimes, StoreError, Stores},
};

/// Longest name and password that are looked at, in bytes.
const MAX_CREDENTIAL_BYTES: usize = 1024;

/// Checks credentials.
pub(crate) struct Authenticator {
    stores: Arc<Stores>,
    passwords: Passwords,
    limit: LoginLimit,
    auth: Auth,
    security: Security,
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthError {
    /// Nothing was shown, or a session that is over.
    #[error("Unauthorized")]
    Unauthorized,
    /// Name or password is wrong.
    #[error("Invalid username or password")]
    Invalid,
    /// Too many logins with this name failed.
    #[error("too many failed logins with this name, try again in five minutes")]
    Blocked,
    /// A bearer token was shown.
    #[error("not supported yet: service account tokens and API keys; use a login or basic authentication")]
    Token,
    /// Basic authentication is switched off.
    #[error("basic authentication is off: auth.basic.enabled")]
    BasicOff,
    /// The password could not be compared.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The session could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Authenticator {
    pub(crate) fn new(
        stores: Arc<Stores>,
        settings: &Settings,
        clock: Clock,
        hash_cost: u32,
    ) -> Result<Self, PasswordError> {
        Ok(Self {
            stores,
            passwords: Passwords::new(hash_cost)?,
            limit: LoginLimit::new(clock),
            auth: settings.auth.clone(),
            security: settings.security.clone(),
        })
    }

    /// How long sessions last.
    pub(crate) fn lifetimes(&self) -> Lifetimes {
        Lifetimes { inactive: self.auth.maximum_inactive_lifetime, total: self.auth.maximum_lifetime }
    }

    /// The password hashes.
    pub(crate) fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// Who sent the request. A cookie counts before basic authentication, that before nothing; wrong credentials never fall back to
    /// nothing.
    pub(crate) async fn identify(&self, headers: &HeaderMap) -> Result<Identity, AuthError> {
        if let Some(token) = self.session_token(headers)
            && let Some(session) = self.stores.sessions.find(token, self.lifetimes())?
            && let Some(user) = self.stores.users.by_id(session.user_id)
        {
            return Ok(of_user(user));
        }
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let value = value.to_str().map_err(|_| AuthError::Invalid)?;
            let (scheme, encoded) = value.split_once(' ').ok_or(AuthError::Invalid)?;
            if !scheme.eq_ignore_ascii_case("basic") {
                return Err(AuthError::Token);
            }
            if !self.auth.basic_enabled {
                return Err(AuthError::BasicOff);
            }
            let decoded = BASE64_STANDARD.decode(encoded.trim()).map_err(|_| AuthError::Invalid)?;
            let decoded = String::from_utf8(decoded).map_err(|_| AuthError::Invalid)?;
            let (name, password) = decoded.split_once(':').ok_or(AuthError::Invalid)?;
            return self.check_password(name, password).await.map(of_user);
        }
        match &self.auth.anonymous {
            Some(anonymous) => Ok(Identity { person: Person::Anonymous, role: anonymous.role }),
            None => Err(AuthError::Unauthorized),
        }
    }

    /// The user of this name and password.
    pub(crate) async fn check_password(&self, name: &str, password: &str) -> Result<Arc<User>, AuthError> {
        if name.is_empty() || password.is_empty() || name.len() + password.len() > MAX_CREDENTIAL_BYTES {
            return Err(AuthError::Invalid);
        }
        let limited = !self.security.disable_brute_force_login_protection;
        if limited && !self.limit.allows(name) {
            return Err(AuthError::Blocked);
        }
        let user = self.stores.users.by_login(name);
        let hash = user.as_ref().map(|user| user.password_hash.as_str());
        let fits = self.passwords.verify(password, hash).await?;
        match user {
            Some(user) if fits => {
                self.limit.note_success(name);
                Ok(user)
            }
            _ => {
                if limited {
                    self.limit.note_failure(name);
                }
                Err(AuthError::Invalid)
            }
        }
    }

    /// The session cookie's value.
    pub(crate) fn session_token<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, value)| *name == self.auth.cookie_name && !value.is_empty())
            .map(|(_, value)| value)
    }
}

fn of_user(user: Arc<User>) -> Identity {
    let role = if user.is_admin { Role::Admin } else { user.role };
    Identity { person: Person::User(user), role }
}
