//! The data sources.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use state::{Collection, StateStore};

use super::StoreError;
use crate::model::{DataSource, check_uid, random_uid};

/// How many there may be.
const MAX_DATA_SOURCES: usize = 5_000;

/// The data sources, in the order of their names.
pub(crate) struct DataSources {
    store: Arc<dyn StateStore>,
    records: Collection<DataSource>,
    sources: RwLock<Vec<Arc<DataSource>>>,
    writing: Mutex<()>,
}

/// A data source was not changed. The texts are Grafana's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataSourceError {
    /// There is none.
    #[error("Data source not found")]
    NotFound,
    /// The name is empty.
    #[error("Data source name cannot be empty")]
    NoName,
    /// Another has the name.
    #[error("data source with the same name already exists")]
    NameTaken,
    /// Another has the uid.
    #[error("data source with the same uid already exists")]
    UidTaken,
    /// The uid cannot be one.
    #[error("{0}")]
    Uid(&'static str),
    /// It comes from a file.
    #[error("Cannot update read-only data source")]
    ReadOnly,
    /// The writer has seen an older version.
    #[error("Datasource has already been updated by someone else. Please reload and try again")]
    Version,
    /// No room for more.
    #[error("there are {MAX_DATA_SOURCES} data sources already, no more are taken")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DataSources {
    pub(super) fn open(store: Arc<dyn StateStore>) -> Result<Self, StoreError> {
        let records = Collection::<DataSource>::new(store.clone(), "data_sources");
        let mut sources: Vec<_> =
            records.list("")?.into_iter().map(|(_, record)| Arc::new(record.value)).collect();
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { store, records, sources: RwLock::new(sources), writing: Mutex::default() })
    }

    /// All of them.
    pub(crate) fn list(&self) -> Vec<Arc<DataSource>> {
        self.sources.read().clone()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.sources.read().len()
    }

    /// The one that panels without a data source use.
    pub(crate) fn default(&self) -> Option<Arc<DataSource>> {
        self.position(|source| source.is_default)
    }

    /// By uid.
    pub(crate) fn by_uid(&self, uid: &str) -> Option<Arc<DataSource>> {
        self.position(|source| source.uid == uid)
    }

    /// By name.
    pub(crate) fn by_name(&self, name: &str) -> Option<Arc<DataSource>> {
        self.position(|source| source.name == name)
    }

    /// By number.
    pub(crate) fn by_id(&self, id: u64) -> Option<Arc<DataSource>> {
        self.position(|source| source.id == id)
    }

    /// The one that a dashboard means: by uid; by name; then, since dashboards are carried from one server to another, by name with
    /// case aside, or the only one of that type.
    pub(crate) fn find(&self, reference: &str) -> Option<Arc<DataSource>> {
        self.by_uid(reference)
            .or_else(|| self.by_name(reference))
            .or_else(|| self.position(|source| source.name.eq_ignore_ascii_case(reference)))
            .or_else(|| {
                let sources = self.sources.read();
                let mut of_type = sources.iter().filter(|source| source.kind == reference);
                of_type.next().filter(|_| of_type.next().is_none()).cloned()
            })
    }

    fn position(&self, holds: impl Fn(&DataSource) -> bool) -> Option<Arc<DataSource>> {
        self.sources.read().iter().find(|source| holds(source)).cloned()
    }

    /// Adds one; its id and version are given here, its uid too if it is empty. The first becomes the default.
    pub(crate) fn create(&self, mut source: DataSource) -> Result<Arc<DataSource>, DataSourceError> {
        let _writing = self.writing.lock();
        if self.len() >= MAX_DATA_SOURCES {
            return Err(DataSourceError::TooMany);
        }
        if source.uid.is_empty() {
            source.uid = random_uid();
        }
        source.id = self.sources.read().iter().map(|other| other.id).max().unwrap_or(0) + 1;
        source.version = 1;
        source.is_default |= self.sources.read().is_empty();
        self.check_names(&source)?;
        self.keep(source)
    }

    /// Changes one. `version`, where it is given, must be the one that is kept. Read-only ones only change by their file.
    pub(crate) fn update(
        &self,
        id: u64,
        version: Option<u64>,
        mut source: DataSource,
    ) -> Result<Arc<DataSource>, DataSourceError> {
        let _writing = self.writing.lock();
        let old = self.by_id(id).ok_or(DataSourceError::NotFound)?;
        if old.read_only && !source.read_only {
            return Err(DataSourceError::ReadOnly);
        }
        if version.is_some_and(|version| version != old.version) {
            return Err(DataSourceError::Version);
        }
        source.id = id;
        source.version = old.version + 1;
        if source.uid.is_empty() {
            source.uid.clone_from(&old.uid);
        }
        self.check_names(&source)?;
        self.keep(source)
    }

    /// Adds or changes one as a file says. Returns whether anything changed.
    pub(crate) fn provision(&self, mut source: DataSource) -> Result<bool, DataSourceError> {
        let existing = self.by_name(&source.name).or_else(|| self.by_uid(&source.uid));
        let Some(existing) = existing else {
            return self.create(source).map(|_| true);
        };
        (source.id, source.version) = (existing.id, existing.version);
        if source == *existing {
            return Ok(false);
        }
        let _writing = self.writing.lock();
        source.version += 1;
        self.check_names(&source)?;
        self.keep(source).map(|_| true)
    }

    /// Removes one.
    pub(crate) fn delete(&self, id: u64) -> Result<Arc<DataSource>, DataSourceError> {
        let source = self.by_id(id).ok_or(DataSourceError::NotFound)?;
        if source.read_only {
            return Err(DataSourceError::ReadOnly);
        }
        self.remove(id)
    }

    /// Removes one, also if it comes from a file.
    pub(crate) fn remove(&self, id: u64) -> Result<Arc<DataSource>, DataSourceError> {
        let _writing = self.writing.lock();
        let source = self.by_id(id).ok_or(DataSourceError::NotFound)?;
        self.records.delete(&id.to_string()).map_err(StoreError::from)?;
        self.store.flush().map_err(StoreError::from)?;
        self.sources.write().retain(|other| other.id != id);
        Ok(source)
    }

    fn check_names(&self, source: &DataSource) -> Result<(), DataSourceError> {
        if source.name.trim().is_empty() {
            return Err(DataSourceError::NoName);
        }
        check_uid(&source.uid).map_err(DataSourceError::Uid)?;
        for other in self.sources.read().iter().filter(|other| other.id != source.id) {
            if other.name == source.name {
                return Err(DataSourceError::NameTaken);
            }
            if other.uid == source.uid {
                return Err(DataSourceError::UidTaken);
            }
        }
        Ok(())
    }

    /// The caller holds `writing`.
    fn keep(&self, source: DataSource) -> Result<Arc<DataSource>, DataSourceError> {
        let kept = Arc::new(source);
        let mut changed = vec![kept.clone()];
        if kept.is_default {
            // There is one default; the newest wins.
            let others = self.sources.read();
            let others = others.iter().filter(|other| other.is_default && other.id != kept.id);
            changed.extend(others.map(|other| {
                let mut other = DataSource::clone(other);
                other.is_default = false;
                Arc::new(other)
            }));
        }
        for source in &changed {
            self.records.put(&source.id.to_string(), source).map_err(StoreError::from)?;
        }
        self.store.flush().map_err(StoreError::from)?;
        let mut sources = self.sources.write();
        sources.retain(|other| changed.iter().all(|source| source.id != other.id));
        sources.extend(changed);
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(kept)
    }
}
