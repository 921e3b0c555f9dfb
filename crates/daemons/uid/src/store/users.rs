//! Who can log in.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use state::{Collection, StateStore};

use super::StoreError;
use crate::{
    clock::Clock,
    model::{Role, User, random_uid},
};

/// The users. Few, so all of them are in memory.
pub(crate) struct UsersStore {
    store: Arc<dyn StateStore>,
    records: Collection<User>,
    users: RwLock<Vec<Arc<User>>>,
    writing: Mutex<()>,
    clock: Clock,
}

/// A user was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UserError {
    /// There is no such user.
    #[error("user not found")]
    NotFound,
    /// Another user has that name or address.
    #[error("another user has that login or email")]
    Taken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UsersStore {
    pub(super) fn open(store: Arc<dyn StateStore>, clock: Clock) -> Result<Self, StoreError> {
        let records = Collection::<User>::new(store.clone(), "users");
        let users = records.list("")?.into_iter().map(|(_, record)| Arc::new(record.value)).collect();
        Ok(Self { store, records, users: RwLock::new(users), writing: Mutex::default(), clock })
    }

    /// Whether there is none yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.users.read().is_empty()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.users.read().len()
    }

    /// By number.
    pub(crate) fn by_id(&self, id: u64) -> Option<Arc<User>> {
        self.users.read().iter().find(|user| user.id == id).cloned()
    }

    /// By login or address, case aside.
    pub(crate) fn by_login(&self, login: &str) -> Option<Arc<User>> {
        let is = |text: &str| !text.is_empty() && text.eq_ignore_ascii_case(login);
        self.users.read().iter().find(|user| is(&user.login) || is(&user.email)).cloned()
    }

    /// Adds an administrator.
    pub(crate) fn create_admin(
        &self,
        login: &str,
        email: &str,
        password_hash: String,
    ) -> Result<Arc<User>, UserError> {
        let _writing = self.writing.lock();
        if self.by_login(login).is_some() {
            return Err(UserError::Taken);
        }
        let now = self.clock.now_ms();
        let id = self.users.read().iter().map(|user| user.id).max().unwrap_or(0) + 1;
        let user = User {
            id,
            uid: random_uid(),
            login: login.to_owned(),
            email: email.to_owned(),
            name: String::new(),
            password_hash,
            role: Role::Admin,
            is_admin: true,
            created_ms: now,
            updated_ms: now,
        };
        self.keep(user)
    }

    /// Changes a user. What `change` makes of it must not take another's login or address.
    pub(crate) fn update(&self, id: u64, change: impl FnOnce(&mut User)) -> Result<Arc<User>, UserError> {
        let _writing = self.writing.lock();
        let mut user = User::clone(&*self.by_id(id).ok_or(UserError::NotFound)?);
        change(&mut user);
        user.updated_ms = self.clock.now_ms();
        let takes = |text: &str| self.by_login(text).is_some_and(|other| other.id != id);
        if takes(&user.login) || takes(&user.email) {
            return Err(UserError::Taken);
        }
        self.keep(user)
    }

    fn keep(&self, user: User) -> Result<Arc<User>, UserError> {
        self.records.put(&user.id.to_string(), &user).map_err(StoreError::from)?;
        self.store.flush().map_err(StoreError::from)?;
        let user = Arc::new(user);
        let mut users = self.users.write();
        users.retain(|other| other.id != user.id);
        users.push(user.clone());
        Ok(user)
    }
}
