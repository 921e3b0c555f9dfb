//! Dashboards and their folders.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::{Mutex, RwLock};
use state::{Collection, StateStore};

use super::StoreError;
use crate::{
    clock::Clock,
    model::{Dashboard, Folder, Provisioned, check_uid, random_uid},
};

/// How many dashboards there may be; all of them are in memory.
const MAX_DASHBOARDS: usize = 20_000;
/// How many folders there may be.
const MAX_FOLDERS: usize = 10_000;
/// How deep folders may lie in each other.
const MAX_FOLDER_DEPTH: usize = 4;

/// Dashboards and folders.
pub(crate) struct Catalog {
    store: Arc<dyn StateStore>,
    dashboard_records: Collection<Dashboard>,
    folder_records: Collection<Folder>,
    contents: RwLock<Contents>,
    writing: Mutex<()>,
    clock: Clock,
}

#[derive(Default)]
struct Contents {
    dashboards: BTreeMap<String, Arc<Dashboard>>,
    folders: BTreeMap<String, Arc<Folder>>,
}

/// A dashboard was not changed, or a folder. The texts are Grafana's where it has one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatalogError {
    /// No such dashboard.
    #[error("Dashboard not found")]
    DashboardNotFound,
    /// No such folder.
    #[error("folder not found")]
    FolderNotFound,
    /// The writer has seen an older version.
    #[error("The dashboard has been changed by someone else")]
    DashboardVersion,
    /// The writer has seen an older version.
    #[error("the folder has been changed by someone else")]
    FolderVersion,
    /// A dashboard in the same folder has the title.
    #[error("A dashboard with the same name in the folder already exists")]
    DashboardTitleTaken,
    /// A folder at the same place has the title.
    #[error("a folder with the same name already exists in the current location")]
    FolderTitleTaken,
    /// A folder has the uid.
    #[error("a folder or dashboard with the same uid already exists")]
    UidTaken,
    /// It comes from a file that people may not save over.
    #[error("Cannot save provisioned dashboard")]
    ProvisionedSave,
    /// It comes from a file.
    #[error("provisioned dashboard cannot be deleted")]
    ProvisionedDelete,
    /// The title is empty.
    #[error("folder title cannot be empty")]
    NoFolderTitle,
    /// The uid cannot be one.
    #[error("{0}")]
    Uid(&'static str),
    /// Folders lie too deep.
    #[error("folders lie at most {MAX_FOLDER_DEPTH} deep")]
    TooDeep,
    /// No room for more.
    #[error("there are {limit} {what} already, no more are taken")]
    TooMany {
        /// How many there may be.
        limit: usize,
        /// Of what.
        what: &'static str,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How to save a dashboard.
#[derive(Debug, Clone, Default)]
pub(crate) struct DashboardSave {
    /// Who saves.
    pub author: String,
    /// Whether a newer version, or another of the same title, is replaced.
    pub overwrite: bool,
    /// The id in the JSON: the dashboard must be there.
    pub id: Option<u64>,
    /// The version in the JSON.
    pub version: Option<u64>,
}

/// How to save a folder.
#[derive(Debug, Clone, Default)]
pub(crate) struct FolderSave {
    /// Who saves.
    pub author: String,
    /// The uid; made up when it is empty.
    pub uid: String,
    /// The title.
    pub title: String,
    /// The folder it lies in; empty at the top.
    pub parent_uid: String,
}

impl Catalog {
    pub(super) fn open(store: Arc<dyn StateStore>, clock: Clock) -> Result<Self, StoreError> {
        let dashboard_records = Collection::<Dashboard>::new(store.clone(), "dashboards");
        let folder_records = Collection::<Folder>::new(store.clone(), "folders");
        let contents = Contents {
            dashboards: dashboard_records
                .list("")?
                .into_iter()
                .map(|(uid, record)| (uid, Arc::new(record.value)))
                .collect(),
            folders: folder_records
                .list("")?
                .into_iter()
                .map(|(uid, record)| (uid, Arc::new(record.value)))
                .collect(),
        };
        let contents = RwLock::new(contents);
        Ok(Self { store, dashboard_records, folder_records, contents, writing: Mutex::default(), clock })
    }

    /// One dashboard.
    pub(crate) fn dashboard(&self, uid: &str) -> Option<Arc<Dashboard>> {
        self.contents.read().dashboards.get(uid).cloned()
    }

    /// All dashboards, in the order of their uids.
    pub(crate) fn dashboards(&self) -> Vec<Arc<Dashboard>> {
        self.contents.read().dashboards.values().cloned().collect()
    }

    /// One folder.
    pub(crate) fn folder(&self, uid: &str) -> Option<Arc<Folder>> {
        self.contents.read().folders.get(uid).cloned()
    }

    /// All folders, in the order of their uids.
    pub(crate) fn folders(&self) -> Vec<Arc<Folder>> {
        self.contents.read().folders.values().cloned().collect()
    }

    /// The folders a folder lies in, the outermost first.
    pub(crate) fn parents(&self, folder: &Folder) -> Vec<Arc<Folder>> {
        let mut parents = Vec::new();
        let mut next = folder.parent_uid.clone();
        while let Some(parent) = self.folder(&next).filter(|_| parents.len() <= MAX_FOLDER_DEPTH) {
            next.clone_from(&parent.parent_uid);
            parents.insert(0, parent);
        }
        parents
    }

    /// Saves a dashboard as people do: with Grafana's checks of version, title and origin.
    pub(crate) fn save_dashboard(
        &self,
        mut dashboard: Dashboard,
        save: &DashboardSave,
    ) -> Result<Arc<Dashboard>, CatalogError> {
        let _writing = self.writing.lock();
        if !dashboard.folder_uid.is_empty() && self.folder(&dashboard.folder_uid).is_none() {
            return Err(CatalogError::FolderNotFound);
        }
        let same_title = self
            .dashboards()
            .into_iter()
            .find(|other| other.folder_uid == dashboard.folder_uid && other.title == dashboard.title);
        let by_id = save.id.and_then(|id| self.dashboards().into_iter().find(|other| other.id == id));
        let mut existing = if dashboard.uid.is_empty() { by_id } else { self.dashboard(&dashboard.uid) };
        if save.id.is_some() && existing.is_none() {
            return Err(CatalogError::DashboardNotFound);
        }
        match (&existing, &same_title) {
            (Some(existing), Some(other)) if existing.uid != other.uid => {
                return Err(CatalogError::DashboardTitleTaken);
            }
            (None, Some(_)) if !save.overwrite => return Err(CatalogError::DashboardTitleTaken),
            (None, Some(_)) if dashboard.uid.is_empty() => existing = same_title,
            (None, Some(_)) => return Err(CatalogError::DashboardTitleTaken),
            _ => {}
        }
        if let Some(existing) = &existing {
            if existing.provisioned.as_ref().is_some_and(|file| !file.allow_ui_updates) {
                return Err(CatalogError::ProvisionedSave);
            }
            if !save.overwrite && save.version.unwrap_or(0) != existing.version {
                return Err(CatalogError::DashboardVersion);
            }
        }
        dashboard.provisioned = existing.as_ref().and_then(|existing| existing.provisioned.clone());
        self.keep_dashboard(dashboard, existing.as_deref(), &save.author)
    }

    /// Saves a dashboard as its file has it.
    pub(crate) fn provision_dashboard(
        &self,
        mut dashboard: Dashboard,
        file: Provisioned,
    ) -> Result<Arc<Dashboard>, CatalogError> {
        let _writing = self.writing.lock();
        let existing = self.dashboard(&dashboard.uid);
        dashboard.provisioned = Some(file);
        self.keep_dashboard(dashboard, existing.as_deref(), "")
    }

    /// The caller holds `writing`.
    fn keep_dashboard(
        &self,
        mut dashboard: Dashboard,
        existing: Option<&Dashboard>,
        author: &str,
    ) -> Result<Arc<Dashboard>, CatalogError> {
        let now = self.clock.now_ms();
        dashboard.updated_ms = now;
        dashboard.updated_by = author.to_owned();
        match existing {
            Some(existing) => {
                dashboard.id = existing.id;
                dashboard.uid.clone_from(&existing.uid);
                dashboard.version = existing.version + 1;
                dashboard.created_ms = existing.created_ms;
                dashboard.created_by.clone_from(&existing.created_by);
            }
            None => {
                if self.contents.read().dashboards.len() >= MAX_DASHBOARDS {
                    return Err(CatalogError::TooMany { limit: MAX_DASHBOARDS, what: "dashboards" });
                }
                if dashboard.uid.is_empty() {
                    dashboard.uid = random_uid();
                }
                dashboard.id = self.next_id();
                dashboard.version = 1;
                dashboard.created_ms = now;
                dashboard.created_by = author.to_owned();
            }
        }
        dashboard.stamp();
        self.dashboard_records.put(&dashboard.uid, &dashboard).map_err(StoreError::from)?;
        self.store.flush().map_err(StoreError::from)?;
        let dashboard = Arc::new(dashboard);
        self.contents.write().dashboards.insert(dashboard.uid.clone(), dashboard.clone());
        Ok(dashboard)
    }

    fn next_id(&self) -> u64 {
        let contents = self.contents.read();
        let dashboards = contents.dashboards.values().map(|dashboard| dashboard.id);
        dashboards.chain(contents.folders.values().map(|folder| folder.id)).max().unwrap_or(0) + 1
    }

    /// Removes a dashboard that does not come from a file.
    pub(crate) fn delete_dashboard(&self, uid: &str) -> Result<Arc<Dashboard>, CatalogError> {
        let dashboard = self.dashboard(uid).ok_or(CatalogError::DashboardNotFound)?;
        if dashboard.provisioned.is_some() {
            return Err(CatalogError::ProvisionedDelete);
        }
        self.remove_dashboard(uid)
    }

    /// Removes a dashboard.
    pub(crate) fn remove_dashboard(&self, uid: &str) -> Result<Arc<Dashboard>, CatalogError> {
        let _writing = self.writing.lock();
        let dashboard = self.dashboard(uid).ok_or(CatalogError::DashboardNotFound)?;
        self.dashboard_records.delete(uid).map_err(StoreError::from)?;
        self.store.flush().map_err(StoreError::from)?;
        self.contents.write().dashboards.remove(uid);
        Ok(dashboard)
    }

    /// Leaves a dashboard to people: its file is gone, but it was to stay.
    pub(crate) fn release_dashboard(&self, uid: &str) -> Result<(), CatalogError> {
        let _writing = self.writing.lock();
        let mut dashboard = Dashboard::clone(&*self.dashboard(uid).ok_or(CatalogError::DashboardNotFound)?);
        dashboard.provisioned = None;
        self.dashboard_records.put(uid, &dashboard).map_err(StoreError::from)?;
        self.store.flush().map_err(StoreError::from)?;
        self.contents.write().dashboards.insert(uid.to_owned(), Arc::new(dashboard));
        Ok(())
    }

    /// Adds a folder.
    pub(crate) fn create_folder(&self, save: FolderSave) -> Result<Arc<Folder>, CatalogError> {
        let _writing = self.writing.lock();
        let FolderSave { author, uid, title, parent_uid } = save;
        let title = title.trim().to_owned();
        check_uid(&uid).map_err(CatalogError::Uid)?;
        if self.contents.read().folders.len() >= MAX_FOLDERS {
            return Err(CatalogError::TooMany { limit: MAX_FOLDERS, what: "folders" });
        }
        if self.folder(&uid).is_some() || self.dashboard(&uid).is_some() {
            return Err(CatalogError::UidTaken);
        }
        let now = self.clock.now_ms();
        let folder = Folder {
            id: self.next_id(),
            uid: if uid.is_empty() { random_uid() } else { uid },
            title,
            parent_uid,
            version: 1,
            created_ms: now,
            created_by: author.clone(),
            updated_ms: now,
            updated_by: author,
        };
        self.keep_folder(folder)
    }

    /// The folder of a title at the top, made if it is not there: with this uid, or with one made of the title.
    pub(crate) fn ensure_folder(&self, title: &str, uid: &str) -> Result<Arc<Folder>, CatalogError> {
        let found = self.folders().into_iter().find(|folder| {
            folder.parent_uid.is_empty()
                && if uid.is_empty() { folder.title == title } else { folder.uid == uid }
        });
        if let Some(folder) = found {
            return Ok(folder);
        }
        let uid = if uid.is_empty() {
            crate::model::stable_uid(&format!("folder {title}"))
        } else {
            uid.to_owned()
        };
        self.create_folder(FolderSave { uid, title: title.to_owned(), ..FolderSave::default() })
    }

    /// Renames a folder. `version`, where it is given, must be the one that is kept.
    pub(crate) fn rename_folder(
        &self,
        uid: &str,
        title: &str,
        version: Option<u64>,
        author: &str,
    ) -> Result<Arc<Folder>, CatalogError> {
        let _writing = self.writing.lock();
        let mut folder = Folder::clone(&*self.folder(uid).ok_or(CatalogError::FolderNotFound)?);
        if version.is_some_and(|version| version != folder.version) {
            return Err(CatalogError::FolderVersion);
        }
        folder.title = title.trim().to_owned();
        folder.version += 1;
        folder.updated_ms = self.clock.now_ms();
        folder.updated_by = author.to_owned();
        self.keep_folder(folder)
    }

    /// The caller holds `writing`.
    fn keep_folder(&self, folder: Folder) -> Result<Arc<Folder>, CatalogError> {
        if folder.title.is_empty() {
            return Err(CatalogError::NoFolderTitle);
        }
        if !folder.parent_uid.is_empty() {
            if self.folder(&folder.parent_uid).is_none() {
                return Err(CatalogError::FolderNotFound);
            }
            if self.parents(&folder).len() >= MAX_FOLDER_DEPTH {
                return Err(CatalogError::TooDeep);
            }
        }
        let taken = self.folders().into_iter().any(|other| {
            other.uid != folder.uid && other.parent_uid == folder.parent_uid && other.title == folder.title
        });
        if taken {
            return Err(CatalogError::FolderTitleTaken);
        }
        self.folder_records.put(&folder.uid, &folder).map_err(StoreError::from)?;
        self.store.flush().map_err(StoreError::from)?;
        let folder = Arc::new(folder);
        self.contents.write().folders.insert(folder.uid.clone(), folder.clone());
        Ok(folder)
    }

    /// Removes a folder with the folders and dashboards in it. One of them from a file keeps all of them.
    pub(crate) fn delete_folder(&self, uid: &str) -> Result<Arc<Folder>, CatalogError> {
        let _writing = self.writing.lock();
        let folder = self.folder(uid).ok_or(CatalogError::FolderNotFound)?;
        let mut folders = vec![uid.to_owned()];
        let all = self.folders();
        let mut at = 0;
        while let Some(parent) = folders.get(at).cloned() {
            folders
                .extend(all.iter().filter(|child| child.parent_uid == parent).map(|child| child.uid.clone()));
            at += 1;
        }
        let dashboards: Vec<_> = self
            .dashboards()
            .into_iter()
            .filter(|dashboard| folders.contains(&dashboard.folder_uid))
            .collect();
        if dashboards.iter().any(|dashboard| dashboard.provisioned.is_some()) {
            return Err(CatalogError::ProvisionedDelete);
        }
        for dashboard in &dashboards {
            self.dashboard_records.delete(&dashboard.uid).map_err(StoreError::from)?;
        }
        for uid in &folders {
            self.folder_records.delete(uid).map_err(StoreError::from)?;
        }
        self.store.flush().map_err(StoreError::from)?;
        let mut contents = self.contents.write();
        for dashboard in &dashboards {
            contents.dashboards.remove(&dashboard.uid);
        }
        for uid in &folders {
            contents.folders.remove(uid);
        }
        Ok(folder)
    }
}
