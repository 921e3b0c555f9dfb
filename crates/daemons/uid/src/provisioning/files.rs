//! The files of a folder.

use std::{
    io,
    path::{Path, PathBuf},
};

/// The YAML files of a folder in the order of their names; none if the folder is not there. Links are followed, names that begin with a
/// dot left out: mounted config maps keep their versions under such names.
pub(super) fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        if is_yaml && !name.starts_with('.') && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
