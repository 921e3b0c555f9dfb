//! All names on disk.
//!
//! ```text
//! <dir>/lock                              one process a store
//! <dir>/store.json                        the store's id, written once
//! <dir>/wal/0000000001.wal                write-ahead log
//! <dir>/wal/0000000001-52.damaged         a copy of what could not be read at offset 52 of log segment 1
//! <dir>/segments/<ulid>.parquet           a sealed segment
//! <dir>/segments/<ulid>.index             its sidecar index, which can be made again from it
//! <dir>/segments/<ulid>.parquet.damaged   a segment that could not be read
//! ```
//!
//! What ends in `.tmp` was not finished and is removed at the start.

use std::{fs, io, path::Path};

use ulid::Ulid;

/// The lock file in the store's folder.
pub(crate) const LOCK: &str = "lock";
/// The file with the store's id.
pub(crate) const STORE: &str = "store.json";
/// The folder of the write-ahead log, unless the options name another.
pub(crate) const WAL_DIR: &str = "wal";
/// The folder of the sealed segments.
pub(crate) const SEGMENTS_DIR: &str = "segments";

const WAL_SUFFIX: &str = ".wal";
const PARQUET_SUFFIX: &str = ".parquet";
const INDEX_SUFFIX: &str = ".index";

pub(crate) fn wal_name(number: u64) -> String {
    format!("{number:010}{WAL_SUFFIX}")
}

pub(crate) fn damaged_name(number: u64, offset: u64) -> String {
    format!("{number:010}-{offset}.damaged")
}

pub(crate) fn parquet_name(id: Ulid) -> String {
    format!("{id}{PARQUET_SUFFIX}")
}

pub(crate) fn index_name(id: Ulid) -> String {
    format!("{id}{INDEX_SUFFIX}")
}

pub(crate) fn damaged_parquet_name(id: Ulid) -> String {
    format!("{id}{PARQUET_SUFFIX}.damaged")
}

/// The numbers of the log segments in a folder, ascending.
pub(crate) fn wal_numbers(dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for name in names(dir)? {
        numbers.extend(name.strip_suffix(WAL_SUFFIX).and_then(|stem| stem.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The ids of the sealed segments in a folder, ascending.
pub(crate) fn segment_ids(dir: &Path) -> io::Result<Vec<Ulid>> {
    ids_with_suffix(dir, PARQUET_SUFFIX)
}

/// The ids of the sidecar indexes in a folder, ascending.
pub(crate) fn index_ids(dir: &Path) -> io::Result<Vec<Ulid>> {
    ids_with_suffix(dir, INDEX_SUFFIX)
}

fn ids_with_suffix(dir: &Path, suffix: &str) -> io::Result<Vec<Ulid>> {
    let mut ids = Vec::new();
    for name in names(dir)? {
        ids.extend(name.strip_suffix(suffix).and_then(|stem| Ulid::from_string(stem).ok()));
    }
    ids.sort_unstable();
    Ok(ids)
}

fn names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        names.extend(entry?.file_name().into_string().ok());
    }
    Ok(names)
}
