//! What the server keeps, in memory for reading and in the state store for good: every change is durable before it is seen.

mod catalog;
mod data_sources;
mod preferences;
mod sessions;
mod users;

use std::sync::Arc;

use state::{CollectionError, StateError, StateStore};

pub(crate) use catalog::{Catalog, CatalogError, DashboardSave, FolderSave};
pub(crate) use data_sources::{DataSourceError, DataSources};
pub(crate) use preferences::PreferencesStore;
pub(crate) use sessions::{Lifetimes, Sessions};
pub(crate) use users::{UserError, UsersStore};

use crate::clock::Clock;

/// The state store failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// A record was not read or written.
    #[error(transparent)]
    Record(#[from] CollectionError),
    /// The store itself failed.
    #[error(transparent)]
    State(#[from] StateError),
}

/// All that is kept. The calls block for a disk access when they write.
pub(crate) struct Stores {
    pub catalog: Catalog,
    pub data_sources: DataSources,
    pub users: UsersStore,
    pub sessions: Sessions,
    pub preferences: PreferencesStore,
}

impl Stores {
    /// Reads everything.
    pub(crate) fn open(store: &Arc<dyn StateStore>, clock: &Clock) -> Result<Self, StoreError> {
        Ok(Self {
            catalog: Catalog::open(store.clone(), clock.clone())?,
            data_sources: DataSources::open(store.clone())?,
            users: UsersStore::open(store.clone(), clock.clone())?,
            sessions: Sessions::new(store.clone(), clock.clone()),
            preferences: PreferencesStore::new(store.clone()),
        })
    }
}
