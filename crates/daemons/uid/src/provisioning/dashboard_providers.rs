//! `dashboards/*.yml`: where dashboards lie and in which folder they go.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use config::{ConfigError, Inert, SourceFile, Warnings, null_as_default};
use serde::Deserialize;

use super::{files, values::Scalar};
use crate::model::check_uid;

/// How often a folder is looked through unless the provider says.
const DEFAULT_INTERVAL_SECONDS: i64 = 10;
/// The longest interval.
const MAX_INTERVAL_SECONDS: i64 = 7 * 86_400;

/// One provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Provider {
    /// Its name; no other has it.
    pub name: String,
    /// The title of the folder for its dashboards; empty for the top.
    pub folder: String,
    /// The folder's uid; made of the title if it is empty.
    pub folder_uid: String,
    /// Whether dashboards stay when their file goes.
    pub disable_deletion: bool,
    /// Whether people may save over a file's dashboard.
    pub allow_ui_updates: bool,
    /// Seconds between two looks, at least 1.
    pub interval_seconds: u64,
    /// Where the files are.
    pub path: PathBuf,
    /// Whether folders within `path` become folders of dashboards. Files directly in `path` go to `folder`. (Grafana puts them at the
    /// top even when `folder` is set, which nobody who sets it can want.)
    pub folders_from_files: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct File {
    #[serde(rename = "apiVersion")]
    _api_version: Scalar,
    #[serde(deserialize_with = "null_as_default")]
    providers: Vec<Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Entry {
    name: Scalar,
    org_id: Scalar,
    folder: Scalar,
    folder_uid: Scalar,
    #[serde(rename = "type")]
    kind: Scalar,
    disable_deletion: Scalar,
    #[serde(rename = "editable")]
    _editable: Inert,
    update_interval_seconds: Scalar,
    allow_ui_updates: Scalar,
    #[serde(deserialize_with = "null_as_default")]
    options: Options,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Options {
    path: Scalar,
    /// The name before `path`.
    folder: Scalar,
    folders_from_files_structure: Scalar,
}

/// Reads all files of the folder.
pub(super) fn read(
    dir: &Path,
    environment: &BTreeMap<String, String>,
    warnings: &mut Warnings,
) -> Result<Vec<Provider>, ConfigError> {
    let mut providers: Vec<Provider> = Vec::new();
    for path in files::list(dir).map_err(|error| ConfigError::unreadable(dir, error))? {
        let file: File = SourceFile::read(&path)?.parse()?;
        for (at, entry) in file.providers.into_iter().enumerate() {
            let error = |message: String| ConfigError::of(&path, format!("providers[{at}].{message}"));
            let org =
                entry.org_id.number(environment, 1).map_err(|message| error(format!("orgId: {message}")))?;
            if org > 1 {
                warnings.push(
                    format!("{}: providers[{at}].orgId", path.display()),
                    format!("not supported yet: organisation {org}; there is one, numbered 1"),
                );
                continue;
            }
            let provider = entry.into_provider(environment).map_err(error)?;
            if providers.iter().any(|other| other.name == provider.name) {
                return Err(error(format!("name: {:?} is there already", provider.name)));
            }
            providers.push(provider);
        }
    }
    Ok(providers)
}

impl Entry {
    /// An error begins with the key.
    fn into_provider(self, environment: &BTreeMap<String, String>) -> Result<Provider, String> {
        let text = |key: &str, scalar: &Scalar| {
            scalar.text(environment).map_err(|message| format!("{key}: {message}"))
        };
        let flag = |key: &str, scalar: &Scalar| {
            scalar.flag(environment, false).map_err(|message| format!("{key}: {message}"))
        };
        let kind = text("type", &self.kind)?;
        if !matches!(kind.as_str(), "" | "file") {
            return Err(format!("type: {kind:?} is not file"));
        }
        let name = text("name", &self.name)?;
        let path = [&self.options.path, &self.options.folder]
            .into_iter()
            .map(|scalar| text("options.path", scalar))
            .find(|path| path.as_ref().is_err() || path.as_ref().is_ok_and(|path| !path.is_empty()))
            .transpose()?
            .ok_or("options.path: it must not be empty")?;
        let interval = self
            .update_interval_seconds
            .number(environment, DEFAULT_INTERVAL_SECONDS)
            .map_err(|message| format!("updateIntervalSeconds: {message}"))?;
        // Grafana's documented rule: nothing or less means the default.
        let interval =
            if interval <= 0 { DEFAULT_INTERVAL_SECONDS } else { interval.min(MAX_INTERVAL_SECONDS) };
        let folder_uid = text("folderUid", &self.folder_uid)?;
        check_uid(&folder_uid).map_err(|message| format!("folderUid: {message}"))?;
        Ok(Provider {
            name: if name.is_empty() { "default".to_owned() } else { name },
            folder: text("folder", &self.folder)?,
            folder_uid,
            disable_deletion: flag("disableDeletion", &self.disable_deletion)?,
            allow_ui_updates: flag("allowUiUpdates", &self.allow_ui_updates)?,
            interval_seconds: interval.unsigned_abs(),
            path: PathBuf::from(path),
            folders_from_files: flag(
                "options.foldersFromFilesStructure",
                &self.options.folders_from_files_structure,
            )?,
        })
    }
}
