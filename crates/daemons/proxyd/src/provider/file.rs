//! The file provider: one file, or a folder with all folders in it.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use tracing::{error, warn};

use super::Configuration;
use crate::config::{
    dynamic_file::DynamicFile,
    is_configuration, read_tree,
    settings::{FileProvider, FileSource},
};

/// Name of this provider in `name@provider`.
const PROVIDER: &str = "file";
/// Deepest folder that is looked into, against links that go round.
const MAX_DEPTH: usize = 16;
/// Files that are read; a folder with more is a mistake.
const MAX_FILES: usize = 10_000;

/// Reads the provider's files and remembers the last good version of each.
#[derive(Debug)]
pub(crate) struct FileReader {
    options: FileProvider,
    last_good: HashMap<PathBuf, DynamicFile>,
}

/// What tells changed files from unchanged ones.
pub(crate) type Stamps = BTreeMap<PathBuf, Option<(SystemTime, u64)>>;

impl FileReader {
    pub(crate) fn new(options: FileProvider) -> Self {
        Self { options, last_good: HashMap::new() }
    }

    /// Whether changes are to be looked for.
    pub(crate) fn watches(&self) -> bool {
        self.options.watch
    }

    /// Reads all files. A file with a mistake is replaced by its last version without one, if there is one; else what is right in it
    /// holds.
    pub(crate) fn read(&mut self, configuration: &mut Configuration) {
        let paths = match list(&self.options.source) {
            Ok(paths) => paths,
            Err(error) => {
                error!(%error, "cannot read the configuration folder");
                configuration.mistakes.push(error);
                return;
            }
        };
        self.last_good.retain(|path, _| paths.contains(path));
        for path in paths {
            let file = match read_tree(&path) {
                Ok(tree) => DynamicFile::read(&path, &tree),
                Err(error) => {
                    let mistakes = vec![service::report(&error)];
                    DynamicFile { mistakes, ..DynamicFile::default() }
                }
            };
            for mistake in &file.mistakes {
                warn!(mistake, "mistake in the dynamic configuration");
            }
            if file.mistakes.is_empty() {
                self.last_good.insert(path, file.clone());
                configuration.add(PROVIDER, file, None);
                continue;
            }
            match self.last_good.get(&path) {
                Some(good) => {
                    let stale: Arc<str> = format!(
                        "{}; the last version without a mistake is in force",
                        file.mistakes.join("; ")
                    )
                    .into();
                    configuration.add(PROVIDER, good.clone(), Some(&stale));
                    configuration.mistakes.extend(file.mistakes);
                }
                None => configuration.add(PROVIDER, file, None),
            }
        }
    }

    /// The state of the provider's files and of those in `referenced`.
    pub(crate) fn stamps(&self, referenced: &[PathBuf]) -> Stamps {
        let own = list(&self.options.source).unwrap_or_default();
        own.into_iter().chain(referenced.iter().cloned()).map(|path| (path.clone(), stamp(&path))).collect()
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The files to read, in the order of their names.
fn list(source: &FileSource) -> Result<Vec<PathBuf>, String> {
    match source {
        FileSource::File(path) => Ok(vec![path.clone()]),
        FileSource::Directory(directory) => {
            let mut paths = Vec::new();
            walk(directory, 0, &mut paths)
                .map_err(|error| format!("cannot read `{}`: {error}", directory.display()))?;
            paths.sort();
            Ok(paths)
        }
    }
}

fn walk(directory: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if depth > MAX_DEPTH {
        return Err(std::io::Error::other("folders are nested too deeply"));
    }
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, depth + 1, paths)?;
        } else if is_configuration(&path) {
            if paths.len() >= MAX_FILES {
                return Err(std::io::Error::other(format!("more than {MAX_FILES} configuration files")));
            }
            paths.push(path);
        }
    }
    Ok(())
}
