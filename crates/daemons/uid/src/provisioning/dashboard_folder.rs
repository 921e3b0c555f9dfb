//! One provider's folder of dashboard files, looked through again and again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use tracing::{error, info, warn};

use super::{BundledDashboard, dashboard_providers::Provider, log_file_error};
use crate::{
    model::{Dashboard, DashboardError, Provisioned, hex, stable_uid},
    store::{Catalog, CatalogError},
};

/// Files that are looked at; more are left out and said so.
const MAX_FILES: usize = 10_000;
/// Largest dashboard file, in bytes.
const MAX_FILE_BYTES: u64 = 10 << 20;
/// How deep folders may lie in each other.
const MAX_DEPTH: usize = 16;
/// The provider of dashboards that the program brings along.
const BUNDLED: &str = "bundled";

/// A provider and what was seen of its files.
pub(super) struct DashboardFolder {
    provider: Provider,
    seen: BTreeMap<PathBuf, Seen>,
    /// Why the folder could not be read, to say each reason once.
    complaint: Option<String>,
}

struct Seen {
    signature: Signature,
    /// The dashboard it holds; none if it could not be read.
    uid: Option<String>,
}

/// What changes when a file does: inode, length, modification time.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
struct Signature(u64, u64, i64, i64);

/// Why a file is not a dashboard.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("cannot read the file")]
    Read(#[source] io::Error),
    #[error("{size} bytes is over the limit of {MAX_FILE_BYTES}")]
    TooLarge { size: u64 },
    #[error("not JSON")]
    Json(#[source] serde_json::Error),
    #[error(transparent)]
    Model(#[from] DashboardError),
    #[error("uid `{uid}` is used by `{other}` too")]
    UidTaken { uid: String, other: String },
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl DashboardFolder {
    pub(super) fn new(provider: Provider) -> Self {
        Self { provider, seen: BTreeMap::new(), complaint: None }
    }

    pub(super) fn name(&self) -> &str {
        &self.provider.name
    }

    pub(super) fn interval_seconds(&self) -> u64 {
        self.provider.interval_seconds.max(1)
    }

    /// Brings the catalog in line with the files. What cannot be read is logged once and its dashboard stays.
    pub(super) fn scan(&mut self, catalog: &Catalog) {
        let mut files = Vec::new();
        if let Err(cause) = list(&self.provider.path, 0, &mut files) {
            let complaint = cause.to_string();
            if self.complaint.as_ref() != Some(&complaint) {
                error!(
                    path = %self.provider.path.display(), provider = self.provider.name, error = complaint,
                    "dashboard folder cannot be read, its dashboards stay as they are"
                );
                self.complaint = Some(complaint);
            }
            return;
        }
        self.complaint = None;
        if files.len() > MAX_FILES {
            warn!(path = %self.provider.path.display(), limit = MAX_FILES, "too many dashboard files, the rest is left out");
            files.truncate(MAX_FILES);
        }
        files.sort_by(|a, b| a.0.cmp(&b.0));
        let mut changed = 0;
        let mut present = BTreeMap::new();
        for (path, metadata) in files {
            let signature = Signature::of(&metadata);
            let seen = match self.seen.remove(&path) {
                Some(seen) if seen.signature == signature => seen,
                before => match self.read(&path, metadata.len(), catalog, &present) {
                    Ok((uid, is_new)) => {
                        changed += usize::from(is_new);
                        Seen { signature, uid: Some(uid) }
                    }
                    Err(cause) => {
                        log_file_error(&path, &cause);
                        Seen { signature, uid: before.and_then(|seen| seen.uid) }
                    }
                },
            };
            present.insert(path, seen);
        }
        self.seen = present;
        let removed = self.remove_missing(catalog);
        if changed + removed > 0 {
            info!(provider = self.provider.name, changed, removed, "dashboards provisioned");
        }
    }

    /// Returns the uid and whether the dashboard was changed.
    fn read(
        &self,
        path: &Path,
        size: u64,
        catalog: &Catalog,
        present: &BTreeMap<PathBuf, Seen>,
    ) -> Result<(String, bool), FileError> {
        if size > MAX_FILE_BYTES {
            return Err(FileError::TooLarge { size });
        }
        let text = fs::read(path).map_err(FileError::Read)?;
        let json = serde_json::from_slice(&text).map_err(FileError::Json)?;
        let mut dashboard = Dashboard::from_json(json)?;
        let file = self.relative(path);
        if dashboard.uid.is_empty() {
            dashboard.uid = stable_uid(&format!("dashboard {} {file}", self.provider.name));
        }
        let other = present.iter().find(|(_, seen)| seen.uid.as_ref() == Some(&dashboard.uid));
        let known = catalog.dashboard(&dashboard.uid);
        let foreign = known
            .as_ref()
            .and_then(|known| known.provisioned.as_ref())
            .filter(|known| known.provider != self.provider.name && known.provider != BUNDLED)
            .map(|known| format!("{} of {}", known.file, known.provider));
        if let Some(other) = other.map(|(path, _)| self.relative(path)).or(foreign) {
            return Err(FileError::UidTaken { uid: dashboard.uid, other });
        }
        dashboard.folder_uid = self.folder_of(path, catalog)?;
        let file = Provisioned {
            provider: self.provider.name.clone(),
            file,
            checksum: checksum(&text),
            allow_ui_updates: self.provider.allow_ui_updates,
        };
        let same = known.is_some_and(|known| {
            known.provisioned.as_ref() == Some(&file) && known.folder_uid == dashboard.folder_uid
        });
        let uid = dashboard.uid.clone();
        if !same {
            catalog.provision_dashboard(dashboard, file)?;
        }
        Ok((uid, !same))
    }

    fn folder_of(&self, path: &Path, catalog: &Catalog) -> Result<String, FileError> {
        let dir = path.parent().filter(|dir| self.provider.folders_from_files && *dir != self.provider.path);
        let name = dir.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let (title, uid) = match &name {
            Some(name) => (name.as_str(), ""),
            None => (self.provider.folder.as_str(), self.provider.folder_uid.as_str()),
        };
        if title.is_empty() {
            return Ok(String::new());
        }
        Ok(catalog.ensure_folder(title, uid)?.uid.clone())
    }

    fn remove_missing(&self, catalog: &Catalog) -> usize {
        let present: BTreeSet<_> = self.seen.values().filter_map(|seen| seen.uid.as_deref()).collect();
        // A file that was never read well may be the one that a dashboard came from before a restart.
        let unread: BTreeSet<_> = self
            .seen
            .iter()
            .filter(|(_, seen)| seen.uid.is_none())
            .map(|(path, _)| self.relative(path))
            .collect();
        let mut removed = 0;
        for dashboard in catalog.dashboards() {
            let Some(file) = &dashboard.provisioned else { continue };
            if file.provider != self.provider.name
                || present.contains(dashboard.uid.as_str())
                || unread.contains(&file.file)
            {
                continue;
            }
            let done = if self.provider.disable_deletion {
                catalog.release_dashboard(&dashboard.uid)
            } else {
                catalog.remove_dashboard(&dashboard.uid).map(|_| ())
            };
            match done {
                Ok(()) => removed += 1,
                Err(cause) => error!(uid = dashboard.uid, error = %cause, "dashboard not removed"),
            }
        }
        removed
    }

    fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.provider.path).unwrap_or(path).to_string_lossy().into_owned()
    }
}

/// Leaves dashboards to people whose provider is no longer configured.
pub(super) fn remove_orphans(catalog: &Catalog, providers: &[String]) {
    for dashboard in catalog.dashboards() {
        let Some(file) = &dashboard.provisioned else { continue };
        if file.provider == BUNDLED || providers.contains(&file.provider) {
            continue;
        }
        info!(
            uid = dashboard.uid,
            provider = file.provider,
            "dashboard's provider is gone, it can be edited now"
        );
        if let Err(cause) = catalog.release_dashboard(&dashboard.uid) {
            error!(uid = dashboard.uid, error = %cause, "dashboard not released");
        }
    }
}

/// Adds or renews a dashboard that the program brings along, unless a file has the same uid.
pub(super) fn provision_bundled(bundled: &BundledDashboard, catalog: &Catalog) {
    if let Err(cause) = try_bundled(bundled, catalog) {
        log_file_error(Path::new(&bundled.file), &cause);
    }
}

fn try_bundled(bundled: &BundledDashboard, catalog: &Catalog) -> Result<(), FileError> {
    let json = serde_json::from_str(&bundled.json).map_err(FileError::Json)?;
    let mut dashboard = Dashboard::from_json(json)?;
    if dashboard.uid.is_empty() {
        dashboard.uid = stable_uid(&format!("dashboard {BUNDLED} {}", bundled.file));
    }
    let file = Provisioned {
        provider: BUNDLED.to_owned(),
        file: bundled.file.clone(),
        checksum: checksum(bundled.json.as_bytes()),
        allow_ui_updates: true,
    };
    if let Some(known) = catalog.dashboard(&dashboard.uid)
        && known.provisioned.as_ref().is_none_or(|known| known.provider != BUNDLED || *known == file)
    {
        return Ok(());
    }
    if !bundled.folder.is_empty() {
        dashboard.folder_uid = catalog.ensure_folder(&bundled.folder, "")?.uid.clone();
    }
    catalog.provision_dashboard(dashboard, file)?;
    Ok(())
}

fn checksum(text: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(text).into();
    hex(&digest)
}

impl Signature {
    fn of(metadata: &Metadata) -> Self {
        Self(metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec())
    }
}

/// The JSON files of a folder and the folders in it. Links are followed, names that begin with a dot left out, see `files::list`.
fn list(dir: &Path, depth: usize, files: &mut Vec<(PathBuf, Metadata)>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        if files.len() > MAX_FILES {
            return Ok(());
        }
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            // A dangling link, or gone since the listing.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if metadata.is_dir() {
            if depth < MAX_DEPTH {
                list(&path, depth + 1, files)?;
            }
        } else if name.ends_with(".json") {
            files.push((path, metadata));
        }
    }
    Ok(())
}
