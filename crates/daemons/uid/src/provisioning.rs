//! Data sources and dashboards from files: `datasources/*.yml`, `dashboards/*.yml` and the folders those name.
//!
//! Source: Grafana docs, administration/provisioning. Data source files are read at the start and at a reload; dashboard folders are
//! looked through every `updateIntervalSeconds`.

mod dashboard_folder;
mod dashboard_providers;
mod data_source_files;
mod files;
mod values;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use config::{ConfigError, Warnings};
use parking_lot::Mutex;
use service::{Stop, Tasks, report};
use tracing::{error, info, warn};

use crate::store::{DataSourceError, Stores};
use dashboard_folder::DashboardFolder;
pub use data_source_files::BundledDataSource;

/// A dashboard that the program brings along.
#[derive(Debug, Clone)]
pub struct BundledDashboard {
    /// The folder's title; empty for the top.
    pub folder: String,
    /// A name for the log and for what it came from: `overview.json`.
    pub file: String,
    /// Its JSON.
    pub json: String,
}

/// Why provisioning failed. What was there before stays.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProvisioningError {
    /// A file does not hold.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// A data source cannot be kept.
    #[error("cannot provision data source `{name}`")]
    DataSource {
        /// Its name.
        name: String,
        /// The cause.
        source: DataSourceError,
    },
}

/// Reads the provisioning folder.
pub(crate) struct Provisioning {
    dir: PathBuf,
    environment: BTreeMap<String, String>,
    bundled_data_sources: Vec<BundledDataSource>,
    stores: Arc<Stores>,
    folders: Mutex<Vec<Arc<Mutex<DashboardFolder>>>>,
}

impl Provisioning {
    pub(crate) fn new(
        dir: PathBuf,
        environment: BTreeMap<String, String>,
        bundled_data_sources: Vec<BundledDataSource>,
        stores: Arc<Stores>,
    ) -> Self {
        Self { dir, environment, bundled_data_sources, stores, folders: Mutex::default() }
    }

    /// Reads the data source files and makes them so. The warnings are for the log.
    pub(crate) fn load_data_sources(&self) -> Result<Warnings, ProvisioningError> {
        let mut warnings = Warnings::new();
        let plan = data_source_files::read(
            &self.dir.join("datasources"),
            &self.environment,
            &self.bundled_data_sources,
            &mut warnings,
        )?;
        plan.apply(&self.stores.data_sources)?;
        Ok(warnings)
    }

    /// Reads the dashboard provider files and looks through the folders they name once.
    pub(crate) fn load_dashboards(&self) -> Result<Warnings, ProvisioningError> {
        let mut warnings = Warnings::new();
        let providers =
            dashboard_providers::read(&self.dir.join("dashboards"), &self.environment, &mut warnings)?;
        let folders: Vec<_> = providers
            .into_iter()
            .map(|provider| Arc::new(Mutex::new(DashboardFolder::new(provider))))
            .collect();
        for folder in &folders {
            folder.lock().scan(&self.stores.catalog);
        }
        dashboard_folder::remove_orphans(
            &self.stores.catalog,
            &folders.iter().map(|folder| folder.lock().name().to_owned()).collect::<Vec<_>>(),
        );
        *self.folders.lock() = folders;
        Ok(warnings)
    }

    /// Names what lies in the folder and is not read yet.
    pub(crate) fn warn_of_other_sections(&self, warnings: &mut Warnings) {
        for section in ["alerting", "plugins", "access-control"] {
            let dir = self.dir.join(section);
            let found = files::list(&dir).is_ok_and(|files| !files.is_empty());
            if found {
                warnings.push(
                    dir.display().to_string(),
                    "not supported yet: the files of this section are not read",
                );
            }
        }
    }

    /// Adds the dashboards that the program brings along.
    pub(crate) fn load_bundled_dashboards(&self, bundled: &[BundledDashboard]) {
        for dashboard in bundled {
            dashboard_folder::provision_bundled(dashboard, &self.stores.catalog);
        }
    }

    /// Looks through the dashboard folders, each at its interval, until the stop.
    pub(crate) fn watch(self: &Arc<Self>, tasks: &Tasks) {
        let (provisioning, stop) = (self.clone(), tasks.stop());
        tasks.spawn("dashboard folders", async move { provisioning.scan_until(stop).await });
    }

    async fn scan_until(self: Arc<Self>, stop: Stop) {
        let mut elapsed: u64 = 0;
        loop {
            tokio::select! {
                () = stop.requested() => return,
                () = tokio::time::sleep(Duration::from_secs(1)) => elapsed += 1,
            }
            let due: Vec<_> = self
                .folders
                .lock()
                .iter()
                .filter(|folder| elapsed.is_multiple_of(folder.lock().interval_seconds()))
                .cloned()
                .collect();
            if due.is_empty() {
                continue;
            }
            let stores = self.stores.clone();
            let scanned = service::spawn_blocking(move || {
                for folder in due {
                    folder.lock().scan(&stores.catalog);
                }
            });
            if let Err(cause) = scanned.await {
                error!(error = %cause, "BUG: looking through a dashboard folder failed");
            }
        }
    }

    /// Reads everything again; what fails stays as it was.
    pub(crate) fn reload(&self) -> Result<(), ProvisioningError> {
        let mut warnings = self.load_data_sources()?;
        warnings.extend("", self.load_dashboards()?);
        log_warnings(&warnings);
        info!(path = %self.dir.display(), "provisioning read again");
        Ok(())
    }
}

/// Writes warnings to the log.
pub(crate) fn log_warnings(warnings: &Warnings) {
    for warning in warnings.iter() {
        warn!(key = warning.key, "{}", warning.text);
    }
}

fn log_file_error(path: &std::path::Path, cause: &(dyn std::error::Error + 'static)) {
    error!(path = %path.display(), error = report(cause), "dashboard file not read, what was there stays");
}
