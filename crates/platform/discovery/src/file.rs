//! `file_sd_configs`: groups of targets in YAML or JSON files that others write.
//!
//! A file that does not hold keeps its last good targets; a file that is gone takes its targets with it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use config::{PromDuration, SourceFile};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::{DiscoveryError, StaticConfig, TargetGroup};

/// Groups a file may hold, against a file that is something else.
const MAX_GROUPS: usize = 100_000;
/// How often files are looked at; the refresh interval is the longest that a change may take, this is what it usually takes.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// The label with the file a target came from.
const META_FILEPATH: &str = "__meta_filepath";

/// `file_sd_configs`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileSdConfig {
    /// Paths; the last element may hold a `*`.
    pub files: Vec<String>,
    /// How long a change may go unnoticed; 5 m unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_interval: Option<PromDuration>,
}

impl FileSdConfig {
    pub(crate) fn check(&self) -> Result<(), DiscoveryError> {
        if self.files.is_empty() {
            return Err(DiscoveryError::Invalid(
                "file service discovery config must contain at least one path name".into(),
            ));
        }
        for name in &self.files {
            let path = Path::new(name);
            let known = path
                .extension()
                .is_some_and(|ending| ["json", "yml", "yaml"].iter().any(|known| ending == *known));
            let star_in_folder = path.parent().is_some_and(|parent| parent.to_string_lossy().contains('*'));
            if !known || star_in_folder || name.matches('*').count() > 1 {
                return Err(DiscoveryError::Invalid(format!(
                    "path name {name:?} is not valid for file discovery"
                )));
            }
        }
        Ok(())
    }
}

/// The state of one `file_sd_configs` entry.
pub(crate) struct FileDiscovery {
    config: FileSdConfig,
    files: BTreeMap<PathBuf, Known>,
}

struct Known {
    stamp: Option<(SystemTime, u64)>,
    groups: Vec<TargetGroup>,
}

impl FileDiscovery {
    pub(crate) fn new(config: FileSdConfig) -> Self {
        Self { config, files: BTreeMap::new() }
    }

    /// Looks at the files; whether anything changed.
    pub(crate) fn poll(&mut self) -> bool {
        let mut changed = false;
        let found: Vec<PathBuf> = self
            .config
            .files
            .iter()
            .filter_map(|pattern| glob::glob(pattern).ok())
            .flat_map(|paths| paths.filter_map(Result::ok))
            .collect();
        let before = self.files.len();
        self.files.retain(|path, _| found.contains(path));
        changed |= before != self.files.len();
        for path in found {
            let stamp = fs::metadata(&path).ok().and_then(|data| Some((data.modified().ok()?, data.len())));
            if self.files.get(&path).is_some_and(|known| known.stamp == stamp) {
                continue;
            }
            let known = self.files.entry(path.clone()).or_insert(Known { stamp: None, groups: Vec::new() });
            known.stamp = stamp;
            match read(&path) {
                Ok(groups) => {
                    changed |= groups != known.groups;
                    known.groups = groups;
                }
                Err(error) => {
                    warn!(path = %path.display(), %error, "target file does not hold, its last good targets stay")
                }
            }
        }
        changed
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = &TargetGroup> {
        self.files.values().flat_map(|known| &known.groups)
    }
}

fn read(path: &Path) -> Result<Vec<TargetGroup>, config::ConfigError> {
    // JSON is read as YAML, of which it is a subset, so that both give positions.
    let configs: Vec<StaticConfig> = SourceFile::read(path)?.parse()?;
    if configs.len() > MAX_GROUPS {
        return Err(config::ConfigError::of(path, format!("more than {MAX_GROUPS} groups")));
    }
    let path = path.to_string_lossy();
    Ok(configs
        .iter()
        .enumerate()
        .map(|(at, config)| {
            let mut group = config.group(format!("{path}:{at}"));
            let mut labels = group.labels.to_builder();
            labels.set(META_FILEPATH, &path);
            group.labels = labels.build();
            group
        })
        .collect())
}
