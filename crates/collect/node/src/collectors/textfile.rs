//! Metrics from files that other programs write. Source: `*.prom` in the folders of `collector.textfile.directory` (globs, comma separated).

mod parse;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use tracing::warn;

use self::parse::{Family, parse};
use crate::{
    Options,
    collector::{CollectError, Collector, names},
    exposition::{Exposition, Kind},
};

pub(crate) const FLAGS: &[&str] = &["collector.textfile.directory"];

/// Largest file that is read, and most files in a folder.
const MAX_BYTES: u64 = 16 << 20;
const MAX_FILES: usize = 1000;

pub(crate) struct TextFile {
    directories: Vec<String>,
}

/// Why a file is left out.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("cannot read the file")]
    Read(#[source] std::io::Error),
    #[error("{0} bytes are too many")]
    TooLarge(u64),
    #[error("line {line}: {text}")]
    Form { line: usize, text: String },
}

impl TextFile {
    pub(crate) fn new(options: &Options) -> Self {
        let text = options.text("collector.textfile.directory").unwrap_or_default();
        let directories =
            text.split(',').map(str::trim).filter(|dir| !dir.is_empty()).map(str::to_owned).collect();
        Self { directories }
    }

    fn files(&self) -> (Vec<PathBuf>, bool) {
        let (mut files, mut failed) = (BTreeSet::new(), false);
        for pattern in &self.directories {
            let folders = expand(pattern);
            failed |= folders.is_empty();
            for dir in folders {
                if fs::read_dir(&dir).is_err() {
                    warn!(path = %dir.display(), "cannot read the text file folder");
                    failed = true;
                }
                let prom = names(&dir).into_iter().filter(|name| name.ends_with(".prom"));
                files.extend(prom.take(MAX_FILES).map(|name| dir.join(name)));
            }
        }
        (files.into_iter().collect(), failed)
    }
}

impl Collector for TextFile {
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError> {
        let (files, mut failed) = self.files();
        let mut families: BTreeMap<String, Family> = BTreeMap::new();
        let mut times = Vec::new();
        for path in files {
            match read_file(&path) {
                Ok((found, modified)) => {
                    times.push((path.to_string_lossy().into_owned(), modified));
                    for family in found {
                        failed |= !merge(&mut families, family, &path);
                    }
                }
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    warn!(%error, cause, path = %path.display(), "text file is left out");
                    failed = true;
                }
            }
        }
        for family in families.values() {
            family.write(out);
        }
        let mut family =
            out.family("node_textfile_mtime_seconds", Kind::Gauge, "When a text file was written.");
        for (path, modified) in &times {
            family.add(&[("file", path)], *modified);
        }
        out.gauge(
            "node_textfile_scrape_error",
            "Whether a text file could not be read.",
            f64::from(u8::from(failed)),
        );
        Ok(())
    }
}

fn read_file(path: &Path) -> Result<(Vec<Family>, f64), FileError> {
    let metadata = fs::metadata(path).map_err(FileError::Read)?;
    if metadata.len() > MAX_BYTES {
        return Err(FileError::TooLarge(metadata.len()));
    }
    let text = fs::read_to_string(path).map_err(FileError::Read)?;
    let mut families = parse(&text).map_err(|(line, text)| FileError::Form { line, text })?;
    let source = path.to_string_lossy();
    families.iter_mut().for_each(|family| family.sources.push(source.clone().into_owned()));
    let modified = metadata.mtime() as f64 + metadata.mtime_nsec() as f64 / 1e9;
    Ok((families, modified))
}

/// Adds a file's family to those of other files. False if the two contradict each other.
fn merge(families: &mut BTreeMap<String, Family>, family: Family, path: &Path) -> bool {
    let Some(own) = families.get_mut(&family.name) else {
        families.insert(family.name.clone(), family);
        return true;
    };
    let same_help = own.help.is_none() || family.help.is_none() || own.help == family.help;
    let agrees = own.kind == family.kind && same_help;
    if agrees {
        own.samples.extend(family.samples);
        own.sources.extend(family.sources);
        own.help = own.help.take().or(family.help);
    } else {
        warn!(metric = family.name, path = %path.display(), "text files disagree on a metric's type or help text");
    }
    agrees
}

/// Folders that fit a pattern with `*` and `?` in its parts.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from(if pattern.starts_with('/') { "/" } else { "" })];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        if !part.contains(['*', '?']) {
            found.iter_mut().for_each(|dir| dir.push(part));
            continue;
        }
        found = found
            .iter()
            .flat_map(|dir| {
                let listed = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
                names(listed)
                    .into_iter()
                    .filter(|name| fits(part, name))
                    .map(|name| dir.join(name))
                    .collect::<Vec<_>>()
            })
            .take(MAX_FILES)
            .collect();
    }
    found.retain(|dir| dir.is_dir());
    found
}

fn fits(pattern: &str, name: &str) -> bool {
    let mut escaped = String::from("^(?s:");
    for char in pattern.chars() {
        match char {
            '*' => escaped.push_str(".*"),
            '?' => escaped.push('.'),
            char if char.is_ascii_punctuation() => escaped.extend(['\\', char]),
            char => escaped.push(char),
        }
    }
    go_regex::Regex::new(&(escaped + ")$")).is_ok_and(|regex| regex.is_match(name))
}
