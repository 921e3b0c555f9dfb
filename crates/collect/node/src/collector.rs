//! What a collector is, and reading its sources.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::exposition::Exposition;

/// One source of metrics.
pub(crate) trait Collector: Send + Sync {
    /// Reads the source and writes its families.
    fn update(&self, out: &mut Exposition) -> Result<(), CollectError>;
}

/// Why a collector gives nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CollectError {
    /// This machine does not have what the collector is about.
    #[error("collector returned no data: {0}")]
    NoData(&'static str),
    /// The source cannot be read.
    #[error("cannot read `{}`", .path.display())]
    Read { path: PathBuf, source: io::Error },
    /// The source is not of the expected form.
    #[error("`{}`: unexpected form: {what}", .path.display())]
    Form { path: PathBuf, what: String },
    /// A system call failed.
    #[error("system call {call} failed")]
    System { call: &'static str, source: io::Error },
}

impl CollectError {
    pub(crate) fn form(path: &Path, what: impl Into<String>) -> Self {
        Self::Form { path: path.to_owned(), what: what.into() }
    }
}

/// A whole file of `/proc` or `/sys`. Bytes that are not UTF-8 become U+FFFD.
pub(crate) fn read(path: &Path) -> Result<String, CollectError> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())),
        Err(source) => Err(CollectError::Read { path: path.to_owned(), source }),
    }
}

/// As [`read`], where a missing file means that there is nothing to tell.
pub(crate) fn read_if_there(path: &Path, otherwise: &'static str) -> Result<String, CollectError> {
    match read(path) {
        Err(CollectError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Err(CollectError::NoData(otherwise))
        }
        outcome => outcome,
    }
}

/// A file with one value, without the space around it; `None` if it cannot be read.
pub(crate) fn read_value(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// A file with one number.
pub(crate) fn read_number(path: &Path) -> Option<f64> {
    read_value(path)?.parse().ok()
}

/// The names in a folder, sorted; empty if it cannot be read.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// A number in a field of a file.
pub(crate) fn number(path: &Path, text: Option<&str>) -> Result<f64, CollectError> {
    let text = text.ok_or_else(|| CollectError::form(path, "too few fields"))?;
    text.parse().map_err(|_| CollectError::form(path, format!("{text:?} is not a number")))
}
