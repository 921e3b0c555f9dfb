//! Tenants: a store and rates each, opened when they are first needed.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use logstore::{OpenError, Store, StoreOptions};
use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;
use tracing::{error, info, warn};

use crate::{Config, ingest::Rates};

/// Most tenants of one process. Each has files, a thread and buffers of its own.
const MAX_TENANTS: usize = 1000;
/// Longest name of a tenant, as in Loki.
const MAX_NAME: usize = 150;
/// Bytes of entries in memory at which a tenant's are sealed, where there are several of them.
const SEAL_BYTES_OF_MANY: u64 = 32 << 20;

/// One tenant.
pub(crate) struct Tenant {
    pub name: String,
    pub store: Store,
    pub rates: Rates,
}

/// All tenants. Everything here but [`Tenants::all`] and [`Tenants::is_open`] may block on files: it belongs on threads for blocking work.
pub(crate) struct Tenants {
    config: Arc<Config>,
    metrics: logstore::Metrics,
    open: RwLock<FxHashMap<String, Arc<Tenant>>>,
    /// Held while a store is opened: one at a time, and no two of one tenant.
    opening: Mutex<()>,
    closed: AtomicBool,
}

/// Why there is no store for a tenant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TenantError {
    #[error("maximum number of tenants ({MAX_TENANTS}) reached")]
    TooMany,
    #[error("cannot open the store of tenant `{tenant}`")]
    Open { tenant: String, source: OpenError },
    #[error("cannot list `{}`", .path.display())]
    List { path: PathBuf, source: std::io::Error },
    #[error("log store is closed")]
    Closed,
}

/// Whether a text can be a tenant's name: Loki's rule, which also makes it a safe name of a folder.
pub(crate) fn is_tenant_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!-_.*'()".contains(&byte);
    !name.is_empty() && name.len() <= MAX_NAME && name != "." && name != ".." && name.bytes().all(allowed)
}

impl Tenants {
    /// None open yet.
    pub fn new(config: Arc<Config>, metrics: logstore::Metrics) -> Self {
        Self {
            config,
            metrics,
            open: RwLock::default(),
            opening: Mutex::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// Opens the stores that are there already, so that they are looked after whether anyone asks for them or not.
    ///
    /// Where tenants are many, one that does not open does not keep the others from being served; it is tried again when it is needed.
    pub fn open_existing(&self) -> Result<(), TenantError> {
        if !self.config.auth_enabled {
            return self.open(&self.config.no_auth_tenant).map(drop);
        }
        let dir = &self.config.stores_dir;
        let list = |source| TenantError::List { path: dir.clone(), source };
        let entries = match std::fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(list(error)),
        };
        for entry in entries {
            let name = entry.map_err(list)?.file_name();
            let Some(name) = name.to_str().filter(|name| is_tenant_name(name)) else { continue };
            if let Err(error) = self.open(name) {
                error!(error = service::report(&error), tenant = name, "cannot serve a tenant");
            }
        }
        Ok(())
    }

    /// The tenant, opened if need be; made if it is new.
    pub fn open(&self, name: &str) -> Result<Arc<Tenant>, TenantError> {
        if let Some(tenant) = self.open.read().get(name) {
            return Ok(tenant.clone());
        }
        let _one_at_a_time = self.opening.lock();
        if self.closed.load(Ordering::Acquire) {
            return Err(TenantError::Closed);
        }
        let count = {
            let open = self.open.read();
            if let Some(tenant) = open.get(name) {
                return Ok(tenant.clone());
            }
            open.len()
        };
        if count >= MAX_TENANTS {
            return Err(TenantError::TooMany);
        }
        let store = Store::open_with(self.store_options(name), self.metrics.clone())
            .map_err(|source| TenantError::Open { tenant: name.to_owned(), source })?;
        info!(tenant = name, "store open");
        let tenant = Arc::new(Tenant { name: name.to_owned(), store, rates: Rates::default() });
        self.open.write().insert(name.to_owned(), tenant.clone());
        Ok(tenant)
    }

    /// The tenant if it has ever pushed anything. A question makes no folder.
    pub fn find(&self, name: &str) -> Result<Option<Arc<Tenant>>, TenantError> {
        if let Some(tenant) = self.open.read().get(name) {
            return Ok(Some(tenant.clone()));
        }
        match self.config.stores_dir.join(name).is_dir() {
            true => self.open(name).map(Some),
            false => Ok(None),
        }
    }

    /// Whether the tenant is open: one that is known, and not just named by someone.
    pub fn is_open(&self, name: &str) -> bool {
        self.open.read().contains_key(name)
    }

    /// All that are open.
    pub fn all(&self) -> Vec<Arc<Tenant>> {
        self.open.read().values().cloned().collect()
    }

    /// Ends all stores; none can be opened after that.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let _nobody_opens = self.opening.lock();
        for tenant in self.all() {
            if let Err(error) = tenant.store.close() {
                warn!(error = service::report(&error), tenant = tenant.name, "store not closed in order");
            }
        }
    }

    fn store_options(&self, name: &str) -> StoreOptions {
        let config = &self.config;
        let mut options = StoreOptions::new(config.stores_dir.join(name));
        options.tenant = name.to_owned();
        options.wal.enabled = config.wal_enabled;
        options.wal.dir = config.wal_dir.as_ref().map(|dir| dir.join(name));
        options.wal.disk_full_threshold = config.disk_full_threshold;
        options.wal.flush_on_shutdown = config.flush_on_shutdown;
        options.chunk_idle_period = config.chunk_idle_period;
        options.max_chunk_age = config.max_chunk_age;
        options.max_streams = config.limits.max_streams();
        options.retention = config.retention;
        if config.auth_enabled {
            options.seal_bytes = SEAL_BYTES_OF_MANY;
        }
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_safe() {
        let long = "a".repeat(150);
        for good in ["fake", "team-1", "a.b_c", "O'Neil(1)*!", "...", &long] {
            assert!(is_tenant_name(good), "{good}");
        }
        let long = "a".repeat(151);
        for bad in ["", ".", "..", "a/b", "a|b", "a b", "ü", "a\0", &long] {
            assert!(!is_tenant_name(bad), "{bad}");
        }
    }
}
