//! Preferences of users and of the organisation.

use std::sync::Arc;

use state::{Collection, StateStore};

use super::StoreError;
use crate::model::Preferences;

const ORG: &str = "org";

/// Preferences by whose they are.
pub(crate) struct PreferencesStore {
    store: Arc<dyn StateStore>,
    records: Collection<Preferences>,
}

impl PreferencesStore {
    pub(super) fn new(store: Arc<dyn StateStore>) -> Self {
        Self { records: Collection::new(store.clone(), "preferences"), store }
    }

    /// A user's own.
    pub(crate) fn of_user(&self, id: u64) -> Result<Preferences, StoreError> {
        self.get(&format!("user/{id}"))
    }

    /// The organisation's.
    pub(crate) fn of_org(&self) -> Result<Preferences, StoreError> {
        self.get(ORG)
    }

    /// Replaces a user's own.
    pub(crate) fn set_user(&self, id: u64, preferences: &Preferences) -> Result<(), StoreError> {
        self.set(&format!("user/{id}"), preferences)
    }

    /// Replaces the organisation's.
    pub(crate) fn set_org(&self, preferences: &Preferences) -> Result<(), StoreError> {
        self.set(ORG, preferences)
    }

    fn get(&self, key: &str) -> Result<Preferences, StoreError> {
        Ok(self.records.get(key)?.map(|record| record.value).unwrap_or_default())
    }

    fn set(&self, key: &str, preferences: &Preferences) -> Result<(), StoreError> {
        self.records.put(key, preferences)?;
        Ok(self.store.flush()?)
    }
}
